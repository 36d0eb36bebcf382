"""The plot of a cut across the dispersion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.analysis.cross_section import CrossSection
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.sections.chart import Chart, band, boxes, steps, upright
from jdaviz_lrs.panel.viewer.marks import BLUE, GREY, ORANGE, PURPLE, VERMILLION

__all__ = ["ProfileChart"]

STYLES = {
    "regions": {
        "colors": [BLUE], "fill": "inside", "fill_opacities": [0.15], "line_style": "dashed",
        "stroke_width": 1, "full_height": True, "label": "background regions",
    },
    "aperture": {
        "colors": [ORANGE], "fill": "inside", "fill_opacities": [0.2], "stroke_width": 2,
        "full_height": True, "label": "aperture",
    },
    "trace": {
        "colors": [VERMILLION], "line_style": "dotted", "stroke_width": 2, "full_height": True,
        "label": "trace",
    },
    "nod": {
        "colors": [PURPLE], "line_style": "dash_dotted", "stroke_width": 2, "full_height": True,
        "label": "trace of the other nod",
    },
    "error": {"colors": [GREY], "fill": "inside", "fill_opacities": [0.35], "stroke_width": 0},
    "data": {"colors": [GREY], "stroke_width": 2, "label": "data"},
    "background": {
        "colors": [BLUE], "line_style": "dashed", "stroke_width": 3, "label": "fitted background",
    },
    "model": {"colors": [VERMILLION], "stroke_width": 2, "label": "model"},
}  # fmt: skip


class ProfileChart(Chart):
    """Data, aperture, background regions, traces, and what is fitted; in the file's pixels."""

    def __init__(self, panel):
        super().__init__(panel, "cross-dispersion profile", STYLES)

    def show(self, cut: CrossSection, image: SpectralImage, background_only: bool = False) -> None:
        """Draw a cut; `background_only` lets the y axis show the level of the background."""
        seen, fitted, drawn = (np.isfinite(curve) for curve in (cut.value, cut.background, cut.model))
        x, y = cut.columns[seen], cut.value[seen]
        error = np.nan_to_num(cut.error[seen])
        corners, low = steps(x, y - error)
        _, high = steps(x, y + error)
        self.draw(
            regions=boxes(cut.regions),
            aperture=boxes(cut.aperture),
            trace=upright(cut.trace),
            nod=upright(cut.nod),
            error=band(corners, low, high),
            data=steps(x, y),
            background=(cut.columns[fitted], cut.background[fitted]),
            model=(cut.model_columns[drawn], cut.model[drawn]),
        )
        self.limit((cut.columns[0] - 0.5, cut.columns[-1] + 0.5), _height(cut, background_only))
        quantity = "Flux" if image.unit == "Jy" else "Brightness"
        self.name_axes(f"{'Row' if image.horizontal else 'Column'} (pixels)", f"{quantity} ({image.unit})")


def _height(cut: CrossSection, background_only: bool) -> tuple[float, float]:
    """Range of the y axis."""
    if background_only:
        shown = np.r_[cut.value, cut.background][np.tile(_level(cut), 2)]
    else:
        shown = np.r_[cut.value, cut.background, cut.model]
    shown = shown[np.isfinite(shown)]
    if not shown.size:
        return 0.0, 1.0
    low, high = float(shown.min()), float(shown.max())
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _level(cut: CrossSection) -> NDArray[np.bool_]:
    """Pixels of the background: those in its regions, or those at the level of most."""
    if len(cut.regions):
        low, high = cut.regions[:, :1], cut.regions[:, 1:]
        return ((cut.columns > low - 0.5) & (cut.columns < high + 0.5)).any(axis=0)
    distance = np.abs(cut.value - np.nanmedian(cut.value))
    return distance < 5.0 * np.nanmedian(distance)
