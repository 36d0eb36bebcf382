"""What the profile has beyond a shifted and stretched PSF: wings, asymmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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

N_ROUND = 3


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
    with a prior (ridge) that keeps it at zero where the noise is larger than the expected misfit. Residuals
    are free of the fluxes, so that fluxes and correction are fitted in turn until they agree.
    """
    typical = scene.grid.samples[:-1].mean(axis=0)
    distances = (np.arange(typical.size) - scene.grid.center) / scene.grid.subpix
    expected = EXPECTED * np.interp(KNOTS, distances, typical) + LEAST_EXPECTED
    expected[[0, -1]] = 1e-9  # continuous with the zero beyond
    precision = np.tile(expected**-2, N_TERM)
    shares = np.zeros((N_TERM, KNOTS.size))
    for _ in range(N_ROUND):
        current = replace(scene, shape=ShapeCorrection(KNOTS, shares, phase))
        fit = linear_fit(current.profiles(), current.basis, data, weights)
        # in units of the uncorrected PSF, to which the shares refer
        flux = fit.flux / (1.0 + current.shape.light)
        design = _design(scene, flux, phase)
        weighted = design.multiply(weights.reshape(-1, 1)).tocsr()
        normal = (weighted.T @ design).toarray() + np.diag(precision)
        target = weighted.T @ fit.residual.ravel() - precision * shares.ravel()
        shares = shares + np.linalg.solve(normal, target).reshape(shares.shape)
    return ShapeCorrection(KNOTS, shares, phase)


def _design(scene: Scene, flux: Image, phase: Image) -> csr_array:
    """Change of every pixel with every share, (n_pixel, n_term * n_knot)."""
    n_pixel = scene.grid.covered.size
    rows, columns, values = [], [], []
    for trace, sign, amplitude in zip(scene.traces, scene.signs, flux, strict=True):
        distance = (scene.grid.columns - trace[:, None]) / scene.stretch[:, None]
        near = (distance > KNOTS[0]) & (distance < KNOTS[-1]) & scene.grid.covered
        pixel = np.flatnonzero(near)
        u = distance.ravel()[pixel]
        left = np.searchsorted(KNOTS, u) - 1
        part = (u - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
        row = pixel // scene.grid.columns.size
        light = sign * amplitude[row] / scene.stretch[row]
        for k in range(N_TERM):
            term = light * phase[row] ** k
            rows += [pixel, pixel]
            columns += [left + k * KNOTS.size, left + 1 + k * KNOTS.size]
            values += [term * (1.0 - part), term * part]
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return csr_array(entries, shape=(n_pixel, N_TERM * KNOTS.size))
