"""Form: the fields and sentences of the panel, as its state has them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.fields import chosen_by, describe
from jdaviz_lrs.panel.parameter_traits import as_meant, same
from jdaviz_lrs.panel.reference_search import CANCELLED
from jdaviz_lrs.panel.sections.advice import as_listed
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.status import status_of
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.beside import references_beside
from jdaviz_lrs.references.find import References

__all__ = ["Form"]

TITLES = {name: one.label for name, one in ExtractionParameters.declarations().items()}


class Form:
    """Brings the panel's fields, and what stands below them, up to date; what was typed stays so.

    Parameters
    ----------
    panel : LRSExtraction
    """

    def __init__(self, panel: Any):
        self._panel = panel
        self._chosen: dict[str, bool] = {}
        self._shown = PanelState()

    def show(self, state: PanelState) -> None:
        """Show a state in place of the one before."""
        before, self._shown = self._shown, state
        with self._panel.hold_sync():  # the browser draws the panel once
            self._show(before, state)

    def _show(self, before: PanelState, state: PanelState) -> None:
        panel = self._panel
        if state.values is not before.values or state.layout is not before.layout:
            if state.layout is not None or state.stale is None:  # else the form stays as it was
                self._chosen = chosen_by(state.plan, state.layout)
            panel.fields = describe(state.values, self._chosen)
            panel.edited = [TITLES[name] for name in state.edited]
            for name, value in state.values.items():
                if not same(as_meant(name, getattr(panel, name)), value):
                    setattr(panel, name, value)
        if state.references is not before.references or state.source is not before.source:
            self._show_source(state)
        panel.reported = "" if state.layout is None else state.layout.reported
        panel.problem, panel.notes, panel.advice = state.problem, list(state.notes), as_listed(state)
        panel.status = asdict(status_of(state))
        panel.can_undo, panel.can_redo = bool(state.trail.done), bool(state.trail.undone)

    def _show_source(self, state: PanelState) -> None:
        """Name the dataset's reference files, and the result after the dataset."""
        panel, found = self._panel, state.references
        panel.search_cancelled = found is not None and CANCELLED in found.stand_ins.values()
        if state.source is not None:
            panel.missing = _missing(state.source.image)
            panel.references_used = [
                {"kind": kind, "name": name, "stand_in": _stand_in(found, kind)}
                for kind, name in found.names.items()
            ]
            self.offer_files()
            panel.preset_items = list(panel.presets)
            panel.results.name_next()

    def offer_files(self) -> None:
        """List the reference files beside the data, where they are asked for."""
        panel, source = self._panel, self._panel.state.source
        if panel.files_opened is not None and source is not None and panel.can_save:
            found = references_beside(source.image)
            panel.nearby = {kind: [str(path) for path in paths] for kind, paths in found.items()}


def _missing(image: SpectralImage) -> str:
    if not image.missing:
        return ""
    return f"This dataset lacks {', '.join(image.missing)}. Loaded as JWST LRS, a file keeps all it has."


def _stand_in(found: References, kind: str) -> str:
    """Say how good a built-in model is; nothing of a file, nor of an aperture."""
    return found.accuracy if kind in found.stand_ins and kind != "extract1d" else ""
