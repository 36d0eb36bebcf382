"""The section Compare: the spectrum in the panel against any 1-D spectrum of the app."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from jdaviz.core.template_mixin import DatasetSelect
from specutils import Spectrum
from traitlets import Any as AnyTrait
from traitlets import List, Unicode, observe

from jdaviz_lrs.analysis.compare import RANGES, Comparison
from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.compare.chart import ComparePlots
from jdaviz_lrs.panel.sections.compare.reference import Reference, read_ranges, write_ranges
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import Changes, PanelState

__all__ = ["CompareSection"]


class CompareSection(Section):
    """Ratio and difference in sigma to a reference, drawn and per wavelength range.

    Parameters
    ----------
    panel : Panel
        Whose spectrum is compared.
    app : PrivateApplication
    """

    template_file = __file__, "compare.vue"

    reference_items = List().tag(sync=True)
    reference_selected = Unicode().tag(sync=True)
    ranges = AnyTrait().tag(sync=True)
    rows = List().tag(sync=True)
    notes = List().tag(sync=True)
    plot_widgets = List().tag(sync=True)

    def __init__(self, panel, app):
        self._curves: tuple[Any, Curve] | None = None
        self._proposed = ""
        super().__init__(panel, app)
        self.ranges = write_ranges(RANGES)
        self.reference = DatasetSelect(
            self,
            "reference_items",
            "reference_selected",
            filters=["is_spectrum"],
            default_mode=self._loaded_before_extracted,
        )
        self.observe(self._on_choice, ["reference_selected", "reference_items", "ranges"])

    @cached_property
    def plots(self) -> ComparePlots:
        """Both plots."""
        return ComparePlots(self.panel)

    def compare(self, curve: Curve | None) -> Comparison:
        """Compare a spectrum with the chosen reference.

        Raises
        ------
        LRSError
            When there is nothing to compare, with the reason.
        """
        if curve is None:
            raise LRSError("There is no spectrum to compare; press Extract, or turn the live preview on.")
        return self.chosen().compare(curve)

    def chosen(self) -> Reference:
        """Return the reference, with the ranges of the medians.

        Raises
        ------
        LRSError
            When there is none, or it is no flux density, or a range is wrong.
        """
        # while data are removed, what is selected may be gone already
        data = next((one for one in self._app.data_collection if one.label == self.reference_selected), None)
        if data is None:
            raise LRSError("Load a 1-D spectrum to compare with, such as the pipeline's x1d.")
        if self._curves is None or self._curves[0] is not data:
            self._curves = data, Curve.of(data.get_object(cls=Spectrum, statistic=None))
        return Reference(self.reference_selected, self._curves[1], read_ranges(self.ranges))

    @observe("opened")
    def _on_opened(self, change: dict) -> None:
        self.show(self.panel.state)

    def show(self, state: PanelState) -> None:
        """Bring plots and numbers up to date, if anybody sees them."""
        if self.opened is None:
            return
        try:
            comparison = self.compare(curve_of(state.spectrum))
        except LRSError as error:
            self.problem, self.rows, self.notes = str(error), [], []
            if self.plot_widgets:
                self.plots.clear()
            return
        self.problem, self.notes = "", list(comparison.notes)
        self.rows = [_row(one) for one in (*comparison.ranges, comparison.overall)]
        self.plots.draw(comparison)
        self.plot_widgets = self.plots.widgets

    def _loaded_before_extracted(self, component, is_valid: bool) -> str:
        """Propose a spectrum from a file, such as the pipeline's, and open the section for it.

        What a user has chosen stays.
        """
        if is_valid and component.selected != self._proposed:
            return component.selected
        ours, proposed = self.panel._plugin_name, self._proposed
        files = {data.label for data in self._app.data_collection if data.meta.get("plugin") != ours}
        loaded = [label for label in component.labels if label in files]
        self._proposed = next(iter(loaded or component.labels), "")
        if loaded and self._proposed != proposed:
            self.opened = 0
        return self._proposed

    def choice(self) -> Changes:
        """Compare with what is chosen from now on, if it can be compared with."""
        try:
            return {"compared_with": self.chosen()}
        except LRSError:  # the section says why
            return {"compared_with": None}

    def _on_choice(self, change: dict) -> None:
        if isinstance(self.ranges, str):
            self.panel.update(**self.choice())
        else:
            self.ranges = write_ranges(self.ranges)  # comes back here


def curve_of(spectrum: ExtractedSpectrum | None) -> Curve | None:
    """Return what of a spectrum can be compared: of several integrations nothing."""
    return None if spectrum is None or spectrum.flux.ndim > 1 else Curve.of(spectrum)


def _row(one) -> dict[str, str]:
    def number(value: float, digits: int) -> str:
        return f"{value:z.{digits}f}" if np.isfinite(value) else ""

    return {
        "range": f"{one.start:g} - {one.stop:g}",
        "number": str(one.number),
        "ratio": number(one.ratio, 4),
        "ratio_error": number(one.ratio_error, 4),
        "scatter": number(one.scatter, 4),
        "scatter_error": number(one.scatter_error, 4),
        "sigma": number(one.sigma, 2),
        "sigma_scatter": number(one.sigma_scatter, 2),
    }
