"""The section Compare: the spectrum in the panel against any 1-D spectrum of the app."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from jdaviz.core.template_mixin import DatasetSelect, TemplateMixin
from specutils import Spectrum
from traitlets import Any as AnyTrait
from traitlets import List, Unicode, observe

from jdaviz_lrs.analysis.compare import RANGES, Comparison, compare
from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.compare_plots import ComparePlots

__all__ = ["CompareView", "read_ranges", "write_ranges"]

Ranges = tuple[tuple[float, float], ...]


class CompareView(TemplateMixin):
    """Ratio and difference in sigma to a reference, drawn and per wavelength range.

    Parameters
    ----------
    panel : PluginTemplateMixin
        Whose spectrum is compared; told with `show`.
    app : PrivateApplication
    """

    template_file = __file__, "compare_view.vue"

    opened = AnyTrait(None, allow_none=True).tag(sync=True)  # 0 while the section is open
    reference_items = List().tag(sync=True)
    reference_selected = Unicode().tag(sync=True)
    ranges = AnyTrait().tag(sync=True)
    rows = List().tag(sync=True)
    notes = List().tag(sync=True)
    problem = Unicode().tag(sync=True)
    plot_widgets = List().tag(sync=True)

    def __init__(self, panel, app):
        self._panel = panel
        self._spectrum: Curve | None = None
        self._known: tuple[Any, Curve] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._proposed = ""
        super().__init__(app=app)
        self.ranges = write_ranges(RANGES)
        self.reference = DatasetSelect(
            self,
            "reference_items",
            "reference_selected",
            filters=["is_spectrum"],
            default_mode=self._loaded_before_extracted,
        )
        self.refresh()

    @cached_property
    def _plots(self) -> ComparePlots:
        return ComparePlots(self._panel)

    def on_reference(self, listener: Callable[[], None]) -> None:
        """Call a function whenever comparisons would come out differently."""
        self._listeners.append(listener)

    def show(self, spectrum: ExtractedSpectrum | None) -> None:
        """Compare this spectrum from now on."""
        self._spectrum = None if spectrum is None or spectrum.flux.ndim > 1 else Curve.of(spectrum)
        self.refresh()

    def forget(self) -> None:
        """Have no spectrum to compare; seen at the next `refresh`."""
        self._spectrum = None

    @property
    def has_spectrum(self) -> bool:
        """Whether there is a spectrum to compare."""
        return self._spectrum is not None

    def against(self, curve: Curve | None = None) -> Comparison:
        """Compare a spectrum, or the one in the panel, with the chosen reference.

        Raises
        ------
        LRSError
            When there is nothing to compare, with the reason.
        """
        curve = self._spectrum if curve is None else curve
        if curve is None:
            raise LRSError("There is no spectrum to compare; press Extract, or turn the live preview on.")
        return compare(curve, self._reference(), read_ranges(self.ranges))

    def _loaded_before_extracted(self, component, is_valid: bool) -> str:
        """Propose a spectrum from a file, such as the pipeline's, and open the section for it.

        What a user has chosen stays.
        """
        if is_valid and component.selected != self._proposed:
            return component.selected
        ours, proposed = self._panel._plugin_name, self._proposed
        files = {data.label for data in self._app.data_collection if data.meta.get("plugin") != ours}
        loaded = [label for label in component.labels if label in files]
        self._proposed = next(iter(loaded or component.labels), "")
        if loaded and self._proposed != proposed:
            self.opened = 0
        return self._proposed

    def _reference(self) -> Curve:
        data = self.reference.selected_dc_item
        if data is None:
            raise LRSError("Load a 1-D spectrum to compare with, such as the pipeline's x1d.")
        if self._known is None or self._known[0] is not data:
            self._known = data, Curve.of(data.get_object(cls=Spectrum, statistic=None))
        return self._known[1]

    @observe("reference_selected", "reference_items", "ranges")
    def _on_choice(self, change: dict) -> None:
        if not hasattr(self, "reference"):  # while it is being made
            return
        if change["name"] == "ranges" and not isinstance(self.ranges, str):
            self.ranges = write_ranges(self.ranges)  # comes back here
            return
        self.refresh()
        for listener in self._listeners:
            listener()

    @observe("opened")
    def refresh(self, change: dict | None = None) -> None:
        """Bring plots and numbers up to date, if anybody sees them."""
        if self.opened is None:
            return
        try:
            comparison = self.against()
        except LRSError as error:
            self.problem, self.rows, self.notes = str(error), [], []
            if self.plot_widgets:
                self._plots.clear()
            return
        self.problem, self.notes = "", list(comparison.notes)
        self.rows = [_row(one) for one in (*comparison.ranges, comparison.overall)]
        self._plots.draw(comparison)
        self.plot_widgets = self._plots.widgets


def read_ranges(text: Any) -> Ranges:
    """Read wavelength ranges as a user writes them: ``5-8, 8-11, 11-13.5``; pairs of numbers pass.

    Raises
    ------
    LRSError
        For anything else, and for a range that ends before it starts.
    """
    if not isinstance(text, str):
        return read_ranges(write_ranges(text))
    ranges = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        match = re.fullmatch(r"([\d.]+)\s*(?:-|\N{EN DASH}|to|\s)\s*([\d.]+)", part)
        try:
            start, stop = map(float, match.groups())
        except (AttributeError, ValueError):
            raise LRSError(f"{part!r} is not a wavelength range; write 5-8, 8-11, 11-13.5.") from None
        if start >= stop:
            raise LRSError(f"The wavelength range {part} ends before it starts; exchange its numbers.")
        ranges.append((start, stop))
    if not ranges:
        raise LRSError("No wavelength range is given; write 5-8, 8-11, 11-13.5.")
    return tuple(ranges)


def write_ranges(ranges: Any) -> str:
    """Write wavelength ranges as the field shows them."""
    try:
        return ", ".join(f"{start:g}-{stop:g}" for start, stop in ranges)
    except (TypeError, ValueError):
        raise LRSError(
            f"{ranges!r} are no wavelength ranges; give pairs such as [[5, 8], [8, 11]], in micron."
        ) from None


def _row(one) -> dict[str, str]:
    def number(value: float, digits: int) -> str:
        return f"{value:.{digits}f}" if np.isfinite(value) else ""

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
