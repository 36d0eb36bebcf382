"""Pixels of single integrations that stick out of the integrations before and after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.series.template import Template

__all__ = ["FEWEST", "HALO", "find_outliers_in_time"]

WINDOW = 25
"""Integrations that the running median is of: the pipeline's `rolling_window_width`."""

STEP = 5
"""Integrations from one median to the next; the nearest counts."""

HALO = WINDOW // 2 + STEP // 2
"""Integrations before and after that must be known."""

FEWEST = 5
"""Integrations: of fewer a median over time tells nothing."""

NORMAL = 0.6745
"""Median absolute deviation of normal values of unit variance."""

SOME = 4
"""One pixel in so many tells how much an integration scatters."""

NEARLY_HALF = 0.49
"""Of the threshold: a pixel and its median that are both nearer to zero cannot differ by the whole of it."""


def find_outliers_in_time(
    residual: NDArray[np.float32], template: Template, threshold: float, start: int = 0
) -> NDArray[np.bool_]:
    """Find pixels that differ from what they are before and after, or from the mean, by more than noise.

    Parameters
    ----------
    residual : ndarray, (n_int, n_disp * n_xdisp)
        Of neighbouring integrations, from `follow`.
    template : Template
    threshold : float
        Standard deviations; where an integration scatters more than its variances say, in units of that.
    start : int
        Place in the series of the first of them, counted from 0.

    Returns
    -------
    ndarray of bool, same shape
        Those at the ends, nearer than `HALO`, count only where the series itself ends there.

    Notes
    -----
    The running median of the residual over 25 integrations is what drifts slowly: no outlier. A pixel that
    stays off for longer is found by its difference from the mean, of which 2 % of its light are tolerated.
    Medians are taken at fixed places in the series, so that it does not matter in which parts it is looked
    at.
    """
    inverse = np.sqrt(template.inverse).ravel().astype(np.float32)
    limit = (threshold * template.tolerance).astype(np.float32)
    some = (np.cumsum(inverse > 0) - 1) % SOME == 0
    some &= inverse > 0
    off = np.abs(residual)
    far = off * inverse > NEARLY_HALF * threshold
    over_time = np.ascontiguousarray(residual.T)
    found = np.zeros(residual.shape, bool)
    nearest = (start + np.arange(len(residual)) + STEP // 2) // STEP * STEP - start
    for middle in np.unique(nearest):
        own = np.flatnonzero(nearest == middle)
        own = slice(own[0], own[-1] + 1)
        window = slice(max(middle - WINDOW // 2, 0), middle + WINDOW // 2 + 1)
        size = len(far[window])
        # further from the median than the threshold is what is half as far from zero, or the median itself is
        asked = far[own].any(axis=0) | (far[window].sum(axis=0, dtype=np.uint8) >= size // 2)
        pixel = np.flatnonzero(asked | some)
        median = _median(over_time[pixel, window])
        deviation = np.abs(residual[own, pixel] - median) * inverse[pixel]
        scatter = np.maximum(_median(deviation[:, some[pixel]]) / NORMAL, 1.0)[:, None]
        found[own, pixel] = deviation > threshold * scatter
        found[own] |= off[own] > limit * scatter
    return found


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the last axis, by the partition alone: `numpy.median` takes four times as long."""
    half = values.shape[-1] // 2
    if values.shape[-1] % 2:
        values.partition(half, axis=-1)
        return values[..., half]
    values.partition((half - 1, half), axis=-1)
    return (values[..., half - 1] + values[..., half]) / 2
