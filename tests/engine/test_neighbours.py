import numpy as np
import pytest
from scipy.ndimage import median_filter

from jdaviz_lrs.engine.neighbours import paired_median, running_median


@pytest.mark.parametrize("length", [1, 4, 15, 25])
@pytest.mark.parametrize("axis", [0, 1])
def test_running_median_is_that_of_scipy(length, axis):
    values = np.random.default_rng(3).normal(size=(40, 30))
    size = (length, 1) if axis == 0 else (1, length)
    expected = median_filter(values, size=size, mode="mirror")
    np.testing.assert_array_equal(running_median(values, length, axis), expected)


def test_running_median_of_one_line_that_is_shorter_than_the_window():
    values = np.array([1.0, 5.0, 2.0])
    np.testing.assert_array_equal(running_median(values, 9), median_filter(values, 9, mode="mirror"))


def test_paired_median_leaves_bad_pixels_out():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, 40, 3))
    good = rng.random(values.shape) > 0.3
    good[0, :, 1] = False
    found = paired_median(values, good, 7)
    padded = np.pad(np.where(good, values, np.nan), [(0, 0), (3, 3), (0, 0)], mode="symmetric")
    for row in range(40):
        reach = min(3, max(2, min(row, 39 - row)))
        window = padded[:, row + 3 - reach : row + 4 + reach]
        paired = np.where(np.isfinite(window[:, ::-1]), window, np.nan)
        alone = np.isfinite(paired).sum(axis=1) < 2
        window = np.where(alone[:, None], window, paired)
        some = np.isfinite(window).any(axis=1)
        expected = np.nanmedian(np.where(some[:, None], window, 0.0), axis=1)
        np.testing.assert_allclose(found[:, row], expected)


def test_paired_median_follows_a_slope_up_to_a_gap():
    slope = np.arange(40.0)[:, None] ** np.array([1.0, 0.0])
    good = np.ones(slope.shape, bool)
    good[15:30, 0] = False
    beside = [11, 12, 13, 31, 32, 33]
    np.testing.assert_allclose(paired_median(slope, good, 15)[beside], slope[beside])
