"""The mean of a series of images, which no lone outlier draws."""

from __future__ import annotations

import numpy as np
from astropy.stats import mad_std
from numpy.typing import NDArray

__all__ = ["robust_mean"]

Image = NDArray[np.float64]

THRESHOLD = 5.0
"""Scatters from the median over time beyond which a value counts as struck by a cosmic ray."""


def robust_mean(
    data: Image, good: NDArray[np.bool_], noise: Image | float = 0.0
) -> tuple[Image, NDArray[np.intp]]:
    """Average images over time.

    Parameters
    ----------
    data : ndarray, (n_int, n_disp, n_xdisp)
    good : ndarray of bool, same shape
    noise : ndarray, (n_disp, n_xdisp), optional
        Of a pixel in one image, as it is expected: few images do not tell how much they scatter.

    Returns
    -------
    mean : ndarray, (n_disp, n_xdisp)
        NaN where a pixel is bad in most of the images.
    number : ndarray of int, (n_disp, n_xdisp)
        Images that it is the mean of; zero where it is NaN.
    """
    seen = np.where(good, data, np.nan)
    some = 2 * good.sum(axis=0) >= len(good)
    seen = np.where(some, seen, 0.0)
    median = np.nanmedian(seen, axis=0)
    scatter = mad_std(seen, axis=0, ignore_nan=True)
    kept = np.abs(seen - median) <= THRESHOLD * np.maximum(scatter, noise)
    number = np.where(some, kept.sum(axis=0), 0)
    total = np.where(kept, seen, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0), number
