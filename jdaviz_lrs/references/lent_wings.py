"""Wings for a PSF reference that lacks them: those of the built-in model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from jdaviz_lrs.data.psf import SpectralPSF

__all__ = ["lend_wings"]

Row = NDArray[np.float64]

CORE = 2.5
"""Pixels: within them a PSF has no wings yet."""

LACKING = 0.5
"""Of the model's light, with both peaks alike: where a PSF has less than that it lacks a wing."""

MOST, LEAST_APART = 0.3, 0.1
"""Of all light, that is lent; and by which PSF and wings must differ in what the aperture holds of them."""


def lend_wings(
    psf: SpectralPSF, model: SpectralPSF, wavelength: Row, enclosed: Row, width: float
) -> SpectralPSF:
    """Return a PSF with as much of the wings of a model as leaves the light in an aperture that is due there.

    Parameters
    ----------
    psf, model : SpectralPSF
        On the same pixels.
    wavelength : ndarray, (n_disp,)
        Micron; NaN where there is none.
    enclosed : ndarray, (n_disp,)
        Share of the light that is due in the aperture; NaN where that is not known.
    width : float
        Of the aperture, in pixels.

    Returns
    -------
    SpectralPSF
        The same where it has more light outside than is due.
    """
    reach = max(model.center_col, model.data.shape[1] - 1 - model.center_col) / model.subpix
    short = reach * psf.subpix - min(psf.center_col, psf.data.shape[1] - 1 - psf.center_col)
    pad = max(int(np.ceil(short)), 0)
    data = np.pad(np.nan_to_num(psf.data), ((0, 0), (pad, pad)))
    center = psf.center_col + pad
    offset = (np.arange(data.shape[1]) - center) / psf.subpix
    at = np.clip(psf.wavelength, model.wavelength.min(), model.wavelength.max())
    wings = _lacking(data, offset, model.fractions(offset[None], at))
    # counted on whole pixels of an aperture with edges between them, as the correction's light is
    pixels = np.arange(0.5, reach)
    pixels = np.concatenate([-pixels[::-1], pixels])
    inside = np.clip(0.5 * (width + 1.0) - np.abs(pixels), 0.0, 1.0)
    own, theirs = (make_interp_spline(offset, one, k=1, axis=1)(pixels) for one in (data, wings))
    own_light, their_light = own.sum(axis=1), theirs.sum(axis=1)
    kept, lent = _divided(own @ inside, own_light), _divided(theirs @ inside, their_light)
    known = np.isfinite(wavelength) & np.isfinite(enclosed)
    order = np.argsort(wavelength[known])
    due = np.interp(psf.wavelength, wavelength[known][order], enclosed[known][order])
    part = np.clip((kept - due) / np.maximum(kept - lent, LEAST_APART), 0.0, MOST)
    part = np.where(their_light > 0, part, 0.0)[:, None]
    light = (1.0 - part) * _divided(data, own_light) + part * _divided(wings, their_light)
    return replace(psf, data=light, center_col=center)


def _lacking(data: Row, offset: Row, whole: Row) -> Row:
    """Return what a PSF lacks in its wings of the light of a model, both with the same peak."""
    alike = _divided(data, data.max(axis=1)) * whole.max(axis=1)[:, None]
    lacking = (np.abs(offset) > CORE) & (alike < LACKING * whole)
    return np.where(lacking, whole - alike, 0.0)


def _divided(values: Row, by: Row) -> Row:
    """Quotient along the rows, or of the rows, zero where the divisor is."""
    by = by if values.ndim == 1 else by[:, None]
    return np.divide(values, by, out=np.zeros_like(values), where=by > 0)
