import numpy as np
import pytest

from jdaviz_lrs.engine.full_width import full_width, measure_fwhm

COLUMNS = np.arange(40.0)
SIGMA = 1.5
FWHM = SIGMA * np.sqrt(8 * np.log(2))


def source(trace, brightness=1000.0, wings=0.0, n_disp=60):
    """Gaussian rows of changing brightness on a background that changes too."""
    trace = np.broadcast_to(trace, n_disp)
    distance = COLUMNS - trace[:, None]
    light = np.exp(-0.5 * (distance / SIGMA) ** 2) + wings / (4 + distance**2)
    rows = np.linspace(-1, 1, n_disp)[:, None]
    data = brightness * (1.2 + np.sin(9 * rows)) * light + 200 + 100 * rows
    return data, np.ones_like(data), np.ones(data.shape, bool), trace, COLUMNS, 10 + rows[:, 0]


@pytest.mark.parametrize("phase", [0.0, 0.13, 0.5, np.linspace(0, 3, 60)])
def test_gaussian_at_any_phase(phase):
    width = measure_fwhm(*source(17 + phase), n_bins=3)
    np.testing.assert_allclose(width.fwhm, FWHM, rtol=0.01)
    assert (np.diff(width.wavelength) > 0).all()


@pytest.mark.parametrize("offset", [-1.7, 0.6])
def test_trace_need_not_be_exact(offset):
    data, variance, good, trace, *rest = source(17.2)
    width = measure_fwhm(data, variance, good, trace + offset, *rest, n_bins=2)
    np.testing.assert_allclose(width.fwhm, FWHM, rtol=0.01)


def test_errors_are_those_of_the_draws():
    clean, variance, good, *rest = source(17.3, brightness=15.0)
    draw = np.random.default_rng(3)
    found = [
        measure_fwhm(clean + draw.standard_normal(clean.shape), variance, good, *rest, n_bins=1)
        for _ in range(60)
    ]
    fwhm, error = (np.array([getattr(one, name)[0] for one in found]) for name in ("fwhm", "error"))
    statistical = np.sqrt(np.median(error) ** 2 - (0.01 * FWHM) ** 2)
    assert fwhm.std() == pytest.approx(statistical, rel=0.3)
    assert abs(fwhm.mean() - FWHM) < 3 * fwhm.std() / 7 + 0.01 * FWHM


def test_bad_and_hit_pixels_do_no_harm():
    data, variance, good, *rest = source(17.3)
    draw = np.random.default_rng(5)
    good[draw.random(good.shape) < 0.03] = False
    data[~good] = np.nan
    data[draw.random(good.shape) < 0.01] += 500.0
    width = measure_fwhm(data, variance, good, *rest, n_bins=2)
    np.testing.assert_allclose(width.fwhm, FWHM, rtol=0.01)


def test_another_nods_negative_trace_does_no_harm():
    data, variance, good, *rest = source(12.4)
    data -= source(27.4)[0]
    np.testing.assert_allclose(measure_fwhm(data, variance, good, *rest, n_bins=2).fwhm, FWHM, rtol=0.01)


def test_too_faint_or_nothing_gives_none():
    data, variance, good, *rest = source(17.0, brightness=0.0)
    data += np.random.default_rng(1).standard_normal(data.shape)
    assert np.isnan(measure_fwhm(data, variance, good, *rest, n_bins=2).fwhm).all()
    assert measure_fwhm(data, variance, good & False, *rest, n_bins=2).fwhm.size == 0


def test_rows_off_the_spectrum_are_left_out():
    data, variance, good, trace, columns, wavelength = source(17.0)
    trace = trace.copy()
    trace[:20] = np.nan
    width = measure_fwhm(data, variance, good, trace, columns, wavelength, n_bins=2)
    assert width.wavelength.min() > wavelength[20]


def test_full_width_of_a_triangle():
    offset = np.linspace(-3, 3, 61)
    assert full_width(offset, 2 - np.abs(offset - 0.5)) == pytest.approx((-0.5, 1.5, 0.5))
    assert np.isnan(full_width(offset, np.ones(61))[:2]).all()
