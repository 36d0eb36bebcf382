"""Grip: what the mouse has hold of on the image, where that lies, and what the parameters become with it."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.edits import (
    Changes,
    bounds,
    move_aperture,
    move_region,
    move_source,
    move_trace,
    nearest,
    nearest_line,
)
from jdaviz_lrs.panel.layout import Layout
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["Grip", "borders", "grip_at", "moved", "snapped", "whole"]

#: What a value can come to, by the mouse: its step, and one of the places.
WHOLE, HALVES, BORDERS = (1.0, 0.0), (0.5, 0.0), (1.0, 0.5)


@dataclass(frozen=True)
class Grip:
    """An edge, or the whole, of a region; or a trace.

    Attributes
    ----------
    what : str
        ``aperture`` or ``background``; ``trace`` or ``source`` for an optimal extraction.
    index : int
        Which of the regions, or of the further sources.
    side : int or None
        The edge: 0 lower, 1 upper; None for the whole.
    """

    what: str
    index: int = 0
    side: int | None = None

    @property
    def cursor(self) -> str:
        """The shape of the pointer over it, as CSS names it."""
        return "grab" if self.side is None else "ns-resize"

    def lines(self, layout: Layout) -> list[NDArray]:
        """Return its edge, its two edges or its trace, each (n_disp,); nothing where it is no more."""
        if self.what in ("trace", "source"):
            traces = (layout.trace,) if self.what == "trace" else layout.companions
            return [] if layout.edges is not None else [*traces[self.index : self.index + 1]]
        regions = layout.edges if self.what == "aperture" else layout.background_edges
        if regions is None or self.index >= len(regions):
            return []
        edges = regions[self.index]
        return [*edges] if self.side is None else [edges[self.side]]


def whole(layout: Layout) -> Grip:
    """Return the aperture or the trace."""
    return Grip("trace" if layout.edges is None else "aperture")


def grip_at(layout: Layout, column: float, row: int, reach: float) -> Grip | None:
    """Find what lies at a place of the image.

    Parameters
    ----------
    layout : Layout
    column : float
        Of the file.
    row : int
        Of the image.
    reach : float
        How near to an edge the mouse takes hold of it, in pixels; to a trace, twice as far.
    """
    if layout.edges is None:
        line = nearest_line((layout.trace, *layout.companions), column, row, 2.0 * reach)
        return None if line is None else Grip("source", line - 1) if line else Grip("trace")
    for what, edges in (("aperture", layout.edges), ("background", layout.background_edges)):
        if edges is not None and (found := nearest(edges, column, row, reach)):
            return Grip(what, *found)
    return None


def moved(
    image: SpectralImage, parameters: ExtractionParameters, layout: Layout, grip: Grip, by: float
) -> Changes:
    """Return the parameters to change where something moves by some pixels."""
    lower_by = by if grip.side in (0, None) else 0.0
    upper_by = by if grip.side in (1, None) else 0.0
    if grip.what == "trace":
        return move_trace(parameters, by)
    if grip.what == "source":
        return move_source(parameters, grip.index, by)
    if grip.what == "aperture":
        return move_aperture(image, parameters, layout, lower_by, upper_by, grip.index)
    return move_region(parameters, grip.index, lower_by, upper_by)


def snapped(
    image: SpectralImage, parameters: ExtractionParameters, layout: Layout, grip: Grip, by: float
) -> float:
    """Return the movement that brings a parameter to a whole or half number of pixels, as suits it.

    Whole: start, stop and width. Half: places of edges in columns, which are borders of pixels there; offsets
    and distances, each half pixel. Where the movement began is as good a place as these.

    Returns
    -------
    float
        In pixels, the nearest to `by`.
    """
    value, places = _measure(image, parameters, layout, grip)
    goal = _nearest_place(value + by, places) - value
    return goal if abs(goal - by) < abs(by) else 0.0


def borders(layout: Layout, *columns: float) -> tuple[float, ...]:
    """Bring edges of a new background region, in columns of the file, to where `snapped` would."""
    places = _places(layout)
    return tuple(_nearest_place(column - layout.shift, places) + layout.shift for column in columns)


def _nearest_place(value: float, places: tuple[float, float]) -> float:
    step, origin = places
    return origin + step * round((value - origin) / step)


def _places(layout: Layout) -> tuple[float, float]:
    """Return where a straight edge is to come to rest."""
    return HALVES if layout.about_source else BORDERS


def _measure(
    image: SpectralImage, parameters: ExtractionParameters, layout: Layout, grip: Grip
) -> tuple[float, tuple[float, float]]:
    """Return what grows with a movement as much as that, and the places where it is to come to rest."""
    side = grip.side or 0
    if grip.what == "trace":
        return parameters.position_offset, HALVES
    if grip.what == "source":
        return parameters.sources[grip.index], HALVES
    if grip.what == "background":
        return _coefficient(parameters.bkg_coeff[2 * grip.index + side], layout)
    sign = 1.0 if side else -1.0  # a lower edge that goes up leaves less
    if parameters.src_coeff is not None:
        edges = parameters.src_coeff
        if not (layout.about_source and len(edges) == 2):
            return _coefficient(edges[2 * grip.index + side], layout)
        if grip.side is not None:
            return sign * (edges[1][0] - edges[0][0]), WHOLE
    elif grip.side is not None and parameters.extract_width is not None:
        return sign * parameters.extract_width, WHOLE
    if grip.side is None and layout.trace is not None:
        return parameters.position_offset, HALVES
    limits = bounds(image, parameters)
    if parameters.extract_width is None:
        return limits[side], WHOLE
    return 0.5 * (sum(limits) - parameters.extract_width), BORDERS


def _coefficient(edge: tuple[float, ...], layout: Layout) -> tuple[float, tuple[float, float]]:
    if len(edge) > 1:  # of an edge that runs across pixels anyway, only the movement
        return 0.0, HALVES
    return edge[0], _places(layout)
