"""Trace and width together: the steps that both refinements share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from jdaviz_lrs.engine.profile import PlacedProfile
from jdaviz_lrs.engine.refine.scene_model import LinearFit, SceneModel, linear_fit

__all__ = ["Block", "Geometry", "fit_geometry", "spectrum_phase"]

Image = NDArray[np.float64]

MAX_ITERATIONS = 12
TOLERANCE = 1e-4
"""Pixels, and parts of the width: far below what shows in a flux."""
LEAST_GAIN, LEAST_CHANGE = 1e-3, 0.05
"""Of the chi-square, that a step should bring and that one brought: a fifth of an error of anything, at most.
Where width and blur do nearly the same, steps between them go on for long without a gain."""
MAX_STEP = 0.7
"""Pixels."""
STRETCH_LIMITS = (0.6, 1.6)


@dataclass(frozen=True)
class Block:
    """Something that varies slowly along the spectrum.

    Attributes
    ----------
    kind : {'trace', 'width', 'blur'}
    members : tuple of int
        The sources that move, or widen, together.
    order : int
        Of the Legendre polynomial along the spectrum.
    prior : float
        How large its coefficients may be expected to be; what the data do not tell stays at zero.
    start : tuple of float
        First guess of its coefficients, from the constant term on.
    """

    kind: str
    members: tuple[int, ...]
    order: int
    prior: float
    start: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Geometry:
    """A scene fitted, and by how much each block changed.

    Attributes
    ----------
    scene : SceneModel
    coefficients, errors : tuple of ndarray, (order + 1,) each
        Legendre coefficients of each block, and their standard errors.
    covariance : ndarray
        Of all coefficients in turn.
    """

    scene: SceneModel
    coefficients: tuple[Image, ...]
    errors: tuple[Image, ...]
    covariance: Image


def spectrum_phase(good: NDArray[np.bool_]) -> Image:
    """Coordinate from -1 to 1 over the rows with any good pixel, (n_disp,)."""
    rows = np.flatnonzero(good.any(axis=-1))
    if rows.size < 2:
        return np.zeros(good.shape[0])
    return np.clip(2.0 * (np.arange(good.shape[0]) - rows[0]) / (rows[-1] - rows[0]) - 1.0, -1.0, 1.0)


def fit_geometry(scene: SceneModel, data: Image, weights: Image, blocks: Sequence[Block]) -> Geometry:
    """Fit slowly varying shifts and stretches, together with fluxes and background at every wavelength.

    Parameters
    ----------
    scene : SceneModel
        Where to start; coefficients and priors count from here.
    data, weights : ndarray, (n_disp, n_xdisp)
        The weights are inverse variances.
    blocks : sequence of Block

    Returns
    -------
    Geometry

    Notes
    -----
    Gauss-Newton with the linear parameters projected out of the derivatives (variable projection, Golub &
    Pereyra 1973, SIAM J. Numer. Anal. 10, 413, in the form of Kaufman 1975, BIT 15, 49). At each row this
    leaves a small matrix between the blocks; polynomials along the spectrum tie the rows together.
    """
    phase = spectrum_phase(weights > 0)
    polynomials = [legendre.legvander(phase, block.order) for block in blocks]
    sizes = [block.order + 1 for block in blocks]
    ends = np.cumsum([0, *sizes])
    theta = np.zeros(ends[-1])
    for first, block in zip(ends[:-1], blocks, strict=True):
        theta[first : first + len(block.start)] = block.start
    precision = np.concatenate([np.full(n, b.prior**-2) for n, b in zip(sizes, blocks, strict=True)])
    start, covariance = scene, np.diag(1.0 / precision)
    cost, best, step = np.inf, theta, np.zeros(theta.size)
    for _ in range(MAX_ITERATIONS):
        moved = _moved(start, blocks, np.split(theta, ends[1:-1]), polynomials)
        fit, slopes = _linearise(moved, data, weights, blocks)
        trial = float(np.sum(weights * fit.residual**2) + precision @ theta**2)
        changed = abs(trial - cost)
        if trial > cost:  # too far: half the way
            step = step / 2
            theta = best + step
            if np.max(np.abs(step)) < TOLERANCE or changed < LEAST_CHANGE:
                break
            continue
        cost, best, scene = trial, theta, moved
        curvature = np.einsum("arx,brx->abr", slopes * weights, slopes)
        gradient = np.einsum("arx,rx->ar", slopes, weights * fit.residual)
        normal = np.diag(precision)
        target = -precision * theta
        for a, p in enumerate(polynomials):
            target[ends[a] : ends[a + 1]] += p.T @ gradient[a]
            for b, q in enumerate(polynomials):
                normal[ends[a] : ends[a + 1], ends[b] : ends[b + 1]] += (p.T * curvature[a, b]) @ q
        covariance = np.linalg.inv(normal)
        step = covariance @ target
        if target @ step < LEAST_GAIN or changed < LEAST_CHANGE:
            break
        step *= min(1.0, MAX_STEP / max(np.max(np.abs(step)), TOLERANCE))
        if np.max(np.abs(step)) < TOLERANCE:
            break
        theta = best + step
    coefficients = tuple(np.split(best, ends[1:-1]))
    spread = np.sqrt(np.diag(covariance))
    errors = tuple(np.split(spread, ends[1:-1]))
    return Geometry(scene, coefficients, errors, covariance)


def _linearise(
    scene: SceneModel, data: Image, weights: Image, blocks: Sequence[Block]
) -> tuple[LinearFit, Image]:
    """Linear fit, and the scene's change with each block, free of what fluxes can mimic."""
    placed = [scene.place(k) for k in range(len(scene.traces))]
    fit = linear_fit(np.stack([p.value for p in placed]), scene.basis, data, weights)
    flux, slopes = fit.steady_flux, []
    for block in blocks:
        slopes.append(sum(flux[k][:, None] * _change(scene, placed, block.kind, k) for k in block.members))
    return fit, np.stack([fit.project_out(slope) for slope in slopes])


def _change(scene: SceneModel, placed: Sequence[PlacedProfile], kind: str, source: int) -> Image:
    if kind == "blur":
        return scene.blurring[source]
    return placed[source].slope if kind == "trace" else placed[source].widening


def _moved(scene: SceneModel, blocks, coefficients, polynomials) -> SceneModel:
    traces, stretch, blur = scene.traces.copy(), scene.stretch, scene.blur
    for block, values, polynomial in zip(blocks, coefficients, polynomials, strict=True):
        change = polynomial @ values
        if block.kind == "trace":
            traces[list(block.members)] += change
        elif block.kind == "width":
            stretch = np.clip(stretch + change, *STRETCH_LIMITS)
        else:
            blur = blur + change
    return replace(scene, traces=traces, stretch=stretch, blur=blur)
