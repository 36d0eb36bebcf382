"""The judge on plain arrays: what an extraction agrees with, leaves and has lost."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.judging import judged_scene
from jdaviz_lrs.engine.verdict import (
    LEAST_ROWS,
    Judged,
    compare_with_sum,
    fit_weights,
    left_unexplained,
    lost_light,
)
from tests.gaussian_slit import BANDS, FLUX, N_DISP, gaussian_grid, observe, source_and_nod

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
    # of 67 rows a robust scatter is known to 14 %, and of 180 such to 1 %
    assert np.mean(scatter) == pytest.approx(1.0, abs=0.05)


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


def test_wrong_errors_show_in_the_scatter():
    one = judged()
    for factor in (0.5, 2.0):
        other = replace(one, variance=one.variance / factor**2)
        before, after = (np.mean([a.scatter for a in compare_with_sum(j, BANDS)]) for j in (one, other))
        assert after / before == pytest.approx(factor)


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
