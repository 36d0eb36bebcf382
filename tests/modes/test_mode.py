import re
from pathlib import Path

import pytest

from jdaviz_lrs.modes import DEFAULT, MODES, mode_of
from jdaviz_lrs.modes.lrs_slit import LRS_SLIT

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
