"""apcorr_method = psf against the truth of noise-free scenes, which have the PSF of the reference."""

import time
from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import extract, read
from jdaviz_lrs.engine.apcorr import pixel_fractions, profile_correction
from jdaviz_lrs.extraction.aperture_correction import psf_correction
from jdaviz_lrs.extraction.found_trace import source_at
from jdaviz_lrs.extraction.placement import place
from jdaviz_lrs.references.apcorr import read_apcorr
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import effective_profile, simulated_psf
from jdaviz_lrs.simulate.references import write_apcorr

CLEAN = Scene(noise=False, nod_subtracted=False, background=0.0)


def scene(product="s2d", nod=1, **settings):
    seen = simulate(replace(CLEAN, **settings), product, nod)
    return read(to_model(seen)), seen.truth


@pytest.fixture(scope="module")
def s2d():
    return scene()


@pytest.fixture(scope="module")
def references(s2d):
    return replace(find_references(s2d[0], crds=False), psf=simulated_psf())


def worst(spectrum, truth):
    """Largest relative error; every wavelength must have a flux."""
    flux = np.interp(spectrum.wavelength[::-1], truth.wavelength[::-1], truth.flux[::-1])[::-1]
    return np.abs(spectrum.flux / flux - 1).max()


def check(image, truth, references, limit=1e-3, **changes):
    changes = {"use_source_posn": True, "apcorr_method": "psf"} | changes
    spectrum = extract(image, references.parameters, references, **changes)
    assert worst(spectrum, truth) < limit
    return spectrum


@pytest.mark.parametrize("width", [3, 3.5, 5, 8, 12.3, 20])
@pytest.mark.parametrize(("product", "nod"), [("s2d", 1), ("s2d", 2), ("cal", 1)])
def test_any_width(references, product, nod, width):
    image, truth = scene(product, nod)
    check(image, truth, references, extract_width=width)


@pytest.mark.parametrize("offset", [-1.5, -0.3, 0.7])
def test_off_centre(s2d, references, offset):
    image, truth = s2d
    at = float(np.mean(truth.trace))
    edges = [[at + offset - 3.0], [at + offset + 3.0]]
    # given by hand, the aperture's middle is all that tells where the source is: it is not corrected for
    by_hand = extract(
        image, references.parameters, references, src_coeff=edges, use_source_posn=False, apcorr_method="psf"
    )
    assert worst(by_hand, truth) > 3e-4
    # edges about zero go with the trace, which is where the source is
    check(image, truth, references, src_coeff=[[offset - 3.0], [offset + 3.0]])


def test_tapered(s2d, references):
    check(*s2d, references, src_coeff=[[-1.0, -0.25], [0.5, 0.35]], independent_var="wavelength")


def test_two_regions(s2d, references):
    check(*s2d, references, src_coeff=[[-4.0], [-0.4], [0.2], [3.3]])


@pytest.mark.parametrize("column", [-2, -1, 0, 1, 2])
def test_bad_pixels_in_the_aperture_are_made_up_for(s2d, references, column):
    image, truth = s2d
    rows = np.arange(0, image.n_disp - 1, 3)
    good = image.good.copy()
    good[rows, np.round(truth.trace[rows]).astype(int) + column] = False
    image = replace(image, good=good, data=np.where(good, image.data, np.nan))
    spectrum = check(image, truth, references, extract_width=8)
    assert spectrum.npixels.min() == pytest.approx(7)
    # once: by the share that is left, not by the correction for the light outside
    np.testing.assert_allclose(spectrum.apcorr[rows] / spectrum.apcorr[rows + 1], 1.0, atol=0.01)
    if abs(column) < 2:
        assert np.median(spectrum.light_left[rows]) < 0.9


def test_each_integration_has_its_own(s2d, references):
    image, truth = s2d
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    stack = {name: np.stack([getattr(image, name)] * 2) for name in names}
    stack["good"][1, ::2, round(float(truth.trace[100]))] = False
    image = replace(image, **stack)
    spectrum = check(image, truth, references, extract_width=8)
    assert spectrum.light_left.shape == (2, image.n_disp)
    assert (spectrum.light_left[0] == 1).all()
    assert (spectrum.light_left[1, ::2] < 0.8).all()


