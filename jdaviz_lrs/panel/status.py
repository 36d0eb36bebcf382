"""Status: in one sentence what is extracted, or what is wrong and in which field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.extraction.placement import subtracts_background
from jdaviz_lrs.panel.sections.history.record import background_words
from jdaviz_lrs.panel.state import PanelState

__all__ = ["Status", "status_of"]


@dataclass(frozen=True)
class Status:
    """What stands at the foot of the panel.

    Attributes
    ----------
    text : str
    kind : str
        ``problem``, ``waiting`` or ``done``.
    place : str
        The field that the problem is about, by its name; empty where it is about none.
    """

    text: str
    kind: str
    place: str = ""


def status_of(state: PanelState) -> Status:
    """Say what is extracted, or what is wrong and where."""
    if state.problem:
        return Status(state.problem, "problem", _place(state))
    if state.layout is None:
        return Status("", "waiting")
    aperture = _aperture(state)
    if state.spectrum is not None:
        return Status(f"{aperture}. {_quality(state.spectrum)}", "done")
    if state.given_up:
        return Status(f"{aperture}. Cancelled; press Extract to begin anew.", "waiting")
    if state.paused or not state.live:
        return Status(f"{aperture}. Not extracted yet; press Extract.", "waiting")
    return Status(f"{aperture}.", "waiting")


def _place(state: PanelState) -> str:
    """Name the field that the sentence is about: it begins with its name, or has the path that it holds."""
    first = state.problem.replace(":", " ").split(" ")[0]
    if first in state.values:
        return first
    given = (name for name, path in state.choice.overrides.items() if path and path in state.problem)
    return next(given, "")


def _aperture(state: PanelState) -> str:
    layout, parameters = state.layout, state.plan.parameters
    if layout.edges is None:
        fitted = None if state.spectrum is None else state.spectrum.trace
        trace = layout.trace if fitted is None else fitted
        words = [f"Optimal, column {np.nanmedian(trace):z.1f}"]
        if layout.nods:
            words.append("with the other nod")
    else:
        lower, upper = layout.edges[0]
        pixels = np.nanmedian((layout.edges[:, 1] - layout.edges[:, 0]).sum(axis=0))
        words = [f"Box, {pixels:.3g} px about column {np.nanmedian(0.5 * (lower + upper)):z.1f}"]
    if subtracts_background(parameters):
        words.append(f"background: {background_words(parameters)}")
    return "; ".join(words)


def _quality(spectrum: ExtractedSpectrum) -> str:
    known = np.isfinite(spectrum.flux) & (spectrum.flux_error > 0)
    if not known.any():
        return "No wavelength has a flux with an error."
    snr = np.median(spectrum.flux[known] / spectrum.flux_error[known])
    return f"Median S/N {rounded(snr, 3)} at {np.count_nonzero(known)} wavelengths."
