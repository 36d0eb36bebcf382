from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, calibrate, combine, extract, response
from jdaviz_lrs.combine.nods import correct_nods
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate import Scene, simulate, simulated_psf, to_model

CLOSE = Scene(noise=False, nod_offset=0.5)
"""Nods 9 px apart: the wings of one lie in the other's aperture."""


@pytest.fixture(scope="module")
def psf(tmp_path_factory):
    return write_psf(simulated_psf(), tmp_path_factory.mktemp("psf") / "psf.fits")


def image_of(scene: Scene, product="s2d", nod=1) -> SpectralImage:
    return replace(from_datamodel(to_model(simulate(scene, product, nod))), file_name=f"nod{nod}.fits")


def bias(spectrum, scene=CLOSE):
    used = (spectrum.wavelength > 5) & (spectrum.wavelength < 13.5)
    return spectrum.flux[used] / scene.flux(spectrum.wavelength[used]) - 1


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod", [1, 2])
def test_a_box_gets_its_light_back(psf, product, nod):
    box = extract(
        image_of(CLOSE, product, nod),
        override_psf=psf,
        use_source_posn=True,
        extract_width=8,
        apcorr_method="psf",
    )
    corrected = correct_nods(box, psf)
    assert bias(box).min() < -0.02
    assert np.abs(bias(corrected)).max() < 0.001
    assert corrected.report["nod_share"] > 0.005
    assert any("Over-subtraction" in note for note in corrected.notes)
    # errors go with the flux
    np.testing.assert_allclose(corrected.flux_error / corrected.flux, box.flux_error / box.flux)


def test_so_does_an_optimal_extraction_that_left_them(psf):
    optimal = extract(
        image_of(CLOSE, "cal"),
        override_psf=psf,
        extraction_type="optimal",
        use_source_posn=True,
        model_nod_pair=False,
        optimize_psf_location=False,  # a trace that is not modelled draws the location along
    )
    assert bias(optimal).min() < -0.002
    assert np.abs(bias(correct_nods(optimal, psf))).max() < 0.001


def test_where_they_were_fitted_nothing_is_lost(psf):
    optimal = extract(
        image_of(CLOSE, "cal"), override_psf=psf, extraction_type="optimal", use_source_posn=True
    )
    same = correct_nods(optimal, psf)
    np.testing.assert_array_equal(same.flux, optimal.flux)
    assert "nothing is to be corrected" in same.notes[-1]


def test_more_than_two_nods(psf):
    """Half the light of each of two others, one 9 px away and one out of reach."""
    box = extract(image_of(CLOSE), override_psf=psf, use_source_posn=True, extract_width=8)
    one, two = (correct_nods(box, psf, offsets) for offsets in ([-9.0], [-9.0, 30.0]))
    lost = 1 - box.flux / one.flux
    np.testing.assert_allclose(1 - box.flux / two.flux, lost / 2, rtol=1e-6)


def test_combine_does_it_on_request(psf):
    keywords = {"override_psf": psf, "use_source_posn": True, "extract_width": 8, "apcorr_method": "psf"}
    both = [extract(image_of(CLOSE, nod=nod), **keywords) for nod in (1, 2)]
    plain, corrected = combine(both), combine(both, correct_nods=True, override_psf=psf)
    assert np.median(bias(plain)) < -0.005
    assert np.abs(bias(corrected)).max() < 0.001
    assert corrected.parameters["correct_nods"]
    assert any(note.startswith("nod1.fits: Over-subtraction") for note in corrected.notes)


def test_what_is_no_offset_or_no_spectrum(psf):
    box = extract(image_of(CLOSE), override_psf=psf, use_source_posn=True, extract_width=8)
    for offsets in ([], [np.nan]):
        with pytest.raises(LRSError, match="give those of the other nods"):
            correct_nods(box, psf, offsets)
    with pytest.raises(LRSError, match="give an extracted spectrum"):
        correct_nods("a_x1d.fits")


def test_it_is_not_done_twice(psf):
    box = extract(image_of(CLOSE), override_psf=psf, use_source_posn=True, extract_width=8)
    corrected = correct_nods(box, psf)
    with pytest.raises(LRSError, match="corrected for other nods already"):
        correct_nods(corrected, psf)
    with pytest.raises(LRSError, match="correct_nods none and True"):
        calibrate(corrected, response(box, "rayleigh-jeans:0.001"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: replace(s, image=None), "not at hand"),
        (lambda s: replace(s, image=s.image.header_only()), "not at hand"),
        (lambda s: _observed(s, bkg_subtract=None), "not nod-subtracted"),
        (lambda s: _observed(s, primary_type="4-POINT"), "not a two-point nod.*Give offsets"),
        (lambda s: replace(s, background=np.ones(s.flux.size)), "background was subtracted"),
    ],
)
def test_what_cannot_be_corrected(psf, change, told):
    box = extract(image_of(CLOSE), override_psf=psf, use_source_posn=True, extract_width=8)
    with pytest.raises(LRSError, match=told):
        correct_nods(change(box), psf)


def _observed(spectrum, **changes):
    image = spectrum.image
    return replace(spectrum, image=replace(image, observation=replace(image.observation, **changes)))
