"""The part of the panel that shows an extraction before it is added: marks in the viewers."""

from __future__ import annotations

import time
from functools import cached_property

from jdaviz.core.events import GlobalDisplayUnitChanged, ViewerVisibleLayersChangedMessage
from traitlets import Bool, List, Unicode, observe

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction import extract
from jdaviz_lrs.panel.data_source import DataSource
from jdaviz_lrs.panel.fields import describe
from jdaviz_lrs.panel.layout import Layout, lay_out
from jdaviz_lrs.panel.marks import PreviewMarks
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.spectrum import ExtractedSpectrum

__all__ = ["Preview"]

#: Seconds that a preview may take before the panel asks whether to go on with it.
PATIENCE = 1.5


class Preview(DataSource):
    """Layout and extraction at every change of a parameter."""

    live_preview = Bool(True).tag(sync=True)
    fields = List().tag(sync=True)
    reported = Unicode().tag(sync=True)
    notes = List().tag(sync=True)

    _layout: Layout | None = None
    _last: tuple | None = None
    _computing = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields = describe(self.values)
        self.observe(self.on_parameters, ExtractionParameters.names())
        for message in (GlobalDisplayUnitChanged, ViewerVisibleLayersChangedMessage):
            self.hub.subscribe(self, message, handler=lambda _: self._draw())

    @cached_property
    def marks(self) -> PreviewMarks:
        """What is drawn in the viewers."""
        return PreviewMarks()

    def on_input(self) -> None:
        """Forget all that belongs to another dataset."""
        super().on_input()
        self._layout = self._last = None
        self.problem = ""
        self.notes = []
        self.marks.clear()

    def on_parameters(self, change=None):
        """Check the parameters, lay everything out, and show both."""
        if self._filling:
            return
        self.fields = describe(self.values)
        if self._input is None:
            return
        self._layout, self.reported = None, ""
        try:
            parameters = self.parameters
            self._layout = lay_out(self.image, parameters)
        except LRSError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self._remembered[self._input.label] = parameters
            self.reported = self._layout.reported
            self.notes = list(self._layout.notes)
        self._draw()

    def compute(self) -> ExtractedSpectrum:
        """Extract with the parameters in the panel; at once when nothing has changed since the last time.

        Raises
        ------
        LRSError
            When it cannot be done.
        """
        key = (self.image, self.parameters, self._references)
        if self._last is None or self._last[0] != key:
            self._last = (key, extract(*key))
        result = self._last[1]
        self.notes = list(result.notes)
        return result

    @observe("is_active", "live_preview", "add_to_viewer_selected", "previews_temp_disabled")
    def _draw(self, change=None):
        """Bring the marks in all viewers up to date, or take them away."""
        if not self._tray_instance or self._computing:
            return
        if not self.is_active or self._layout is None:
            self.marks.clear()
            self.on_result(None)
            return
        self._draw_layout()
        if not self.live_preview or self.previews_temp_disabled:
            self.marks.clear("spectrum")
            self.on_result(None)
            return
        started = time.perf_counter()
        self._computing = True
        try:
            result = self.compute()
        except Exception as error:  # a bug of ours must not leave another spectrum's preview behind
            expected = isinstance(error, LRSError)
            self.problem = str(error) if expected else f"The extraction failed unexpectedly: {error!r}"
            self.marks.clear("spectrum")
            self.on_result(None)
            return
        finally:
            self._computing = False
        if not self.is_active:  # jdaviz's watch on closed panels, a thread, has found it closed meanwhile
            self.marks.clear()
            self.on_result(None)
            return
        self.previews_last_time = round(time.perf_counter() - started, 2)
        self.previews_temp_disabled = self.previews_last_time > PATIENCE
        self._draw_fitted(result)
        self.marks.spectrum(result, self.add_results.results_viewers)
        self.on_result(result)

    def _draw_layout(self) -> None:
        layout, display = self._layout, self._input.display
        viewers = self.dataset.viewers_with_selected_visible
        self.marks.outlines("aperture", layout.edges, display, viewers)
        self.marks.outlines("background", layout.background_edges, display, viewers)
        self.marks.lines("trace", [] if layout.trace is None else [layout.trace], display, viewers)
        self.marks.lines("nods", layout.nods, display, viewers)
        self.marks.lines("companions", layout.companions, display, viewers)
        self.marks.points("rejected", None, display, viewers)

    def _draw_fitted(self, result: ExtractedSpectrum) -> None:
        """Move the traces to where they were fitted, and show what was rejected."""
        if result.trace is None:
            return
        display, viewers = self._input.display, self.dataset.viewers_with_selected_visible
        self.marks.lines("trace", [result.trace], display, viewers)
        self.marks.lines("nods", result.nod_traces, display, viewers)
        companions = [one.trace for one in result.companions if one.trace is not None]
        self.marks.lines("companions", companions, display, viewers)
        self.marks.points("rejected", result.rejected, display, viewers)

    def on_result(self, result: ExtractedSpectrum | None) -> None:
        """React to a new preview, or to its end; for the other parts of the panel to extend."""
