"""Where there is room for a background region: beside source, nods, neighbours and other regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import binary_dilation, find_objects, label
from scipy.stats import theilslopes

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.spatial_profile import median_profile
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.traces import place_traces
from jdaviz_lrs.panel.edits import Changes, add_region
from jdaviz_lrs.panel.layout import Layout
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["add_free_region", "free_region", "lit_columns"]

Bounds = tuple[float, float]

#: Pixels left free between what is there and a new region: those wanted, and those that will do.
GAPS = (3.0, 1.0)

#: The new region's usual and least width, in pixels.
WIDTH, LEAST = 6.0, 2.0

#: Errors by which the light of a column must stand out, positive or negative, to be a source's, and its share
#: of the brightest column's: less is in the wings.
LIT, SHARE = 5.0, 0.05

NO_ROOM = (
    "There is no room for a background region beside source, nods, neighbours and other regions; take one of "
    "these away, or drag a region out on the image with the tool."
)


def add_free_region(image: SpectralImage, parameters: ExtractionParameters, layout: Layout) -> Changes:
    """Add a background region where neither a source nor another region lies.

    Raises
    ------
    LRSError
        When there is no room for one.
    """
    regions = () if layout.background_edges is None else layout.background_edges
    taken = [(float(np.nanmin(lower)), float(np.nanmax(upper))) for lower, upper in (*layout.edges, *regions)]
    taken += [*_traces(image, parameters), *lit_columns(image)]
    columns = image.xdisp_index
    return add_region(parameters, layout, *free_region(taken, columns[0] - 0.5, columns[-1] + 0.5))


def _traces(image: SpectralImage, parameters: ExtractionParameters) -> Iterator[Bounds]:
    """Where the header has source and nods, as wide as the aperture that the flux calibration is tied to."""
    half = 0.5 * image.mode.calibration_width
    try:
        found = place_traces(image, parameters.with_({"model_nod_pair": True, "position_offset": 0.0}))
    except LRSError:  # a header that tells no place
        return
    for trace in (found.source, *found.nods):
        yield float(np.nanmin(trace)) - half, float(np.nanmax(trace)) + half


def lit_columns(image: SpectralImage) -> list[Bounds]:
    """Find columns whose light stands out, of sources that the header does not know.

    Returns
    -------
    list of (float, float)
        Borders of the stretches, in the file's columns, a pixel wider on either side.
    """
    rows = image.good.any(axis=1)
    data, good = image.data[rows], image.good[rows]
    sky = np.nanmedian(np.where(good, data, np.nan), axis=1, keepdims=True)
    cut = median_profile(data - sky, image.variance[rows], good)
    columns = np.flatnonzero(cut.number > 0.5 * len(data))
    if columns.size < LEAST:
        return []
    value, error = cut.value[columns], cut.error[columns]
    slope, level, *_ = theilslopes(value, columns)  # of the sky, which no source leads astray
    light = np.abs(value - level - slope * columns)
    lit = np.zeros(image.n_xdisp, bool)
    lit[columns] = light > np.maximum(LIT * np.maximum(error, np.median(error)), SHARE * light.max())
    stretches, _ = label(binary_dilation(lit))
    first = image.xdisp_index[0] - 0.5
    return [(first + one.start, first + one.stop) for (one,) in find_objects(stretches)]


def free_region(taken: Sequence[Bounds], first: float, last: float) -> Bounds:
    """Find a place for another region on the widest free stretch.

    Parameters
    ----------
    taken : sequence of (float, float)
        Lower and upper bounds of what is there already, the aperture first.
    first, last : float
        The edges of the image.

    Returns
    -------
    tuple of float
        Lower and upper edge, on borders of pixels; beside the aperture as near to it as may be.

    Raises
    ------
    LRSError
        When nowhere is room for the least of regions.
    """
    for gap in GAPS:
        room, low, high, after = max(_stretches(taken, first, last, gap))
        if room >= LEAST:
            width = min(WIDTH, room)
            return (low, low + width) if after == taken[0][1] else (high - width, high)
    raise LRSError(NO_ROOM)


def _stretches(
    taken: Sequence[Bounds], first: float, last: float, gap: float
) -> Iterator[tuple[float, float, float, float]]:
    """Return the room between what is there: its size, both borders, and where what lies below it ends."""
    reach = first
    for lower, upper in sorted([*taken, (last, last)]):
        low = reach if reach == first else reach + gap
        high = lower if lower >= last else lower - gap
        low, high = np.ceil(low - 0.5) + 0.5, np.floor(min(high, last) + 0.5) - 0.5
        yield high - low, low, high, reach
        reach = max(reach, upper)
