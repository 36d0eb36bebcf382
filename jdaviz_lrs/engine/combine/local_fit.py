"""What a polynomial through the wavelengths about each one makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.combine.smoothness import Prediction
from jdaviz_lrs.engine.neighbours import running_median

__all__ = ["fits_as_a_line", "predict_well"]

Row = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

WINDOWS = ((7, 2), (5, 4))
"""Wavelengths on either side, and degree of the polynomial through them; the better known the earlier."""

MISFIT = 2.5
"""Standard deviations of chi-square up to which a polynomial fits."""

NEEDED = 3
"""Wavelengths on either side, without which there is no prediction but an extrapolation."""

STEADY_ROWS = 15
"""Wavelengths over which errors are smoothed: estimated from the counts, they follow their noise."""

LINE_ROWS = 2.0
"""FWHM of the narrowest line."""


@dataclass(frozen=True, eq=False)
class _Fit:
    """Polynomials about wavelengths, (n,) each.

    Attributes
    ----------
    flux, leverage : ndarray
        Value at the wavelength, and its variance in units of a single one's.
    misfit, freedom : ndarray
        Sum of squared deviations, and its degrees of freedom.
    """

    flux: Row
    leverage: Row
    misfit: Row
    freedom: Row


def predict_well(flux: Row, error: Row, telling: Mask, rows: Rows, narrow: Prediction) -> Prediction:
    """Predict wavelengths by the widest polynomial that fits those about them.

    Parameters
    ----------
    flux, error : ndarray, (n_wavelength,)
    telling : ndarray of bool, (n_wavelength,)
        Those to predict from.
    rows : ndarray of int, (n,)
        Those to predict.
    narrow : Prediction
        That stays where no polynomial fits, and in all other wavelengths.

    Returns
    -------
    Prediction
        The variance is that of a single wavelength about it.
    """
    if not rows.size:
        return narrow
    predicted, variance = narrow.flux.copy(), narrow.variance.copy()
    left, steady = rows, _steady(error, telling)
    for window in WINDOWS:
        fit = _beside(flux, telling, left, window)
        good = _fits(fit, steady[left])
        predicted[left[good]] = fit.flux[good]
        variance[left[good]] = (steady[left] ** 2 * (1.0 + fit.leverage))[good]
        left = left[~good]
    return Prediction(predicted, variance)


def fits_as_a_line(flux: Row, error: Row, telling: Mask, rows: Rows) -> tuple[Mask, Mask]:
    """Tell whether a narrow line explains wavelengths better than that they alone are off.

    Parameters
    ----------
    flux, error : ndarray, (n_wavelength,)
    telling : ndarray of bool, (n_wavelength,)
    rows : ndarray of int, (n,)
        As in `predict_well`.

    Returns
    -------
    line, known : ndarray of bool, (n,)
        Known where a polynomial fits what lies about them.
    """
    line, known = np.zeros(rows.shape, bool), np.zeros(rows.shape, bool)
    if not rows.size:
        return line, known
    steady = _steady(error, telling)
    for window in reversed(WINDOWS):
        alone = _beside(flux, telling, rows, window)
        good = _fits(alone, steady[rows])
        line = np.where(good, _beside(flux, telling, rows, window, line=True).misfit < alone.misfit, line)
        known |= good
    return line, known


def _steady(error: Row, telling: Mask) -> Row:
    usual = np.median(error[telling]) if telling.any() else np.inf
    return running_median(np.where(telling, error, usual), STEADY_ROWS)


def _fits(fit: _Fit, error: Row) -> Mask:
    most = fit.freedom + MISFIT * np.sqrt(2.0 * np.maximum(fit.freedom, 1.0))
    return (fit.freedom > 1) & (fit.misfit <= most * error**2)


def _beside(flux: Row, telling: Mask, rows: Rows, window: tuple[int, int], line: bool = False) -> _Fit:
    """Fit the polynomial to all but the wavelength itself, or with a line there to all."""
    reach, degree = window
    offset = np.arange(-reach, reach + 1)
    place = rows[:, None] + offset
    inside = (place >= 0) & (place < flux.size)
    place = np.clip(place, 0, flux.size - 1)
    values, weights = flux[place], (inside & telling[place]).astype(float)
    weights[:, reach] = line
    design = np.vander(offset / reach, degree + 1, increasing=True)
    if line:
        shape = np.exp(-4.0 * np.log(2.0) * (offset / LINE_ROWS) ** 2)
        design = np.column_stack([design, shape])
    weighted = weights[..., None] * design
    freedom = weights.sum(axis=1) - design.shape[1]
    between = (weights[:, :reach].sum(axis=1) >= NEEDED) & (weights[:, reach + 1 :].sum(axis=1) >= NEEDED)
    freedom = np.where(between, freedom, -1)
    enough = (freedom >= 0)[:, None, None]
    normal = np.where(enough, np.swapaxes(weighted, 1, 2) @ design, np.eye(design.shape[1]))
    inverse = np.linalg.inv(normal)
    coefficients = (inverse @ (np.swapaxes(weighted, 1, 2) @ values[..., None]))[..., 0]
    misfit = (weights * (values - coefficients @ design.T) ** 2).sum(axis=1)
    return _Fit(coefficients[:, 0], inverse[:, 0, 0], misfit, freedom)
