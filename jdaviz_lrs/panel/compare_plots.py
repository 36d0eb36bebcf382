"""The two plots of the section Compare: ratio, and difference in sigma, along the wavelength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.compare import Comparison
from jdaviz_lrs.panel.chart import Chart, band
from jdaviz_lrs.panel.marks import BLUE, ORANGE, VERMILLION

__all__ = ["ComparePlots"]

Row = NDArray[np.float64]

#: Percentiles of the points between which the y axis has room; what lies beyond is reached by zooming out.
SHOWN = (1, 99)


def styles(color: str) -> dict[str, dict]:
    """Name of a line to its style."""
    area = {"fill": "inside", "fill_opacities": [0.25], "opacities": [0.0]}
    return {
        "band": {"colors": [color], **area},
        "equal": {"colors": ["#888888"], "stroke_width": 1},
        "values": {"colors": [color], "stroke_width": 1.5},
        "medians": {"colors": [VERMILLION], "stroke_width": 3, "line_style": "dashed"},
    }


class ComparePlots:
    """Plots that belong to a panel, so that jdaviz's Export panel lists them under its name."""

    def __init__(self, panel):
        self.ratio = Chart(panel, "ratio", styles(ORANGE))
        self.sigma = Chart(panel, "difference", styles(BLUE))
        self.ratio.name_axes("Wavelength (um)", "Ratio")
        self.sigma.name_axes("Wavelength (um)", "Difference (sigma)")
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
    known = np.isfinite(values)
    inside = known & (x >= span[0]) & (x < span[1])
    if not inside.any():
        chart.clear()
        return
    chart.draw(
        band=band(x[known], lower[known], upper[known]),
        equal=(span, (equal, equal)),
        values=(x, values),
        medians=(
            np.array([(start, stop, np.nan) for start, stop, _ in medians]).ravel(),
            np.array([(middle, middle, np.nan) for *_, middle in medians]).ravel(),
        ),
    )
    seen = np.r_[lower[inside], upper[inside], values[inside]]
    bottom, top = np.percentile(seen, SHOWN)
    bottom, top = min(bottom, equal), max(top, equal)
    room = 0.1 * max(top - bottom, 1e-3)
    chart.limit(span, (bottom - room, top + room))
