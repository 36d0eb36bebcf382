"""The weighted mean of several measurements of one spectrum, and its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median

__all__ = ["Averaged", "average_inputs", "steady_weights"]

Table = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEADY_ROWS = 15
"""Wavelengths over which a variance is smoothed before it is a weight."""

REAL = 2.0
"""Times its neighbours' that a variance must be to be more than noise: where light was lost."""


@dataclass(frozen=True, eq=False)
class Averaged:
    """A weighted mean; NaN where nothing is used.

    Attributes
    ----------
    flux : ndarray, (n_wavelength,)
    random, common : ndarray, (n_wavelength,)
        Variances: of what is independent from input to input, and of what is not.
    weight : ndarray, (n_wavelength,)
        Sum of the weights.
    chi_square : ndarray, (n_wavelength,)
        Of the inputs used, by what is independent.
    """

    flux: Table
    random: Table
    common: Table
    weight: Table
    chi_square: Table


def steady_weights(variance: Table, good: Mask) -> Table:
    """Inverse variances that do not follow the noise of their own wavelength.

    Parameters
    ----------
    variance : ndarray, (n_input, n_wavelength)
    good : ndarray of bool, same shape

    Returns
    -------
    ndarray, (n_input, n_wavelength)
        Zero where not good.

    Notes
    -----
    Photon noise is estimated from the counts: what came out low seems to be better known, and its weight
    would draw the mean down (Horne 1986, PASP 98, 609).
    """
    filled = _filled(variance, good)
    steady = running_median(filled, min(STEADY_ROWS, variance.shape[1]))
    steady = np.where(filled > REAL * steady, filled, steady)
    return np.where(good & (steady > 0), 1.0 / np.where(steady > 0, steady, 1.0), 0.0)


def _filled(values: Table, good: Mask) -> Table:
    """Put the last good value, or at the beginning the first, where there is none."""
    place = np.where(good, np.arange(values.shape[1]), good.argmax(axis=1)[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(place, axis=1), axis=1)


def average_inputs(
    values: Table,
    random: Table,
    common: Table,
    weights: Table,
    groups: NDArray[np.intp],
    everywhere: Table | float = 0.0,
) -> Averaged:
    """Average several measurements.

    Parameters
    ----------
    values, random, common : ndarray, (n_input, n_wavelength)
        With the variances of what is independent from input to input, and of what is not.
    weights : ndarray, (n_input, n_wavelength)
        Zero for what is not used.
    groups : ndarray of int, (n_input,)
        Inputs of one number share the error behind `common`, which their mean has undiminished.
    everywhere : ndarray, (n_input, n_wavelength), or float
        Variance of what all inputs share, whatever their number.

    Returns
    -------
    Averaged
    """
    used = weights > 0
    values, random, common, everywhere = (
        np.where(used, one, 0.0) for one in (values, random, common, everywhere)
    )
    total = weights.sum(axis=0)
    share = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    flux = (share * values).sum(axis=0)
    error = share * np.sqrt(common)
    shared = (share * np.sqrt(everywhere)).sum(axis=0) ** 2
    shared += sum(error[groups == group].sum(axis=0) ** 2 for group in np.unique(groups))
    squares = np.where(used & (random > 0), (values - flux) ** 2 / np.where(random > 0, random, 1.0), 0.0)
    nothing = total <= 0
    columns = (flux, (share**2 * random).sum(axis=0), shared, total, squares.sum(axis=0))
    return Averaged(*(np.where(nothing, blank, one) for one, blank in zip(columns, _BLANK, strict=True)))


_BLANK = (np.nan, np.nan, np.nan, 0.0, 0.0)
