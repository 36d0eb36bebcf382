"""What the parameters become when aperture or background regions are moved by hand.

Positions and distances are in the file's pixels, across the dispersion. Moving the aperture leaves the
background regions in place, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.layout import Layout
from jdaviz_lrs.parameters import Coefficients, ExtractionParameters

__all__ = [
    "add_region",
    "add_source",
    "bounds",
    "keep_regions",
    "move_aperture",
    "move_region",
    "move_source",
    "move_trace",
    "nearest",
    "nearest_line",
    "remove_region",
    "remove_source",
    "toggle_pixel",
]

Changes = dict[str, Any]

#: Digits kept of what the mouse gives, in pixels.
DIGITS = 2


def across(image: SpectralImage) -> tuple[str, str]:
    """Names of the parameters that bound the aperture across the dispersion."""
    return ("ystart", "ystop") if image.horizontal else ("xstart", "xstop")


def move_aperture(
    image: SpectralImage,
    parameters: ExtractionParameters,
    layout: Layout,
    lower_by: float,
    upper_by: float,
    region: int = 0,
) -> Changes:
    """Move the edges of the aperture.

    Returns
    -------
    dict
        Parameters to change.
    """
    mean_by = 0.5 * (lower_by + upper_by)
    offset = {"position_offset": round(parameters.position_offset + mean_by, DIGITS)}
    if layout.about_source and len(parameters.src_coeff) == 2:
        # the edges stay about the source, and the background regions, given from there too, in place
        half = 0.5 * (upper_by - lower_by)
        widened = {"src_coeff": _shift(parameters.src_coeff, region, -half, half)} if half else {}
        return widened | offset | keep_regions(parameters, mean_by)
    if layout.about_source:
        return {"src_coeff": _shift(parameters.src_coeff, region, lower_by, upper_by)}
    if parameters.src_coeff is not None:
        changes: Changes = {"src_coeff": _shift(parameters.src_coeff, region, lower_by, upper_by)}
    else:
        (first, last), by = bounds(image, parameters), (lower_by, upper_by)
        if parameters.extract_width is not None:
            changes = {"extract_width": round(parameters.extract_width + upper_by - lower_by, DIGITS)}
            by = (mean_by, mean_by)
        else:
            changes = {}
        names = across(image)
        changes |= {name: round(v + d, DIGITS) for name, v, d in zip(names, (first, last), by, strict=True)}
    # an aperture that is centred on the source is moved from there by an offset only
    return changes if layout.trace is None else changes | offset


def keep_regions(parameters: ExtractionParameters, shift_by: float) -> Changes:
    """Leave the background regions in place where what is added to them grows by `shift_by`."""
    if parameters.bkg_coeff is None:
        return {}
    moved = tuple((round(c[0] - shift_by, DIGITS), *c[1:]) for c in parameters.bkg_coeff)
    return {"bkg_coeff": moved}


def move_region(parameters: ExtractionParameters, region: int, lower_by: float, upper_by: float) -> Changes:
    """Move the edges of a background region."""
    return {"bkg_coeff": _shift(parameters.bkg_coeff, region, lower_by, upper_by)}


def remove_region(parameters: ExtractionParameters, region: int) -> Changes:
    """Take a background region away."""
    kept = parameters.bkg_coeff[: 2 * region] + parameters.bkg_coeff[2 * region + 2 :]
    return {"bkg_coeff": kept or None}


def move_trace(parameters: ExtractionParameters, by: float) -> Changes:
    """Move the trace of an optimal extraction; further sources, given from it, go with it."""
    return {"position_offset": round(parameters.position_offset + by, DIGITS)}


def move_source(parameters: ExtractionParameters, source: int, by: float) -> Changes:
    """Move one of the further sources."""
    places = list(parameters.sources)
    places[source] = round(places[source] + by, DIGITS)
    return {"sources": tuple(places)}


def remove_source(parameters: ExtractionParameters, source: int) -> Changes:
    """Take one of the further sources away."""
    return {"sources": parameters.sources[:source] + parameters.sources[source + 1 :]}


def add_source(parameters: ExtractionParameters, offset: float) -> Changes:
    """Add a source at an offset from the target."""
    return {"sources": (*parameters.sources, round(offset, DIGITS))}


def add_region(parameters: ExtractionParameters, layout: Layout, lower: float, upper: float) -> Changes:
    """Add a background region between two columns of the image."""
    new = tuple((round(edge - layout.shift, DIGITS),) for edge in sorted((lower, upper)))
    return {"bkg_coeff": (*(parameters.bkg_coeff or ()), *new)}


def toggle_pixel(parameters: ExtractionParameters, column: int, row: int) -> Changes:
    """Mark a pixel of the file as bad, or, where it was marked, not."""
    given, pixel = parameters.bad_pixels, (column, row)
    marked = pixel in given
    return {"bad_pixels": tuple(one for one in given if one != pixel) if marked else (*given, pixel)}


def bounds(image: SpectralImage, parameters: ExtractionParameters) -> tuple[float, float]:
    """First and last column of the aperture; those of the image where none are given."""
    first, last = (getattr(parameters, name) for name in across(image))
    size = (image.file_shape or image.shape)[1]
    return (0.0 if first is None else first, size - 1.0 if last is None else last)


def _shift(coefficients: Coefficients, region: int, lower_by: float, upper_by: float) -> Coefficients:
    moved = [list(edge) for edge in coefficients]
    for edge, by in ((2 * region, lower_by), (2 * region + 1, upper_by)):
        moved[edge][0] = round(moved[edge][0] + by, DIGITS)
    return tuple(tuple(edge) for edge in moved)


def nearest(edges: NDArray, column: float, row: int, reach: float) -> tuple[int, int | None] | None:
    """Find what lies under the mouse among regions (n_regions, 2, n_disp).

    Returns
    -------
    (int, int or None) or None
        The region, and its edge (0 lower, 1 upper; None for its inside); None when nothing is within reach.
    """
    here = edges[:, :, row]
    if not np.isfinite(here).any():
        return None
    distance = np.abs(here - column)
    region, side = np.unravel_index(np.nanargmin(distance), distance.shape)
    if distance[region, side] <= min(reach, 0.4 * (here[region, 1] - here[region, 0])):
        return int(region), int(side)
    inside = np.flatnonzero((here[:, 0] < column) & (column < here[:, 1]))
    return (int(inside[0]), None) if inside.size else None


def nearest_line(traces: Sequence[NDArray], column: float, row: int, reach: float) -> int | None:
    """Find which of some traces, each (n_disp,), lies under the mouse; None when none is within reach."""
    distance = [abs(trace[row] - column) for trace in traces]
    best = min(range(len(distance)), key=distance.__getitem__)
    return best if distance[best] <= reach else None
