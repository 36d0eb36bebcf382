"""What neighbouring wavelengths have in common."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import median_filter

__all__ = ["paired_median", "running_median"]

Image = NDArray[np.float64]


def running_median(values: Image, length: int, axis: int = -1) -> Image:
    """Median of the values around each along one axis; mirrored about the first and the last at the ends.

    Parameters
    ----------
    values : ndarray
        Without NaN.
    length : int
        Number of values, odd.
    axis : int

    Returns
    -------
    ndarray, same shape

    Notes
    -----
    What `scipy.ndimage.median_filter` gives with ``mode="mirror"``. It has a way for one dimension that takes
    a sixth of the time of that for two, so that all are strung together here, each with its mirrored ends.
    """
    half = length // 2
    lines = np.moveaxis(values, axis, -1)
    padded = np.pad(lines, [(0, 0)] * (lines.ndim - 1) + [(half, half)], mode="reflect")
    medians = median_filter(padded.ravel(), length, mode="nearest").reshape(padded.shape)
    return np.moveaxis(medians[..., half : padded.shape[-1] - half], -1, axis)


def paired_median(values: Image, good: NDArray[np.bool_], length: int) -> Image:
    """Median of the good pixels of each column over some rows, the row itself in their middle.

    Parameters
    ----------
    values : ndarray, (..., n_disp, n_xdisp)
    good : ndarray of bool, same shape
    length : int
        Odd. Towards the ends it shrinks to as many rows as there are on the shorter side, so that what
        changes steadily along the rows comes out as it is; the last two rows are mirrored. For the same
        reason a row counts only where the one as far on the other side is good too, if there is any such.

    Returns
    -------
    ndarray, (..., n_disp, n_xdisp)
        Zero where no pixel is good.
    """
    half, row = length // 2, np.arange(values.shape[-2])
    reach = np.clip(np.minimum(row, row[::-1]), 2, half)
    far = np.abs(np.arange(-half, half + 1)) > reach[:, None, None]
    pad = [(0, 0)] * (values.ndim - 2) + [(half, half), (0, 0)]
    # what is not good is sorted to the end, and not counted
    padded = np.pad(np.where(good, values, np.inf), pad, mode="symmetric")
    near = np.where(far, np.inf, sliding_window_view(padded, length, axis=-2))
    paired = np.isfinite(near) & np.isfinite(near[..., ::-1])
    paired[..., half] &= paired.sum(axis=-1) > 1
    alone = ~paired.any(axis=-1, keepdims=True)
    ranked = np.sort(np.where(paired | alone, near, np.inf), axis=-1)
    number = np.isfinite(ranked).sum(axis=-1)[..., None]
    lower, upper = (
        np.take_along_axis(ranked, np.maximum(n, 0), axis=-1)[..., 0]
        for n in ((number - 1) // 2, number // 2)
    )
    some = number[..., 0] > 0
    return 0.5 * (np.where(some, lower, 0.0) + np.where(some, upper, 0.0))
