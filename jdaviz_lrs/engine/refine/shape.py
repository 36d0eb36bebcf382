"""What the profile has beyond a shifted and stretched PSF: wings, asymmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.refine.scene import Scene, ShapeCorrection, linear_fit

__all__ = ["fit_shape"]

Image = NDArray[np.float64]

CORE = np.arange(0.0, 4.1, 0.5)
WINGS = np.array([5.0, 6.5, 8.0, 10.0, 12.0, 13.5])
KNOTS = np.concatenate([-WINGS[::-1], -CORE[:0:-1], CORE, WINGS])
"""Pixels; as fine as pixels at all phases show in the core, coarse where the wings are smooth."""

N_TERM = 3
"""Of the polynomial along the spectrum."""

EXPECTED, LEAST_EXPECTED = 0.25, 5e-4
"""Of the PSF, and in shares per pixel: how far profiles may be off where the data do not tell."""

N_ROUND = 2


def fit_shape(scene: Scene, data: Image, weights: Image, phase: Image) -> ShapeCorrection:
    """Fit the profile that all wavelengths have in common beyond the PSF.

    Parameters
    ----------
    scene : Scene
        With trace and stretch as they are to stay.
    data, weights : ndarray, (n_disp, n_xdisp)
        The weights are inverse variances.
    phase : ndarray, (n_disp,)
        -1 to 1 along the spectrum.

    Returns
    -------
    ShapeCorrection

    Notes
    -----
    Profile fitting from the data as in Marsh (1989, PASP 101, 1032), but of the difference to a known PSF and
    with a prior (ridge) that keeps it at zero where the noise is larger than the expected misfit. Fluxes and
    background are projected out, as what they can mimic tells nothing about the shape.
    """
    typical = scene.grid.samples.mean(axis=0)
    distances = (np.arange(typical.size) - scene.grid.center) / scene.grid.subpix
    expected = EXPECTED * np.interp(KNOTS, distances, typical) + LEAST_EXPECTED
    expected[[0, -1]] = 1e-9  # continuous with the zero beyond
    precision = np.tile(expected**-2, N_TERM)
    powers = phase ** np.arange(2 * N_TERM - 1)[:, None]
    terms = np.add.outer(np.arange(N_TERM), np.arange(N_TERM))
    shares = np.zeros((N_TERM, KNOTS.size))
    for _ in range(N_ROUND):
        current = replace(scene, shape=ShapeCorrection(KNOTS, shares, phase))
        fit = linear_fit(current.profiles(), current.basis, data, weights)
        # in units of the uncorrected PSF, to which the shares refer
        response = _response(scene, fit.steady_flux / (1.0 + current.shape.light))
        weighted = np.swapaxes(response * weights[..., None], -1, -2)
        mimic = weighted @ fit.design
        rows = weighted @ response - mimic @ fit.covariance @ np.swapaxes(mimic, -1, -2)
        moments = np.tensordot(powers, rows, axes=1)[terms]
        normal = moments.transpose(0, 2, 1, 3).reshape(shares.size, shares.size)
        target = (powers[:N_TERM] @ (weighted @ fit.residual[..., None])[..., 0]).ravel()
        step = np.linalg.solve(normal + np.diag(precision), target - precision * shares.ravel())
        shares = shares + step.reshape(shares.shape)
    return ShapeCorrection(KNOTS, shares, phase)


def _response(scene: Scene, flux: Image) -> Image:
    """Change of every pixel with the share at every knot, (n_disp, n_xdisp, n_knot)."""
    response = np.zeros((*scene.grid.covered.shape, KNOTS.size))
    flat = response.reshape(-1, KNOTS.size)
    for trace, sign, amplitude in zip(scene.traces, scene.signs, flux, strict=True):
        distance = (scene.grid.columns - trace[:, None]) / scene.stretch[:, None]
        pixel = np.flatnonzero((distance > KNOTS[0]) & (distance < KNOTS[-1]) & scene.grid.covered)
        u = distance.ravel()[pixel]
        left = np.searchsorted(KNOTS, u) - 1
        part = (u - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
        row = pixel // scene.grid.columns.size
        light = sign * amplitude[row] / scene.stretch[row]
        flat[pixel, left] += light * (1.0 - part)  # a pixel comes once per source
        flat[pixel, left + 1] += light * part
    return response
