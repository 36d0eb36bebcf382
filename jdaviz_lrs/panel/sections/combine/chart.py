"""The plot of the section Combine: the inputs, their mean, and what was left out."""

from __future__ import annotations

import numpy as np

from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.panel.sections.chart import Chart
from jdaviz_lrs.panel.viewer.marks import BLUE, ORANGE, VERMILLION

__all__ = ["CombineChart"]

STYLES = {
    "inputs": {"colors": [BLUE], "stroke_width": 1, "label": "inputs"},
    "combined": {"colors": [ORANGE], "stroke_width": 1.5, "label": "combined"},
    "outliers": {
        "colors": [VERMILLION], "stroke_width": 0, "marker": "cross", "marker_size": 40,
        "line_style": "dotted", "label": "left out",
    },
}  # fmt: skip

#: Percentiles of the combined flux between which the y axis has room: a hit of an input may leave it.
SHOWN = (0.5, 99.5)


class CombineChart(Chart):
    """Flux against wavelength."""

    def __init__(self, panel):
        super().__init__(panel, "combined", STYLES, height="260px")
        self.name_axes("Wavelength (um)", "Flux (Jy)")
        self.plot.viewer.axis_y.tick_format = "~s"  # 1.2m: zeros would run into the axis' name

    def show(self, spectrum: CombinedSpectrum) -> None:
        """Draw the inputs as they were averaged, over one another."""
        known = np.isfinite(spectrum.flux)
        if not known.any():
            self.clear()
            return
        x = np.broadcast_to(spectrum.wavelength, spectrum.input_flux.shape)
        left_out = np.isfinite(spectrum.input_flux) & ~spectrum.used
        self.draw(
            inputs=(x, spectrum.input_flux),
            combined=(spectrum.wavelength[known], spectrum.flux[known]),
            outliers=(x[left_out], spectrum.input_flux[left_out]),
        )
        low, high = np.percentile(spectrum.flux[known], SHOWN)
        room = 0.1 * (high - low) or 1.0
        span = spectrum.wavelength[known].min(), spectrum.wavelength[known].max()
        self.limit(span, (low - room, high + room))
