"""Where the source lies across the dispersion: from its sky position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, make_interp_spline

__all__ = ["SourceLocation", "interpolate", "locate_source", "middle_of_spectrum"]

Row = NDArray[np.float64]


@dataclass(frozen=True)
class SourceLocation:
    """Where the source lies, in the file's pixels.

    Attributes
    ----------
    middle : int
        The row at the middle of the spectrum, where `location` holds.
    wavelength : float
        There, in micron.
    location : float
        Across the dispersion.
    trace : ndarray, (n_disp,)
        The same at every row of the image; NaN outside the spectrum.
    """

    middle: int
    wavelength: float
    location: float
    trace: Row


def middle_of_spectrum(
    world: Callable, bounding_box: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[float, float]:
    """Row at the middle of the bounding box, and the mean wavelength (micron) across the slit there."""
    (first, last), (_, edge) = bounding_box
    middle = (first + last) / 2.0
    across = np.arange(round(edge), dtype=float)
    wavelengths = world(np.full_like(across, middle), across)[2]
    valid = np.isfinite(wavelengths)
    return middle, float(np.mean(wavelengths[valid])) if valid.any() else np.nan


def locate_source(
    world: Callable,
    pixel: Callable,
    bounding_box: tuple[tuple[float, float], tuple[float, float]],
    rows: Row,
    ra: float,
    dec: float,
    shifted_rows: bool = False,
) -> SourceLocation | None:
    """Find the trace of a source at a sky position.

    Parameters
    ----------
    world, pixel : callable
        Rows and columns to right ascension, declination, wavelength; and back.
    bounding_box : tuple
        ``((first, last), (first, last))`` along and across the dispersion, where the WCS is valid.
    rows : ndarray, (n_disp,)
        The image's rows.
    ra, dec : float
        Degrees.
    shifted_rows : bool
        Do as the pipeline does: interpolate linearly, and count the trace's rows from the bounding box. The
        trace then lies too early by as many rows as the box begins above the first, and may end a row before
        the box does.

    Returns
    -------
    SourceLocation or None
        None where the WCS cannot tell, or tells a place outside the bounding box.

    Notes
    -----
    The pipeline's way for MIRI LRS (``extract_1d``, source location): the position's pixels at as many
    wavelengths as there are rows, evenly spaced over the range in the bounding box, interpolated to the rows.
    """
    (first, last), (left, right) = bounding_box
    middle, wavelength = middle_of_spectrum(world, bounding_box)
    if not np.isfinite(wavelength):
        return None
    location = float(pixel(ra, dec, wavelength)[1])
    if not np.isfinite(location) or not left <= location <= right:
        return None

    columns = np.arange(np.ceil(left), np.floor(right) + 1)
    grid = np.meshgrid(np.arange(np.ceil(first), np.floor(last) + 1), columns, indexing="ij")
    wavelengths = world(*grid)[2]
    number = int(last - first)
    samples = np.linspace(np.nanmin(wavelengths), np.nanmax(wavelengths), number)
    trace_rows, trace_columns = pixel(np.full(number, ra), np.full(number, dec), samples)
    start = int(np.ceil(first))
    wanted = rows - start if shifted_rows else rows
    trace = interpolate(wanted, trace_rows, trace_columns, smooth=not shifted_rows)
    end = start + number if shifted_rows else np.floor(last) + 1
    inside = (rows >= start) & (rows < end)
    return SourceLocation(round(middle), wavelength, location, np.where(inside, trace, np.nan))


def interpolate(x: Row, known_x: Row, known_y: Row, smooth: bool = False) -> Row:
    """Interpolate linearly or by a cubic spline at `x`, (n_disp,), also beyond the ends.

    NaN where fewer than two points are known.
    """
    known = np.isfinite(known_x) & np.isfinite(known_y)
    if known.sum() < 2:
        return np.full(x.shape, np.nan)
    order = np.argsort(known_x[known])
    known_x, known_y = known_x[known][order], known_y[known][order]
    return (CubicSpline(known_x, known_y) if smooth else make_interp_spline(known_x, known_y, k=1))(x)
