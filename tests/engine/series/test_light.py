import numpy as np
import pytest

from jdaviz_lrs.engine.series.light import difference_scatter, light_curve, rms_of_means

FLUX = np.linspace(1.0, 3.0, 12)
SIGMA = np.linspace(0.02, 0.3, 12)


def spectra(number=4000):
    draw = np.random.default_rng(9)
    return FLUX + SIGMA * draw.standard_normal((number, 12)), np.broadcast_to(SIGMA**2, (number, 12))


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_are_the_scatter(weighted):
    flux, error, level = light_curve(*spectra(), weighted)
    assert flux.std() == pytest.approx(error.mean(), rel=0.04)  # known to 1.1 %
    assert level == pytest.approx(FLUX.sum(), rel=2e-3)


def test_weights_lessen_the_noise_to_the_least_there_is():
    _, error, level = light_curve(*spectra(), True)
    least = 1 / np.sqrt(np.sum((FLUX / SIGMA) ** 2))
    assert (error / level).mean() == pytest.approx(least, rel=2e-3)
    assert error.mean() < 0.6 * light_curve(*spectra())[1].mean()


@pytest.mark.parametrize("weighted", [False, True])
def test_missing_points_leave_no_step(weighted):
    flux, variance = spectra()
    flux[2000:, 7] = np.nan
    curve = light_curve(flux, variance, weighted)[0]
    error = curve[:2000].std() / np.sqrt(2000)
    assert curve[2000:].mean() - curve[:2000].mean() == pytest.approx(0.0, abs=6 * error)


def test_with_most_of_the_light_missing_there_is_no_value():
    flux, variance = spectra(5)
    flux[3, 2:] = np.nan
    curve, error, _ = light_curve(flux, variance)
    assert np.isnan([curve[3], error[3]]).all()
    assert np.isfinite(curve[[0, 1, 2, 4]]).all()


def test_scatter_of_differences_knows_no_trend_and_no_step():
    values = np.random.default_rng(10).normal(size=(20000, 2)) + np.linspace(0, 50, 20000)[:, None]
    values[5000:] += 1000.0
    np.testing.assert_allclose(difference_scatter(values), 1.0, rtol=0.04)


def test_means_scatter_less():
    values = np.random.default_rng(11).normal(size=(16003, 2))
    for size in (1, 4, 16):
        np.testing.assert_allclose(rms_of_means(values, size), size**-0.5, rtol=0.08)
