"""What the profile has beyond a shifted and stretched PSF: wings, asymmetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from jdaviz_lrs.engine.refine.scene_model import SceneModel, ShapeCorrection, linear_fit

__all__ = ["fit_shape", "shape_response"]

Image = NDArray[np.float64]

CORE = np.arange(0.0, 4.1, 0.5)
WINGS = np.array([5.0, 6.0, 7.0, 8.0, 9.5, 11.0, 12.5, 13.5])
KNOTS = np.concatenate([-WINGS[::-1], -CORE[:0:-1], CORE, WINGS])
"""Pixels; as fine as pixels at all phases show in the core, coarse where the wings are smooth."""

WING = np.abs(KNOTS) > CORE[-1]

N_TERM = 5
"""Of the polynomial along the spectrum: wings move with wavelength, which fewer cannot follow."""

EXPECTED, LEAST_EXPECTED = 0.25, 0.1
"""Of the PSF, and of the light per pixel times the squared distance: how far profiles may be off where the
data do not tell. The second is what wings have that the PSF may lack."""

DECLINE = 0.5
"""Of that from one term along the spectrum to the next."""

SCALES = (0.001, 0.05, 0.25, 1.0, 4.0)
"""Factors on it that are tried."""

SMOOTH = 1.0
"""Pixels over which the correction may change, in the core; in proportion to the distance farther out."""

EVEN = 0.999
"""Part of the variance that both sides share: a profile may lean, but a bump on one side of it is a
neighbour."""

NO_FLUX = 1e-4
"""Share of the PSF that the correction may hold, as fluxes hold it."""

N_ROUND = 2


def fit_shape(scene: SceneModel, data: Image, weights: Image, phase: Image) -> ShapeCorrection | None:
    """Fit the profile that all wavelengths have in common beyond the PSF.

    Parameters
    ----------
    scene : SceneModel
        With trace and stretch as they are to stay; without a shape.
    data, weights : ndarray, (n_disp, n_xdisp)
        The weights are inverse variances.
    phase : ndarray, (n_disp,)
        -1 to 1 along the spectrum.

    Returns
    -------
    ShapeCorrection or None
        None where the data do not call for one.

    Notes
    -----
    Profile fitting from the data as in Marsh (1989, PASP 101, 1032), but of the difference to a known PSF and
    with a prior (ridge) that keeps it at zero where the noise is larger than the expected misfit. Fluxes and
    background are projected out, as what they can mimic tells nothing about the shape.
    """
    typical = scene.grid.samples.mean(axis=0)
    distances = (np.arange(typical.size) - scene.grid.center) / scene.grid.subpix
    core = np.interp(KNOTS, distances, typical)
    expected = EXPECTED * core + LEAST_EXPECTED / np.maximum(np.abs(KNOTS), CORE[-1]) ** 2
    expected[[0, -1]] = 1e-9  # continuous with the zero beyond
    expected = np.outer(DECLINE ** np.arange(N_TERM), expected).ravel()
    powers = phase ** np.arange(2 * N_TERM - 1)[:, None]
    terms = np.add.outer(np.arange(N_TERM), np.arange(N_TERM))
    # a correction in proportion to the PSF would be a flux
    no_flux = np.kron(np.eye(N_TERM), np.outer(core, core)) / (NO_FLUX * (core @ core)) ** 2
    shares = np.zeros((N_TERM, KNOTS.size))
    scales, shape = tuple(product(SCALES, SCALES)), None
    for _ in range(N_ROUND):
        current = replace(scene, shape=shape) if shape else scene
        fit = linear_fit(current.profiles(), current.basis, data, weights)
        # in units of the uncorrected PSF, to which the shares refer
        response = shape_response(scene, fit.steady_flux * current.scales)
        weighted = np.swapaxes(response * weights[..., None], -1, -2)
        mimic = weighted @ fit.design
        rows = weighted @ response - mimic @ fit.covariance @ np.swapaxes(mimic, -1, -2)
        moments = np.tensordot(powers, rows, axes=1)[terms]
        normal = moments.transpose(0, 2, 1, 3).reshape(shares.size, shares.size)
        target = (powers[:N_TERM] @ (weighted @ fit.residual[..., None])[..., 0]).ravel()
        # what the data say about the shares themselves, rather than about their change
        likely = _most_likely(normal + no_flux, target + normal @ shares.ravel(), expected, scales)
        shares, scales = likely.shares.reshape(shares.shape), (likely.scales,)
        if not shares.any():
            return None
        covariance = likely.covariance.reshape(2 * shares.shape)
        shape = ShapeCorrection(KNOTS, shares, phase, covariance, likely.cost)
    return shape


@dataclass(frozen=True, eq=False)
class _Likely:
    """Shares (n_term * n_knot), their covariance, the scales of the prior that led to them, and its cost."""

    shares: Image
    covariance: Image
    scales: tuple[float, float]
    cost: float = 0.0


def _most_likely(
    normal: Image, target: Image, expected: Image, scales: Sequence[tuple[float, float]]
) -> _Likely:
    """Ridge solution at the scale of the prior that makes the data likeliest; zero where that is none.

    The evidence of a linear model (MacKay 1992, Neural Comput. 4, 415), for core and wings each its scale:
    a correction that the data do not call for would only add noise to every flux.
    """
    wing, one = np.tile(WING, N_TERM)[:, None], np.eye(target.size)
    root = expected[:, None] * _together()
    # both parts of the root with all scales at one, so that a scale is a factor
    parts = np.where(wing, 0.0, root), np.where(wing, root, 0.0)
    (core, mixed), (_, wings) = ([left.T @ part for part in parts] for left in (normal @ p for p in parts))
    mixed = mixed + mixed.T
    core_target, wing_target = (part.T @ target for part in parts)
    best, found = 0.0, None
    for core_scale, wing_scale in scales:
        told = core_scale**2 * core + core_scale * wing_scale * mixed + wing_scale**2 * wings
        factor = cholesky(told + one, lower=True, overwrite_a=True, check_finite=False)
        along = core_scale * core_target + wing_scale * wing_target
        half = solve_triangular(factor, along, lower=True, check_finite=False)
        volume = np.log(np.diag(factor)).sum()
        evidence = 0.5 * half @ half - volume
        if evidence > best:
            best, found = evidence, (factor, half, volume, (core_scale, wing_scale))
    if found is None:
        return _Likely(np.zeros(target.size), np.zeros(2 * target.shape), scales[0])
    factor, half, volume, (core_scale, wing_scale) = found
    back = solve_triangular(factor, one, lower=True, trans=1)
    unit = back @ half
    spread = (core_scale * parts[0] + wing_scale * parts[1]) @ back
    cost = 0.5 * unit @ unit + volume
    return _Likely(spread @ half, spread @ spread.T, (core_scale, wing_scale), cost)


@cache
def _together() -> Image:
    """Root of the prior correlation of the shares, every term along the spectrum by itself."""
    return np.kron(np.eye(N_TERM), np.linalg.cholesky(_likeness()))


def _likeness() -> Image:
    """Prior correlation of the shares: with their neighbours, and with the other side.

    Without the latter the light of a companion and that of the wing beside it could not be told apart.
    """
    distance = np.abs(KNOTS)
    # in the wings in proportion to the distance
    warped = np.where(WING, CORE[-1] * (1.0 + np.log(np.maximum(distance, CORE[-1]) / CORE[-1])), distance)
    here = _alike(np.subtract.outer(*2 * [np.sign(KNOTS) * warped]))
    either = _alike(np.subtract.outer(warped, warped))
    return (1.0 - EVEN) * here + EVEN * either + 1e-6 * np.eye(KNOTS.size)


def _alike(distance: Image) -> Image:
    """Correlation over a distance in pixels: smooth, as is a profile that a pixel has been drawn over."""
    return np.exp(-0.5 * (distance / SMOOTH) ** 2)


def shape_response(scene: SceneModel, flux: Image) -> Image:
    """Change of every pixel with the share at every knot, (n_disp, n_xdisp, n_knot)."""
    response = np.zeros((*scene.grid.covered.shape, KNOTS.size))
    flat = response.reshape(-1, KNOTS.size)
    for trace, share, amplitude in zip(scene.traces, scene.share, flux, strict=True):
        distance = (scene.grid.columns - trace[:, None]) / scene.stretch[:, None]
        pixel = np.flatnonzero((distance > KNOTS[0]) & (distance < KNOTS[-1]) & scene.grid.covered)
        u = distance.ravel()[pixel]
        left = np.searchsorted(KNOTS, u) - 1
        part = (u - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
        row = pixel // scene.grid.columns.size
        light = np.broadcast_to(share, distance.shape).ravel()[pixel] * amplitude[row] / scene.stretch[row]
        flat[pixel, left] += light * (1.0 - part)  # a pixel comes once per source
        flat[pixel, left + 1] += light * part
    return response
