"""The file's own pixels in the viewers: along their axes, in the readout, and where the cursor marks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

import numpy as np
from astropy import units as u
from jdaviz.configs.specviz.plugins.viewers import Spectrum1DViewer, Spectrum2DViewer
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from jdaviz_lrs.panel.viewer.display import Display

__all__ = ["FilePixels"]

LIMITS = ("x_min", "x_max", "y_min", "y_max")

#: Ticks along the axes of an image, at most.
TICKS = {"x": 10, "y": 8}

#: Of pixels, that ticks have: the browser looks a tick's label up by its number as text.
DIGITS = 6

#: jdaviz's own names of the axes.
PLAIN = {"x": "x: pixels", "y": "y: pixels"}


class FilePixels:
    """Names the pixels of the viewers as the file, the panel's fields and the JSON do: from zero.

    jdaviz counts from the corner of what is shown, and in a spectrum from its first value: it marks a
    wavelength on an image at the column of that number, which is another where the spectrum has another order
    or length.

    Parameters
    ----------
    app : jdaviz application
    displayed : callable
        Returns the `Display` of a glue dataset, or None for one that is not ours.
    """

    def __init__(self, app: Any, displayed: Callable[[Any], Display | None]):
        self._app, self._displayed = app, displayed
        self._attended: WeakSet = WeakSet()

    def attend(self) -> None:
        """See to all viewers that there are now."""
        for viewer in self._app.get_viewers_of_cls(Spectrum2DViewer):
            if viewer not in self._attended:
                self._attended.add(viewer)
                viewer.add_event_callback(partial(self._on_image, viewer), events=["mousemove"])
                for limit in LIMITS:
                    viewer.state.add_callback(limit, partial(self._on_limits, viewer))
            self.name_axes(viewer)
        for viewer in self._app.get_viewers_of_cls(Spectrum1DViewer):
            if viewer not in self._attended:
                self._attended.add(viewer)
                viewer.add_event_callback(self._on_spectrum, events=["mousemove"])

    def name_axes(self, viewer: Any) -> None:
        """Put round numbers of the file along the axes of an image."""
        display, state = self.display(viewer), viewer.state
        for axis, name, along in zip(viewer.figure.axes, ("x", "y"), _ways(display), strict=True):
            limits = (getattr(state, f"{name}_min"), getattr(state, f"{name}_max"))
            if along is None or None in limits:
                axis.tick_values, axis.tick_labels, axis.label = None, None, PLAIN[name]
                continue
            axis.label, start, step = along
            low, high = sorted(start + step * np.array(limits, float))
            numbers = MaxNLocator(TICKS[name], steps=[1, 2, 5, 10]).tick_values(low, high)
            numbers = numbers[(numbers >= low) & (numbers <= high)].round(DIGITS) + 0.0  # no minus zero
            places = (step * (numbers - start)).round(DIGITS) + 0.0
            labels = {
                f"{place:.12g}": f"{number:.12g}" for place, number in zip(places, numbers, strict=True)
            }
            # one after the other: bqplot writes new ticks with the labels that it has when their places come
            axis.tick_labels = labels
            axis.tick_values = places

    def display(self, viewer: Any) -> Display | None:
        """Return how the image that a viewer shows lies in it; None where it shows none of ours."""
        for layer in viewer.layers:
            data = layer.layer
            if layer.visible and (display := self._displayed(data)) is not None:
                return display
        return None

    @property
    def _readout(self) -> Any:
        return self._app.session.application._tools.get("g-coords-info")

    def _on_limits(self, viewer: Any, _: Any) -> None:
        self.name_axes(viewer)

    def read_out(self, viewer: Any, event: dict) -> None:
        """Have the readout follow a mouse that drags, of which jdaviz does not hear."""
        where, readout = event["domain"], self._readout
        if readout is not None:
            readout.update_display(viewer, x=where["x"], y=where["y"])
            self._on_image(viewer, event)

    def _on_image(self, viewer: Any, event: dict) -> None:
        """Say which pixel of the file is under the mouse, in place of that of the viewer."""
        where, display, readout = event.get("domain") or {}, self.display(viewer), self._readout
        if display is None or readout is None or "y" not in where or readout.row1a_title != "Pixel":
            return
        image, place = display.image, round(where["x"])
        column = float(display.xdisp(where["y"]))
        if not 0 <= place < display.rows.size:
            return
        row = int(image.disp_index[display.rows[place]])
        across, along = ("row", "column") if image.horizontal else ("column", "row")
        readout.row1a_text = f"{across} {column:z.1f}, {along} {row}"

    def _on_spectrum(self, event: dict) -> None:
        """Mark the wavelength that jdaviz found under the mouse where each image has it."""
        readout = self._readout
        told = {} if readout is None else readout.as_dict()
        wavelength, unit = told.get("spectral_axis"), told.get("spectral_axis:unit")
        if wavelength is None or not unit:
            return
        micron = u.Quantity(wavelength, unit).to_value(u.um, u.spectral())
        for viewer in self._app.get_viewers_of_cls(Spectrum2DViewer):
            mark, display = readout.marks.get(viewer._reference_id), self.display(viewer)
            if mark is not None and mark.visible and display is not None:
                column = nearest_column(display.wavelength, micron)
                mark.update_xy([column, column], [0, 1])


def nearest_column(wavelength: NDArray[np.float64], wanted: float) -> int:
    """Return the place of the wavelength (n_shown,) that is nearest."""
    return int(np.argmin(np.abs(wavelength - wanted)))


def _ways(display: Display | None) -> tuple[tuple[str, float, float] | None, ...]:
    """Return, for each axis, what it counts, the file's pixel at zero, and the step from one to the next.

    None where the file's pixels do not follow one another: rows whose wavelengths fold over.
    """
    if display is None:
        return None, None
    image, rows = display.image, display.image.disp_index[display.rows]
    across, along = ("Row", "Column") if image.horizontal else ("Column", "Row")
    steps = np.diff(rows)
    even = steps.size > 0 and (steps == steps[0]).all() and abs(steps[0]) == 1
    x = (f"{along} of the file", float(rows[0]), float(steps[0])) if even else None
    return x, (f"{across} of the file", float(image.origin[1]), 1.0)
