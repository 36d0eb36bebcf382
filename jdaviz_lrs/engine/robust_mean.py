"""The mean of a series of images, which no lone outlier draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

__all__ = ["robust_mean"]

Image = NDArray[np.float64]

THRESHOLD = 5.0
"""Scatters from the median over time beyond which a value counts as struck by a cosmic ray."""

NORMAL = norm.ppf(0.75)
"""Median absolute deviation of normal values of unit variance."""


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
    median = _median(seen)
    scatter = _median(np.abs(seen - median)) / NORMAL
    kept = np.abs(seen - median) <= THRESHOLD * np.maximum(scatter, noise)
    number = np.where(some, kept.sum(axis=0), 0)
    total = np.where(kept, seen, 0.0).sum(axis=0)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0), number


def _median(images: Image) -> Image:
    """Median over time of what is not NaN, by sorting: `numpy.nanmedian` takes eight times as long."""
    ordered = np.sort(np.moveaxis(images, 0, -1), axis=-1)  # NaN comes last
    number = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    middle = [
        np.take_along_axis(ordered, at, axis=-1) for at in (np.maximum(number - 1, 0) // 2, number // 2)
    ]
    return ((middle[0] + middle[1]) / 2)[..., 0]
