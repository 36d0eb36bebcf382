"""The section Combine: extractions of the history into one spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from traitlets import Bool, List, Unicode

from jdaviz_lrs.combine.spectra import EXPTIME_KEYS, combine
from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.combine.chart import CombineChart
from jdaviz_lrs.panel.sections.history.record import Record, record_of
from jdaviz_lrs.panel.sections.result_file import SavingResult
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.products.files import output_path

__all__ = ["CombineSection"]


class CombineSection(SavingResult):
    """Choose from the history, combine, look, save.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "combine.vue"
    none_yet = "There is no combined spectrum; press Combine."

    items = List().tag(sync=True)
    chosen = List().tag(sync=True)
    exptime_keys = List(list(EXPTIME_KEYS)).tag(sync=True)
    exptime_key = Unicode(EXPTIME_KEYS[0]).tag(sync=True)
    fit_scales = Bool(False).tag(sync=True)
    rows = List().tag(sync=True)  # of the inputs of the result
    agreement = Unicode().tag(sync=True)
    notes = List().tag(sync=True)
    plot_widget = Unicode().tag(sync=True)

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._records: tuple[Record, ...] = ()

    @cached_property
    def chart(self) -> CombineChart:
        """The plot of inputs and result."""
        return CombineChart(self.panel)

    def show(self, state: PanelState) -> None:
        """Offer the extractions of the history; of each dataset the last is proposed.

        The section opens when there are several for the first time.
        """
        if state.records is self._records:
            return
        before, self._records = {one.label for one in self._records}, state.records
        self.items = [one.label for one in state.records]
        last = {one.dataset: one.label for one in state.records}
        kept = [label for label in self.chosen if label in self.items]
        new = [label for label in last.values() if label not in before]
        gone = {one.label for one in state.records if one.dataset in self._datasets(new)} - {*new}
        several = len(self.chosen) > 1
        self.chosen = [label for label in self.items if label in new or (label in kept and label not in gone)]
        if len(self.chosen) > 1 and not several:
            self.opened = 0

    def _datasets(self, labels: Sequence[str]) -> set[str]:
        return {one.dataset for one in self._records if one.label in labels}

    def combine(self, labels: Sequence[str] | None = None, **settings: Any) -> CombinedSpectrum:
        """Combine extractions of the history, show what came of it, and add it to the viewer.

        Parameters
        ----------
        labels : sequence of str, optional
            Those chosen in the section, without it.
        **settings
            See `jdaviz_lrs.combine`.

        Raises
        ------
        LRSError
            For fewer than two, for one that is not in the history, or such as do not go together.
        """
        labels = self.chosen if labels is None else list(labels)
        records = [record_of(self._records, label) for label in labels]
        if len(labels) < 2:
            raise LRSError(
                "Combining needs at least two extractions of the history; extract and choose more."
            )
        settings = {"exptime_key": self.exptime_key, "fit_scales": self.fit_scales, **settings}
        combined = combine([record.spectrum for record in records], **settings)
        self._show(combined, labels)
        self.panel.results.add(combined, "combined")
        return combined

    def _show(self, combined: CombinedSpectrum, labels: Sequence[str]) -> None:
        self.keep(combined, output_path(combined.input_names[0] or "combined.fits", "c1d").name)
        report = combined.report
        scales = [f"{one:.4f}" for one in combined.scales] if "scales" in report else [""] * len(labels)
        columns = zip(labels, report["inputs_used"], report["inputs_left_out"], scales, strict=True)
        names = ("label", "used", "left_out", "scale")
        self.rows = [dict(zip(names, (label, *map(str, rest)), strict=True)) for label, *rest in columns]
        self.agreement = f"Chi-square {report['chi_square']:.2f} per degree of freedom."
        self.notes = list(combined.notes)
        self.chart.show(combined)
        self.plot_widget = self.chart.widget

    # ---- answer to the button

    def vue_combine(self, _=None) -> None:
        """Combine."""
        try:
            self.combine()
        except LRSError as error:
            self.problem = str(error)
