"""Further sources in the slit, found in what the scene leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.order_statistics import median, scatter
from jdaviz_lrs.engine.refine.scene_model import LinearFit, SceneModel

__all__ = [
    "Brightest",
    "Companion",
    "add_companion",
    "even_weights",
    "find_brightest",
    "find_companion",
    "matched_filter",
]

Image = NDArray[np.float64]

SIGNIFICANCE = 8.0
"""Sigma of all wavelengths together; lower peaks are as often the PSF's misfit."""

OUTSTANDING = 5.0
"""Of the scatter from place to place, which a PSF that does not fit makes larger than noise."""

LEAST_RATIO, LEAST_RATIO_NEAR, NEAR = 0.01, 0.03, 6.0
"""Of the target's flux; and within so many pixels of a source, where the wings' misfit lies."""

WINGS, WING_RATIO, OCCUPIED = 9.0, 0.1, 5.0
"""Pixels that the PSF's wings reach, and how bright they may look: what lies on both sides of the target
alike is the PSF's, and where the other side cannot be seen, or is occupied within so many pixels, only what
is brighter than any wing is a neighbour."""

CLOSEST = 2.5
"""Pixels, about the PSF's width: what is closer cannot be told from its shape."""

SAME_PLACE, WIDTH = 0.5, 1.2
"""Pixels: what is so close is the target, and the PSF's standard deviation, by which a place is known at unit
S/N."""

STEP = 0.25
BANDS = 4

KERNEL = np.arange(-13.0, 13.0 + STEP, STEP)
"""Pixels from a source at which the profile that is looked for is sampled."""


@dataclass(frozen=True)
class Companion:
    """A peak in the residual.

    Attributes
    ----------
    offset : float
        From the target, in pixels.
    significance : float
        In sigma.
    ratio : float
        Flux over that of the target.
    """

    offset: float
    significance: float
    ratio: float


def find_companion(scene: SceneModel, fit: LinearFit, weights: Image) -> Companion | None:
    """Find the most significant further source.

    Parameters
    ----------
    scene : SceneModel
    fit : LinearFit
        Of the scene.
    weights : ndarray, (n_disp, n_xdisp)
        Inverse variances.

    Returns
    -------
    Companion or None

    Notes
    -----
    A `matched_filter` with a spectrum like the target's. Near the target what its other side has as well is
    taken off, as wings that the PSF lacks lie on both.
    """
    flux = running_median(np.abs(fit.flux[0]), 15)
    offsets, score, power = matched_filter(scene, fit.residual, weights, flux)
    ratio = np.divide(score, power, out=np.zeros_like(score), where=power > 0)
    near = np.full(offsets.size, np.inf)
    for trace in scene.traces:
        near = np.minimum(near, np.abs(offsets - np.nanmean(trace - scene.traces[0])))
    complete = power > 0.2 * median(power[power > 0]) if (power > 0).any() else power > 0
    # offsets rise evenly about zero: reversed they are those of the other side
    seen, wing = complete[::-1].copy(), np.maximum(ratio[::-1], 0.0)
    others = np.zeros(offsets.size)
    for trace, light in zip(scene.traces[1:], fit.flux[1:], strict=True):
        place = np.nanmean(trace - scene.traces[0])
        seen &= np.abs(offsets + place) > OCCUPIED
        share = abs(median(light)) / max(median(flux), np.finfo(float).tiny)
        others = np.where(np.abs(offsets - place) < WINGS, np.maximum(others, WING_RATIO * share), others)
    mirror = np.where(seen, wing, WING_RATIO)
    ratio = ratio - np.where(np.abs(offsets) < WINGS, mirror, 0.0)
    significance = ratio * np.sqrt(power)
    least = np.where(near < NEAR, LEAST_RATIO_NEAR, LEAST_RATIO)
    possible = (near > CLOSEST) & (ratio > np.maximum(least, others)) & complete
    significance = np.where(possible, significance, 0.0)
    peak = int(significance.argmax())
    elsewhere = complete & (np.abs(offsets - offsets[peak]) > OCCUPIED)
    misfit = scatter(ratio[elsewhere]) if elsewhere.any() else 0.0
    if significance[peak] < SIGNIFICANCE or ratio[peak] < min(OUTSTANDING * misfit, WING_RATIO):
        return None
    return Companion(float(offsets[peak]), float(significance[peak]), float(ratio[peak]))


