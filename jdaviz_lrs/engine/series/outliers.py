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
    some = np.flatnonzero(inverse)[::SOME]
    found = np.zeros(residual.shape, bool)
    nearest = (start + np.arange(len(residual)) + STEP // 2) // STEP * STEP - start
    for middle in np.unique(nearest):
        own = np.flatnonzero(nearest == middle)
        part = residual[own[0] : own[-1] + 1]
        window = residual[max(middle - WINDOW // 2, 0) : middle + WINDOW // 2 + 1]
        deviation = np.abs(part - _median(window)) * inverse
        scatter = np.maximum(np.median(deviation[:, some], axis=1, keepdims=True) / NORMAL, 1.0)
        found[own] = (deviation > threshold * scatter) | (np.abs(part) > limit * scatter)
    return found


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the first axis, by the partition alone: `numpy.median` takes four times as long."""
    half = len(values) // 2
    if len(values) % 2:
        return np.partition(values, half, axis=0)[half]
    ordered = np.partition(values, (half - 1, half), axis=0)
    return (ordered[half - 1] + ordered[half]) / 2
