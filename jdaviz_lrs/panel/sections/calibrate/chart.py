"""The plot of the section Calibrate: a response with its error."""

from __future__ import annotations

import numpy as np

from jdaviz_lrs.fluxcal.response import Response
from jdaviz_lrs.panel.sections.chart import Chart, band
from jdaviz_lrs.panel.viewer.marks import GREY, ORANGE

__all__ = ["ResponseChart"]

STYLES = {
    "band": {
        "colors": [ORANGE],
        "fill": "inside",
        "fill_opacities": [0.25],
        "stroke_width": 0,
        "label": "error",
    },
    "one": {"colors": [GREY], "stroke_width": 1},
    "factor": {"colors": [ORANGE], "stroke_width": 1.5, "label": "response"},
}


class ResponseChart(Chart):
    """Factor against wavelength."""

    def __init__(self, panel):
        super().__init__(panel, "response", STYLES, height="240px")
        self.name_axes("Wavelength (um)", "Model / extracted flux")

    def show(self, response: Response) -> None:
        """Draw where it is valid."""
        known = np.isfinite(response.factor)
        x, factor = response.wavelength[known], response.factor[known]
        error = np.hypot(response.error, response.systematic)[known]
        span = x[0], x[-1]
        self.draw(band=band(x, factor - error, factor + error), one=(span, (1.0, 1.0)), factor=(x, factor))
        low, high = min(1.0, (factor - error).min()), max(1.0, (factor + error).max())
        room = 0.1 * (high - low)
        self.limit(span, (low - room, high + room))
