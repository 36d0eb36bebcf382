"""Median, quartiles and scatter have the digits of numpy and astropy."""

import numpy as np
import pytest
from astropy.stats import mad_std

from jdaviz_lrs.engine.order_statistics import median, quartiles, scatter


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 101, 102, 103, 104])
@pytest.mark.parametrize("draw", range(5))
def test_digits_of_numpy_and_astropy(size, draw):
    sample = np.random.default_rng([size, draw]).normal(1e3, 1.0, size)
    assert median(sample) == np.median(sample)
    assert quartiles(sample) == tuple(np.percentile(sample, [25.0, 50.0, 75.0]))
    assert scatter(sample) == mad_std(sample)


def test_infinite_values_count_in_the_order():
    sample = np.array([np.inf, 1.0, -np.inf, 3.0, 2.0])
    assert median(sample) == 2.0
    assert quartiles(sample)[1] == 2.0


def test_of_whole_numbers():
    assert median(np.array([3, 1, 2, 4])) == 2.5


def test_of_nothing():
    assert np.isnan(median(np.empty(0)))
    with pytest.raises(IndexError):
        quartiles(np.empty(0))
