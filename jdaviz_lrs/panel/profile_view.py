"""The section Cross-dispersion profile: a cut through the image, and what the extraction lays over it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from bqplot import LinearScale
from jdaviz.core.marks import PluginMarkCollection
from jdaviz.core.template_mixin import TemplateMixin
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Int, List, Unicode, observe, validate

from jdaviz_lrs.analysis.cross_section import CrossSection, cross_section
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.chart import boxes
from jdaviz_lrs.panel.cursor import Cursor
from jdaviz_lrs.panel.marks import YELLOW, PreviewMark
from jdaviz_lrs.panel.profile_chart import ProfileChart
from jdaviz_lrs.panel.situation import Situation

__all__ = ["ProfileView"]

WINDOW_STYLE = {"colors": [YELLOW], "fill": "inside", "fill_opacities": [0.25], "stroke_width": 1}


class ProfileView(TemplateMixin):
    """The spatial profile at a wavelength, with aperture, background and model.

    In the panel's public API, as ``profile_view``:

    * ``wavelength`` (float): of the cut, in micron; the nearest row counts.
    * ``n_rows`` (int): number of rows to take the median of.
    * ``follow_cursor`` (bool): show the profile under the mouse while it is over the 2-D spectrum.
    * ``scale_to_background`` (bool): let the y axis show the background rather than all of the source.
    * :meth:`cut`

    Parameters
    ----------
    panel : Views
    app : jdaviz application
    """

    template_file = __file__, "profile_view.vue"

    opened = AnyTrait(None, allow_none=True).tag(sync=True)  # 0 while the section is open
    wavelength = Float(0.0).tag(sync=True)
    column = Int(0).tag(sync=True)  # of the viewer, nearest to the wavelength
    last_column = Int(0).tag(sync=True)
    n_rows = Int(11).tag(sync=True)
    follow_cursor = Bool(True).tag(sync=True)
    scale_to_background = Bool(False).tag(sync=True)
    caption = Unicode().tag(sync=True)
    legend = List().tag(sync=True)
    plot_widget = Unicode().tag(sync=True)

    _situation: Situation | None = None
    _result: ExtractedSpectrum | None = None
    _hovered: int | None = None

    def __init__(self, panel, app):
        self._panel, self._cursor = panel, Cursor(self._on_cursor)
        super().__init__(app=app)

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
        situation = self._panel.situation
        if situation is None:
            raise LRSError(self._panel.problem or self._panel.disabled_msg)
        result = self._panel.compute() if situation.optimal else None
        return self._cut(situation, result, self._nearest(situation))

    # ---- what the panel tells

    def show(self, situation: Situation | None, result: ExtractedSpectrum | None = None) -> None:
        """Show this from now on; None: nothing."""
        self._situation, self._result = situation, result
        if situation is None:
            self._hovered = None
        self._draw()

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
        if self._situation is not None:
            self.wavelength = float(self._situation.display.wavelength[column])

    def _on_cursor(self, x: float | None, clicked: bool) -> None:
        """Show the profile under the mouse; keep it at a click; go back when the mouse leaves."""
        if self._situation is None:
            return
        last = self._situation.display.rows.size - 1
        column = None if x is None else round(min(max(x, 0), last))
        if clicked and column is not None:
            self.vue_set_column(column)
        hovered = column if self.follow_cursor else None
        if hovered != self._hovered:
            self._hovered = hovered
            self._draw()

    # ---- what is drawn

    @cached_property
    def _chart(self) -> ProfileChart:
        return ProfileChart(self._panel)

    @cached_property
    def _window(self) -> PluginMarkCollection:
        height = LinearScale(min=0, max=1, allow_padding=False)
        return PluginMarkCollection(PreviewMark, scales={"y": height}, **WINDOW_STYLE)

    @observe("opened", "wavelength", "n_rows", "follow_cursor", "scale_to_background")
    def _draw(self, change=None) -> None:
        """Bring plot and window up to date, or take them away."""
        situation = self._situation
        if self.opened is None or situation is None:
            self._hide()
            return
        viewers = self._panel.dataset.viewers_with_selected_visible
        self._cursor.listen_to(viewers)
        self.last_column = situation.display.rows.size - 1
        self.column = self._nearest(situation)
        column = self._hovered if self.follow_cursor and self._hovered is not None else self.column
        first, last = self._window_at(column, situation)
        x, y = boxes([[first - 0.5, last + 0.5]])
        self._window.update_xy(x[0], y[0], viewers=viewers)
        cut = self._cut(situation, self._result, column)
        self._chart.show(cut, situation, self.scale_to_background)
        along = "columns" if situation.image.horizontal else "rows"
        first, last = cut.rows[[0, -1]]
        self.caption = f"{cut.wavelength:.3f} um, median of {along} {first:g} to {last:g}"
        self.legend = self._chart.legend(
            model="fitted scene" if situation.optimal else "PSF, scaled to the aperture"
        )
        self.plot_widget = self._chart.widget

    def _hide(self) -> None:
        self._cursor.listen_to([])
        if "_window" in self.__dict__:
            self._window.clear()
        if "_chart" in self.__dict__:
            self._chart.clear()
        self.caption, self.legend = "", []

    def _nearest(self, situation: Situation) -> int:
        """Viewer column at the wavelength, which is brought into the image if it lies outside."""
        known = situation.display.wavelength
        if self.wavelength == 0.0:  # not set yet
            self.wavelength = float(known[known.size // 2])
        elif not known[0] <= self.wavelength <= known[-1]:
            self.wavelength = float(np.clip(self.wavelength, known[0], known[-1]))
        return int(np.argmin(np.abs(known - self.wavelength)))

    def _window_at(self, column: int, situation: Situation) -> tuple[int, int]:
        """First and last viewer column of the median."""
        first = column - (self.n_rows - 1) // 2
        return max(first, 0), min(first + self.n_rows, situation.display.rows.size) - 1

    def _cut(self, situation: Situation, result: ExtractedSpectrum | None, column: int) -> CrossSection:
        first, last = self._window_at(column, situation)
        fitted = result is not None and result.parameters["extraction_type"] == "optimal"
        return cross_section(
            situation.image,
            np.sort(situation.display.rows[first : last + 1]),
            situation.placement,
            situation.references.psf,
            situation.background,
            result if fitted else None,
        )
