import numpy as np
import pytest

from jdaviz_lrs.engine.combine.outliers import judge_inputs, median_of
from tests.engine.combine.measured import TRUTH, measured


def all_good(flux):
    return np.ones(flux.shape, bool)


@pytest.mark.parametrize("number", [2, 3, 8, 40])
def test_what_is_off_is_left_out_and_nothing_else(number):
    flux, variance, hits = measured(number, hit=0.03)
    used = judge_inputs(flux, variance, all_good(flux)).used
    assert used[~hits].mean() > 0.998
    far = hits & (flux - TRUTH > 8 * np.sqrt(variance))
    alone = far & (hits.sum(axis=0) == 1)
    assert not (used & alone).any()
    # hits are not told from each other where most inputs are hit
    assert (used & far).sum() <= 0.05 * far.sum()
    assert used.any(axis=0).all()


def test_inputs_that_differ_throughout_are_no_outliers():
    flux, variance, _ = measured(3)
    flux = flux * np.array([0.97, 1.0, 1.03])[:, None]  # four errors
    assert judge_inputs(flux, variance, all_good(flux)).used.mean() > 0.995


@pytest.mark.parametrize("number", [2, 4])
def test_hits_are_found_beside_a_difference_in_level(number):
    flux, variance, hits = measured(number, hit=0.02)
    flux[0] *= 0.95
    far = hits & (flux - TRUTH > 15 * np.sqrt(variance)) & (hits.sum(axis=0) == 1)
    used = judge_inputs(flux, variance, all_good(flux)).used
    assert used[~hits].mean() > 0.998
    assert (used & far).sum() <= 1


def test_of_two_the_one_that_leaves_its_neighbours_is_left_out():
    flux, variance, _ = measured(2)
    flux[0, 100] *= 1.2
    flux[1, 200] *= 0.8
    judged = judge_inputs(flux, variance, all_good(flux))
    np.testing.assert_array_equal(judged.used[:, 100], [False, True])
    np.testing.assert_array_equal(judged.used[:, 200], [True, False])
    assert not judged.doubt.any()


def test_where_nothing_tells_which_is_right_the_error_is_widened():
    flux, variance, _ = measured(2)
    flux[:, 100] *= [1.2, 1.5]
    flux[:, 200] *= 1.3
    judged = judge_inputs(flux, variance, all_good(flux))
    np.testing.assert_allclose(np.sqrt(judged.doubt[100]) / TRUTH[100], 0.2, atol=0.03)
    np.testing.assert_allclose(np.sqrt(judged.doubt[200]) / TRUTH[200], 0.3, atol=0.03)
    assert (judged.doubt > 0).sum() == 2


def test_a_line_as_wide_as_two_rows_is_no_spike():
    flux, variance, _ = measured(2)
    row = np.arange(TRUTH.size)
    line = 1 + np.exp(-0.5 * ((row - 150) / 0.85) ** 2)
    judged = judge_inputs(flux * line, variance * line**2, all_good(flux))
    assert not judged.doubt.any()
    assert judged.used[:, 140:160].all()


def test_missing_values_are_neither_used_nor_missed():
    flux, variance, _ = measured(3)
    good = all_good(flux)
    good[0, 50:60] = good[:, 70] = good[:2, 80] = False
    flux[~good] = np.nan
    used = judge_inputs(np.where(good, flux, 0.0), variance, good).used
    assert not (used & ~good).any()
    assert used[2, 80]
    assert not used[:, 70].any()


def test_median():
    values = np.array([[1.0, 5.0, 7.0], [3.0, 9.0, 0.0], [8.0, 1.0, 0.0]])
    good = np.array([[True, True, False], [True, True, False], [True, False, False]])
    np.testing.assert_array_equal(median_of(values, good), [3.0, 7.0, np.nan])
