"""The section Verdict: how far the spectrum in the panel can be trusted, one line while it is closed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from traitlets import Bool, List, Unicode

from jdaviz_lrs.extraction.verdict_words import Row, band_words, rows_of, summary_of
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import PanelState

__all__ = ["VerdictSection"]

NONE_YET = "None yet: press Extract, or turn the live preview on"


class VerdictSection(Section):
    """The numbers of a verdict, those that pass their limit marked."""

    template_file = __file__, "verdict.vue"

    summary = Unicode(NONE_YET).tag(sync=True)
    told = Bool(False).tag(sync=True)
    passed = Bool(False).tag(sync=True)
    bands = List().tag(sync=True)
    rows = List().tag(sync=True)

    def show(self, state: PanelState) -> None:
        """Show the verdict on the spectrum, or that there is none."""
        verdict = state.spectrum.verdict if state.shown else None
        self.told = verdict is not None
        self.passed = verdict is not None and bool(verdict.passed)
        self.summary = NONE_YET if verdict is None else summary_of(verdict)
        self.bands = [] if verdict is None else list(band_words(verdict))
        self.rows = [] if verdict is None else [_row(row, len(self.bands)) for row in rows_of(verdict)]


def _row(row: Row, number_of_bands: int) -> dict[str, Any]:
    """Return a row as the template draws it; `span` is how many bands each of its cells is about."""
    return {
        "label": f"{row.label} ({row.unit})" if row.unit else row.label,
        "hint": row.hint,
        "cells": [asdict(cell) | {"value": cell.value.replace("+-", "±")} for cell in row.cells],
        "span": number_of_bands // max(len(row.cells), 1),
    }
