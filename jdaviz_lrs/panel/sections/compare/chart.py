"""The two plots of the section Compare: ratio, and difference in sigma, along the wavelength."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from jdaviz_lrs.analysis.compare import Comparison
from jdaviz_lrs.panel.sections.chart import Chart, band
from jdaviz_lrs.panel.viewer.marks import BLUE, ORANGE, VERMILLION

__all__ = ["ComparePlots"]

Row = NDArray[np.float64]

#: Of each plot.
HEIGHT, MARGINS = "230px", {"top": 24, "bottom": 42, "left": 68, "right": 12}

#: Percentiles of the points between which the y axis has room; what lies beyond is reached by zooming out.
SHOWN = (0.5, 99.5)


def styles(color: str) -> dict[str, dict]:
    """Name of a line to its style."""
    area = {"fill": "inside", "fill_opacities": [0.25], "stroke_width": 0}
    return {
        "band": {"colors": [color], **area, "label": "one sigma"},
        "equal": {"colors": ["#888888"], "stroke_width": 1},
        "values": {"colors": [color], "stroke_width": 1.5},
        "medians": {
            "colors": [VERMILLION],
            "stroke_width": 3,
            "line_style": "dashed",
            "label": "median of each range",
        },
    }


class ComparePlots:
    """Plots that belong to a panel, so that jdaviz's Export panel lists them under its name."""

    def __init__(self, panel):
        self.ratio = Chart(panel, "ratio", styles(ORANGE))
        self.sigma = Chart(panel, "difference", styles(BLUE))
        self.ratio.name_axes("Wavelength (um)", "Ratio")
        self.sigma.name_axes("Wavelength (um)", "Difference (sigma)")
        for chart in (self.ratio, self.sigma):
            chart.plot.figure.layout.height = HEIGHT
            chart.plot.figure.fig_margin = MARGINS
            chart.plot.viewer.axis_x.num_ticks = None
            chart.plot.viewer.scale_y.allow_padding = False  # limits are round numbers
        self.widgets = [self.ratio.widget, self.sigma.widget]

    def clear(self) -> None:
        """Leave empty axes."""
        self.ratio.clear()
        self.sigma.clear()

    def draw(self, shown: Comparison) -> None:
        """Draw a comparison; both plots show the wavelengths of its ranges."""
        error, one = np.nan_to_num(shown.ratio_error), np.ones_like(shown.sigma)
        medians = [(part.start, part.stop, part.ratio) for part in shown.ranges]
        _draw(self.ratio, shown, shown.ratio, 1.0, (shown.ratio - error, shown.ratio + error), medians)
        medians = [(part.start, part.stop, part.sigma) for part in shown.ranges]
        _draw(self.sigma, shown, shown.sigma, 0.0, (-one, one), medians)


def _draw(
    chart: Chart,
    shown: Comparison,
    values: Row,
    equal: float,
    around: tuple[Row, Row],
    medians: list[tuple[float, float, float]],
) -> None:
    x, (lower, upper) = shown.wavelength, around
    span = shown.overall.start, shown.overall.stop
    inside = np.isfinite(values) & (x >= span[0]) & (x < span[1])
    if not inside.any():
        chart.clear()
        return
    x, lower, upper, values = x[inside], lower[inside], upper[inside], values[inside]
    known = [(start, stop, middle) for start, stop, middle in medians if np.isfinite(middle)]
    chart.draw(
        band=band(x, lower, upper),
        equal=(span, (equal, equal)),
        values=(x, values),
        medians=([(start, stop) for start, stop, _ in known], [(middle, middle) for *_, middle in known]),
    )
    bottom, top = np.percentile(values, SHOWN)
    bottom, top = min(bottom, equal, np.median(lower)), max(top, equal, np.median(upper))
    bottom, top, ticks = round_limits(bottom, top)
    chart.plot.viewer.axis_y.num_ticks = ticks
    chart.limit(span, (bottom, top))


def round_limits(low: float, high: float) -> tuple[float, float, int]:
    """Widen limits to whole steps of 1, 2 or 5, so that evenly spread ticks fall on round numbers.

    Returns
    -------
    float, float, int
        Both limits, and the number of ticks.
    """
    ticks = MaxNLocator(nbins=3, steps=[1, 2, 5, 10]).tick_values(low, max(high, low + 1e-4))
    return ticks[0], ticks[-1], ticks.size
