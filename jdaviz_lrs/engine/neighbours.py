"""What neighbouring wavelengths have in common."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["running_median"]

Image = NDArray[np.float64]


def running_median(values: Image, good: NDArray[np.bool_], length: int) -> Image:
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
