import numpy as np

from jdaviz_lrs.engine.combine.average import average_inputs, steady_weights
from tests.engine.combine.measured import TRUTH, measured


def test_errors_add_as_they_are_shared():
    flux, variance, _ = measured(4)
    common = 0.5 * variance
    weights = np.ones_like(flux)
    together = average_inputs(flux, variance, common, weights, np.zeros(4, int))
    apart = average_inputs(flux, variance, common, weights, np.arange(4))
    pairs = average_inputs(flux, variance, common, weights, np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(together.random, variance[0] / 4)
    np.testing.assert_allclose(together.common, common[0])
    np.testing.assert_allclose(apart.common, common[0] / 4)
    np.testing.assert_allclose(pairs.common, common[0] / 2)
    everywhere = average_inputs(flux, variance, 0 * common, weights, np.arange(4), common)
    np.testing.assert_allclose(everywhere.common, common[0])
    # 4 x 387 values about their means: known to 4 %
    assert abs(together.chi_square.sum() / (3 * TRUTH.size) - 1) < 0.12


def test_mean_and_error_against_formulas():
    values = np.array([[1.0, 2.0], [3.0, 5.0]])
    variance = np.array([[1.0, 4.0], [4.0, 1.0]])
    found = average_inputs(values, variance, 0 * variance, 1 / variance, np.arange(2))
    np.testing.assert_allclose(found.flux, [(1 + 0.75) / 1.25, (0.5 + 5) / 1.25])
    np.testing.assert_allclose(found.random, 1 / 1.25)
    np.testing.assert_allclose(found.weight, 1.25)


def test_nothing_used_is_nan():
    found = average_inputs(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3)), np.zeros((2, 3)), np.arange(2))
    assert np.isnan([found.flux, found.random, found.common]).all()
    assert not found.weight.any()


def test_weights_that_follow_the_noise_would_bias():
    draw = np.random.default_rng(2)
    counts = draw.poisson(10.0, (4, 4000)).astype(float)
    variance = np.maximum(counts, 1.0)
    good = np.ones(counts.shape, bool)
    naive = np.average(counts, axis=0, weights=1 / variance).mean()
    steady = np.average(counts, axis=0, weights=steady_weights(variance, good)).mean()
    # 16,000 counts of 10 +- 3.2 are known to 0.025
    assert naive < 9.4
    assert abs(steady - 10) < 0.1


def test_light_that_was_lost_counts():
    variance = np.ones((2, 100))
    variance[0, 50] = 5.0
    weights = steady_weights(variance, variance > 0)
    assert weights[0, 50] == 0.2
    assert (np.delete(weights, 50, axis=1) == 1).all()


def test_gaps_do_not_reach_the_weights_beside_them():
    variance = np.broadcast_to(np.linspace(1.0, 2.0, 100), (2, 100)).copy()
    good = variance > 0
    good[0, :3] = good[0, 40:60] = False
    variance[~good] = 1e9
    weights = steady_weights(variance, good)
    assert not weights[~good].any()
    np.testing.assert_allclose(weights[good], 1 / variance[good], rtol=0.1)
