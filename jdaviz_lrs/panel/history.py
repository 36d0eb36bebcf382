"""The section History: a table of the extractions made so far, each of which can be had back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jdaviz.core.events import DataRenamedMessage
from jdaviz.core.template_mixin import Table, TemplateMixin
from traitlets import Any as AnyTrait
from traitlets import Unicode

from jdaviz_lrs.analysis.compare import Comparison
from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.optimal import SMOOTHING_LENGTH, background_order
from jdaviz_lrs.extraction.placement import subtracts_background
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["History", "Record"]

Compared = Callable[[Curve], Comparison]

#: Columns to the digits that the panel shows; the exported table has all of them.
DIGITS = {"width (px)": 1, "place (px)": 1, "median S/N": 1, "bias (%)": 2}


@dataclass(frozen=True, eq=False)
class Record:
    """What one row of the table stands for.

    Attributes
    ----------
    label, dataset : str
        Of the spectrum, and of the 2-D spectrum it came from.
    overrides : Mapping of str to str
        The reference files given in the panel.
    parameters : ExtractionParameters
    curve : Curve
    width, place : float
        Median number of pixels at a wavelength, and where the middle lies: a column of the file. NaN where
        there is none.
    """

    label: str
    dataset: str
    overrides: Mapping[str, str]
    parameters: ExtractionParameters
    curve: Curve
    width: float
    place: float

    @classmethod
    def of(cls, result: ExtractedSpectrum, label: str, dataset: str, overrides: Mapping[str, str]) -> Record:
        """Keep of a result what the table shows and what it takes to repeat it."""
        parameters = ExtractionParameters(**result.parameters)
        box = parameters.extraction_type == "box"
        width = float(np.nanmedian(result.npixels)) if box else np.nan
        place = np.nan if result.center is None else result.center[1]
        return cls(label, dataset, dict(overrides), parameters, Curve.of(result), width, place)

    def row(self, compared: Compared, reference: str) -> dict[str, Any]:
        """Return the row; the bias is blank where there is no reference that fits."""
        try:
            bias = 100.0 * (compared(self.curve).overall.ratio - 1.0)
        except LRSError:
            bias, reference = np.nan, ""
        curve = self.curve
        with np.errstate(divide="ignore", invalid="ignore"):
            snr = np.where(curve.error > 0, curve.flux / curve.error, np.nan)
        return {
            "label": self.label,
            "type": self.parameters.extraction_type,
            "width (px)": self.width,
            "place (px)": self.place,
            "background": background_words(self.parameters),
            "median S/N": float(np.nanmedian(snr)) if np.isfinite(snr).any() else np.nan,
            "bias (%)": bias,
            "reference": reference,
            "dataset": self.dataset,
        }


def background_words(parameters: ExtractionParameters) -> str:
    """Say in a few words which background was subtracted."""
    regions = len(parameters.bkg_coeff or ()) // 2
    optimal = parameters.extraction_type == "optimal"
    if not subtracts_background(parameters) or not (optimal or regions):
        return "none"
    length = parameters.smoothing_length
    if optimal:
        words = [f"order {background_order(parameters)}"]
        length = (length or SMOOTHING_LENGTH) if "background" in parameters.refinements else 0
    else:
        fit = parameters.bkg_fit or "poly"
        words = [f"order {parameters.bkg_order or 0}" if fit == "poly" else fit]
        words.append(f"{regions} region{'s' if regions != 1 else ''}")
    if length:
        words.append(f"smoothed over {length}")
    return ", ".join(words)


class ExtractionTable(Table):
    """jdaviz's table, showing as many digits as mean something, and at first what has room in the tray."""

    @staticmethod
    def _new_col_visible(colname: str) -> bool:
        return colname not in ("reference", "dataset")

    def add_item(self, item):
        """Add a row; the exported table keeps every digit."""
        super().add_item(item)
        if isinstance(item, dict):
            shown = {k: f"{item[k]:.{n}f}" if np.isfinite(item[k]) else "" for k, n in DIGITS.items()}
            self.items = [*self.items[:-1], self.items[-1] | shown]


class History(TemplateMixin):
    """The table and the button below it.

    Parameters
    ----------
    panel : PluginTemplateMixin
        Told by ``panel.restore(label)`` to take the parameters of a row.
    compared : callable
        Compares a `Curve` with the chosen reference, or raises LRSError.
    reference : callable
        Returns that reference's label.
    app : PrivateApplication
    """

    template_file = __file__, "history.vue"

    opened = AnyTrait(None, allow_none=True).tag(sync=True)
    table_widget = Unicode().tag(sync=True)
    selected_label = Unicode().tag(sync=True)
    problem = Unicode().tag(sync=True)

    def __init__(self, panel, compared: Compared, reference: Callable[[], str], app):
        super().__init__(app=app)
        self._panel, self._compared, self._reference = panel, compared, reference
        self._records: dict[str, Record] = {}
        self.table = ExtractionTable(
            panel,
            name="extractions",
            selected_rows_changed_callback=self._on_selection,
            clear_callback=self._records.clear,
        )
        self.table.item_key = "label"
        self.table.show_rowselect, self.table.multiselect = True, False
        self.table_widget = f"IPY_MODEL_{self.table.model_id}"
        self.hub.subscribe(self, DataRenamedMessage, handler=self._on_renamed)

    def __getitem__(self, label: str) -> Record:
        """Return the extraction of this label, or, without one, of the selected row.

        Raises
        ------
        LRSError
            When there is none.
        """
        label = label or self.selected_label
        if label not in self._records:
            known = ", ".join(self._records) or "none yet"
            raise LRSError(f"{label!r} is no extraction in the history; there are: {known}.")
        return self._records[label]

    def add(self, record: Record) -> None:
        """Add a row; one of the same label gives way, as its spectrum does."""
        overwritten = record.label in self._records
        self._records[record.label] = record
        if overwritten:
            self.refresh()
        else:
            self.table.add_item(record.row(self._compared, self._reference()))

    def refresh(self) -> None:
        """Write all rows anew, as after a change of the reference."""
        if not self._records:
            return
        selected = self.selected_label
        self.table._clear_table()
        for record in self._records.values():
            self.table.add_item(record.row(self._compared, self._reference()))
        if selected in self._records:
            self.table.select_rows(list(self._records).index(selected))

    def _on_selection(self, change: dict) -> None:
        rows = self.table.selected_rows
        self.selected_label = rows[0]["label"] if rows else ""
        self.problem = ""

    def _on_renamed(self, message: DataRenamedMessage) -> None:
        old, new = message.old_label, message.new_label
        renamed = {
            (new if label == old else label): replace(
                record,
                label=new if label == old else label,
                dataset=new if record.dataset == old else record.dataset,
            )
            for label, record in self._records.items()
        }
        self._records.clear()
        self._records.update(renamed)
        self.refresh()

    def vue_restore(self, _=None):
        """Answer to the button."""
        try:
            self._panel.restore()
        except LRSError as error:
            self.problem = str(error)
        else:
            self.problem = ""
