import numpy as np
import pytest

from jdaviz_lrs import LRSError
from jdaviz_lrs.analysis.wavelength_bins import wavelength_bins

RANGE = (5.0, 12.0)


def test_one_bin_without_a_wish():
    np.testing.assert_array_equal(wavelength_bins(RANGE), [[5.0, 12.0]])


def test_edges_are_taken_as_they_are():
    np.testing.assert_array_equal(wavelength_bins(RANGE, edges=[4.0, 6.0, 7.0]), [[4, 6], [6, 7]])


def test_number_and_width():
    np.testing.assert_allclose(wavelength_bins(RANGE, number=7), wavelength_bins(RANGE, width=1.0))
    # what is left over at the end is not used
    np.testing.assert_allclose(wavelength_bins(RANGE, width=2.0), [[5, 7], [7, 9], [9, 11]])


def test_resolving_power_is_that_of_every_bin():
    bins = wavelength_bins(RANGE, resolving_power=20.0)
    np.testing.assert_allclose(bins.mean(axis=1) / np.diff(bins)[:, 0], 20.0)
    np.testing.assert_array_equal(bins[1:, 0], bins[:-1, 1])
    assert 12.0 / 1.06 < bins[-1, 1] <= 12.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"number": 3, "width": 0.1}, "width and number both"),
        ({"number": 0}, "number is 0"),
        ({"number": 2.5}, "a whole number of bins"),
        ({"number": np.inf}, "a whole number of bins"),
        ({"width": -1.0}, "width is"),
        ({"width": 9.0}, "no room for one bin"),
        ({"resolving_power": 0.3}, "no room"),
        ({"resolving_power": np.nan}, "resolving_power is nan"),
        ({"edges": [5.0]}, "two or more"),
        ({"edges": [5.0, 4.0]}, "rising"),
    ],
)
def test_what_makes_no_bin_is_refused(given, told):
    with pytest.raises(LRSError, match=told):
        wavelength_bins(RANGE, **given)


def test_range_that_falls():
    with pytest.raises(LRSError, match="wavelength_range is 12 to 5"):
        wavelength_bins((12.0, 5.0))
