"""Where the traces lie: one shift for each, as the pipeline's optimisation of the PSF's location."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from jdaviz_lrs.engine.optimal import polynomial_basis, solve_rows
from jdaviz_lrs.engine.profile import ProfileGrid
from jdaviz_lrs.engine.refine.companions import even_weights, find_brightest
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel

__all__ = ["Location", "far_shift", "fit_location"]

Image = NDArray[np.float64]

MAX_ITERATIONS = 10
TOLERANCE = 1e-5
"""Pixels; a tenth of where the pipeline's simplex stops."""
MAX_STEP = 1.0
"""Pixels; a step longer than the PSF's half width leaves the region where the slopes hold."""
LOOSE_TOLERANCE = 1e-3
"""Pixels; enough where no other program's last digits are to be met."""
SHRINKAGE = 0.3
"""Steps near a minimum that the model explains shrink faster than this; others are left to the search."""
SEARCH_STEP = 0.02
"""Pixels; what is left to search after the steps."""
POOR = 100.0
"""Mean squared residual, in variances, of a model that lacks something."""
NEAR, FAR = 1.5, 9.0
"""Pixels: what is nearer is left to the fit, what is farther is another source."""
OUTSHONE = 5.0
"""What lies at the target's place is no source of its own where another outshines it so: a wing looks like
it."""
LIMIT = 5.0
"""Pixels; a trace further off than this is not the one that was meant."""


@dataclass(frozen=True)
class Location:
    """Shifts of the traces from where they were put.

    Attributes
    ----------
    shifts, errors : tuple of float
        One per trace, in pixels.
    converged : bool
    """

    shifts: tuple[float, ...]
    errors: tuple[float, ...]
    converged: bool


def fit_location(
    data: Image,
    variance: Image,
    good: NDArray[np.bool_],
    grid: ProfileGrid,
    traces: Sequence[Image],
    signs: Sequence[float],
    coordinate: Image,
    order: int = 0,
    within_image: bool = False,
) -> Location:
    """Fit one shift for each trace, jointly with fluxes and a polynomial background at every wavelength.

    Parameters
    ----------
    data, variance : ndarray, (n_disp, n_xdisp)
        Finite everywhere; the squared residuals are summed over this variance.
    good : ndarray of bool, same shape
    grid : ProfileGrid
    traces : sequence of ndarray, (n_disp,)
        Starting places, in columns.
    signs : sequence of float
        1 for a source, -1 for one that was subtracted.
    coordinate : ndarray, (n_xdisp,)
    order : int
        Of the background polynomial.
    within_image : bool
        Normalise as the pipeline (see `ProfileGrid.place`), and fit only the pixels that a profile reaches.

    Returns
    -------
    Location

    Notes
    -----
    As in the pipeline fluxes and background come from a fit with equal weights, and the squared residuals
    are summed over the variance. The minimum over the shifts is found by Gauss-Newton steps with the full
    derivative of the projected residual (Golub & Pereyra 1973, SIAM J. Numer. Anal. 10, 413); where these
    stall, by a simplex.
    """
    weight = np.divide(1.0, variance, out=np.zeros_like(variance), where=good & (variance > 0))
    basis = np.broadcast_to(polynomial_basis(coordinate, order), (*data.shape, order + 1))

    def scene(shifts, derivative=True):
        placed = [grid.place(t + s, within_image=within_image) for t, s in zip(traces, shifts, strict=True)]
        profiles = [sign * p.value for sign, p in zip(signs, placed, strict=True)]
        slopes = [sign * p.slope for sign, p in zip(signs, placed, strict=True)] if derivative else []
        return _projected(data, good, basis, profiles, slopes, within_image)

    def cost(shifts):
        return float(np.sum(weight * scene(shifts, derivative=False)[0] ** 2))

    shifts, converged, longest = np.zeros(len(traces)), False, np.inf
    residual, jacobian = scene(shifts)
    for _ in range(MAX_ITERATIONS):
        curvature = (jacobian * weight.ravel()) @ jacobian.T
        covariance, singular = solve_rows(curvature)
        if singular:
            break
        step = covariance @ (jacobian @ (weight * residual).ravel())
        length = float(np.max(np.abs(step)))
        if length < TOLERANCE:
            converged = True
            break
        if within_image and length > SHRINKAGE * longest:
            break
        longest = np.inf if length > MAX_STEP else length
        shifts = shifts + step * min(1.0, MAX_STEP / length)
        residual, jacobian = scene(shifts)
    converged = converged or (not within_image and longest < LOOSE_TOLERANCE)
    poor = within_image and np.sum(weight * residual**2) > POOR * np.count_nonzero(weight)
    if (poor or not converged) and not singular:
        # what the model lacks dominates the residual: steps shrink too slowly, or, with the pipeline's choice
        # of pixels, the minimum lies at a jump
        result = _search(cost, shifts)
        shifts, converged = result.x, bool(result.success)
    converged = converged and bool(np.all(np.abs(shifts) < LIMIT))
    errors = np.sqrt(np.diag(covariance)) if converged else np.full(len(traces), np.nan)
    return Location(tuple(map(float, shifts)), tuple(map(float, errors)), converged)


