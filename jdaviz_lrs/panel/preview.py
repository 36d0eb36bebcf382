"""The part of the panel that shows an extraction before it is added: marks in the viewers."""

from __future__ import annotations

import time
from functools import cached_property, partial

from jdaviz.core.events import GlobalDisplayUnitChanged, ViewerVisibleLayersChangedMessage
from traitlets import Bool, List, Unicode, observe

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.computing import CancelledError, Computing, Outcome
from jdaviz_lrs.panel.fields import describe
from jdaviz_lrs.panel.layout import Layout, lay_out
from jdaviz_lrs.panel.marks import PreviewMarks
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["Preview"]

#: Seconds that a preview may take before the panel asks whether to go on with it.
PATIENCE = 1.5


class Preview(Computing):
    """Layout and extraction at every change of a parameter."""

    live_preview = Bool(True).tag(sync=True)
    fields = List().tag(sync=True)
    reported = Unicode().tag(sync=True)

    _layout: Layout | None = None
    _computing = False
    _asked_at = 0.0  # of the last preview

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
        self._layout = None
        self.problem = ""
        self.marks.clear()

    def on_parameters(self, change=None):
        """Check the parameters, lay everything out, and show both."""
        if self._filling:
            return
        self.fields = describe(self.values)
        if self._input is None:
            return
        self._asked_at = time.perf_counter()  # what is under way is not wanted any more
        self.cancel_work()
        self._given_up = None
        self._layout, self.reported = None, ""
        try:
            parameters = self.parameters
            self._layout = lay_out(self.image, parameters)
        except LRSError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self._remembered[self._input.data.uuid] = parameters
            self.reported = self._layout.reported
            self.notes = list(self._layout.notes)
        self._draw()

    @observe("is_active", "live_preview", "add_to_viewer_selected", "previews_temp_disabled")
    def _draw(self, change=None):
        """Bring the marks in all viewers up to date, or take them away."""
        if not self._tray_instance or self._computing:
            return
        self._asked_at = asked_at = time.perf_counter()
        if not self.is_active or self._layout is None:
            self.marks.clear()
            self.on_result(None)
            return
        self._draw_layout()
        if not self.live_preview or self.previews_temp_disabled or self.given_up:
            self._clear_spectrum()
            return
        self._computing = True
        try:
            self.compute_then(partial(self._show, asked_at))
        finally:
            self._computing = False

    def _show(self, asked_at: float, outcome: Outcome) -> None:
        """Draw what was extracted, or say why nothing was."""
        if asked_at != self._asked_at:  # another preview was asked for meanwhile
            return
        if self._computing:  # the browser has waited
            self._computing = False
            self.previews_last_time = round(time.perf_counter() - asked_at, 2)
            self.previews_temp_disabled = self.previews_last_time > PATIENCE
        if isinstance(outcome, CancelledError):
            self.notes = [str(outcome)]
        elif isinstance(outcome, LRSError):
            self.problem = str(outcome)
        if isinstance(outcome, LRSError):
            self._clear_spectrum()
        else:
            self.present(outcome)

    def present(self, result: ExtractedSpectrum) -> None:
        """Show the spectrum of the panel's parameters, as far as the panel shows any."""
        if self.is_active and self.live_preview:
            self._draw_fitted(result)
            self.marks.spectrum(result, self.add_results.results_viewers)
        self.on_result(result)

    def on_long_work(self) -> None:
        """Take the last spectrum away; that of the parameters is not there yet."""
        super().on_long_work()
        self._clear_spectrum()

    def _clear_spectrum(self) -> None:
        self.marks.clear("spectrum")
        self.on_result(None)

    def _draw_layout(self) -> None:
        layout, display = self._layout, self._input.display
        viewers = self.dataset.viewers_with_selected_visible
        self.marks.outlines("aperture", layout.edges, display, viewers)
        self.marks.outlines("background", layout.background_edges, display, viewers)
        self.marks.lines("trace", [] if layout.trace is None else [layout.trace], display, viewers)
        self.marks.lines("nods", layout.nods, display, viewers)
        self.marks.lines("companions", layout.companions, display, viewers)
        self.marks.points("bad", layout.bad_pixels, display, viewers)
        self.marks.points("rejected", None, display, viewers)

    def _draw_fitted(self, result: ExtractedSpectrum) -> None:
        """Move the traces to where they were fitted, and show what was rejected."""
        display, viewers = self._input.display, self.dataset.viewers_with_selected_visible
        self.marks.points("rejected", result.rejected, display, viewers)
        if result.trace is None:
            return
        self.marks.lines("trace", [result.trace], display, viewers)
        self.marks.lines("nods", result.nod_traces, display, viewers)
        companions = [one.trace for one in result.companions if one.trace is not None]
        self.marks.lines("companions", companions, display, viewers)

    def on_result(self, result: ExtractedSpectrum | None) -> None:
        """React to a new preview, or to its end; for the other parts of the panel to extend."""
