"""Where the source lies in every integration, and how wide it is, against the mean of the series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.series.template import Template

__all__ = ["Drift", "follow"]

Image = NDArray[np.float64]

CLIP = 5.0
"""Standard deviations beyond which a pixel does not tell of drift."""

ENOUGH = 1e-6
"""Of the determinant of the normal matrix: with less left nothing is told."""

FAR = 5.0
"""Times the tolerated deviation: how far a pixel may pull before it is known how far the source has moved."""


@dataclass(frozen=True, eq=False)
class Drift:
    """What distinguishes integrations from their mean.

    Attributes
    ----------
    scale : ndarray, (n_int,)
        Of the light at all wavelengths, less one.
    shift, shift_error : ndarray, (n_int,)
        Pixels along the slit, towards larger columns.
    width, width_error : ndarray, (n_int,)
        Of the PSF, in units of its width, less one.
    outlying : ndarray of int, (n_int,)
        Pixels that neither explains.
    """

    scale: Image
    shift: Image
    shift_error: Image
    width: Image
    width_error: Image
    outlying: NDArray[np.intp]


def follow(data: Image, good: NDArray[np.bool_], template: Template) -> tuple[Drift, NDArray[np.float32]]:
    """Measure the drift of integrations.

    Parameters
    ----------
    data : ndarray, (n_int, n_disp, n_xdisp)
        Finite everywhere.
    good : ndarray of bool, same shape
    template : Template
        Of their mean.

    Returns
    -------
    Drift
        NaN where no pixel tells.
    residual : ndarray, (n_int, n_disp * n_xdisp)
        What neither a common scale nor drift nor the background of the row explains; zero where a pixel is
        not good.

    Notes
    -----
    Linear least squares with the derivatives of the profile against place and width, at all wavelengths
    together; flux and background of every wavelength are free, and taken out beforehand. Pixels that stick
    out are left out of it. Every integration is treated by itself, whatever the others are.
    """
    number = len(data)
    used = (template.inverse > 0).ravel()
    seen = good.reshape(number, -1) & used
    off = np.where(seen, data.reshape(number, -1) - template.mean.ravel(), 0.0)
    limit = np.where(used, template.tolerance, 0.0)
    lost = ~seen & used
    found = _solve(np.clip(off, -CLIP * FAR * limit, CLIP * FAR * limit), lost, template)
    struck = lost | (np.abs(off - _change(found, template)) > CLIP * template.tolerance)
    found, normal = _solve(off, struck, template, full=True)
    residual = _above_row(np.where(seen, off - _change(found, template), 0.0).astype(np.float32), data.shape)
    residual *= seen
    known = _solvable(normal[:, 1:, 1:], template.normal[1:, 1:])
    covariance = np.linalg.inv(np.where(known[:, None, None], normal[:, 1:, 1:], np.eye(2)))
    errors = np.where(known[:, None], np.sqrt(np.abs(np.einsum("tii->ti", covariance))), np.nan)
    found = np.where(known[:, None], found, np.nan)
    outlying = (np.abs(residual) > (CLIP * template.tolerance).astype(np.float32)).sum(axis=1)
    return Drift(found[:, 0], found[:, 1], errors[:, 0], found[:, 2], errors[:, 1], outlying), residual


def _above_row(residual: NDArray[np.float32], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Take off the median of every row: the background and the rows' own noise."""
    rows, half = residual.reshape(shape), shape[2] // 2
    return (rows - np.partition(rows, half, axis=2)[..., half, None]).reshape(residual.shape)


def _change(found: Image, template: Template) -> Image:
    """Return what scale, shift and width, (n_int, 3), add to the mean."""
    light, slope, widening = template.terms
    change = found[:, :1] * light
    change += found[:, 1:2] * slope
    change += found[:, 2:] * widening
    return change


def _solve(off: Image, lost: NDArray[np.bool_], template: Template, full: bool = False):
    """Fit scale, shift and width without the pixels that are lost; also the normal matrices if asked."""
    right = np.vecdot(off[:, None], template.projected)
    normal = np.broadcast_to(template.normal, (len(off), 3, 3)).copy()
    which, pixel = np.divmod(np.flatnonzero(lost), lost.shape[1])
    for k, projected in enumerate(template.projected):
        part = projected[pixel]
        right[:, k] -= np.bincount(which, part * off[which, pixel], len(off))
        for j, term in enumerate(template.terms):
            normal[:, k, j] -= np.bincount(which, part * term[pixel], len(off))
    solvable = _solvable(normal, template.normal)
    safe = np.where(solvable[:, None, None], normal, np.eye(3))
    found = np.where(solvable[:, None], np.linalg.solve(safe, right[..., None])[..., 0], 0.0)
    return (found, normal) if full else found


def _solvable(normal: Image, whole: Image) -> NDArray[np.bool_]:
    """Whether enough is left of normal matrices, (n_int, n, n), of what all pixels would give."""
    return np.linalg.det(normal) > ENOUGH * np.linalg.det(whole)