def test_outside_the_psf_there_is_no_flux(s2d, references):
    psf = references.psf
    short = replace(psf, data=psf.data[40:100], wavelength=psf.wavelength[40:100])
    image, _ = s2d
    changed = replace(references, psf=short)
    spectrum = extract(image, references.parameters, changed, use_source_posn=True, apcorr_method="psf")
    outside = (spectrum.wavelength < short.wavelength.min()) | (spectrum.wavelength > short.wavelength.max())
    assert 0 < outside.sum() < outside.size
    np.testing.assert_array_equal(np.isnan(spectrum.flux), outside)
    np.testing.assert_array_equal(spectrum.dq, outside)
    assert np.isnan(spectrum.flux_error[outside]).all()
    assert any(f"no flux, at {outside.sum()} of {outside.size} wavelengths" in n for n in spectrum.notes)


def test_apertures_beside_the_source_give_no_flux(s2d, references):
    wings = {"src_coeff": [[-14.0], [-9.0], [9.0], [14.0]], "apcorr_method": "psf"}
    spectrum = extract(s2d[0], references.parameters, references, use_source_posn=True, **wings)
    assert np.isnan(spectrum.flux).any()
    assert any("less than 1% of its light" in note for note in spectrum.notes)


def test_fractions_are_those_of_the_psf():
    psf = simulated_psf()
    offsets = np.arange(-9, 10) + 0.37
    wavelength = np.array([12.34, 5.01, 8.0])
    fractions = pixel_fractions(
        psf.data[::-1], psf.wavelength[::-1], psf.subpix, psf.center_col, np.tile(offsets, (3, 1)), wavelength
    )
    np.testing.assert_allclose(fractions, effective_profile(offsets, wavelength), atol=4e-4)


def test_fractions_at_the_ends_of_the_psf():
    data, wavelength = np.ones((2, 5)), np.array([5.0, 6.0])
    offsets = np.array([[-2.01, -2.0, 0.0, 2.0, 2.01, np.nan]] * 3)
    fractions = pixel_fractions(data, wavelength, 1.0, 2.0, offsets, np.array([5.0, 6.0, 6.1]))
    np.testing.assert_allclose(fractions[0], [0, 0.2, 0.2, 0.2, 0, 0])
    np.testing.assert_array_equal(fractions[1], fractions[0])
    assert np.isnan(fractions[2]).all()


def test_correction_is_one_over_the_share():
    profile = np.array([[0.5, 0.25], [0.5, 0.25], [np.nan, np.nan], [0.005, 0.004]])
    weights = np.array([[1.0, 1.0], [0.5, 0.0], [1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(profile_correction(profile, weights), [4 / 3, 4, np.nan, np.nan])


def test_it_is_fast(s2d, references):
    image, _ = s2d
    placement = place(image, references.parameters.with_({"use_source_posn": True, "extract_width": 8}))

    def run():
        start = time.perf_counter()
        psf_correction(image, references.psf, placement)
        return time.perf_counter() - start

    assert min(run() for _ in range(20)) < 3e-3  # 0.4 ms on an idle core


def test_correction_of_whole_pixels_where_the_aperture_cuts_them(tmp_path):
    """The first diffraction ring lies on the aperture's edges: light there changes with the trace's phase."""
    image = read(to_model(simulate(Scene(noise=False), "cal")))
    psf = built_in_psf()
    correction = read_apcorr(write_apcorr(psf, tmp_path / "apcorr.fits"), "FULL")
    references = replace(find_references(image, crds=False), apcorr=correction, psf=psf)
    parameters = {"extraction_type": "optimal", "use_source_posn": True}
    placed = extract(image, references=references, **parameters)
    light = np.where(image.good, 1e3 * placed.profile, np.nan)  # the nod's negative trace with it
    seen = replace(image, data=light)
    refined = extract(seen, references=references, **parameters, refinements=("width",))
    unit = image.pixel_area * 1e6
    inside = (refined.wavelength > 5) & (refined.wavelength < 13.5)
    assert np.abs(refined.flux[inside] / (1e3 * unit) - 1).max() < 1e-3
    assert np.abs(np.array(refined.verdict.sum_ratio) - 1).max() < 1e-3


def test_step_in_a_reference_is_no_phase():
    """All pixels hold all light of a PSF at any phase, which they do not of one that is cut off."""
    image = read(to_model(simulate(CLEAN, "cal")))
    psf = built_in_psf()
    offset = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
    cut = replace(psf, data=np.where(np.abs(offset) <= 3.0, psf.data, 0.0))
    whole, without_wings = (source_at(image, one, image.source.trace) for one in (psf, cut))
    used = np.isfinite(whole.traces[0]) & whole.grid.covered.any(axis=1)
    assert np.ptp(without_wings.enclosed_light[used]) > 0.01
    np.testing.assert_allclose(without_wings.phase_effect[used], 1.0, atol=1e-9)
    # the first diffraction ring lies where the aperture cuts pixels
    assert 0.001 < np.abs(whole.phase_effect[used] - 1.0).max() < 0.01
