"""The profile across the dispersion: the median of some rows, and a PSF scaled to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MedianProfile", "median_profile", "scale_profile"]

Row = NDArray[np.float64]
Image = NDArray[np.float64]

#: Of the median against the mean, for many normal values.
MEDIAN_ERROR = np.sqrt(np.pi / 2.0)


@dataclass(frozen=True, eq=False)
class MedianProfile:
    """The median of some rows at every column.

    Attributes
    ----------
    value, error : ndarray, (n_xdisp,)
        In the unit of the data; NaN where no row has a good pixel.
    number : ndarray of int, (n_xdisp,)
        How many good pixels each is made of.
    """

    value: Row
    error: Row
    number: NDArray[np.intp]


def median_profile(data: Image, variance: Image, good: NDArray[np.bool_]) -> MedianProfile:
    """Take the median over rows.

    Parameters
    ----------
    data, variance : ndarray, (n_rows, n_xdisp)
    good : ndarray of bool, (n_rows, n_xdisp)

    Returns
    -------
    MedianProfile
        With the error that the variances give: of one or two pixels that of their mean, of more that of the
        median of many, sqrt(pi / 2) times larger (8 % too much for three rows).
    """
    number = good.sum(axis=0)
    some = number > 0
    value, error = np.full((2, some.size), np.nan)
    value[some] = np.nanmedian(np.where(good, data, np.nan)[:, some], axis=0)
    spread = np.sqrt(np.where(good, variance, 0.0).sum(axis=0)[some]) / number[some]
    error[some] = np.where(number[some] > 2, MEDIAN_ERROR, 1.0) * spread
    return MedianProfile(value, error, number)


def scale_profile(value: Row, error: Row, shape: Row, constant: bool = False) -> tuple[float, float]:
    """Fit a profile of known shape to a measured one.

    Parameters
    ----------
    value, error : ndarray, (n_xdisp,)
        Only finite values with a finite, positive error count.
    shape : ndarray, (n_xdisp,)
    constant : bool
        Fit a constant beside it.

    Returns
    -------
    amplitude, constant : float
        Of weighted least squares; NaN where nothing can be fitted.
    """
    used = np.isfinite(value) & np.isfinite(shape) & (error > 0)
    terms = np.stack([shape, np.ones_like(shape)][: 1 + constant], axis=1)[used] / error[used, None]
    if np.linalg.matrix_rank(terms) < terms.shape[1]:
        return np.nan, np.nan
    fitted = np.linalg.lstsq(terms, value[used] / error[used], rcond=None)[0]
    return float(fitted[0]), float(fitted[1]) if constant else 0.0
