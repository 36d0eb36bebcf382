"""Factors between several measurements of one spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.combine.outliers import median_of
from jdaviz_lrs.engine.neighbours import running_median

__all__ = ["fit_scales"]

Table = NDArray[np.float64]

SMOOTH_ROWS = 25
"""Wavelengths over which the common spectrum is smoothed, so that weights do not follow its noise."""

PASSES = 3


def fit_scales(flux: Table, variance: Table, used: NDArray[np.bool_]) -> tuple[Table, Table]:
    """Fit the factors that bring every input to the level of all.

    Parameters
    ----------
    flux, variance : ndarray, (n_input, n_wavelength)
    used : ndarray of bool, same shape

    Returns
    -------
    factors, errors : ndarray, (n_input,)
        The product of the factors, each weighted by what it is known to, is one: the mean level stays. NaN
        errors where an input has no signal to tell its factor by; such an input keeps its level.
    """
    number = len(flux)
    factors, errors = np.ones(number), np.full(number, np.nan)
    weights = np.where(used, 1.0 / np.where(used, variance, 1.0), 0.0)
    values = np.where(used, flux, 0.0)
    for _ in range(PASSES):
        level = np.nan_to_num(median_of(values * factors[:, None], used))
        shape = running_median(level, min(SMOOTH_ROWS, level.size))
        # a ratio of sums: that of the fluxes themselves would be biased by their noise
        there, here = ((weights * shape * one).sum(axis=1) for one in (level, values))
        known = (there > 0) & (here > 0)
        factors = np.where(known, there / np.where(known, here, 1.0), 1.0)
        power = (weights * shape**2).sum(axis=1)
        errors = np.where(known & (power > 0), factors / np.sqrt(np.where(power > 0, power, 1.0)), np.nan)
        trust = np.where(known, power, 0.0)
        if trust.sum() > 0:
            mean = np.exp((trust * np.log(factors)).sum() / trust.sum())
            factors = np.where(known, factors / mean, 1.0)
    return factors, errors
