"""The section Light curves: the extracted series over time, in white light, in bins, and as an image."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from traitlets import Bool, Float, Int, List, Unicode, observe

from jdaviz_lrs.analysis.lightcurve import LightCurves, light_curves
from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.light_curves.chart import DriftChart, DynamicChart, LightCurveChart
from jdaviz_lrs.panel.sections.result_file import SavingResult
from jdaviz_lrs.panel.sections.series.section import SeriesSection
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.viewer.cursor import Cursor
from jdaviz_lrs.products.files import output_path

__all__ = ["LightCurvesSection"]

#: Micron: a click nearer than this to an edge takes it away.
NEAR = 0.1


class LightCurvesSection(SavingResult):
    """Bins of wavelength, the plots of what is in them, and their file.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "light_curves.vue"
    endings = (".ecsv",)
    none_yet = "No light curves were made yet; extract the series first."

    present = Bool(False).tag(sync=True)
    number = Int(5).tag(sync=True)  # of bins of equal width
    first = Float(5.0).tag(sync=True)  # um
    last = Float(12.0).tag(sync=True)  # um
    edges = Unicode().tag(sync=True)  # of bins, um, with commas between; in place of the number
    sentence = Unicode().tag(sync=True)
    colours = Unicode().tag(sync=True)  # what those of the image mean
    plots = List().tag(sync=True)

    def __init__(self, panel, app):
        self._series: ExtractedSeries | None = None
        super().__init__(panel, app)
        self.cursor = Cursor(self._on_cursor)

    def show(self, state: PanelState) -> None:
        """Make light curves of a series that has just been extracted; go with it."""
        if state.time_series is self._series:
            return
        self._series = state.time_series
        self.present = self._series is not None
        if self.present:
            self.opened = 0
            self._remake()

    def make(self, **settings: Any) -> LightCurves:
        """Make light curves of the series, and show them.

        Parameters
        ----------
        **settings
            See `jdaviz_lrs.light_curves`; those of the section, without any.

        Raises
        ------
        LRSError
            When no series was extracted, or bins cannot be made of what is given.
        """
        if self._series is None:
            raise LRSError(SeriesSection.none_yet)
        curves = light_curves(self._series, **(settings or self._settings()))
        self._show(self._series, curves)
        return curves

    def _settings(self) -> dict[str, Any]:
        if self.edges.strip():
            return {"edges": _numbers(self.edges)}
        return {"number": self.number, "wavelength_range": (self.first, self.last)}

    def _show(self, series: ExtractedSeries, curves: LightCurves) -> None:
        name = output_path(f"{self.panel.state.source.label}.fits", "lightcurves")
        self.keep(curves, name.with_suffix(".ecsv").name)
        ratio = curves.noise_ratio
        self.sentence = (
            f"From one integration to the next the light curves scatter {np.median(ratio):.2f} times as much "
            f"as their errors tell ({ratio.min():.2f} to {ratio.max():.2f} among {len(ratio)} bins)."
        )
        self.chart.show(curves)
        self.dynamic.show(series, curves)
        self.drift.show(curves)
        self.cursor.listen_to([self.dynamic.plot.viewer])
        reach = f"{rounded(100 * self.dynamic.reach, 2)} %"
        self.colours = f"Flux over its median in time: blue is brighter, red fainter, by up to {reach}."
        self.plots = [chart.widget for chart in (self.chart, self.dynamic, self.drift)]

    @cached_property
    def chart(self) -> LightCurveChart:
        """The plot of the light curves."""
        return LightCurveChart(self.panel)

    @cached_property
    def dynamic(self) -> DynamicChart:
        """Time against wavelength."""
        return DynamicChart(self.panel)

    @cached_property
    def drift(self) -> DriftChart:
        """The plot of place and width."""
        return DriftChart(self.panel)

    # ---- what the user does

    @observe("number", "first", "last")
    def _on_bins(self, change: dict) -> None:
        if self.edges:
            self.edges = ""  # makes them anew
        else:
            self._remake()

    @observe("edges")
    def _on_edges(self, change: dict) -> None:
        self._remake()

    def _remake(self) -> None:
        if self._series is None:
            return
        try:
            self.make()
        except LRSError as error:
            self.problem = str(error)

    def _on_cursor(self, x: float | None, clicked: bool) -> None:
        if clicked and x is not None and self.result is not None:
            self.toggle_edge(x)

    def toggle_edge(self, wavelength: float) -> None:
        """Set an edge of bins where the mouse clicks, um, or take away the one that is there."""
        edges = np.unique(self.made().bins)
        nearest = int(np.argmin(np.abs(edges - wavelength)))
        if abs(edges[nearest] - wavelength) >= NEAR:
            edges = np.sort([*edges, wavelength])
        elif len(edges) > 2:
            edges = np.delete(edges, nearest)
        self.edges = ", ".join(f"{edge:.3f}" for edge in edges)


def _numbers(text: str) -> list[float]:
    try:
        return [float(one) for one in text.replace(";", ",").split(",") if one.strip()]
    except ValueError:
        raise LRSError(f"{text!r}: edges are wavelengths in micron with commas between.") from None
