"""Pixels that no PSF explains: cosmic rays and bad pixels that were not flagged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.refine.scene_model import SceneModel, linear_fit

__all__ = ["find_outliers", "find_unexplained"]

Image = NDArray[np.float64]

NEIGHBOURS = 15
"""Rows over which the misfit of the PSF changes little: the trace moves by a tenth of a pixel."""

TOLERANCE = 0.02
"""Of the light in a pixel: how far the PSF may be off from one wavelength to the next."""

MAX_PASSES = 8


def find_outliers(
    scene: SceneModel,
    data: Image,
    variance: Image,
    good: NDArray[np.bool_],
    threshold: float,
) -> NDArray[np.bool_]:
    """Find pixels that differ from the scene more than noise and the PSF's misfit can.

    Parameters
    ----------
    scene : SceneModel
    data, variance : ndarray, (n_disp, n_xdisp)
        The variance is a model's: that of a hit pixel itself would excuse it.
    good : ndarray of bool, same shape
    threshold : float
        Sigma.

    Returns
    -------
    ndarray of bool, (n_disp, n_xdisp)

    See Also
    --------
    find_unexplained : How it is done.
    """
    return find_unexplained(scene.profiles(), scene.basis, data, variance, good, threshold)


def find_unexplained(
    profiles: Image,
    basis: Image,
    data: Image,
    variance: Image,
    good: NDArray[np.bool_],
    threshold: float | Image,
    tolerance: float = TOLERANCE,
) -> NDArray[np.bool_]:
    """Find pixels that no sum of profiles and background explains.

    Parameters
    ----------
    profiles : ndarray, (n_source, n_disp, n_xdisp)
    basis : ndarray, (n_disp, n_xdisp, n_background)
    data, variance, good : ndarray, (n_disp, n_xdisp)
        See `find_outliers`.
    threshold : float or ndarray, (n_disp, n_xdisp)
        Sigma.
    tolerance : float
        Of the light in a pixel: how far the profiles may be off from one wavelength to the next.

    Returns
    -------
    ndarray of bool, (n_disp, n_xdisp)

    Notes
    -----
    Residuals are compared with their own standard deviation, V (1 - leverage), so that a hit in the core, to
    which the fit bends, counts fully (studentised residuals; Cook & Weisberg 1982, ch. 2). Every pass rejects
    the worst pixel of every row and fits the row again, as a hit makes its neighbours look wrong too. What
    the running median over wavelengths shows is no cosmic ray but the PSF's misfit, and is taken off first.
    """
    inverse = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
    rejected = np.zeros(good.shape, bool)
    rows = np.flatnonzero(good.any(axis=-1))
    fit = linear_fit(profiles, basis, data, good * inverse)
    flux = np.abs(fit.flux)
    light = np.abs(profiles * flux[..., None]).sum(axis=0)
    steady = running_median(flux, NEIGHBOURS)
    scale = np.abs(profiles * steady[..., None]).sum(axis=0) + np.sqrt(variance)
    misfit = _shared(np.where(good, fit.residual, 0.0), scale)
    limit = np.broadcast_to(threshold, good.shape)
    for _ in range(MAX_PASSES):
        kept = good[rows] & ~rejected[rows]
        fit = linear_fit(profiles[:, rows], basis[rows], data[rows] - misfit[rows], kept * inverse[rows])
        leverage = (fit.weighted * (fit.design @ fit.covariance)).sum(axis=-1)
        spread = variance[rows] * np.clip(1.0 - leverage, 0.05, 1.0) + (tolerance * light[rows]) ** 2
        deviation = np.where(kept, np.abs(fit.residual) / np.sqrt(np.where(spread > 0, spread, np.inf)), 0.0)
        excess = deviation - limit[rows]
        worst = excess.argmax(axis=-1)
        hit = excess[np.arange(rows.size), worst] > 0
        if not hit.any():
            break
        rejected[rows[hit], worst[hit]] = True
        rows = rows[hit]
    return rejected


def _shared(residual: Image, scale: Image) -> Image:
    """Residual that neighbouring wavelengths share, in proportion to a scale."""
    relative = np.divide(residual, scale, out=np.zeros_like(residual), where=scale > 0)
    return running_median(relative, NEIGHBOURS, axis=0) * scale
