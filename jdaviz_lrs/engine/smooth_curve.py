"""A smooth curve through points with errors, and its own error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import median_filter

from jdaviz_lrs.engine.order_statistics import OF_NORMAL, median

__all__ = ["SmoothCurve", "smooth_curve"]

Column = NDArray[np.float64]

INTERVALS = 32
"""Pieces of the spline: more than the curve bends, as the penalty keeps it from bending more than it must."""

PENALTIES = 10.0 ** np.linspace(-3.0, 8.0, 34)
"""On second differences, in units of the mean weight, from following every point to a straight line."""

OUTLIER = 5.0
"""Errors from the median of the neighbours beyond which a point is left out."""

NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class SmoothCurve:
    """A penalised spline.

    Attributes
    ----------
    value, error : ndarray, (n_point,)
        At the points that were given; the error is that of the curve.
    used : ndarray of bool, (n_point,)
        Points that it was fitted to.
    chi_square : float
        Mean squared deviation of these in units of their errors, per degree of freedom.
    freedom : float
        Parameters that the curve makes use of.
    """

    value: Column
    error: Column
    used: NDArray[np.bool_]
    chi_square: float
    freedom: float


def smooth_curve(x: Column, y: Column, error: Column, good: NDArray[np.bool_]) -> SmoothCurve:
    """Fit a smooth curve.

    Parameters
    ----------
    x : ndarray, (n_point,)
        Rising.
    y, error : ndarray, (n_point,)
        Points and their errors, independent of each other.
    good : ndarray of bool, (n_point,)
        Points to use, at least 8; the others the curve passes by.

    Returns
    -------
    SmoothCurve

    Notes
    -----
    A cubic B-spline with a penalty on the second differences of its coefficients (Eilers & Marx 1996,
    Statist. Sci. 11, 89), whose strength minimises the generalised cross-validation score of Craven & Wahba
    (1979, Numer. Math. 31, 377). The error is that of Wahba (1983, J. R. Statist. Soc. B 45, 133): the
    penalty is taken for a prior, so that what it bends away is in the error as well as the noise; where
    points scatter more than their errors say, both are raised to it.
    """
    used = good & ~_outliers(y, error, good)
    step = (x[-1] - x[0]) / INTERVALS
    knots = x[0] + step * np.arange(-3, INTERVALS + 4)
    # the last point lies on the last knot of the base interval, where rounding must not put it outside
    basis = BSpline.design_matrix(np.clip(x, knots[3], knots[-4]), knots, 3).toarray()
    weight = np.where(used, 1.0 / np.where(used, error, 1.0) ** 2, 0.0)
    normal = basis.T @ (weight[:, None] * basis)
    right = basis.T @ (weight * np.where(used, y, 0.0))
    bends = np.diff(np.eye(basis.shape[1]), n=2, axis=0)
    penalty = bends.T @ bends * (np.trace(normal) / basis.shape[1])
    number = int(used.sum())

    def fitted(strength: float) -> tuple[float, Column, Column, float, float]:
        factor = cho_factor(normal + strength * penalty)
        coefficients = cho_solve(factor, right)
        freedom = float(np.trace(cho_solve(factor, normal)))
        residual = (y - basis @ coefficients)[used]
        square = float((weight[used] * residual**2).sum())
        return number * square / (number - freedom) ** 2, coefficients, factor, square, freedom

    # over penalties, not points
    _, coefficients, factor, square, freedom = min(map(fitted, PENALTIES), key=lambda fit: fit[0])
    variance = np.vecdot(basis, cho_solve(factor, basis.T).T)
    chi_square = square / (number - freedom)
    scale = max(chi_square, 1.0)
    return SmoothCurve(basis @ coefficients, np.sqrt(variance * scale), used, chi_square, freedom)


def _outliers(y: Column, error: Column, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Points that stick out of their neighbours, by errors that are at least the scatter seen."""
    outliers = np.zeros(good.shape, bool)
    among = y[good]
    residual = (among - median_filter(among, NEIGHBOURS, mode="nearest")) / error[good]
    scatter = max(1.0, OF_NORMAL * median(np.abs(residual)))
    outliers[good] = np.abs(residual) > OUTLIER * scatter
    return outliers
