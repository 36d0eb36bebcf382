"""Growth curves: against the engine's own sums, theory, and the truth of simulated exposures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

from jdaviz_lrs.analysis.growth import compare_widths, say_offset, with_width
from jdaviz_lrs.engine.aperture import pixel_weights
from jdaviz_lrs.engine.enclosed_fraction import enclosed, enclosed_variance
from jdaviz_lrs.engine.growth import growth, measure_apertures
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf

REGIONS = [[4.5], [14.5], [37.5], [42.5]]


def image_of(scene):
    return read(to_model(simulate(scene)))


@pytest.fixture(scope="module")
def image():
    """A source on its sky, with noise."""
    return image_of(Scene(nod_subtracted=False))


@pytest.fixture(scope="module")
def references(image):
    return replace(find_references(image), psf=simulated_psf())


def box(references, **changes):
    return references.parameters.with_({"use_source_posn": True, "extract_width": 6.0} | changes)


@pytest.mark.parametrize("first", [0.0, 303.0])
def test_sums_are_those_of_the_apertures_weights(first):
    draw = np.random.default_rng(3)
    values, center = draw.random((7, 20)), first + draw.uniform(5, 15, 7)
    widths = np.array([0.3, 0.9, 1.0, 2.7, 8.0, 60.0])
    edges = center[None, :] + 0.5 * np.array([-1.0, 1.0])[:, None] * widths[:, None, None]
    weights = [pixel_weights(e[None, ..., None], first + np.arange(20.0)) for e in edges]
    sums = np.stack([np.vecdot(values, w) for w in weights], axis=1)
    squares = np.stack([np.vecdot(values, w**2) for w in weights], axis=1)
    np.testing.assert_allclose(enclosed(values, center, first, widths), sums, rtol=1e-12)
    np.testing.assert_allclose(enclosed_variance(values, center, first, widths), squares, rtol=1e-12)


def test_a_row_without_a_centre_has_no_sum():
    sums = enclosed(np.ones((2, 9)), np.array([4.0, np.nan]), 0.0, np.array([1.0, 3.0]))
    np.testing.assert_array_equal(sums, [[1, 3], [np.nan, np.nan]])


def gaussian(sigma, n_xdisp=401):
    """Light of each pixel of a Gaussian source in the middle of a row."""
    edges = (np.arange(n_xdisp + 1) - n_xdisp / 2) / (np.sqrt(2) * sigma)
    return 0.5 * np.diff(erf(edges))[None, :], np.array([(n_xdisp - 1) / 2])


def test_the_best_width_of_a_gaussian_against_a_background_is_1_19_fwhm():
    """Signal erf(h / sqrt 2) over noise sqrt(h), h the half width in sigma, peaks where its slope is nil.

    That is at h = 1.40 (so 1.4 *sigma* to either side), a full width of 2.80 sigma or 1.19 FWHM. Sigma is 25
    pixels here, and widths end at pixels' borders, 4 pixels apart: a parabola through the top finds it to
    0.2 %.
    """

    def slope(h):
        return np.sqrt(2 / np.pi) * np.exp(-(h**2) / 2) * 2 * h - erf(h / np.sqrt(2))

    sigma = 25.0
    best = 2 * brentq(slope, 1.0, 2.0) * sigma
    assert best == pytest.approx(1.189 * 2.3548 * sigma, rel=1e-3)
    shape, center = gaussian(sigma)
    widths = np.arange(21.0, 200.0, 4.0)
    found = growth(measure_apertures(7.0 * shape, np.ones_like(shape), shape, center, 0.0, widths), 80.0)
    assert found.best == pytest.approx(best, rel=2e-3)
    np.testing.assert_allclose(found.measured, erf(widths / 2 / np.sqrt(2) / sigma), rtol=1e-9)
    np.testing.assert_allclose(found.expected, found.measured, rtol=1e-9)
    # within 1 % of the best: from 1.15 to 1.69 sigma, by the same formula
    ratio = erf(np.array(found.good) / 2 / np.sqrt(2) / sigma) / np.sqrt(found.good)
    assert (ratio > 0.99 * erf(best / 2 / np.sqrt(2) / sigma) / np.sqrt(best) * (1 - 1e-3)).all()


def test_without_read_noise_or_background_the_widest_aperture_is_best():
    """Poisson noise of the source alone: signal over noise is the square root of the light enclosed."""
    shape, center = gaussian(25.0)
    widths = np.arange(21.0, 200.0, 4.0)
    found = growth(measure_apertures(shape, shape, shape, center, 0.0, widths), 80.0)
    assert found.best == widths[-1]


def test_without_a_psf_the_data_alone_tell():
    shape, center = gaussian(25.0)
    widths = np.arange(21.0, 200.0, 4.0)
    apertures = measure_apertures(
        shape, np.ones_like(shape), np.full_like(shape, np.nan), center, 0.0, widths
    )
    found = growth(apertures, 80.0)
    assert np.isnan(found.expected).all()
    assert found.measured[-1] == 1.0
    assert found.best == pytest.approx(70.0, rel=2e-3)


@pytest.mark.parametrize(
    "background",
    [{"bkg_order": 1}, {"bkg_fit": "median"}, {"bkg_order": 1, "bkg_disp_order": 3}],
    ids=["polynomial", "median", "surface"],
)
def test_signal_and_noise_are_those_of_an_extraction(image, references, background):
    """The curves at a width are what extracting with it gives, error of the background included."""
    parameters = box(references, bkg_coeff=REGIONS, apply_apcorr=False, **background)
    found = compare_widths(image, parameters, references, (6.0, 11.0), [3.0, 4.4, 9.0])
    for width, snr in zip(found.widths, found.snr, strict=True):
        spectrum = extract(image, with_width(parameters, width), references)
        inside = (spectrum.wavelength >= 6.0) & (spectrum.wavelength <= 11.0)
        assert snr == pytest.approx(np.median((spectrum.flux / spectrum.flux_error)[inside]), rel=1e-6)


def test_the_light_measured_grows_as_the_known_psf(references):
    """Noise-free, on the very sky that is subtracted: what is left is the PSF reference's coarse wavelengths.

    The simulator computes its PSF at every row, the reference holds 10 samples a pixel and 10 wavelengths
    per micron, linear in between: 3e-4.
    """
    image = image_of(Scene(nod_subtracted=False, noise=False, background=0.0))
    found = compare_widths(image, box(references, extract_width=8.0), references, (5.0, 12.0))
    np.testing.assert_allclose(found.measured, found.expected, atol=1e-3)
    assert (np.diff(found.expected) > 0).all()


def test_a_wider_psf_shows(references):
    """At half the width at which they meet, a PSF 15 % wider holds less light than the reference's."""
    scene = Scene(nod_subtracted=False, noise=False, background=0.0, psf_stretch=1.15)
    found = compare_widths(image_of(scene), box(references, extract_width=8.0), references, (5.0, 12.0))
    at = np.searchsorted(found.widths, 4.0)
    assert 0.03 < found.expected[at] - found.measured[at] < 0.1


