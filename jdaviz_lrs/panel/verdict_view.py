"""The section Verdict: how far the spectrum in the panel can be trusted, one line while it is closed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jdaviz.core.template_mixin import TemplateMixin
from traitlets import Any as AnyTrait
from traitlets import Bool, List, Unicode

from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.extraction.verdict_words import Row, band_words, rows_of, summary_of

__all__ = ["VerdictView"]

NONE_YET = "None yet: press Extract, or turn the live preview on"


class VerdictView(TemplateMixin):
    """The numbers of a verdict, those that pass their limit marked.

    Parameters
    ----------
    app : PrivateApplication
    """

    template_file = __file__, "verdict_view.vue"

    opened = AnyTrait(None, allow_none=True).tag(sync=True)  # 0 while the section is open
    summary = Unicode(NONE_YET).tag(sync=True)
    told = Bool(False).tag(sync=True)
    passed = Bool(False).tag(sync=True)
    bands = List().tag(sync=True)
    rows = List().tag(sync=True)

    def show(self, verdict: Verdict | None) -> None:
        """Show a verdict, or that there is none."""
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
