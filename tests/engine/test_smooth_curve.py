"""Smooth curves: they follow what is there, their errors are those that they make, outliers do not count."""

import time

import numpy as np
import pytest

from jdaviz_lrs.engine.smooth_curve import smooth_curve

X = np.sort(np.concatenate([np.linspace(5, 8, 90), np.linspace(8.01, 13.5, 245)]))
ERROR = np.where(X > 12, 0.006, 0.003)
ALL = np.ones(X.size, bool)


def drawn(amplitude, seed):
    truth = 1 + amplitude * np.sin(X)
    return truth, truth + ERROR * np.random.default_rng(seed).standard_normal(X.size)


@pytest.mark.parametrize("amplitude", [0.0, 0.02, 0.05])
def test_errors_are_those_made(amplitude):
    pulls = []
    for seed in range(60):
        truth, y = drawn(amplitude, seed)
        curve = smooth_curve(X, y, ERROR, ALL)
        pulls.append((curve.value - truth) / curve.error)
    # points of a curve go together: some 60 x 10 independent numbers, 3 % of a standard deviation
    assert 0.85 < np.std(pulls) < 1.1
    assert np.abs(pulls).max() < 4.5


def test_a_smooth_curve_is_better_known_than_its_points():
    truth, y = drawn(0.02, 1)
    curve = smooth_curve(X, y, ERROR, ALL)
    assert np.median(curve.error / ERROR) < 0.3
    assert np.abs(curve.value - truth).max() < 0.004
    assert curve.chi_square == pytest.approx(1, abs=0.25)  # 335 points: 8 %, three times


def test_points_left_out_do_not_count_and_are_passed_by():
    truth, y = drawn(0.02, 2)
    hit, unknown = [30, 200], (X > 7.4) & (X < 7.6)
    y[hit] += 20 * ERROR[hit]
    y[unknown] = np.nan
    curve = smooth_curve(X, y, ERROR, ~unknown)
    np.testing.assert_array_equal(np.flatnonzero(~curve.used & ~unknown), hit)
    assert (np.abs(curve.value - truth) < 5 * curve.error).all()
    assert curve.error[unknown].max() > curve.error[X < 7.2].min()


def test_scatter_beyond_the_errors_raises_them():
    _truth, y = drawn(0.0, 3)
    honest = smooth_curve(X, y, ERROR, ALL)
    boasted = smooth_curve(X, y, ERROR / 10, ALL)
    assert boasted.chi_square == pytest.approx(100 * honest.chi_square, rel=0.1)
    np.testing.assert_allclose(boasted.error, honest.error, rtol=0.15)


def test_it_takes_milliseconds():
    _, y = drawn(0.02, 1)
    smooth_curve(X, y, ERROR, ALL)
    start = time.process_time()
    smooth_curve(X, y, ERROR, ALL)
    assert time.process_time() - start < 0.05
