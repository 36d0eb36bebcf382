"""Sums between edges about a trace, at many widths at once, by cumulative sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["enclosed", "enclosed_variance"]

Image = NDArray[np.float64]
Row = NDArray[np.float64]


def enclosed(values: Image, center: Row, first: float, widths: Row) -> Image:
    """Sum each row between edges, with the fractions of the pixels cut by them.

    Parameters
    ----------
    values : ndarray, (n_disp, n_xdisp)
    center : ndarray, (n_disp,)
        Middle between the edges, in columns; NaN gives NaN.
    first : float
        The first column's number.
    widths : ndarray, (n_width,)

    Returns
    -------
    ndarray, (n_disp, n_width)
        Between the two edges the cumulative sum rises linearly inside each pixel: the difference is what
        `jdaviz_lrs.engine.aperture.pixel_weights` would sum up.
    """
    running = _running(values)
    total = []
    for edge in _edges(center, first, widths, values.shape[1]):
        pixel = np.minimum(edge.astype(np.intp), values.shape[1] - 1)
        below, here = _take(running, pixel), _take(values, pixel)
        total.append(below + (edge - pixel) * here)
    return np.where(np.isfinite(center)[:, None], total[1] - total[0], np.nan)


def enclosed_variance(variance: Image, center: Row, first: float, widths: Row) -> Image:
    """Variance of what `enclosed` sums, (n_width, n_disp): a cut pixel counts with its share squared."""
    n_xdisp = variance.shape[1]
    lower, upper = _edges(center, first, widths, n_xdisp)
    start, stop = (np.minimum(edge.astype(np.intp), n_xdisp - 1) for edge in (lower, upper))
    running = _running(variance)
    whole = np.maximum(_take(running, stop) - _take(running, start + 1), 0.0)
    at_start, at_stop = _take(variance, start), _take(variance, stop)
    cut = (start + 1 - lower) ** 2 * at_start + (upper - stop) ** 2 * at_stop
    total = np.where(start == stop, (upper - lower) ** 2 * at_start, whole + cut)
    return np.where(np.isfinite(center)[:, None], total, np.nan)


def _edges(center: Row, first: float, widths: Row, n_xdisp: int) -> tuple[Image, Image]:
    """Lower and upper edges, (n_disp, n_width), counted in pixels from the image's own edge."""
    middle = np.nan_to_num(center)[:, None] - (first - 0.5)
    return tuple(np.clip(middle + side * widths, 0.0, n_xdisp) for side in (-0.5, 0.5))


def _running(values: Image) -> Image:
    """Sum of all pixels below each pixel's lower edge, (n_disp, n_xdisp + 1)."""
    return np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))


def _take(values: Image, index: NDArray[np.intp]) -> Image:
    return np.take_along_axis(values, index, axis=1)
