"""The part of the panel that says what the residual of an extraction shows, and what answers it."""

from __future__ import annotations

from traitlets import List

from jdaviz_lrs.panel.preview import Preview
from jdaviz_lrs.parameters import REFINEMENTS

__all__ = ["AdviceList"]


class AdviceList(Preview):
    """Sentences about the last extraction, each with the refinement that answers it."""

    advice = List().tag(sync=True)
    _advised = ""  # the extraction type that it is about

    def on_input(self) -> None:
        """Forget what was said about another dataset."""
        super().on_input()
        self.advice = []

    def on_parameters(self, change=None) -> None:
        """Keep what was said until it is answered or no longer applies."""
        super().on_parameters(change)
        if self._filling or not self.advice:
            return
        values = self.values
        chosen = values["refinements"] or ()
        if values["extraction_type"] != self._advised:
            self.advice = []
        else:
            self.advice = [one for one in self.advice if not {one["refinement"], "all"} & set(chosen)]

    def inspect(self) -> list[dict]:
        """Look at the residual of an unrefined extraction.

        Returns
        -------
        list of dict
            ``sentence`` and ``refinement``; empty where refinements are on, or where nothing is worth one.

        Raises
        ------
        LRSError
            When it cannot be extracted.
        """
        found, self._advised = self.compute().advice, self.values["extraction_type"]
        self.advice = [{"sentence": one.sentence, "refinement": one.refinement} for one in found]
        return self.advice

    def vue_refine(self, refinement: str) -> None:
        """Turn a refinement on: answer to a button beside a sentence, or to the one for all."""
        chosen = set(self.values["refinements"] or ()) | {refinement}
        self.refinements = list(REFINEMENTS) if "all" in chosen else [r for r in REFINEMENTS if r in chosen]