def test_the_best_width_is_that_of_the_truth(image, references):
    """With the true signal and the true noise, the median ratio of 300 rows peaks at the same width.

    The noise of the measured light changes which row is the median, and near the top 1 % in the ratio is a
    pixel in the width: so the ratio at the width found is compared, not the width.
    """
    parameters = box(references, bkg_coeff=REGIONS, bkg_order=1)
    found = compare_widths(image, parameters, references, (5.0, 12.0))
    scene = Scene(nod_subtracted=False, noise=False)
    truth = compare_widths(image_of(scene), parameters, references, (5.0, 12.0))
    assert np.interp(found.best, truth.widths, truth.snr) > 0.995 * truth.snr.max()
    assert found.good[0] <= found.best <= found.good[1]
    np.testing.assert_allclose(found.expected_snr, truth.snr, rtol=0.02)


@pytest.mark.parametrize("by", [3.0, -3.0, 7.0])
@pytest.mark.parametrize("scene", [Scene(), Scene(nod_subtracted=False), Scene(brightness=3e-6)])
def test_beside_the_trace_it_is_that_of_the_trace(references, scene, by):
    image = image_of(scene)
    on, off = (
        compare_widths(image, box(references, position_offset=b), references, (5.0, 12.0)) for b in (0.0, by)
    )
    assert (on.offset, say_offset(on)) == (0.0, "")
    assert off.offset == pytest.approx(-by, abs=0.15)
    assert f"{off.offset:+.1f} px from the aperture's centre" in say_offset(off)
    assert off.best == pytest.approx(on.best, rel=0.05)
    assert off.best_snr == pytest.approx(on.best_snr, rel=0.05)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod_subtracted", [True, False])
def test_where_nothing_is_there_no_width_is_best(references, product, nod_subtracted):
    """Neither a sky that is brighter at one end of the slit, nor cosmic rays, are a trace."""
    scene = Scene(brightness=1e-10, nod_subtracted=nod_subtracted, cosmic_rays=60)
    image = read(to_model(simulate(scene, product)))
    with pytest.raises(LRSError, match="No trace stands out of the noise within 9 px"):
        compare_widths(image, box(references), references)


def test_beyond_the_reach_there_is_no_trace(image, references):
    with pytest.raises(LRSError, match="No trace"):
        compare_widths(image, box(references, position_offset=-12.0), references)


def test_a_faint_source_with_a_bright_one_out_of_reach_is_its_own(references):
    image = image_of(Scene(companion_ratio=3.0, companion_offset=11.0))
    assert compare_widths(image, box(references), references).offset == 0.0


def test_bad_pixels_are_left_out_of_both_curves(references):
    scene = Scene(nod_subtracted=False, noise=False, background=0.0, bad_pixels=900)
    found = compare_widths(image_of(scene), box(references, extract_width=8.0), references, (5.0, 12.0))
    np.testing.assert_allclose(found.measured, found.expected, atol=2e-3)


def test_a_range_without_wavelengths_is_refused(image, references):
    with pytest.raises(LRSError, match="between 30 and 40 um"):
        compare_widths(image, box(references), references, (30.0, 40.0))


def test_another_width_keeps_the_centre(references):
    parameters = box(references)
    assert with_width(parameters, 4.5).extract_width == 4.5
    bent = parameters.with_({"src_coeff": [[26.0, 0.01], [32.0, 0.01, 1e-5]]})
    assert with_width(bent, 4.0).src_coeff == ((27.0, 0.01, 5e-6), (31.0, 0.01, 5e-6))
    with pytest.raises(LRSError, match="several regions"):
        with_width(parameters.with_({"src_coeff": [[1.0], [2.0], [5.0], [6.0]]}), 4.0)
