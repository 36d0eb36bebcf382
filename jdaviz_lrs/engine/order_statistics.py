"""Median, quartiles and scatter of one sample: the digits of numpy and astropy in a fraction of their time.

A verdict asks for some thirty of them, of a hundred values each, where what numpy does around the sorting
takes ten times as long as the sorting.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEDIAN_ERROR", "OF_NORMAL", "median", "quartiles", "scatter"]

Sample = NDArray[np.float64]

OF_NORMAL = 1.482602218505602
"""Standard deviation of normal values over their median absolute deviation."""

MEDIAN_ERROR = 1.2533
"""Standard error of the median of normal values, in those of their mean."""


def median(sample: Sample) -> float:
    """Return the median of a sample, (n,), without NaN; that of none is NaN."""
    if not sample.size:
        return math.nan
    lower, upper = (sample.size - 1) // 2, sample.size // 2
    ordered = np.partition(sample, (lower, upper))
    return float(ordered[lower]) if lower == upper else float((ordered[lower] + ordered[upper]) / 2)


def quartiles(sample: Sample) -> tuple[float, float, float]:
    """Return first quartile, median and third quartile of a sample, (n,), without NaN; linear between values.

    Raises
    ------
    IndexError
        For an empty sample.
    """
    places = [quarter * (sample.size - 1) for quarter in (0.25, 0.5, 0.75)]
    lower = [int(place) for place in places]
    upper = [min(one + 1, sample.size - 1) for one in lower]
    ordered = np.partition(sample, (*lower, *upper))
    low, middle, high = (
        _between(float(ordered[i]), float(ordered[j]), place - i)
        for i, j, place in zip(lower, upper, places, strict=True)
    )
    return low, middle, high


def _between(first: float, second: float, part: float) -> float:
    step = second - first
    return second - step * (1.0 - part) if part >= 0.5 else first + step * part


def scatter(sample: Sample) -> float:
    """Return the standard deviation of a normal sample, (n,), by its median absolute deviation."""
    return OF_NORMAL * median(np.abs(sample - median(sample)))
