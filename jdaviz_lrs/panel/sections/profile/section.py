"""The section Cross-dispersion profile: a cut through the image, and what the extraction lays over it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from bqplot import LinearScale
from jdaviz.core.marks import PluginMarkCollection
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Bool, Float, Int, Unicode, observe, validate

from jdaviz_lrs.analysis.cross_section import CrossSection, cross_section
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.chart import boxes
from jdaviz_lrs.panel.sections.profile.chart import ProfileChart
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.viewer.cursor import Cursor
from jdaviz_lrs.panel.viewer.marks import YELLOW, PreviewMark

__all__ = ["ProfileSection"]

WINDOW_STYLE = {"colors": [YELLOW], "fill": "inside", "fill_opacities": [0.25], "stroke_width": 1}


class ProfileSection(Section):
    """The spatial profile at a wavelength, with aperture, background and model.

    In the panel's public API, as ``profile_view``:

    * ``wavelength`` (float): of the cut, in micron; the nearest row counts.
    * ``n_rows`` (int): number of rows to take the median of.
    * ``follow_cursor`` (bool): show the profile under the mouse while it is over the 2-D spectrum.
    * ``scale_to_background`` (bool): let the y axis show the background rather than all of the source.
    * :meth:`cut`

    Parameters
    ----------
    panel : Panel
    app : jdaviz application
    """

    template_file = __file__, "profile.vue"

    wavelength = Float(0.0).tag(sync=True)
    column = Int(0).tag(sync=True)  # of the viewer, nearest to the wavelength
    last_column = Int(0).tag(sync=True)
    n_rows = Int(11).tag(sync=True)
    follow_cursor = Bool(True).tag(sync=True)
    scale_to_background = Bool(False).tag(sync=True)
    caption = Unicode().tag(sync=True)
    plot_widget = Unicode().tag(sync=True)

    _hovered: int | None = None

    def __init__(self, panel, app):
        self.cursor = Cursor(self._on_cursor)
        super().__init__(panel, app)

    @property
    def user_api(self):
        """What scripts see."""
        return UserApiWrapper(self, ("wavelength", "n_rows", "follow_cursor", "scale_to_background", "cut"))

    def cut(self) -> CrossSection:
        """Cut the image at `wavelength`.

        Returns
        -------
        CrossSection
            The numbers in the plot.

        Raises
        ------
        LRSError
            When there is no dataset, or a parameter is wrong.
        """
        state = self.panel.state
        _ = state.ready
        result = self.panel.compute() if state.optimal else None
        return self._cut(state, result, self._nearest(state))

    def show(self, state: PanelState) -> None:
        """Bring plot and window up to date, or take them away."""
        if state.drawn is None:
            self._hovered = None
        if self.opened is None or state.drawn is None:
            self._hide()
            return
        viewers = self.panel.image_viewers
        self.cursor.listen_to(viewers)
        self.last_column = state.source.display.rows.size - 1
        self.column = self._nearest(state)
        column = self._hovered if self.follow_cursor and self._hovered is not None else self.column
        first, last = self._window_at(column, state)
        x, y = boxes([[first - 0.5, last + 0.5]])
        self.window.update_xy(x[0], y[0], viewers=viewers)
        cut = self._cut(state, state.spectrum if state.shown else None, column)
        self.chart.name(model="fitted scene" if state.optimal else "PSF, scaled to the aperture")
        self.chart.show(cut, state.plan.image, self.scale_to_background)
        along = "columns" if state.plan.image.horizontal else "rows"
        first, last = cut.rows[[0, -1]]
        self.caption = f"{cut.wavelength:.3f} um, median of {along} {first:g} to {last:g}"
        self.plot_widget = self.chart.widget

    # ---- what the user does

    @validate("n_rows")
    def _at_least_one(self, proposal) -> int:
        if proposal["value"] < 1:
            raise LRSError(f"n_rows = {proposal['value']} rows have no median; give 1 or more.")
        return proposal["value"]

    @validate("wavelength")
    def _finite(self, proposal) -> float:
        if not np.isfinite(proposal["value"]):
            raise LRSError(f"wavelength = {proposal['value']} is not a number; give it in micron.")
        return proposal["value"]

    def vue_set_column(self, column: int) -> None:
        """Answer to the slider."""
        if self.panel.state.drawn is not None:
            self.wavelength = float(self.panel.state.source.display.wavelength[column])

    def _on_cursor(self, x: float | None, clicked: bool) -> None:
        """Show the profile under the mouse; keep it at a click; go back when the mouse leaves."""
        if self.panel.state.drawn is None:
            return
        last = self.panel.state.source.display.rows.size - 1
        column = None if x is None else round(min(max(x, 0), last))
        if clicked and column is not None:
            self.vue_set_column(column)
        hovered = column if self.follow_cursor else None
        if hovered != self._hovered:
            self._hovered = hovered
            self.show(self.panel.state)

    # ---- what is drawn

    @cached_property
    def chart(self) -> ProfileChart:
        """The plot of the cut."""
        return ProfileChart(self.panel)

    @cached_property
    def window(self) -> PluginMarkCollection:
        """The mark on the image of the rows that are cut."""
        height = LinearScale(min=0, max=1, allow_padding=False)
        return PluginMarkCollection(PreviewMark, scales={"y": height}, **WINDOW_STYLE)

    @observe("opened", "wavelength", "n_rows", "follow_cursor", "scale_to_background")
    def _on_setting(self, change: dict) -> None:
        self.show(self.panel.state)

    def _hide(self) -> None:
        self.cursor.listen_to([])
        if "window" in self.__dict__:
            self.window.clear()
        if "chart" in self.__dict__:
            self.chart.clear()
        self.caption = ""

    def _nearest(self, state: PanelState) -> int:
        """Viewer column at the wavelength, which is brought into the image if it lies outside."""
        known = state.source.display.wavelength
        if self.wavelength == 0.0:  # not set yet
            self.wavelength = float(known[known.size // 2])
        elif not known[0] <= self.wavelength <= known[-1]:
            self.wavelength = float(np.clip(self.wavelength, known[0], known[-1]))
        return int(np.argmin(np.abs(known - self.wavelength)))

    def _window_at(self, column: int, state: PanelState) -> tuple[int, int]:
        """First and last viewer column of the median."""
        first = column - (self.n_rows - 1) // 2
        return max(first, 0), min(first + self.n_rows, state.source.display.rows.size) - 1

    def _cut(self, state: PanelState, result: ExtractedSpectrum | None, column: int) -> CrossSection:
        first, last = self._window_at(column, state)
        plan, image = state.plan, state.plan.seen
        background = None if state.optimal or plan.background is None else plan.background.image
        fitted = result is not None and result.parameters["extraction_type"] == "optimal"
        return cross_section(
            image,
            np.sort(state.source.display.rows[first : last + 1]),
            None if state.optimal else plan.placement,
            plan.references.psf,
            None if background is None else np.broadcast_to(background, image.data.shape),
            result if fitted else None,
        )
