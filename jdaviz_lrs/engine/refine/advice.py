"""What an extraction has left unexplained, and which refinement would answer it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.refine.judging import Earned, Setting, fitting_weights
from jdaviz_lrs.engine.refine.scene_model import SceneModel, linear_fit

__all__ = ["REFINEMENTS", "Answer", "inspect_scene"]

Image = NDArray[np.float64]

REFINEMENTS = ("trace", "width", "outliers", "companions")
"""What an inspection tries."""

WORTH = 0.01
"""Part of the flux, in any band, that an answer must change to be worth it."""

HIT = 7.0
"""Sigma by which outlying pixels must move a flux, besides that part of it, to be worth leaving out. By five
or six they may by their noise alone, for which they are rejected, and which rectified pixels share."""


@dataclass(frozen=True)
class Answer:
    """What a refinement would find, and change.

    Attributes
    ----------
    refinement : str
    values : dict of str to float
        What it would find.
    effect : float
        By how much fluxes are off without it, as a fraction, in the band where that is largest.
    """

    refinement: str
    values: dict[str, float]
    effect: float


def inspect_scene(
    earned: Earned,
    unrefined: SceneModel,
    setting: Setting,
    flux: Image,
    chosen: Collection[str] = (),
    least: float = WORTH,
) -> tuple[Answer, ...]:
    """See what an extraction has left unexplained.

    Parameters
    ----------
    earned : Earned
        All refinements, made.
    unrefined : SceneModel
        Target, nods and sources as they are extracted without any.
    setting : Setting
    flux : ndarray, (n_disp,)
        Of the target as it was extracted.
    chosen : collection of str
        Refinements that the extraction had: they are not proposed.
    least : float
        Part of the flux, in any band, that an answer must change.

    Returns
    -------
    tuple of Answer
        The refinements that would earn their place and change the flux; empty where nothing is worth one.

    Notes
    -----
    The refinements are taken back one at a time: what the flux changes by is what it is off without that
    one. That is told by the weights of the extraction: what a wrong profile does depends on them.
    """
    refined = earned.refined
    none = np.zeros_like(refined.rejected)
    best, sigma = _flux(refined.scene, refined.rejected, earned, setting)
    off = _largest([_median_part(flux - best, best, band) for band in setting.bands])
    evenly = "variance" not in chosen
    if evenly:
        best, _ = _flux(refined.scene, refined.rejected, earned, setting, evenly)
    answers = []
    for name, values in _found(earned).items():
        if name in chosen:
            continue
        scene, rejected = _taken_back(name, refined.scene, unrefined), refined.rejected
        rejected = none if name == "outliers" else rejected
        without, _ = _flux(scene, rejected, earned, setting, evenly)
        if name == "outliers":
            change = np.abs(without - best)
            hit = (change > HIT * sigma) & (change > WORTH * np.abs(best))
            effect = float(np.mean(hit))
            worth = hit.any()
        else:
            effect = _largest([_median_part(without - best, best, band) for band in setting.bands])
            worth = abs(effect) >= least and abs(off) >= least
        if worth:
            answers.append(Answer(name, values, effect))
    return tuple(answers)


def _found(earned: Earned) -> dict[str, dict[str, float]]:
    """Return what each refinement that was kept has found."""
    refined, found = earned.refined, {}
    if "trace" in earned.chosen and refined.aligned.blocks:
        (shift, shift_error), (bend, bend_error) = (refined.aligned.term("trace", k) for k in (0, 2))
        found["trace"] = {
            "trace_shift": shift,
            "trace_shift_error": shift_error,
            "trace_bend": 1.5 * bend,
            "trace_bend_error": 1.5 * bend_error,
        }
    if "width" in earned.chosen:
        change, error = refined.aligned.term("width", 0)
        found["width"] = {"psf_stretch": 1.0 + change, "psf_stretch_error": error}
    if number := int(refined.rejected.sum()):
        found["outliers"] = {"outlying_pixels": number}
    if refined.companions:
        brightest = max(refined.companions, key=lambda one: one.ratio)
        found["companions"] = {"companion_offset": brightest.offset, "companion_ratio": brightest.ratio}
    return found


def _taken_back(name: str, refined: SceneModel, unrefined: SceneModel) -> SceneModel:
    """Return a refined scene without one of its refinements."""
    own = len(unrefined.traces)
    if name == "trace":
        moved = refined.traces.copy()
        moved[:own] = unrefined.traces
        return replace(refined, traces=moved)
    if name == "width":
        return replace(refined, stretch=unrefined.stretch, blur=unrefined.blur, shape=None, enclosed=None)
    return refined.first_sources(own) if name == "companions" else refined


def _flux(
    scene: SceneModel, rejected: NDArray[np.bool_], earned: Earned, setting: Setting, evenly: bool = False
) -> tuple[Image, Image]:
    """Flux of the target and its standard error, (n_disp,); evenly weighted the second is none."""
    frame, variance = setting.frame, earned.refined.variances.sum(axis=0)
    usable = frame.good & ~rejected & (variance > 0)
    weights = fitting_weights(variance, usable, evenly)
    fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights)
    return fit.flux[0], np.sqrt(fit.covariance[:, fit.n_background, fit.n_background])


def _median_part(change: Image, whole: Image, rows: NDArray[np.bool_]) -> float:
    """Median of a change as a part of the whole, zero where there is none."""
    part = np.divide(change, whole, out=np.full_like(whole, np.nan), where=(whole != 0) & rows)
    return float(np.nanmedian(part)) if np.isfinite(part).any() else 0.0


def _largest(values: list[float]) -> float:
    return float(max(values, key=abs)) if values else 0.0
