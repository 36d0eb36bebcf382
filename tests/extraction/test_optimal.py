"""Optimal extraction against the pipeline, and against the truth."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.extraction.tabulate import tabulate
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel, read
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D
from jdaviz_lrs.references.psf import read_psf, write_psf
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.extract1d_step import pipeline_x1d

PSF = simulated_psf()
OPTIMAL = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
PIPELINE = replace(OPTIMAL, pipeline_compatible=True)
CASES = {
    "nod": {"model_nod_pair": True},
    "no nod": {"model_nod_pair": False},
    "background": {"model_nod_pair": True, "subtract_background": True, "bkg_fit": "poly", "bkg_order": 1},
    "offset": {"position_offset": 0.6},
    "middle": {"use_source_posn": False},
}


def table(image, result):
    return tabulate(image, result.sums, result.profile, ApertureLimits(0, 0, 0, 0), surface_brightness=False)


def assert_same_columns(mine, theirs, rtol):
    assert mine.flux.size == len(theirs)
    for name in theirs.dtype.names:
        column = name.lower()
        value, expected = getattr(mine, column), theirs[name]
        # a background after nod subtraction is zero within the noise: compared on the scale of its scatter
        atol = rtol * np.nanmax(np.abs(expected)) if column == "background" else 0.0
        np.testing.assert_allclose(value, expected, rtol=rtol, atol=atol, err_msg=column)


@pytest.fixture(scope="module")
def cal():
    """Nod-subtracted detector image with bad pixels: the pipeline's data model, and ours."""
    model = to_model(simulate(Scene(bad_pixels=25, noisy_variance=True), "cal"))
    return model, from_datamodel(model)


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    return BUILT_IN_EXTRACT1D.write(folder / "extract1d.json"), None, write_psf(PSF, folder / "psf.fits")


@pytest.mark.parametrize("case", CASES)
def test_equals_the_pipeline_where_nothing_is_optimised(case, cal, references):
    model, image = cal
    choice = {"use_source_posn": True, "optimize_psf_location": False, **CASES[case]}
    theirs = pipeline_x1d(model.copy(), *references, extraction_type="optimal", **choice)
    mine = table(image, extract_optimal(image, replace(PIPELINE, **choice), read_psf(references[2])))
    assert_same_columns(mine, theirs, rtol=1e-6)


def test_equals_the_pipeline_where_the_location_is_optimised(cal, references):
    model, image = cal
    theirs = pipeline_x1d(model.copy(), *references, extraction_type="optimal", use_source_posn=True)
    mine = table(image, extract_optimal(image, PIPELINE, read_psf(references[2])))
    # the pipeline's simplex stops at about 1e-4 px
    assert_same_columns(mine, theirs, rtol=1e-4)


@pytest.mark.parametrize(
    ("example", "file", "choice"),
    [
        ("5a", "nod1_cal.fits.gz", {}),
        ("5b", "nod1_cal_nobsub.fits.gz", {"model_nod_pair": False, "subtract_background": True}),
    ],
)
def test_worked_examples(example, file, choice, shared_scene):
    aperture = json.loads((shared_scene / "pipeline" / f"ex{example}.json").read_text())["apertures"][0]
    choice = choice | {k: aperture[k] for k in ("bkg_fit", "bkg_order") if k in aperture}
    image = read(shared_scene / file)
    result = extract_optimal(image, replace(PIPELINE, **choice), read_psf(shared_scene / "psf.fits"))
    theirs = fits.getdata(shared_scene / "pipeline" / f"ex{example}_x1d.fits", 1)
    assert_same_columns(table(image, result), theirs, rtol=1e-4)


@pytest.mark.parametrize("product", ["cal", "s2d"])
@pytest.mark.parametrize("nod_subtracted", [True, False])
def test_noise_free_flux_is_the_truth(product, nod_subtracted):
    observation = simulate(Scene(noise=False, nod_subtracted=nod_subtracted), product)
    image = from_datamodel(to_model(observation))
    parameters = replace(OPTIMAL, subtract_background=not nod_subtracted, bkg_order=1)
    result = extract_optimal(image, parameters, PSF)
    truth = np.interp(image.row_wavelength, *ascending(observation.truth))
    used = (image.row_wavelength > 5) & (image.row_wavelength < 13.5)
    flux = result.flux * image.pixel_area * 1e6
    # linear interpolation of the PSF's samples, a tenth of a pixel apart
    np.testing.assert_allclose(flux[used] / truth[used], 1.0, atol=1e-3)


def ascending(truth):
    order = np.argsort(truth.wavelength)
    return truth.wavelength[order], truth.flux[order]


