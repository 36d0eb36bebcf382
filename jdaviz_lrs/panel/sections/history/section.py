"""The section History: a table of the extractions made so far, each of which can be had back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jdaviz.core.events import DataRenamedMessage
from jdaviz.core.template_mixin import Table
from traitlets import Unicode

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.compare.reference import Reference
from jdaviz_lrs.panel.sections.history.record import Record, record_of
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import Changes, PanelState

__all__ = ["HistorySection"]

#: Columns to the digits that the panel shows; the exported table has all of them.
DIGITS = {"width (px)": 1, "place (px)": 1, "median S/N": 1, "bias (%)": 2}


class ExtractionTable(Table):
    """jdaviz's table, showing as many digits as mean something, and at first what has room in the tray."""

    @staticmethod
    def _new_col_visible(colname: str) -> bool:
        return colname not in ("reference", "dataset")

    def add_item(self, item):
        """Add a row; the exported table keeps every digit."""
        super().add_item(item)
        if isinstance(item, dict):
            shown = {k: f"{item[k]:z.{n}f}" if np.isfinite(item[k]) else "" for k, n in DIGITS.items()}
            self.items = [*self.items[:-1], self.items[-1] | shown]


class HistorySection(Section):
    """The table and the button below it.

    Parameters
    ----------
    panel : Panel
        Whose plugin the table belongs to.
    app : PrivateApplication
    """

    template_file = __file__, "history.vue"

    table_widget = Unicode().tag(sync=True)
    selected_label = Unicode().tag(sync=True)

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._listed: tuple[Record, ...] = ()
        self._reference: Reference | None = None
        self.table = ExtractionTable(
            panel,
            name="extractions",
            selected_rows_changed_callback=self._on_selection,
            clear_callback=self._on_clear,
        )
        self.table.item_key = "label"
        self.table.show_rowselect, self.table.multiselect = True, False
        self.table_widget = f"IPY_MODEL_{self.table.model_id}"
        self.hub.subscribe(self, DataRenamedMessage, handler=self._on_renamed)

    def show(self, state: PanelState) -> None:
        """List the extractions; what is only added is added, as the table keeps what was selected."""
        records, listed = state.records, self._listed
        if records is listed and state.compared_with is self._reference:
            return
        added = state.compared_with is self._reference and records[: len(listed)] == listed
        self._listed, self._reference = records, state.compared_with
        selected = self.selected_label
        if not added and listed:
            self.table._clear_table()
        for record in records[len(listed) :] if added else records:
            self.table.add_item(record.row(state.compared_with))
        labels = [record.label for record in records]
        if not added and selected in labels:
            self.table.select_rows(labels.index(selected))

    def record(self, label: str) -> Record:
        """Return the extraction of this label, or, without one, of the selected row.

        Raises
        ------
        LRSError
            When there is none.
        """
        return record_of(self.panel.state.records, label or self.selected_label)

    def restore(self, label: str = "") -> None:
        """Return to an extraction: to its dataset, reference files and parameters.

        Raises
        ------
        LRSError
            When there is no such extraction, or its dataset is gone.
        """
        record = self.record(label)
        self.panel.return_to(record.dataset, record.overrides, record.parameters)

    def with_record(self, record: Record) -> Changes:
        """Add an extraction; one of the same label gives way, as its spectrum does."""
        records = self.panel.state.records
        if record.label not in [one.label for one in records]:
            return {"records": (*records, record)}
        return {"records": tuple(record if one.label == record.label else one for one in records)}

    def _on_selection(self, change: dict) -> None:
        rows = self.table.selected_rows
        self.selected_label = rows[0]["label"] if rows else ""
        self.problem = ""

    def _on_clear(self) -> None:
        self._listed = ()
        self.panel.update(records=())

    def _on_renamed(self, message: DataRenamedMessage) -> None:
        old, new = message.old_label, message.new_label
        if any(old in (one.label, one.dataset) for one in self.panel.state.records):
            self.panel.update(records=tuple(_renamed(one, old, new) for one in self.panel.state.records))

    def vue_restore(self, _=None) -> None:
        """Answer to the button."""
        self.problem = ""
        try:
            self.restore()
        except LRSError as error:
            self.problem = str(error)


def _renamed(record: Record, old: str, new: str) -> Record:
    label, dataset = (new if name == old else name for name in (record.label, record.dataset))
    return replace(record, label=label, dataset=dataset)
