"""Spectra over time to light curves, and how their scatter goes down with averaging."""

from __future__ import annotations

import warnings

import numpy as np
from astropy.stats import mad_std
from numpy.typing import NDArray

__all__ = ["difference_scatter", "light_curve", "rms_of_means"]

Image = NDArray[np.float64]

LEAST_LEFT = 0.5
"""Of the usual light in a bin: with less of it known than that, an integration has no value."""


def light_curve(flux: Image, variance: Image, weighted: bool = False) -> tuple[Image, Image, float]:
    """Add up the spectra of all integrations.

    Parameters
    ----------
    flux, variance : ndarray, (n_int, n_wavelength)
        NaN where not known.
    weighted : bool
        Weight every wavelength's own relative light curve by its inverse variance, instead of adding fluxes.

    Returns
    -------
    flux : ndarray, (n_int,)
        On the scale of the sum; NaN where less than half of the light is known.
    error : ndarray, (n_int,)
    level : float
        Median of the flux over time: what the whole bin has.

    Notes
    -----
    Weights do not change with time. A point that is not known counts as it usually is at its wavelength
    compared with the others, so that it leaves no step.
    """
    known = np.isfinite(flux) & np.isfinite(variance)
    usual, spread = (_median(np.where(known, plane, np.nan)) for plane in (flux, variance))
    usable = np.isfinite(usual) & (usual > 0) & (spread > 0)
    known &= usable
    usual, spread = np.where(usable, usual, 0.0), np.where(usable, spread, 1.0)
    weights = usable / spread * usual if weighted else usable.astype(float)
    whole = weights @ usual
    share = np.where(known, weights * usual, 0.0).sum(axis=1)
    enough = (share > 0) & (share >= LEAST_LEFT * whole)
    scale = np.divide(usual.sum(), share, out=np.full(share.shape, np.nan), where=enough)
    total = np.where(known, weights * flux, 0.0).sum(axis=1) * scale
    error = np.sqrt(np.where(known, weights**2 * variance, 0.0).sum(axis=1)) * scale
    return total, error, float(_median(total[:, None])[0])


def difference_scatter(values: Image) -> Image:
    """Find the standard deviation of a series from successive differences.

    Neither slow changes enter it nor, as their median absolute deviation is taken, steep ones that are few.

    Parameters
    ----------
    values : ndarray, (n_int, ...)

    Returns
    -------
    ndarray, (...)

    Notes
    -----
    After von Neumann et al. (1941, Ann. Math. Stat. 12, 153): differences have twice the variance.
    """
    return mad_std(np.diff(values, axis=0), axis=0, ignore_nan=True) / np.sqrt(2.0)


def rms_of_means(residual: Image, size: int) -> Image:
    """Root mean square of means over so many neighbouring integrations; a rest at the end is left out.

    Parameters
    ----------
    residual : ndarray, (n_int, n_bin)
    size : int

    Returns
    -------
    ndarray, (n_bin,)
    """
    number = len(residual) // size
    parts = residual[: number * size].reshape(number, size, -1)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        means = np.nanmean(parts, axis=1)
        return np.sqrt(np.nanmean(means**2, axis=0))


def _median(values: Image) -> Image:
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return np.nanmedian(values, axis=0)
