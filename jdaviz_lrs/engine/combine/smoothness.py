"""What the neighbouring wavelengths make of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.order_statistics import OF_NORMAL

__all__ = ["KERNEL", "Prediction", "predict_smooth", "running_spread"]

Row = NDArray[np.float64]

KERNEL = (-1 / 6, 4 / 6, 0.0, 4 / 6, -1 / 6)
"""Of the cubic through two neighbours on either side, at the wavelength between them."""

SPREAD_ROWS = 41
"""Wavelengths from which is told how well the neighbours predict."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A spectrum as its neighbouring wavelengths have it, each without its own measurement.

    Attributes
    ----------
    flux : ndarray, (n_wavelength,)
    variance : ndarray, (n_wavelength,)
        By the scatter about it nearby, where noise and what is sharper than the spacing both show.
    """

    flux: Row
    variance: Row


def predict_smooth(flux: Row, usable: NDArray[np.bool_]) -> Prediction:
    """Predict every wavelength of a spectrum from the two on either side.

    Parameters
    ----------
    flux : ndarray, (n_wavelength,)
    usable : ndarray of bool, (n_wavelength,)
        Those to predict from; between them it is straight.

    Returns
    -------
    Prediction
        Of infinite variance where fewer than five wavelengths are usable.
    """
    if usable.sum() < len(KERNEL):
        return Prediction(np.zeros_like(flux), np.full_like(flux, np.inf))
    row = np.arange(flux.size)
    filled = np.interp(row, row[usable], flux[usable])
    reach = len(KERNEL) // 2
    # odd about its ends, so that what rises steadily goes on rising
    before, after = 2 * filled[0] - filled[reach:0:-1], 2 * filled[-1] - filled[-2 : -2 - reach : -1]
    predicted = np.convolve(np.concatenate([before, filled, after]), KERNEL, mode="valid")
    missed = np.where(usable, np.abs(predicted - filled), np.nan)
    return Prediction(predicted, running_spread(missed, SPREAD_ROWS) ** 2)


def running_spread(deviation: Row, length: int) -> Row:
    """Robust standard deviation along wavelength.

    Parameters
    ----------
    deviation : ndarray, (..., n_wavelength)
        Absolute deviations, NaN where there is none.
    length : int
        Wavelengths of the running median.

    Returns
    -------
    ndarray, (..., n_wavelength)
    """
    known = np.isfinite(deviation)
    typical = np.median(deviation[known]) if known.any() else 0.0
    return OF_NORMAL * running_median(np.where(known, deviation, typical), min(length, deviation.shape[-1]))
