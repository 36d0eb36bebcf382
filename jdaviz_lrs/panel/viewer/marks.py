"""What the panel draws in the viewers before anything is added.

The colours are those of Okabe and Ito, which colour-blind readers can tell apart; the line styles differ too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from astropy import units as u
from jdaviz.core.marks import PluginLine, PluginMarkCollection, PluginScatter
from jdaviz.core.unit_conversion_utils import all_flux_unit_conversion_equivs, flux_conversion_general
from numpy.typing import NDArray

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.viewer.display import Display

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PURPLE", "VERMILLION", "YELLOW", "PreviewMarks"]

ORANGE, BLUE, GREEN, VERMILLION, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7"

#: Of the cursor on images; of data in plots, seen on white and on black.
YELLOW, GREY = "#F0E442", "#808080"

Row = NDArray[np.float64]

#: The most outlines or lines that a mark can show in their style.
MOST = 12

#: Name of a mark to its style.
IMAGE_MARKS = {
    "background": {"colors": [BLUE], "fill": "inside", "fill_opacities": [0.15], "line_style": "dashed"},
    "aperture": {"colors": [ORANGE], "fill": "inside", "fill_opacities": [0.15]},
    "trace": {"colors": [VERMILLION], "line_style": "dotted"},
    "nods": {"colors": [PURPLE], "line_style": "dash_dotted"},
    "companions": {"colors": [GREEN], "line_style": "dash_dotted"},
    "held": {"colors": [YELLOW], "stroke_width": 3},
}
POINT_MARKS = {
    "rejected": {"colors": [VERMILLION], "marker": "cross", "default_size": 30, "stroke_width": 1},
    "bad": {"colors": [PURPLE], "marker": "square", "default_size": 30, "stroke_width": 1, "fill": False},
}
SPECTRUM_MARKS = {
    "band": {"colors": [ORANGE], "fill": "inside", "fill_opacities": [0.25], "stroke_width": 0},
    "subtracted": {"colors": [BLUE], "line_style": "dashed", "stroke_width": 1},
    "spectrum": {"colors": [ORANGE], "stroke_width": 1.5},
}


class PreviewMark(PluginLine):
    """A line or a set of closed outlines, its points sent in one message; the panel sees to the units."""

    def __init__(self, viewer, **kwargs):
        # bqplot does not repeat styles: one for each outline that there may be
        style = {k: v * MOST if isinstance(v, list) else v for k, v in kwargs.items()}
        super().__init__(viewer, **{"stroke_width": 2, "fill_colors": style["colors"], **style})
        self.auto_update_units = False

    def update_xy(self, x, y):
        """Move the mark; unchanged points are not sent again."""
        x, y = (_as_kept(values) for values in (x, y))
        if np.array_equal(x, self.x, equal_nan=True) and np.array_equal(y, self.y, equal_nan=True):
            return
        with self.hold_sync():
            self.x, self.y = x, y


def _as_kept(values) -> NDArray[np.float64]:
    """Points as bqplot keeps them: a single line loses its first axis, also where it has a single point."""
    values = np.asarray(values, float)
    return values[0] if values.ndim > 1 and len(values) == 1 else values


class PreviewPoints(PluginScatter):
    """Points, their place sent in one message."""

    def __init__(self, viewer, **kwargs):
        super().__init__(viewer, **kwargs)
        self.auto_update_units = False

    def update_xy(self, x, y):
        """Move the points; none are not sent again."""
        if len(x) or self.x.size:
            with self.hold_sync():
                self.x, self.y = np.asarray(x, float), np.asarray(y, float)


class PreviewMarks:
    """The marks of one panel, in whichever viewers show its dataset and its results."""

    @cached_property
    def image(self) -> dict[str, PluginMarkCollection]:
        """Those on the image, by name."""
        lines = {k: PluginMarkCollection(PreviewMark, **style) for k, style in IMAGE_MARKS.items()}
        points = {k: PluginMarkCollection(PreviewPoints, **style) for k, style in POINT_MARKS.items()}
        return lines | points

    @cached_property
    def lines(self) -> dict[str, PluginMarkCollection]:
        """Those of the spectrum, by name."""
        return {k: PluginMarkCollection(PreviewMark, **style) for k, style in SPECTRUM_MARKS.items()}

    def clear(self, *kinds: str) -> None:
        """Take away the marks on the ``image``, the ``lines`` of the spectrum, or all of them."""
        for kind in kinds or ("image", "lines"):
            for marks in vars(self).get(kind, {}).values():
                marks.clear()

    def show(self, state: PanelState, viewers: list) -> None:
        """Draw where the parameters, or the fit, have everything on the image, or take it away."""
        stale = state.stale if state.active else None
        if state.drawn is None and stale is None:
            self.clear("image")
            return
        if stale is None:
            layout, display, fitted = state.layout_drawn, state.source.display, state.preview
        else:
            layout, display, fitted = stale.layout, stale.source.display, None
        self._outlines("aperture", layout.edges, display, viewers)
        self._outlines("background", layout.background_edges, display, viewers)
        self._traces("trace", [] if layout.trace is None else [layout.trace], display, viewers)
        self._traces("nods", layout.nods, display, viewers)
        self._traces("companions", [*layout.companions, *layout.found], display, viewers)
        self._traces("held", [] if state.grip is None else state.grip.lines(layout), display, viewers)
        self._points("bad", layout.bad_pixels, display, viewers)
        self._points("rejected", None if fitted is None else fitted.rejected, display, viewers)
        self._tint("image", IMAGE_MARKS, stale is not None)

    def show_spectrum(self, state: PanelState, viewers: list) -> None:
        """Draw the spectrum, or take it away."""
        stale = state.stale if state.active and state.live else None
        shown = state.preview if stale is None else stale.spectrum
        if shown is None:
            self.clear("lines")
        else:
            self.draw_spectrum(shown, viewers)
            self._tint("lines", SPECTRUM_MARKS, stale is not None)

    def _tint(self, kind: str, styles: Mapping[str, Mapping], stale: bool) -> None:
        """Draw lines grey where they are those of other parameters, and in their own colours where not."""
        for name, style in styles.items():
            colors = ([GREY] if stale else style["colors"]) * MOST
            for mark in getattr(self, kind)[name].marks_list:
                if mark.colors != colors:
                    mark.colors = mark.fill_colors = colors

    def _outlines(self, name: str, edges: NDArray | None, display: Display, viewers: list) -> None:
        """Draw regions (n_regions, 2, n_disp), in the file's pixels, as closed outlines."""
        shapes = [] if edges is None else [_outline(region, display) for region in edges]
        shapes = [shape for shape in shapes if shape is not None]
        x, y = np.stack(shapes, axis=1) if shapes else ([], [])
        self.image[name].update_xy(x, y, viewers=viewers)

    def _traces(self, name: str, traces: list[Row], display: Display, viewers: list) -> None:
        """Draw traces, each (n_disp,) in the file's pixels."""
        x = np.broadcast_to(np.arange(display.rows.size), (len(traces), display.rows.size))
        y = [display.y(trace[display.rows]) for trace in traces]
        self.image[name].update_xy(x if traces else [], y, viewers=viewers)

    def _points(self, name: str, pixels: NDArray | None, display: Display, viewers: list) -> None:
        """Mark pixels, ([n_int,] n_disp, n_xdisp) of the image."""
        if pixels is None:
            self.image[name].clear()
            return
        plane = pixels if pixels.ndim == 2 else pixels.any(axis=0)
        y, x = np.nonzero(display.plane(plane))
        self.image[name].update_xy(x, y, viewers=viewers)

    def draw_spectrum(self, extracted: ExtractedSpectrum, viewers: list) -> None:
        """Draw the extracted spectrum, its error band, and the background subtracted from it."""
        wavelength, order = extracted.wavelength, np.argsort(extracted.wavelength)
        flux, error = extracted.flux, extracted.flux_error
        subtracted = extracted.background * _jy_per_brightness(extracted)
        finite = np.flatnonzero(np.isfinite(flux[order]))
        # gaps inside are shown as such, but bqplot cannot place a line that ends in one
        order = order[finite[0] : finite[-1] + 1] if finite.size else order[:0]
        known = order[np.isfinite(flux[order]) & np.isfinite(error[order])]
        for viewer in viewers:
            x_unit, to_viewer = _viewer_units(viewer, wavelength, extracted)
            x = (wavelength * u.um).to_value(x_unit, u.spectral())
            upper, lower = to_viewer(flux + error), to_viewer(flux - error)
            self._put("spectrum", x[order], to_viewer(flux)[order], viewer)
            self._put(
                "band", np.r_[x[known], x[known[::-1]]], np.r_[upper[known], lower[known[::-1]]], viewer
            )
            shown = order if np.any(np.nan_to_num(subtracted)) else order[:0]
            self._put("subtracted", x[shown], to_viewer(subtracted)[shown], viewer)
        for marks in self.lines.values():
            marks.clear_if_not_in_viewers(viewers)

    def _put(self, name: str, x: Row, y: Row, viewer) -> None:
        mark = self.lines[name].marks_for_viewers([viewer])[0]
        mark.update_xy(x, y)
        mark.visible = True


