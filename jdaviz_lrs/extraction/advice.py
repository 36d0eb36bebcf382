"""Sentences about what an extraction has left, and about what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.engine.refine.advice import Answer

__all__ = ["Advice", "advise", "say_astray", "say_dropped", "say_verdict"]

WORTH_SHIFT = 0.05
"""Pixels: below it a shift or bend is not worth a word of its own."""

WHY = {
    "stretch": "the width that it found is no PSF's",
    "negative": "the shape that it found is negative in places, which light is not",
    "beside": "with it the shape would be negative in places, which light is not",
    "far": "the trace that it found is too far off",
    "sum": "with it the flux leaves the plain sum",
    "worse": "with it the data are explained worse",
    "neighbour": "a neighbour is not fitted, of whose light it would take up more; choose companions as well",
    "weights": "by the noise's weights the flux is another than by even ones: the profile is not the "
    "source's, or a neighbour is not fitted",
}


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


def advise(answer: Answer) -> Advice:
    """Put an answer into a sentence."""
    sentence = _SENTENCES[answer.refinement](answer.values)
    if answer.refinement != "outliers":
        side = "high" if answer.effect > 0 else "low"
        sentence += f": flux {rounded(100 * abs(answer.effect), 2)} % {side} without"
    return Advice(answer.refinement, sentence, {**answer.values, "effect": answer.effect})


def _trace(values: Mapping[str, float]) -> str:
    shift, bend = values["trace_shift"], values["trace_bend"]
    parts = []
    if abs(shift) >= WORTH_SHIFT or abs(bend) < WORTH_SHIFT:
        parts.append(f"trace {abs(shift):.2f} +- {values['trace_shift_error']:.1g} px off")
    if abs(bend) >= WORTH_SHIFT:
        parts.append(f"trace bent by {abs(bend):.2f} +- {values['trace_bend_error']:.1g} px")
    return ", ".join(parts)


def _width(values: Mapping[str, float]) -> str:
    change, error = values["psf_stretch"] - 1.0, values["psf_stretch_error"]
    if abs(change) < 0.01:
        return "the profile is not that of the PSF reference"
    kind = "wider" if change > 0 else "narrower"
    return f"PSF {100 * abs(change):.1f} +- {100 * error:.1g} % {kind} than the reference"


def _outliers(values: Mapping[str, float]) -> str:
    number = values["outlying_pixels"]
    return f"{number} {'pixel' if number == 1 else 'pixels'} that no PSF explains"


def _companions(values: Mapping[str, float]) -> str:
    offset, ratio = values["companion_offset"], values["companion_ratio"]
    return f"a second source at {offset:+.1f} px, {rounded(ratio, 2)} as bright"


_SENTENCES = {"trace": _trace, "width": _width, "outliers": _outliers, "companions": _companions}


def say_dropped(dropped: Mapping[str, str]) -> tuple[str, ...]:
    """Say which refinements did not earn their place, and why."""
    return tuple(f"The refinement {name} was dropped: {WHY[why]}." for name, why in dropped.items())


def say_astray(name: str, lacking: Sequence[Answer]) -> str:
    """Say that a refinement was dropped which leads away without others, and which of these matters most."""
    most = max(lacking, key=lambda answer: abs(answer.effect), default=None)
    other = most.refinement if most else "the others"
    return (
        f"The refinement {name} was dropped: without {other} it leads away from the flux that all "
        "refinements together give."
    )


def say_verdict(verdict: Verdict) -> tuple[str, ...]:
    """Say where a verdict passes its limits."""
    notes = []
    passed = {name for name, _ in verdict.passed}
    if "sky_left" in passed:
        shares = ", ".join("-" if np.isnan(share) else f"{share:.1%}" for share in verdict.sky_left)
        notes.append(
            f"{shares} of the flux in {_ranges(verdict)} is sky that was not subtracted: give bkg_coeff, or "
            "in optimal extraction subtract_background."
        )
    elif "sum_ratio" in passed:
        notes.append(
            f"The flux is {_each(verdict, verdict.sum_ratio)} of the plain corrected sum in "
            f"{_ranges(verdict)}: the profile is not that of the source, or a neighbour is in one of them."
        )
    if "sum_scatter" in passed and ("sky_left" in passed or "sum_ratio" not in passed):
        worst = np.nanmax(verdict.sum_scatter)
        notes.append(
            f"From one wavelength to the next the flux is off by up to {worst:.1f} times its errors, by the "
            "plain corrected sum: pixels are bad, or the profile is not the source's."
        )
    if "trace_offset" in passed:
        notes.append(
            f"The brightest trace lies {verdict.trace_offset:+.1f} px from the place that was extracted, "
            f"{rounded(verdict.trace_ratio, 2)} times as bright: is it the source?"
        )
    return tuple(notes)


def _each(verdict: Verdict, values) -> str:
    return ", ".join("-" if np.isnan(v) else f"{v:.3f}" for v in values)


def _ranges(verdict: Verdict) -> str:
    return ", ".join(f"{first:g}-{last:g}" for first, last in verdict.bands) + " um"