def matched_filter(
    scene: SceneModel, image: Image, weights: Image, flux: Image
) -> tuple[Image, Image, Image]:
    """Look for the PSF at every offset from the target's trace.

    Parameters
    ----------
    scene : SceneModel
    image, weights : ndarray, (n_disp, n_xdisp)
        What to look in, and its inverse variances.
    flux : ndarray, (n_disp,)
        Spectrum to look for.

    Returns
    -------
    offsets : ndarray, (n_offset,)
        Pixels from the trace.
    score, power : ndarray, (n_offset,)
        Their ratio is the brightness in units of `flux`, the score over the root of the power its
        significance.

    Notes
    -----
    Sums along the trace are taken in bins of a quarter pixel first, in four bands, so that offsets cost
    nothing.
    """
    distance = scene.grid.columns - scene.traces[0][:, None]
    reach = scene.grid.columns.size
    used = (weights > 0) & (np.abs(distance) <= reach)
    offsets = np.arange(-reach, reach + STEP, STEP)
    score, power = np.zeros(offsets.size), np.zeros(offsets.size)
    bands = [band for band in np.array_split(np.flatnonzero(used.any(axis=-1)), BANDS) if band.size]
    if not bands:  # no pixel is good
        return offsets, score, power
    number = np.zeros(flux.size, int)
    for k, band in enumerate(bands):
        number[band] = k
    bins = len(bands), offsets.size
    place = np.where(used, np.rint((distance + reach) / STEP), 0.0).astype(int)
    index = (place + (number * offsets.size)[:, None]).ravel()
    light = flux[:, None]
    weighted = weights * light
    signal, information = (
        np.bincount(index, np.where(used, weighted * one, 0.0).ravel(), bins[0] * bins[1]).reshape(bins)
        for one in (image, light)
    )
    for k, band in enumerate(bands):
        kernel = _kernel(scene, band)
        score += np.correlate(signal[k], kernel, "same")
        power += np.correlate(information[k], kernel**2, "same")
    return offsets, score, power


@dataclass(frozen=True)
class Brightest:
    """The brightest trace in an image.

    Attributes
    ----------
    offset, error : float
        From the target's, in pixels.
    ratio : float
        Brightness relative to the target's place; infinite where nothing is there.
    """

    offset: float
    error: float
    ratio: float


def even_weights(variance: Image, good: NDArray[np.bool_]) -> Image:
    """Weights to look for a bright trace with, (n_disp, n_xdisp): the same for all good pixels of a row.

    The photon noise of its own pixels would draw the peak to where they are few.
    """
    usable = good & (variance > 0)
    number = usable.sum(axis=1)
    total = np.where(usable, variance, 0.0).sum(axis=1)
    return usable * np.divide(number, total, out=np.zeros_like(total), where=total > 0)[:, None]


def find_brightest(
    scene: SceneModel, image: Image, weights: Image, reach: float = np.inf
) -> Brightest | None:
    """Find the trace that stands out most, whatever is known of sources.

    Parameters
    ----------
    scene : SceneModel
    image, weights : ndarray, (n_disp, n_xdisp)
        The image without its background, and inverse variances.
    reach : float
        Pixels from the target's trace to look in.

    Returns
    -------
    Brightest or None
        None where nothing stands out of the noise.
    """
    offsets, score, power = matched_filter(scene, image, weights, np.ones(image.shape[0]))
    lit = power > 0
    complete = lit & (power > 0.2 * median(power[lit])) if lit.any() else lit
    # at the slit's end the target's own place is seen in part
    usable = (complete | (lit & (np.abs(offsets) <= CLOSEST))) & (np.abs(offsets) <= reach)
    if not usable.any():
        return None
    significance = np.where(usable, score / np.sqrt(np.where(lit, power, 1.0)), -np.inf)
    # the flank of a trace beyond reach is no trace
    everywhere = np.pad(
        np.where(lit, score / np.sqrt(np.where(lit, power, 1.0)), -np.inf), 1, constant_values=-np.inf
    )
    top = (everywhere[1:-1] >= everywhere[:-2]) & (everywhere[1:-1] >= everywhere[2:])
    significance = np.where(top, significance, -np.inf)
    peak = int(significance.argmax())
    if significance[peak] < SIGNIFICANCE:
        return None
    significance = np.where(usable, everywhere[1:-1], -np.inf)
    step = 0.0
    if 0 < peak < offsets.size - 1 and usable[peak - 1] and usable[peak + 1]:
        before, here, after = significance[peak - 1 : peak + 2]
        curvature = before - 2.0 * here + after
        step = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    bright = np.divide(score, power, out=np.zeros_like(score), where=lit)
    here = bright[usable & (np.abs(offsets) <= SAME_PLACE)]
    there = float(here.max()) if here.size else 0.0
    ratio = bright[peak] / there if there > 0 else np.inf
    return Brightest(float(offsets[peak] + step * STEP), WIDTH / float(significance[peak]), float(ratio))


def add_companion(scene: SceneModel, offset: float) -> SceneModel:
    """Put a source beside the target, and what the subtraction of nods left of it beside theirs."""
    first, last = scene.grid.columns[0] - 0.5, scene.grid.columns[-1] + 0.5
    for group in np.unique(scene.groups):
        leader = int(np.flatnonzero(scene.groups == group)[0])
        trace = scene.traces[leader] + offset
        if group == 0 or first <= np.nanmean(trace) <= last:
            scene = scene.with_source(trace, scene.signs[leader], group)
    return scene


def _kernel(scene: SceneModel, band: Image) -> Image:
    """Mean profile of a band, sampled in steps."""
    grid = scene.grid
    middle = band[band.size // 2]
    lit = grid.first[middle][grid.covered[middle]]
    first = int(median(lit)) // grid.samples.shape[1] if lit.size else 0
    sample = grid.center + grid.subpix * KERNEL / scene.stretch[middle]
    profile = np.interp(sample, np.arange(grid.samples.shape[1]), grid.samples[first], left=0.0, right=0.0)
    return profile / scene.stretch[middle]
