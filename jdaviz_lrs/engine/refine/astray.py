"""Whether a part of the refinements leads away from where all of them lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.order_statistics import MEDIAN_ERROR, median, scatter
from jdaviz_lrs.engine.refine.judging import FARTHER, Earned, Setting, fitting_weights, weighs_alike
from jdaviz_lrs.engine.refine.scene_model import linear_fit

__all__ = ["is_moved", "leads_astray", "likeliest_flux"]

Image = NDArray[np.float64]
Rows = NDArray[np.bool_]

STEADY_ROWS = 25
"""Over which a flux is smoothed to compare others with it."""

LEAST_ROWS = 10
"""In a band, to compare fluxes in it."""


def likeliest_flux(earned: Earned, setting: Setting) -> Image:
    """Fit the flux of the target with all refinements.

    Parameters
    ----------
    earned : Earned
        All of them, made.
    setting : Setting

    Returns
    -------
    ndarray, (n_disp,)
        NaN where no pixel is left.
    """
    refined, scene, frame = earned.refined, earned.refined.scene, setting.frame
    variance = refined.variances.sum(axis=0)
    usable = frame.good & ~refined.rejected & (variance > 0)
    weights = fitting_weights(variance, usable, evenly=not weighs_alike(refined, setting))
    flux = linear_fit(scene.profiles(), scene.basis, frame.data, weights).flux[0]
    return np.where(usable.any(axis=1), flux, np.nan)


def is_moved(flux: Image, before: Image, bands: Sequence[Rows]) -> bool:
    """Whether a flux is another than before by so much in any band that it matters, both (n_disp,)."""
    pairs = _deviations(flux, before, before, bands)
    return any(np.abs(now - then).mean() > FARTHER for now, then, _ in pairs)


def leads_astray(flux: Image, error: Image, before: Image, likeliest: Image, bands: Sequence[Rows]) -> bool:
    """Whether a flux is farther from the likeliest one than it was before, in any band and beyond noise.

    Parameters
    ----------
    flux, error, before, likeliest : ndarray, (n_disp,)
        The error is that of the first.
    bands : sequence of ndarray of bool, (n_disp,)

    Returns
    -------
    bool
    """
    for now, then, own in _deviations(flux, before, likeliest, bands, error):
        noise = max(_chance(now - then), _of_median(median(own), own.size))
        if abs(median(now)) > abs(median(then)) + max(FARTHER, noise):
            return True
    return False


def _chance(change: Image) -> float:
    """Return what the median of a change may be off by chance.

    By differences of neighbours, as the change may vary along the spectrum; or, where that is less, by its
    own order, as it may be large in a few rows alone.
    """
    noise = _of_median(scatter(np.diff(change)) / np.sqrt(2.0), change.size)
    away = np.sqrt(change.size) / 2.0
    places = np.rint((change.size - 1) / 2.0 + np.array([-away, away])).astype(int)
    low, high = np.partition(change, places)[places]
    return min(noise, (high - low) / 2.0)


def _of_median(sigma: float, number: int) -> float:
    """Return the standard error of the median of a number of values."""
    return MEDIAN_ERROR * sigma / np.sqrt(number)


def _deviations(
    one: Image, other: Image, likeliest: Image, bands: Sequence[Rows], error: Image | float = 0.0
) -> Iterator[tuple[Image, Image, Image]]:
    """Parts of the likeliest flux by which two are off it, and an error as such a part, band by band."""
    steady = running_median(np.nan_to_num(likeliest), STEADY_ROWS)
    error = np.broadcast_to(error, steady.shape)
    used = np.isfinite(one) & np.isfinite(other) & np.isfinite(likeliest) & (steady > 0)
    for rows in (band & used for band in bands):
        if rows.sum() >= LEAST_ROWS:
            whole, right = steady[rows], likeliest[rows]
            yield (one[rows] - right) / whole, (other[rows] - right) / whole, error[rows] / whole
