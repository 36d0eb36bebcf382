"""The judge on plain arrays: what an extraction agrees with, leaves and has lost."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.stats import mad_std

from jdaviz_lrs.engine.refine.judging import judged_scene
from jdaviz_lrs.engine.verdict import (
    LEAST_ROWS,
    FittedBackground,
    Judged,
    compare_with_sum,
    fit_weights,
    left_unexplained,
    lost_light,
)
from tests.gaussian_slit import BANDS, FLUX, N_DISP, ROW, gaussian_grid, observe, source_and_nod, weights_of

SCENE = source_and_nod().first_sources(1)
BANDS = list(BANDS)
NOTHING = np.zeros((N_DISP, gaussian_grid().columns.size), bool)


def judged(flux=FLUX, seed=1, scene=SCENE, fitted=SCENE, hit=None) -> Judged:
    frame = observe(scene, flux=flux, seed=seed)
    if hit is not None:
        frame = replace(frame, data=frame.data + hit)
    return judged_scene(frame, fitted, NOTHING, frame.variances.sum(axis=0))


@pytest.mark.parametrize("factor", [1.0, 0.9, 1.1])
def test_known_ratio_is_recovered(factor):
    one = judged(flux=FLUX)
    for agreement in compare_with_sum(replace(one, flux=factor * one.flux), BANDS):
        # what does not follow the factor is the rows' weight, and the noise: 1000 in 2 per pixel and row
        assert agreement.ratio == pytest.approx(factor, abs=5 * factor * agreement.error)
        assert agreement.error < 0.001


@pytest.mark.parametrize("flux", [FLUX, 0.02 * FLUX], ids=["bright", "faint"])
def test_error_is_the_scatter_and_the_scatter_one(flux):
    drawn = [compare_with_sum(judged(flux=flux, seed=seed), BANDS) for seed in range(60)]
    ratio, error, scatter = (
        np.array([[getattr(a, name) for a in one] for one in drawn]) for name in ("ratio", "error", "scatter")
    )
    pulls = (ratio - 1.0) / error
    # a standard deviation from 3 x 60 draws is known to 1 / sqrt(360) = 5 %, a mean to 1 / sqrt(180) = 7 %
    assert np.std(pulls) == pytest.approx(1.0, abs=3 * 0.05)
    assert np.mean(pulls) == pytest.approx(0.0, abs=3 * 0.075)
    # one where the flux scatters by no more than its errors; of 67 rows a robust scatter is known to 14 %
    assert scatter.min() >= 1.0
    assert scatter.mean() < 1.05
    assert scatter.max() < 1.4


def test_wrong_profile_disagrees_with_the_sum():
    wide = replace(SCENE, stretch=np.full(N_DISP, 1.2))
    held = wide.enclosed_light / SCENE.enclosed_light
    for agreement, band in zip(compare_with_sum(judged(scene=wide), BANDS), BANDS, strict=True):
        # a Gaussian fitted by one of 1 / 1.2 of its width, over what the sum holds of it
        expected = np.sqrt(2 / (1 + 1.2**2)) / np.average(held[band], weights=FLUX[band] ** 2)
        # the width changes along the band, and pixels are not small
        assert agreement.ratio == pytest.approx(expected, abs=0.005)
        assert abs(agreement.ratio - 1.0) > 30 * agreement.error


def test_outlying_rows_show_in_no_ratio():
    hit = np.zeros(NOTHING.shape)
    hit[10::20, 31] = 500.0  # beside the trace: the sum gains 500, the fit less
    clean, struck = (compare_with_sum(judged(hit=h), BANDS) for h in (None, hit))
    for one, other in zip(clean, struck, strict=True):
        # by the rows left out alone, 5 % of them
        assert other.ratio == pytest.approx(one.ratio, abs=one.error)


def test_flux_that_scatters_shows_it():
    one = judged()
    own = np.sqrt((one.flux_weights**2 * one.variance).sum(axis=1))
    more = 3.0 * own * np.random.default_rng(2).standard_normal(N_DISP)
    # three of its errors, beside one that is its own
    scatter = [a.scatter for a in compare_with_sum(replace(one, flux=one.flux + more), BANDS)]
    # of 67 rows a robust scatter is known to 14 %
    np.testing.assert_allclose(scatter, np.sqrt(1 + 3.0**2), rtol=3 * 0.14)
    assert np.mean(scatter) == pytest.approx(np.sqrt(1 + 3.0**2), rel=3 * 0.14 / np.sqrt(3))


def test_errors_that_are_too_small_show_in_the_scatter():
    one = judged()
    other = replace(one, variance=one.variance / 3.0**2)
    assert min(a.scatter for a in compare_with_sum(other, BANDS)) > 1.3
    assert max(a.scatter for a in compare_with_sum(one, BANDS)) < 1.3


SKY = replace(SCENE, order=1)


def judged_with_sky(scene, seed=1):
    """With a background fitted along, and the same where the judge does not know of it."""
    frame = observe(scene, seed=seed, extra=30.0)
    known = judged_scene(frame, SKY, NOTHING, frame.variances.sum(axis=0))
    return replace(known, background=FittedBackground(SKY.basis, weights_of(frame))), known


def test_a_background_fitted_along_hides_no_scatter():
    """It gives way where the profile is wrong, and takes the plain sum along."""
    told, untold = judged_with_sky(replace(SKY, stretch=1.0 + 0.05 * np.sin(12.0 * ROW)))
    weights = fit_weights(told.background.taken_off(told.profile), told.background.weights)
    pull = (told.flux / FLUX - 1.0) * FLUX / np.sqrt((weights**2 * told.variance).sum(axis=1))
    for one, other, band in zip(*(compare_with_sum(j, BANDS) for j in (told, untold)), BANDS, strict=True):
        true = mad_std(pull[band])
        assert true > 2.0
        assert one.scatter == pytest.approx(true, rel=0.2)
        assert other.scatter < 0.9 * one.scatter


def test_noise_alone_scatters_by_one_with_a_background_fitted_along():
    drawn = [
        [a.scatter for a in compare_with_sum(judged_with_sky(SKY, seed)[0], BANDS)] for seed in range(30)
    ]
    assert np.mean(drawn) < 1.05
    assert np.max(drawn) < 1.4


def test_what_no_background_mimics():
    background = FittedBackground(SKY.basis, np.random.default_rng(1).uniform(0.5, 2.0, NOTHING.shape))
    profile = SCENE.profiles()[0]
    left = background.taken_off(profile)
    np.testing.assert_allclose(background.taken_off(SKY.basis @ np.array([2.0, 1.0])), 0.0, atol=1e-7)
    np.testing.assert_allclose(
        np.einsum("rx,rx,rxk->rk", background.weights, left, SKY.basis), 0.0, atol=1e-7
    )


def test_a_background_told_outside_is_that_inside():
    background = FittedBackground(SKY.basis, np.ones(NOTHING.shape))
    offset = gaussian_grid().columns - SCENE.traces[0][:, None]
    aperture, outside = (np.abs(offset) < 4).astype(float), np.abs(offset) > 5
    weights = background.told_outside(aperture, outside)
    assert not weights[~outside].any()
    sky = SKY.basis @ np.array([2.0, 1.0])
    np.testing.assert_allclose(np.vecdot(weights, sky), np.vecdot(aperture, sky), rtol=1e-7)


def test_few_rows_tell_nothing():
    few = [np.arange(N_DISP) < LEAST_ROWS - 1, np.zeros(N_DISP, bool)]
    for agreement in compare_with_sum(judged(), few):
        assert np.isnan([agreement.ratio, agreement.error, agreement.scatter]).all()
    assert np.isnan(left_unexplained(judged(), few)[1])
    assert np.isnan(lost_light(judged(), few)[1])


def test_residual_of_noise_has_a_chi_square_of_one():
    drawn = [left_unexplained(judged(seed=seed), BANDS) for seed in range(10)]
    # of 67 rows with 12 pixels each 1 +- sqrt(2 / 740) = 5 %
    np.testing.assert_allclose(drawn, 1.0, atol=4 * 0.052)
    assert np.mean(drawn) == pytest.approx(1.0, abs=4 * 0.052 / np.sqrt(30))


def test_residual_of_a_wrong_place_has_more():
    moved = replace(SCENE, traces=SCENE.traces + 0.1)
    assert min(left_unexplained(judged(scene=moved), BANDS)) > 2.0


def test_lost_light_is_that_of_the_lost_pixel():
    one = judged()
    rows = np.arange(0, N_DISP, 4)
    column = np.rint(SCENE.traces[0][rows]).astype(int)
    good = one.good.copy()
    good[rows, column] = False
    lost = lost_light(replace(one, good=good), BANDS)
    share = np.zeros(N_DISP)
    # of the light in the aperture, which holds nearly all of it
    share[rows] = one.profile[rows, column] / (one.weights * one.profile).sum(axis=1)[rows]
    np.testing.assert_allclose(lost, [share[b].mean() for b in BANDS], rtol=1e-9)
    assert 0.05 < min(lost) < max(lost) < 0.1  # a quarter of the rows, each of a third to a fourth
    np.testing.assert_allclose(lost_light(one, BANDS), 0.0, atol=1e-12)


def test_sum_is_made_up_for_lost_pixels():
    one = judged()
    good = one.good.copy()
    good[::4, 30] = False
    for agreement in compare_with_sum(replace(one, good=good), BANDS):
        assert agreement.ratio == pytest.approx(1.0, abs=5 * agreement.error)


def test_weights_of_a_fit_are_those_of_its_flux():
    frame = observe(SCENE)
    profile, weights = SCENE.place(0).value, np.random.default_rng(1).uniform(0.5, 2.0, NOTHING.shape)
    flux = (fit_weights(profile, weights) * frame.data).sum(axis=1)
    expected = [
        np.linalg.lstsq((np.sqrt(w) * p)[:, None], np.sqrt(w) * d, rcond=None)[0][0]
        for w, p, d in zip(weights, profile, frame.data, strict=True)
    ]
    np.testing.assert_allclose(flux, expected, rtol=1e-9)
    assert not fit_weights(profile, 0.0 * weights).any()
