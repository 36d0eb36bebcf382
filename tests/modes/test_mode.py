import re
from dataclasses import replace
from pathlib import Path

import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, read
from jdaviz_lrs.modes import DEFAULT, LRS_SLIT, LRS_SLITLESS, MODES, mode_of
from jdaviz_lrs.references.find import find_references

PACKAGE = Path(__file__).parents[2] / "jdaviz_lrs"

#: What the code of every other room must ask its mode for.
FACTS = re.compile(r"MIR_LRS|SLITLESSPRISM|ALONG-SLIT-NOD|2-POINT-NOD|0\.11\b|xstart\W+27")


def test_a_mode_is_found_by_its_exposure_type():
    assert mode_of("MIR_LRS-FIXEDSLIT") is LRS_SLIT is DEFAULT
    assert all(mode.exposure_type == name for name, mode in MODES.items())


@pytest.mark.parametrize(("name", "scale"), [("MIR_LRS-OTHER", LRS_SLIT.detector_scale), ("NRS_OTHER", None)])
def test_of_an_unknown_mode_nothing_is_taken_for_granted(name, scale):
    mode = mode_of(name)
    assert (mode.exposure_type, mode.detector_scale, mode.at_source) == (name, scale, False)


def code(path):
    """Lines of a file without comments and docstrings."""
    text = re.sub(r'"""[\s\S]*?"""', "", path.read_text(encoding="utf-8"))
    return re.sub(r"#.*", "", text)


def test_no_other_room_knows_its_facts():
    rooms = [path for path in PACKAGE.rglob("*.py") if path.parent.name not in ("modes", "simulate")]
    assert len(rooms) > 50
    assert [path.name for path in rooms if FACTS.search(code(path))] == []


def test_the_slitless_mode_has_references_of_its_own(observation, tmp_path):
    image = read(observation["nod1_s2d"])
    seen = replace(image.observation, exposure_type="MIR_LRS-SLITLESS", slit_name="MIR_LRS-SLITLESS")
    slitless = replace(image, observation=seen)
    assert slitless.mode is LRS_SLITLESS
    found = find_references(slitless, crds=False)
    assert (found.parameters.xstart, found.parameters.xstop) == (30, 41)
    # the model was measured in the slit, which it does not claim to be of use elsewhere
    assert "measured in the slit" in " ".join(found.notes)
    assert "good to 3%" not in " ".join(found.notes)
    path = tmp_path / "psf.fits"
    with fits.open(observation["psf"]) as hdus:
        hdus["PSF"].header["APERTURE"] = "MIR_LRS-FIXEDSLIT"
        hdus.writeto(path)
    assert find_references(image, override_psf=path, crds=False).psf.name == "psf.fits"
    with pytest.raises(LRSError, match="no aperture is named ANY or NONE or MIR_LRS-SLITLESS"):
        find_references(slitless, override_psf=path, crds=False)
