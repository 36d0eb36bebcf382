"""Pixels that the profile of the neighbouring wavelengths does not explain: no PSF is needed to see them."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from jdaviz_lrs.engine.neighbours import paired_median
from jdaviz_lrs.engine.refine.outliers import NEIGHBOURS, find_unexplained
from jdaviz_lrs.engine.refine.scene_model import LinearFit, linear_fit

__all__ = ["find_box_outliers"]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE, WING_TOLERANCE = 0.02, 0.005
"""Of the light in a pixel, and in the brightest of its row: how far the neighbours' profile may be off."""

BESIDE = 3.0
"""Sigma, for pixels beside a rejected one: resampling spreads a hit, as does the detector."""

DIMMEST = 0.1
"""Least brightness of a row, in units of its neighbours', that their profile is scaled by."""

FLOOR = 0.5
"""Least variance of a pixel, in units of its neighbours'."""


def find_box_outliers(data: Image, variance: Image, good: Mask, threshold: float) -> Mask:
    """Find pixels that differ from their neighbours along the dispersion more than noise can.

    Parameters
    ----------
    data, variance : ndarray, ([n_int,] n_disp, n_xdisp)
        Finite where `good`.
    good : ndarray of bool, same shape
        The pixels to look at, and to look with.
    threshold : float
        Sigma.

    Returns
    -------
    ndarray of bool, same shape

    Notes
    -----
    What a column has at the neighbouring wavelengths, in the median of rows made equally bright, is the
    profile. Every row is fitted by it and a straight sky, and what is left over is judged as where a PSF is
    fitted (`jdaviz_lrs.engine.refine.outliers`). The variance of a pixel is its neighbours', and rises with
    the light that its row has more than they have, as theirs does with light: a hit pixel's own would excuse
    it.
    """
    found = np.zeros(good.shape, bool)
    if not good.any():
        return found
    somewhere = good.any(axis=0) if good.ndim > 2 else good
    rows, columns = (np.flatnonzero(somewhere.any(axis=axis)) for axis in (1, 0))
    seen = (..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    found[seen] = _unexplained(data[seen], variance[seen], good[seen], threshold)
    return found


def _unexplained(data: Image, variance: Image, good: Mask, threshold: float) -> Mask:
    shape, seen = data.shape, good.reshape(-1, data.shape[-1])

    def usual(plane: Image) -> Image:
        """Turn a plane, (n_row, n_xdisp), into what the neighbouring wavelengths have."""
        return paired_median(plane.reshape(shape), good, NEIGHBOURS).reshape(seen.shape)

    data = np.where(good, data, 0.0).reshape(seen.shape)
    sky = np.broadcast_to(legendre.legvander(np.linspace(-1.0, 1.0, shape[-1]), 1), (*data.shape, 2))
    level, variance = usual(data), usual(variance)

    def fit(profile: Image, used: Mask) -> LinearFit:
        weights = np.divide(used, variance, out=np.zeros_like(variance), where=variance > 0)
        return linear_fit(profile[None], sky, data, weights)

    # again with all rows as bright, else each column has its median at another row; and once more, as the
    # first brightness has that in it beside a gap
    profile, brightness = level, np.ones((len(level), 1))
    for _ in range(2):
        found = fit(profile, seen)
        brightness = np.maximum(brightness * found.steady_flux[0][:, None], DIMMEST)
        straight = (sky @ found.coefficients[:, :2, None])[..., 0]
        profile = usual((data - straight) / brightness) * brightness

    peak = np.abs(profile).max(axis=-1, keepdims=True)
    misfit = (TOLERANCE * profile) ** 2 + (WING_TOLERANCE * peak) ** 2

    def unexplained(variance: Image, used: Mask, limit: float | Image = threshold) -> Mask:
        # as a part of the variance it keeps the brightest pixel from drawing the fit
        variance = np.where(variance > 0, variance + misfit, 0.0)
        return find_unexplained(profile[None], sky, data, variance, used, limit, 0.0)

    brighter = fit(profile, seen & ~unexplained(variance, seen)).model - level
    variance = np.maximum(variance + _per_light(level, variance, seen) * brighter, FLOOR * variance)
    rejected = unexplained(variance, seen)
    beside = binary_dilation(rejected.reshape(shape), np.ones((1,) * (len(shape) - 2) + (3, 3)))
    beside = beside.reshape(seen.shape) & ~rejected
    rejected |= unexplained(variance, seen & ~rejected, np.where(beside, min(BESIDE, threshold), np.inf))
    return rejected.reshape(shape)


def _per_light(level: Image, variance: Image, good: Mask) -> Image:
    """By how much the variance rises with the light across a row, (n_row, 1)."""
    number = np.maximum(good.sum(axis=-1, keepdims=True), 1)
    off, by = (
        np.where(good, plane - np.where(good, plane, 0.0).sum(axis=-1, keepdims=True) / number, 0.0)
        for plane in (level, variance)
    )
    spread = (off**2).sum(axis=-1, keepdims=True)
    slope = np.divide(
        (off * by).sum(axis=-1, keepdims=True), spread, out=np.zeros_like(spread), where=spread > 0
    )
    return np.maximum(slope, 0.0)
