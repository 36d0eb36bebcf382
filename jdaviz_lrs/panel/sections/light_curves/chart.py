"""The plots of the section Light curves."""

from __future__ import annotations

import numpy as np
from bqplot import ColorScale
from bqplot_image_gl import ImageGL
from numpy.typing import NDArray

from jdaviz_lrs.analysis.lightcurve import USUAL_RANGE, LightCurves
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.panel.sections.chart import Chart, upright
from jdaviz_lrs.panel.viewer.marks import BLUE, ORANGE

__all__ = ["DriftChart", "DynamicChart", "LightCurveChart"]

#: Of the bins, from short wavelengths to long ones.
HUES = ["#440154", "#3b528b", "#21918c", "#5ec962", "#c7a70b"]

WHITE = {"colors": ["#808080"], "stroke_width": 1.5, "label": "white light"}

#: Share of the residuals that lie within the colours, in per cent.
WITHIN = 98.0

#: Hours below which time is counted in minutes, in short numbers along the axis.
SHORT = 2.0

#: Rows of the image of time against wavelength, at most: what a screen can show.
ROWS = 400


class LightCurveChart(Chart):
    """Relative flux against time: white light above, bins below one another."""

    def __init__(self, panel):
        styles = {
            "white": WHITE,
            "bins": {"colors": HUES, "stroke_width": 1, "label": "bins, short wavelengths above"},
        }
        super().__init__(panel, "light curves", styles, height="340px")

    def show(self, curves: LightCurves) -> None:
        """Draw them, each lower than the one before by what they scatter."""
        x, name = _time(curves)
        white = curves.white / np.nanmedian(curves.white)
        relative = (curves.flux / np.nanmedian(curves.flux, axis=0)).T
        low, high = np.nanpercentile([white, *relative], [0.5, 99.5])
        step = (high - low) or 1.0
        offset = -step * (1 + np.arange(len(relative)))[:, None]
        self.name_axes(name, "Relative flux, shifted")
        self.draw(white=(x, white), bins=(np.broadcast_to(x, relative.shape), relative + offset))
        self.limit((x[0], x[-1]), (low + offset[-1, 0], high + 0.2 * step))


class DynamicChart(Chart):
    """Residual of the mean, time against wavelength, with the edges of the bins."""

    def __init__(self, panel):
        styles = {
            "edges": {"colors": ["#202020"], "stroke_width": 1, "full_height": True, "label": "edges of bins"}
        }
        super().__init__(panel, "dynamic spectrum", styles, height="300px")
        self.reach = 0.0  # of the colours, relative to the median
        scales = {**self.plot.viewer.scales, "image": ColorScale(scheme="RdBu", min=-1, max=1)}
        self.image = ImageGL(image=np.zeros((2, 2)), scales=scales, visible=False)
        self.plot.figure.marks = [self.image, *self.plot.figure.marks]

    def show(self, series: ExtractedSeries, curves: LightCurves) -> None:
        """Draw the flux over its median in time."""
        time, name = _time(curves)
        flux = np.asarray(series.flux)
        known = np.flatnonzero(np.isfinite(flux).any(axis=0) & (series.wavelength >= USUAL_RANGE[0]))
        known = known[np.argsort(series.wavelength[known])]
        flux = flux[:, known]
        with np.errstate(invalid="ignore", divide="ignore"):
            residual = flux / np.nanmedian(flux, axis=0) - 1
        wavelength = np.linspace(series.wavelength[known[0]], series.wavelength[known[-1]], known.size)
        nearest = np.abs(series.wavelength[known][:, None] - wavelength).argmin(axis=0)
        residual = _thinned(residual[:, nearest])
        reach = np.nanpercentile(np.abs(residual), WITHIN) or 1.0
        self.reach = float(reach)
        self.image.scales["image"].min, self.image.scales["image"].max = -float(reach), float(reach)
        with self.image.hold_sync():
            self.image.image = np.nan_to_num(residual).astype(np.float32)
            self.image.x, self.image.y = (
                (float(wavelength[0]), float(wavelength[-1])),
                (float(time[0]), float(time[-1])),
            )
            self.image.visible = True
        self.name_axes("Wavelength (um)", name)
        self.draw(edges=upright(*np.unique(curves.bins)))
        self.limit((wavelength[0], wavelength[-1]), (time[0], time[-1]))


class DriftChart(Chart):
    """Place of the star along the slit and width of the PSF against time."""

    def __init__(self, panel):
        styles = {
            "shift": {"colors": [BLUE], "stroke_width": 1, "label": "place (1/1000 pixel)"},
            "width": {"colors": [ORANGE], "stroke_width": 1, "label": "width (1/1000 of it)"},
        }
        super().__init__(panel, "drift", styles, height="240px")

    def show(self, curves: LightCurves) -> None:
        """Draw what was measured; nothing, where it was not."""
        x, name = _time(curves)
        drift = {key: 1e3 * np.asarray(curves.drift.get(key, ()), float) for key in ("shift", "width")}
        known = {key: one for key, one in drift.items() if np.isfinite(one).any()}
        self.clear()
        if known:
            self.name_axes(name, "Less the mean (1/1000)")
            self.draw(**{key: (x, one) for key, one in known.items()})
            low, high = np.nanpercentile([*known.values()], [0.2, 99.8])
            room = 0.1 * (high - low) or 1.0
            self.limit((x[0], x[-1]), (low - room, high + room))


def _time(curves: LightCurves) -> tuple[NDArray, str]:
    """Return the time of every integration, and what it is."""
    if np.isfinite(curves.mjd_utc).all():
        hours = 24 * (curves.mjd_utc - curves.mjd_utc[0])
        return (60 * hours, "Minutes") if hours[-1] < SHORT else (hours, "Hours")
    return np.asarray(curves.int_num, float), "Integration"


def _thinned(rows: NDArray) -> NDArray:
    """Average neighbouring integrations until a screen can show them."""
    size = -(-len(rows) // ROWS)
    if size == 1:
        return rows
    whole = len(rows) // size * size
    return rows[:whole].reshape(-1, size, rows.shape[1]).mean(axis=1)