def _outline(edges: NDArray, display: Display) -> tuple[Row, Row] | None:
    """Corners of a region on the screen; whole rows, so half a pixel beyond the first and last centre."""
    lower, upper = display.y(edges[:, display.rows])
    x = np.flatnonzero(np.isfinite(lower) & np.isfinite(upper))
    if x.size == 0:
        return None
    lower, upper = lower[x], upper[x]
    across = np.r_[x[0] - 0.5, x, x[-1] + 0.5]
    lower, upper = np.r_[lower[0], lower, lower[-1]], np.r_[upper[0], upper, upper[-1]]
    padding = display.rows.size - x.size  # all outlines of a mark have the same number of points
    x, y = np.r_[across, across[::-1]], np.r_[lower, upper[::-1]]
    close = np.full(2 * padding + 1, 0)
    return np.r_[x, x[close]], np.r_[y, y[close]]


def _jy_per_brightness(extracted: ExtractedSpectrum) -> Row:
    """From MJy/sr per pixel to Jy in the aperture."""
    area = extracted.image.pixel_area if extracted.image is not None else 1.0
    correction = 1.0 if extracted.apcorr is None else extracted.apcorr
    return extracted.npixels * area * 1e6 * correction


def _viewer_units(viewer, wavelength: Row, extracted: ExtractedSpectrum):
    """Return the spectral unit of a viewer and the way to its flux unit from Jy."""
    x_unit = u.Unit(viewer.state.x_display_unit or "um")
    y_unit = u.Unit(viewer.state.y_display_unit or "Jy")
    if y_unit == u.Jy:
        return x_unit, lambda values: values
    area = extracted.image.pixel_area if extracted.image is not None else None
    equivalencies = all_flux_unit_conversion_equivs(area, wavelength * u.um)

    def to_viewer(values: Row) -> Row:
        try:
            return flux_conversion_general(values, u.Jy, y_unit, equivalencies, with_unit=False)
        except u.UnitConversionError:
            return np.full_like(values, np.nan)

    return x_unit, to_viewer
