"""Models as an instrument of lower resolving power sees them."""

import numpy as np
import pytest

from jdaviz_lrs.engine.resolution import at_resolution, resolving_power_at

LRS = ((5.0, 40.0), (12.0, 160.0))
WAVELENGTH = np.linspace(4, 14, 400)
POWER = resolving_power_at(WAVELENGTH, LRS)
FINE = np.linspace(3, 16, 50_000)


def test_resolving_power_is_linear_and_stays_positive():
    np.testing.assert_allclose(resolving_power_at(np.array([5.0, 8.5, 12.0]), LRS), [40, 100, 160])
    assert resolving_power_at(np.array([0.5]), LRS) == 10


def test_what_is_constant_stays():
    np.testing.assert_allclose(at_resolution(WAVELENGTH, POWER, FINE, np.ones_like(FINE)), 1, rtol=1e-12)


def test_a_power_law_is_raised_by_its_curvature():
    """To second order by half the variance of the kernel times the second derivative, 6 / wavelength^2."""
    sigma = 1 / POWER / 2.3548
    smoothed = at_resolution(WAVELENGTH, POWER, FINE, FINE**-2) * WAVELENGTH**2
    np.testing.assert_allclose(smoothed, 1 + 3 * sigma**2, atol=2e-5)


@pytest.mark.parametrize("sampling", [FINE, np.geomspace(3, 16, 4000), np.linspace(3, 16, 3001)])
def test_a_line_keeps_its_light_and_gets_the_width(sampling):
    line = np.exp(-0.5 * ((sampling - 9) / 0.01) ** 2)
    rows = np.linspace(8.5, 9.5, 2001)
    smoothed = at_resolution(rows, resolving_power_at(rows, LRS), sampling, line)
    assert np.trapezoid(smoothed, rows) == pytest.approx(0.01 * np.sqrt(2 * np.pi), rel=2e-3)
    above = rows[smoothed > 0.5 * smoothed.max()]
    fwhm = np.hypot(9 / resolving_power_at(np.array([9.0]), LRS)[0], 0.01 * 2.3548)
    assert above[-1] - above[0] == pytest.approx(fwhm, rel=0.01)


def test_beyond_the_model_nothing_is_known():
    within = (FINE > 6) & (FINE < 12)
    smoothed = at_resolution(WAVELENGTH, POWER, FINE[within], np.ones(within.sum()))
    np.testing.assert_array_equal(np.isfinite(smoothed), (FINE[within][0] < WAVELENGTH) & (WAVELENGTH < 12))
    np.testing.assert_allclose(smoothed[np.isfinite(smoothed)], 1)
