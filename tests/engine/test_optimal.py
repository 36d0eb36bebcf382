import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import legendre

from jdaviz_lrs.engine.optimal import fit_profiles

N_DISP, N_XDISP = 30, 40
COORDINATE = np.linspace(-1.0, 1.0, N_XDISP)


def line_profile(center, width=1.4):
    profile = np.exp(-0.5 * ((np.arange(N_XDISP) - center) / width) ** 2)
    return np.broadcast_to(profile / profile.sum(), (N_DISP, N_XDISP))


PROFILES = np.stack([line_profile(26.3), -line_profile(11.8)])


def planes(rng):
    variances = rng.uniform(0.5, 2.0, (3, N_DISP, N_XDISP))
    return variances, 1.0 / variances.sum(axis=0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(-1, 2))
def test_recovers_what_was_put_in(seed, order):
    rng = np.random.default_rng(seed)
    flux = rng.uniform(-100, 100, (2, N_DISP))
    coefficients = rng.uniform(-50, 50, (order + 1, N_DISP))
    scene = np.einsum("sr,srx->rx", flux, PROFILES)
    scene = scene + coefficients.T @ legendre.legvander(COORDINATE, order).T if order >= 0 else scene
    variances, weights = planes(rng)
    weights = weights * (rng.random(weights.shape) > 0.1)
    fit = fit_profiles(scene, variances, weights, PROFILES, COORDINATE, order)
    # rounding, times the condition number of at most 1e4
    np.testing.assert_allclose(fit.flux, flux, atol=1e-9)
    np.testing.assert_allclose(fit.scene, scene, atol=1e-9)
    np.testing.assert_allclose(fit.coefficients, coefficients, atol=1e-9)


def test_single_profile_is_hornes_formula():
    rng = np.random.default_rng(3)
    data = rng.normal(10, 3, (N_DISP, N_XDISP))
    variances, weights = planes(rng)
    profile = PROFILES[:1]
    fit = fit_profiles(data, variances, weights, profile, COORDINATE)
    power = (profile[0] ** 2 * weights).sum(axis=1)
    # Horne (1986), eqs. 8 and 9
    np.testing.assert_allclose(fit.flux[0], (profile[0] * data * weights).sum(axis=1) / power)
    np.testing.assert_allclose(fit.flux_var[0].sum(axis=0), 1 / power)


@pytest.mark.parametrize("uniform", [True, False])
def test_errors_are_the_scatter(uniform):
    rng = np.random.default_rng(5)
    variances, weights = planes(rng)
    if uniform:
        weights = np.ones_like(weights)
    number = 1000
    data = 30 + rng.standard_normal((number, N_DISP, N_XDISP)) * np.sqrt(variances.sum(axis=0))
    fit = fit_profiles(
        data,
        np.broadcast_to(variances[:, None], (3, *data.shape)),
        np.broadcast_to(weights, data.shape),
        PROFILES,
        COORDINATE,
        1,
    )
    assert fit.flux.shape == (2, number, N_DISP)
    predicted = fit.flux_var.sum(axis=1)[:, 0]
    # a variance from 1000 draws is known to sqrt(2 / 1000) = 4.5 %, and 60 of them are looked at
    np.testing.assert_allclose(fit.flux.var(axis=1) / predicted, 1.0, atol=4 * 0.0447)


def test_stack_equals_its_images():
    rng = np.random.default_rng(8)
    variances, weights = planes(rng)
    data = rng.normal(size=(3, N_DISP, N_XDISP))
    together = fit_profiles(
        data, np.stack([variances] * 3, axis=1), np.stack([weights] * 3), PROFILES, COORDINATE, 1
    )
    for k in range(3):
        alone = fit_profiles(data[k], variances, weights, PROFILES, COORDINATE, 1)
        for name in ("flux", "background", "npixels"):
            np.testing.assert_allclose(getattr(together, name)[:, k], getattr(alone, name))
        np.testing.assert_allclose(together.flux_var[:, :, k], alone.flux_var)
        np.testing.assert_allclose(together.background_var[:, :, k], alone.background_var)


def test_singular_wavelengths_have_no_number():
    rng = np.random.default_rng(2)
    variances, weights = planes(rng)
    weights[4] = 0.0
    weights[9, 3:] = 0.0  # three pixels for four unknowns
    same = PROFILES.copy()
    same[1, 15] = -same[0, 15]
    fit = fit_profiles(rng.normal(size=weights.shape), variances, weights, same, COORDINATE, 1)
    assert set(np.flatnonzero(fit.singular)) == {4, 9, 15}
    assert np.isnan(fit.flux[:, fit.singular]).all()
    assert np.isfinite(fit.flux[:, ~fit.singular]).all()
    assert np.isfinite(fit.flux_var).all()


def test_npixels_counts_good_pixels_only():
    variances, _ = planes(np.random.default_rng(1))
    weights = np.ones((N_DISP, N_XDISP))
    whole = fit_profiles(weights, variances, weights, PROFILES[:1], COORDINATE).npixels
    weights = weights.copy()
    weights[:, 26] = 0
    part = fit_profiles(weights, variances, weights, PROFILES[:1], COORDINATE).npixels
    np.testing.assert_allclose(part / whole, 1 - PROFILES[0, :, 26][None])
    np.testing.assert_allclose(whole[0], 1 / (PROFILES[0] ** 2).sum(axis=1))
