import numpy as np
import pytest

from jdaviz_lrs.engine.series.outliers import HALO, find_outliers_in_time
from jdaviz_lrs.engine.series.template import Template

SHAPE = (40, 20)
NOISE = 3.0
NUMBER = 90


@pytest.fixture(scope="module")
def template():
    light = np.full(SHAPE, 100.0)
    light[:, 8:12] = 5e3
    nothing = np.zeros(SHAPE)
    return Template(light, light, nothing, nothing, np.full(SHAPE, NOISE**-2))


@pytest.fixture(scope="module")
def quiet():
    return np.random.default_rng(6).normal(0.0, NOISE, (NUMBER, SHAPE[0] * SHAPE[1])).astype(np.float32)


def test_hits_are_found_and_nothing_else(quiet, template):
    draw = np.random.default_rng(7)
    hit = draw.random(quiet.shape) < 1e-3
    found = find_outliers_in_time(quiet + 10 * NOISE * hit, template, 5.0)
    np.testing.assert_array_equal(found, hit)


def test_what_changes_slowly_is_no_outlier(quiet, template):
    slow = np.linspace(-12, 12, NUMBER)[:, None] * NOISE * np.ones(quiet.shape[1])
    slow[:, np.flatnonzero(template.light.ravel() < 1e3)] = 0.0  # beyond what is tolerated there
    # at either end the median is of the integrations on one side, and lags by six of them: 1.7 sigma
    assert find_outliers_in_time(quiet + slow.astype(np.float32), template, 5.0).mean() < 1e-3


def test_a_pixel_that_stays_off_is_found(quiet, template):
    jumped = quiet.copy()
    jumped[30:75, 5] += 8 * NOISE
    found = find_outliers_in_time(jumped, template, 5.0)
    assert found[30:75, 5].mean() > 0.95
    # the median is off, too, beside the steps
    assert found.sum() <= 50
    assert not np.delete(found, 5, axis=1).any()


def test_noise_beyond_the_variances_is_not_rejected(quiet, template):
    assert not find_outliers_in_time(2.5 * quiet, template, 5.5).any()


@pytest.mark.parametrize("number", [NUMBER, 24, 6])
def test_medians_that_are_not_asked_for_change_nothing(quiet, template, number):
    """The rule itself, with the median of every pixel; a third of them is needed to apply it."""
    draw = np.random.default_rng(9)
    residual = quiet[:number] + 6 * NOISE * (draw.random((number, quiet.shape[1])) < 0.01)
    residual[:, 50:90] += np.linspace(-40, 40, number)[:, None].astype(np.float32)
    residual[number // 2 :, 7] -= 20
    expected = np.zeros(residual.shape, bool)
    tolerated = 4.0 * template.tolerance
    for place, one in enumerate(residual):
        middle = (place + 2) // 5 * 5
        window = residual[max(middle - 12, 0) : middle + 13]
        off = np.abs(one - np.median(window, axis=0)) / NOISE
        scatter = max(np.median(off[::4]) / 0.6745, 1.0)
        expected[place] = (off > 4.0 * scatter) | (np.abs(one) > tolerated * scatter)
    found = find_outliers_in_time(residual.astype(np.float32), template, 4.0)
    assert expected.sum() > number
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [1, 7, 32])
def test_parts_give_what_the_whole_gives(quiet, template, size):
    draw = np.random.default_rng(8)
    residual = quiet + 10 * NOISE * (draw.random(quiet.shape) < 1e-3)
    whole = find_outliers_in_time(residual, template, 4.0)
    for start in range(0, NUMBER, size):
        first, last = max(start - HALO, 0), min(start + size + HALO, NUMBER)
        part = find_outliers_in_time(residual[first:last], template, 4.0, first)
        own = slice(start - first, min(start + size, NUMBER) - first)
        np.testing.assert_array_equal(part[own], whole[start : start + size])
