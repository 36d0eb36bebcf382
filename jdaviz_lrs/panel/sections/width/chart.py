"""The plot of growth curve and signal-to-noise ratio against the width of the aperture."""

from __future__ import annotations

import numpy as np

from jdaviz_lrs.engine.growth import Growth
from jdaviz_lrs.panel.sections.chart import Chart, boxes, upright
from jdaviz_lrs.panel.viewer.marks import GREEN, GREY, ORANGE, VERMILLION

__all__ = ["WidthChart"]

STYLES = {
    "good": {
        "colors": [GREEN], "fill": "inside", "fill_opacities": [0.15], "stroke_width": 0,
        "full_height": True, "label": "S/N within 1 % of its best",
    },
    "best": {
        "colors": [GREEN], "line_style": "dashed", "stroke_width": 2, "full_height": True,
        "label": "best width",
    },
    "current": {"colors": [ORANGE], "stroke_width": 2, "full_height": True, "label": "width now"},
    "measured": {"colors": [GREY], "stroke_width": 5, "label": "light enclosed, measured"},
    "expected": {"colors": [VERMILLION], "stroke_width": 2, "label": "light enclosed, PSF"},
    "snr": {"colors": [GREEN], "stroke_width": 1.5, "line_style": "dotted", "label": "S/N, measured"},
    "expected_snr": {"colors": [GREEN], "stroke_width": 2, "label": "S/N, PSF"},
}  # fmt: skip


class WidthChart(Chart):
    """Both curves over their whole: light over all light, S/N over the best."""

    def __init__(self, panel):
        super().__init__(panel, "growth curve", STYLES)
        self.name_axes("Full width (pixels)", "Share of all light; S/N over its best")

    def show(self, growth: Growth, now: float) -> None:
        """Draw the curves, the best width and the one that is set."""
        known = np.isfinite(growth.expected)
        widths, best = growth.widths, growth.best_snr
        self.draw(
            good=boxes([growth.good]),
            best=upright(growth.best),
            current=upright(now),
            measured=(widths, growth.measured),
            expected=(widths[known], growth.expected[known]),
            snr=(widths, growth.snr / best),
            expected_snr=(widths[known], growth.expected_snr[known] / best),
        )
        highest = max(1.0, float(np.nanmax(growth.measured)))
        self.limit((widths[0], widths[-1]), (0.0, min(1.05 * highest, 1.5)))
