"""What the residual of an unrefined extraction shows, and which refinement answers it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jdaviz_lrs.engine.refine.companions import Companion, add_companion, find_companion
from jdaviz_lrs.engine.refine.outliers import THRESHOLD, find_outliers
from jdaviz_lrs.engine.refine.scene import Frame, Scene, linear_fit
from jdaviz_lrs.engine.refine.trace import Aligned, align
from jdaviz_lrs.engine.refine.variance import model_variances

__all__ = ["Advice", "inspect_scene"]

WORTH_SHIFT, WORTH_STRETCH = 0.05, 0.01
"""Pixels, and part of the width, below which the flux changes by less than 0.1 %."""


@dataclass(frozen=True)
class Advice:
    """One thing that the residual shows.

    Attributes
    ----------
    refinement : str
        Which answers it.
    sentence : str
        What is seen, with its error.
    values : dict of str to float
        The numbers in it.
    """

    refinement: str
    sentence: str
    values: dict[str, float]


def inspect_scene(frame: Frame, scene: Scene) -> tuple[Advice, ...]:
    """See what an extraction has left unexplained.

    Parameters
    ----------
    frame : Frame
    scene : Scene
        As it was extracted.

    Returns
    -------
    tuple of Advice
        Empty where nothing is worth a refinement.
    """
    scene = replace(scene, order=max(scene.order, 1))
    variance = model_variances(scene, frame.variances, frame.good).sum(axis=0)
    rejected = find_outliers(scene, frame.data, variance, frame.good)
    usable = frame.good & ~rejected & (variance > 0)
    weights = np.divide(1.0, variance, out=np.zeros_like(variance), where=usable)
    aligned = align(scene, frame.data, weights, trace=True, width=True)
    fit = linear_fit(aligned.scene.profiles(), aligned.scene.basis, frame.data, weights)
    companion = find_companion(aligned.scene, fit, weights)
    if companion is not None:  # its light has pulled at trace and width
        both = add_companion(scene, companion.offset)
        aligned = align(both, frame.data, weights, trace=True, width=True)
    rejected = find_outliers(aligned.scene, frame.data, variance, frame.good)
    found = [_trace(aligned), _width(aligned), _outliers(rejected), _companion(companion)]
    return tuple(advice for advice in found if advice is not None)


def _trace(aligned: Aligned) -> Advice | None:
    (shift, shift_error), (bend, bend_error) = aligned.term("trace", 0), aligned.term("trace", 2)
    bend, bend_error = 1.5 * bend, 1.5 * bend_error
    if max(abs(shift), abs(bend)) < WORTH_SHIFT:
        return None
    parts = [f"trace {abs(shift):.2f} +- {shift_error:.1g} px off"] if abs(shift) >= WORTH_SHIFT else []
    if abs(bend) >= WORTH_SHIFT:
        parts.append(f"trace bent by {abs(bend):.2f} +- {bend_error:.1g} px")
    values = {"trace_shift": shift, "trace_bend": bend}
    return Advice("trace", ", ".join(parts), values)


def _width(aligned: Aligned) -> Advice | None:
    change, error = aligned.term("width", 0)
    if abs(change) < WORTH_STRETCH:
        return None
    kind = "wider" if change > 0 else "narrower"
    sentence = f"PSF {100 * abs(change):.1f} +- {100 * error:.1g} % {kind} than the reference"
    return Advice("width", sentence, {"psf_stretch": 1.0 + change})


def _outliers(rejected: np.ndarray) -> Advice | None:
    number = int(rejected.sum())
    if number == 0:
        return None
    noun = "pixel" if number == 1 else "pixels"
    return Advice(
        "outliers",
        f"{number} {noun} beyond {THRESHOLD:g} sigma that no PSF explains",
        {"outlying_pixels": number},
    )


def _companion(companion: Companion | None) -> Advice | None:
    if companion is None:
        return None
    sentence = f"a second source at {companion.offset:+.1f} px, {companion.ratio:.2g} as bright"
    values = {"companion_offset": companion.offset, "companion_ratio": companion.ratio}
    return Advice("companions", sentence, values)
