"""A verdict in words: the rows of its table and one line for all of it, for command line and panel alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.data.verdict import (
    LOST_LIMIT,
    OFFSET_LIMIT,
    RATIO_LIMIT,
    SCATTER_LIMIT,
    SIGNIFICANT,
    SKY_LIMIT,
    Verdict,
)

__all__ = ["Cell", "Row", "band_words", "rows_of", "summary_of"]

LABELS = {
    "sum_ratio": "flux / plain sum",
    "sum_scatter": "scatter / error",
    "chi_square": "chi square",
    "lost_light": "light lost",
    "trace_offset": "trace",
    "witness_followed": "enclosed light",
    "stand_ins": "stand-ins",
    "dropped": "dropped",
    "sky_left": "sky left",
}
"""What a verdict tells, by the names of its numbers."""

HINTS = {
    "sum_ratio": "Flux over the plain sum of the calibration aperture, without background and further "
    f"sources, times its correction. Limit: {RATIO_LIMIT:.0%} and {SIGNIFICANT:g} errors off one.",
    "sum_scatter": "How many times its errors the flux scatters, by its difference from the plain sum: one "
    f"where they hold. Limit: {SCATTER_LIMIT:g}.",
    "chi_square": "What the model leaves near the source: mean squared residual over the variance, one where "
    "it is noise. No limit: in bright sources it shows what hardly changes the flux.",
    "lost_light": "Share of the source's light on pixels that are bad or were rejected. "
    f"Limit: {LOST_LIMIT:.0%}.",
    "trace_offset": "Where the brightest trace lies, from the place that was extracted. "
    f"Limit: {OFFSET_LIMIT:g} px and {SIGNIFICANT:g} errors.",
    "witness_followed": "By how much aperture correction and PSF disagree about the light in the calibration "
    "aperture, where they do most, and which of the two tells how much lies there.",
    "stand_ins": "Reference files that were not there; built-in models stand in.",
    "dropped": "Refinements that were asked for and did not earn their place; the step before stands.",
    "sky_left": "Share of the flux that is sky which was not subtracted, by the pixels beside the source. "
    f"Limit: {SKY_LIMIT:.0%} and {SIGNIFICANT:g} errors.",
}

UNITS = {"lost_light": "%", "sky_left": "%"}

LIKE_NOISE = 1.5
"""Up to this chi square a residual is called noise."""

UNTOLD = "-"

SMALLEST = 5e-5
"""What shows with the four decimals that a ratio is given at most."""


@dataclass(frozen=True)
class Cell:
    """One number: its value, its error or nothing, and whether it passes its limit."""

    value: str
    error: str = ""
    passed: bool = False


@dataclass(frozen=True)
class Row:
    """One thing that a verdict tells.

    Attributes
    ----------
    label, unit : str
    hint : str
        What it means, and where its limit lies.
    cells : tuple of Cell
        One for every band, or a single one for all; empty where nothing can be told.
    """

    label: str
    unit: str
    hint: str
    cells: tuple[Cell, ...]


def band_words(verdict: Verdict) -> tuple[str, ...]:
    """Name the bands: ``5-8``."""
    return tuple(f"{start:g}-{stop:g}" for start, stop in verdict.bands)


def rows_of(verdict: Verdict) -> tuple[Row, ...]:
    """Put a verdict in words: always the same rows, in the order of `LABELS`."""

    def by_band(name: str, words: Callable[..., Cell], *values: Sequence[float]) -> tuple[Cell, ...]:
        if not any(map(math.isfinite, values[0])):
            return ()
        return tuple(
            words(*numbers, passed=(name, band) in verdict.passed)
            for band, numbers in enumerate(zip(*values, strict=True))
        )

    cells = {
        "sum_ratio": by_band("sum_ratio", _with_error, verdict.sum_ratio, verdict.sum_ratio_error),
        "sum_scatter": by_band("sum_scatter", _number, verdict.sum_scatter),
        "chi_square": by_band("chi_square", _number, verdict.chi_square),
        "lost_light": by_band("lost_light", _percent, verdict.lost_light),
        "trace_offset": _trace(verdict),
        "witness_followed": _witnesses(verdict),
        "stand_ins": _list(verdict.stand_ins),
        "dropped": _list(verdict.dropped),
        "sky_left": by_band("sky_left", _signed_percent, verdict.sky_left),
    }
    return tuple(Row(label, UNITS.get(name, ""), HINTS[name], cells[name]) for name, label in LABELS.items())


def summary_of(verdict: Verdict) -> str:
    """Say in one line whether anything is the matter."""
    if passed := verdict.passed:
        named = ", ".join(dict.fromkeys(LABELS[name] for name, _ in passed))
        return f"{len(passed)} beyond the limit: {named}"
    parts = []
    if ratios := list(filter(math.isfinite, verdict.sum_ratio)):
        off = max(abs(ratio - 1.0) for ratio in ratios)
        within = " (within its errors)" if off > RATIO_LIMIT else ""
        agrees = f"agrees with the plain sum to {100 * off:.2g} %{within}"
        parts.append(agrees if off >= SMALLEST else "equals the plain sum")
    if residuals := list(filter(math.isfinite, verdict.chi_square)):
        worst = max(residuals)
        parts.append("residual as noise" if worst <= LIKE_NOISE else f"chi square up to {worst:.1f}")
    line = ", ".join(parts) or "nothing to compare with"
    return line[0].upper() + line[1:]


def _with_error(value: float, error: float, passed: bool) -> Cell:
    """Give a number the digits that its error leaves it: one, two of an error that begins with a one."""
    if not math.isfinite(value):
        return Cell(UNTOLD)
    known = math.isfinite(error) and error >= SMALLEST
    decimals = min(4, max(0, -math.floor(math.log10(error / 2)))) if known else 4
    return Cell(f"{value:.{decimals}f}", f"{error:.{decimals}f}" if known else "", passed)


def _number(value: float, passed: bool) -> Cell:
    """Three significant digits, two decimals at most."""
    if not math.isfinite(value):
        return Cell(UNTOLD)
    decimals = 2 if value < 10 else 1 if value < 100 else 0
    return Cell(f"{value:.{decimals}f}", passed=passed)


def _percent(share: float, passed: bool) -> Cell:
    if not math.isfinite(share):
        return Cell(UNTOLD)
    return Cell("0" if share == 0 else "< 0.1" if share < 5e-4 else f"{100 * share:.1f}", passed=passed)


def _signed_percent(share: float, passed: bool) -> Cell:
    return Cell(f"{100 * share:z.1f}" if math.isfinite(share) else UNTOLD, passed=passed)


def _trace(verdict: Verdict) -> tuple[Cell, ...]:
    if not math.isfinite(verdict.trace_offset):
        return ()
    passed = ("trace_offset", None) in verdict.passed
    error = verdict.trace_offset_error
    known = f" +- {error:.2f}" if math.isfinite(error) and error >= 0.005 else ""
    brighter = (
        f", {rounded(verdict.trace_ratio, 2)} times as bright" if passed and verdict.trace_ratio > 0 else ""
    )
    return (Cell(f"{verdict.trace_offset:+z.2f}{known} px{brighter}", passed=passed),)


def _witnesses(verdict: Verdict) -> tuple[Cell, ...]:
    if not verdict.witness_followed:
        return ()
    apart = 100 * verdict.witness_disagreement
    if verdict.witness_followed == "psf" and apart == 0:  # nothing else was there to ask
        return (Cell("by the PSF alone"),)
    followed = {"apcorr": "correction", "psf": "PSF"}.get(verdict.witness_followed, "both")
    side = "below" if apart > 0 else "above"
    said = (
        f"PSF {abs(apart):.1f} % {side} the correction" if abs(apart) >= 0.05 else "PSF and correction agree"
    )
    return (Cell(f"{said}; {followed} followed"),)


def _list(names: Sequence[str]) -> tuple[Cell, ...]:
    return (Cell(", ".join(names)),) if names else ()
