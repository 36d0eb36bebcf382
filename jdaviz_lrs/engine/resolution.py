"""A spectrum as an instrument of lower resolving power sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

__all__ = ["at_resolution", "resolving_power_at"]

Column = NDArray[np.float64]

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Of a Gaussian, in its sigmas."""

STEPS = 8.0
"""Bins of the model per FWHM: the kernel is sampled to 1e-6 of its integral."""

REACH = 4.0
"""Sigmas that the kernel reaches to either side."""


def resolving_power_at(wavelength: Column, points: tuple[tuple[float, float], ...]) -> Column:
    """Return the resolving power, linear in wavelength, and beyond the points in the same manner.

    Parameters
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron.
    points : tuple of tuple of float
        Two wavelengths (micron) with the resolving power at each.

    Returns
    -------
    ndarray, (n_wavelength,)
        Not below a quarter of the lesser one.
    """
    (first, low), (last, high) = points
    power = low + (np.asarray(wavelength, float) - first) * (high - low) / (last - first)
    return np.maximum(power, 0.25 * min(low, high))


def at_resolution(wavelength: Column, power: Column, model_wavelength: Column, model_flux: Column) -> Column:
    """Convolve a model with a Gaussian whose FWHM is the wavelength over the resolving power.

    Parameters
    ----------
    wavelength, power : ndarray, (n_wavelength,)
        Micron, where the result is wanted, and the resolving power there.
    model_wavelength, model_flux : ndarray, (n_model,)
        Micron, rising, and flux density; beyond its ends the model is taken to end.

    Returns
    -------
    ndarray, (n_wavelength,)
        In the unit of the model; NaN where the model does not reach.
    """
    fwhm = wavelength / power
    first, last = model_wavelength[[0, -1]]
    reach = REACH * fwhm / FWHM
    ends = max(first, (wavelength - reach).min()), min(last, (wavelength + reach).max())
    edges = _edges(*ends, wavelength, fwhm)
    below = cumulative_trapezoid(model_flux, model_wavelength, initial=0.0)
    # the model is linear between its samples, and so is integrated exactly up to any edge
    at = np.clip(np.searchsorted(model_wavelength, edges, side="right") - 1, 0, model_wavelength.size - 2)
    part = edges - model_wavelength[at]
    slope = np.diff(model_flux)[at] / np.diff(model_wavelength)[at]
    light = np.diff(below[at] + part * (model_flux[at] + 0.5 * slope * part))
    step, middle = np.diff(edges), 0.5 * (edges[:-1] + edges[1:])
    kernel = np.exp(-0.5 * ((middle - wavelength[:, None]) / (fwhm[:, None] / FWHM)) ** 2)
    there = (wavelength >= first) & (wavelength <= last)
    return np.divide(kernel @ light, kernel @ step, out=np.full_like(fwhm, np.nan), where=there)


def _edges(first: float, last: float, wavelength: Column, fwhm: Column) -> Column:
    """Edges of bins, `STEPS` to a FWHM wherever they lie."""
    order = np.argsort(wavelength)
    fine = np.linspace(first, last, 2048)
    density = STEPS / np.interp(fine, wavelength[order], fwhm[order])
    number = cumulative_trapezoid(density, fine, initial=0.0)
    return np.interp(np.linspace(0.0, number[-1], max(int(np.ceil(number[-1])), 2) + 1), number, fine)