def far_shift(frame: Frame, scene: SceneModel) -> float:
    """Find the source where the header is wrong about it by more than a fit of its place can follow.

    Parameters
    ----------
    frame : Frame
    scene : SceneModel
        Target and nods where the header has them.

    Returns
    -------
    float
        Pixels to where the brightest trace within reach lies; zero where the target's place holds a source,
        or no trace stands out.
    """
    usable = frame.good & (frame.variances.sum(axis=0) > 0)
    level = _row_median(frame.data, usable)[:, None]
    weights = even_weights(frame.variances.sum(axis=0), usable)
    brightest = find_brightest(scene, np.where(usable, frame.data - level, 0.0), weights, FAR)
    if brightest is None or abs(brightest.offset) < NEAR or brightest.ratio < OUTSHONE:
        return 0.0
    return brightest.offset


def _row_median(data: Image, used: NDArray[np.bool_]) -> Image:
    """Median of the pixels used in every row, (n_disp,); zero where none is."""
    number = np.count_nonzero(used, axis=1)
    ordered = np.sort(np.where(used, data, np.inf), axis=1)
    row = np.arange(number.size)
    lower, upper = (ordered[row, np.maximum(place, 0)] for place in ((number - 1) // 2, number // 2))
    return np.where(number > 0, 0.5 * (lower + upper), 0.0)


def _search(cost, start):
    """Minimum without derivatives, near a good start."""
    simplex = np.vstack([start, start + SEARCH_STEP * np.eye(start.size)])
    options = {"initial_simplex": simplex, "xatol": TOLERANCE, "fatol": np.inf}
    return minimize(cost, start, method="Nelder-Mead", options=options)


def _projected(data, good, basis, profiles, slopes, lit_only):
    """Residual after the linear fit, and the change of the scene with each shift (none: without slopes)."""
    design = np.concatenate([basis, np.stack(profiles, axis=-1)], axis=-1)
    used = good & np.any([p != 0 for p in profiles], axis=0) if lit_only else good
    weighted = design * used[..., None]
    covariance, _ = solve_rows(np.swapaxes(weighted, -1, -2) @ design)
    operator = covariance @ np.swapaxes(weighted, -1, -2)
    coefficients = operator @ data[..., None]
    residual = (data - (design @ coefficients)[..., 0]) * good
    n_bkg, jacobian = basis.shape[-1], []
    for k, slope in enumerate(slopes, start=n_bkg):
        change = slope * coefficients[:, k]
        response = -(operator @ change[..., None])
        response += covariance[..., k : k + 1] * (slope * residual * used).sum(axis=-1)[:, None, None]
        jacobian.append((change + (design @ response)[..., 0]) * good)
    return residual, np.reshape(jacobian, (len(slopes), residual.size))
