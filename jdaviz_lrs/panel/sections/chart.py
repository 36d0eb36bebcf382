"""A plot inside the panel: jdaviz's, with lines by name and limits that leave a user's zoom alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from bqplot import LinearScale, Lines
from jdaviz.core.events import PluginPlotModifiedMessage
from jdaviz.core.template_mixin import Plot
from numpy.typing import ArrayLike
from traitlets import List

from jdaviz_lrs.panel.vuetify import adapt_template

__all__ = ["Chart", "band", "boxes", "steps", "upright"]

Limits = tuple[float, float]

#: The most lines in one mark; bqplot does not repeat styles.
MOST = 12

#: Styles that are not bqplot's.
OURS = ("label", "full_height")

#: A fill that the legend shows as an area.
AREA = "inside"


#: A window of its own: as high as a plot with its toolbar and its legend.
WINDOW = "popup,width=800,height=460"


class LegendPlot(Plot):
    """jdaviz's plot with a legend below it, which goes along into a window of its own."""

    template_file = __file__, "chart.vue"
    _adapt_template = adapt_template
    legend = List().tag(sync=True)  # the lines in sight: label, color, line, area

    def __init__(self, panel, name: str):
        super().__init__(panel, name=name)
        self.popout_button.window_features = WINDOW


class Chart:
    """Lines in a plot.

    Parameters
    ----------
    panel : PluginTemplateMixin
        Whose plot it is.
    name : str
        Of the plot, in jdaviz's Export panel.
    styles : mapping of str to mapping
        Name of a line to bqplot's traits, drawn in this order; ``full_height`` lets its y go from 0 to 1 over
        the plot, ``label`` is its text in the legend.
    height : str
        Of the plot.
    """

    def __init__(self, panel, name: str, styles: Mapping[str, Mapping[str, Any]], height: str = "300px"):
        self._styles, self._hub = styles, panel.hub
        self._names: dict[str, str] = {}
        self.plot = LegendPlot(panel, name)
        self._home: tuple[Limits, Limits] | None = None
        viewer = self.plot.viewer
        # where jdaviz's home button looks for it
        viewer.reset_limits = self.home
        viewer.figure.layout.height = height
        viewer.figure.fig_margin = {"top": 12, "bottom": 42, "left": 68, "right": 12}
        viewer.axis_x.tick_format = viewer.axis_y.tick_format = "~g"
        viewer.axis_x.num_ticks = viewer.axis_y.num_ticks = None  # round numbers
        viewer.axis_y.label_offset = "54px"
        self.marks = {key: self._line(style) for key, style in styles.items()}
        self.plot.figure.marks = [*self.plot.figure.marks, *self.marks.values()]

    def _line(self, style: Mapping[str, Any]) -> Lines:
        """Make a line; jdaviz's `Plot.add_line` would scale its y by the x axis (5.0.2)."""
        traits = {k: v * MOST if isinstance(v, list) else v for k, v in style.items() if k not in OURS}
        scales = dict(self.plot.viewer.scales)
        if style.get("full_height"):
            scales["y"] = LinearScale(min=0, max=1, allow_padding=False)
        return Lines(x=[0], y=[0], scales=scales, visible=False, fill_colors=traits["colors"], **traits)

    @property
    def widget(self) -> str:
        """What a template shows."""
        return f"IPY_MODEL_{self.plot.model_id}"

    def name_axes(self, x: str, y: str) -> None:
        """Say what is drawn along the axes."""
        self.plot.viewer.axis_x.label, self.plot.viewer.axis_y.label = x, y

    def name(self, **labels: str) -> None:
        """Name lines in the legend otherwise than usual, from the next drawing on."""
        self._names = labels

    def draw(self, **lines: tuple[ArrayLike, ArrayLike]) -> None:
        """Move lines to other points; a line without any goes out of sight."""
        empty = self._empty
        for name, (x, y) in lines.items():
            mark = self.marks[name]
            x, y = np.asarray(x, float), np.asarray(y, float)
            with mark.hold_sync():
                if x.size:
                    mark.x, mark.y = x, y
                mark.visible = bool(x.size)
        self.plot.legend = self._legend()
        if self._empty != empty:  # jdaviz's Export panel lists those with something to see
            self._hub.broadcast(PluginPlotModifiedMessage(sender=self.plot))

    def _legend(self) -> list[dict[str, Any]]:
        """Return the keys to the lines in sight, for the template."""
        return [
            {
                "label": self._names.get(name, style["label"]),
                "color": style["colors"][0],
                "line": style.get("line_style", "solid"),
                "area": style.get("fill") == AREA,
            }
            for name, style in self._styles.items()
            if "label" in style and self.marks[name].visible
        ]

    @property
    def _empty(self) -> bool:
        return not any(mark.visible for mark in self.marks.values())

    def clear(self) -> None:
        """Take all lines away."""
        self.draw(**dict.fromkeys(self.marks, ((), ())))

    def limit(self, x: Limits, y: Limits) -> None:
        """Show these ranges, but keep what the user has zoomed to."""
        state, before = self.plot.viewer.state, self._home
        if before is None:
            wanted = (*x, *y)
        else:
            now = ((state.x_min, state.x_max), (state.y_min, state.y_max))
            wanted = [
                limit
                for shown, old, new in zip(now, before, (x, y), strict=True)
                for limit in (new if np.allclose(shown, old) else shown)
            ]
        self._home = (x, y)
        self.plot.set_limits(*(float(limit) for limit in wanted))

    def home(self) -> None:
        """Show everything."""
        if self._home is not None:
            (x_min, x_max), (y_min, y_max) = self._home
            self.plot.set_limits(x_min, x_max, y_min, y_max)


def band(x: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """Outline of the area between two curves."""
    return np.r_[x, np.flip(x)], np.r_[lower, np.flip(upper)]


def boxes(edges: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """Boxes of full height between pairs of edges, (n, 2)."""
    x = np.asarray(edges, float).reshape(-1, 2)[:, [0, 0, 1, 1, 0]]
    return x, np.broadcast_to([0.0, 1.0, 1.0, 0.0, 0.0], x.shape)


def upright(*places: float) -> tuple[ArrayLike, ArrayLike]:
    """Lines of full height, where a place is known."""
    known = [[place, place] for place in places if np.isfinite(place)]
    return known, [[0.0, 1.0]] * len(known)


def steps(x: ArrayLike, y: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """Corners of a histogram of bins one wide."""
    return np.stack([np.subtract(x, 0.5), np.add(x, 0.5)], axis=-1).ravel(), np.repeat(y, 2)