def test_rectified_and_detector_image_agree():
    spectra = []
    for product in ("cal", "s2d"):
        image = from_datamodel(to_model(simulate(Scene(noise=False), product)))
        result = extract_optimal(image, OPTIMAL, PSF)
        order = np.argsort(image.row_wavelength)
        spectra.append((image.row_wavelength[order], result.flux[order]))
    cal = np.interp(spectra[1][0], *spectra[0])
    used = (spectra[1][0] > 5) & (spectra[1][0] < 13.5)
    assert abs(np.median(spectra[1][1][used] / cal[used]) - 1) < 0.005  # the limit


def test_default_trace_is_not_shifted_as_the_pipelines_is(cal):
    _, image = cal
    mine, theirs = (extract_optimal(image, p, PSF) for p in (OPTIMAL, PIPELINE))
    assert abs(mine.report["psf_shift"]) < 0.02
    # it counts the trace from the edge of the bounding box, half a pixel from the first pixel's centre
    assert theirs.report["psf_shift"] == pytest.approx(-0.5, abs=0.1)


def test_stack_of_integrations(cal):
    _, image = cal
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    stack = replace(image, **{n: np.stack([getattr(image, n)] * 2) for n in names})
    parameters = replace(OPTIMAL, subtract_background=True, refinements=("all",))
    for choice in (OPTIMAL, parameters):
        result = extract_optimal(stack, choice, PSF)
        assert result.flux.shape == (2, image.n_disp)
        np.testing.assert_allclose(result.flux[0], result.flux[1])
        assert result.scene.shape == stack.data.shape


def test_notes_where_the_nod_is_not_modelled(cal):
    _, image = cal
    seen = image.observation
    for change in ({"bkg_subtract": None}, {"primary_type": "CYCLING"}, {"x_offset": None}):
        other = replace(image, observation=replace(seen, **change))
        result = extract_optimal(other, OPTIMAL, PSF)
        assert result.nod_profile is None
        assert any("model_nod_pair is ignored" in n or "not modelled" in n for n in result.notes)


def test_bad_input_is_one_sentence(cal):
    _, image = cal
    narrow = replace(PSF, wavelength=PSF.wavelength + 20.0)
    with pytest.raises(LRSError, match="it covers 22"):
        extract_optimal(image, OPTIMAL, narrow)
    with pytest.raises(LRSError, match="no WCS"):
        extract_optimal(replace(image, wcs=None), OPTIMAL, PSF)
    with pytest.raises(LRSError, match="position_offset = 30 moves the source"):
        extract_optimal(image, replace(OPTIMAL, position_offset=30.0), PSF)
    away = replace(image.observation, dithered_ra=image.observation.dithered_ra + 20 / 3600)
    with pytest.raises(LRSError, match="outside the slit"):
        extract_optimal(replace(image, observation=away), OPTIMAL, PSF)
    with pytest.raises(LRSError, match="bkg_order = 60 needs 61 pixels beside those of 2 sources"):
        extract_optimal(image, replace(OPTIMAL, subtract_background=True, bkg_order=60), PSF)
    with pytest.raises(LRSError, match="no solution at any wavelength"):
        extract_optimal(image, replace(OPTIMAL, subtract_background=True, bkg_order=41), PSF)
    with pytest.raises(LRSError, match="no valid pixel"):
        extract_optimal(replace(image, good=np.zeros_like(image.good)), OPTIMAL, PSF)


def test_wavelengths_without_psf_or_pixels_have_no_flux(cal):
    _, image = cal
    good = image.good.copy()
    good[200] = False
    part = PSF.wavelength > 6.0
    short = replace(PSF, data=PSF.data[part], wavelength=PSF.wavelength[part])
    result = extract_optimal(replace(image, good=good), OPTIMAL, short)
    dark = (image.row_wavelength < short.wavelength.min()) | (np.arange(image.n_disp) == 200)
    np.testing.assert_array_equal(np.isnan(result.flux), dark)
    assert any(f"No flux at {dark.sum()} of" in note for note in result.notes)


def test_a_background_of_high_order_has_a_solution(cal):
    # in powers of the coordinate a third of the wavelengths is singular at this order
    _, image = cal
    result = extract_optimal(image, replace(OPTIMAL, subtract_background=True, bkg_order=14), PSF)
    assert np.isfinite(result.flux[np.isfinite(image.row_wavelength)]).all()


def test_one_integration_may_be_lost(cal):
    _, image = cal
    stacked = {
        n: np.stack([getattr(image, n)] * 3) for n in ("data", "var_poisson", "var_rnoise", "var_flat", "dq")
    }
    good = np.stack([image.good, np.zeros_like(image.good), image.good])
    flux = extract_optimal(replace(image, good=good, **stacked), OPTIMAL, PSF).flux
    known = np.isfinite(image.row_wavelength)
    assert np.isfinite(flux[0][known]).all()
    assert np.isnan(flux[1]).all()
