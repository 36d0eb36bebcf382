"""Which aperture width is best: an image, parameters and reference files make a growth curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.aperture import pixel_weights
from jdaviz_lrs.engine.growth import Apertures, Growth, growth, measure_apertures
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.box_background import box_background
from jdaviz_lrs.extraction.found_trace import NO_TRACE, trace_offset
from jdaviz_lrs.extraction.placement import Placement, place
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References
from jdaviz_lrs.references.pixels import detector_pixels, on_pixels_of

__all__ = [
    "MAX_WIDTH", "STEP",
    "compare_widths", "mean_width", "measure_widths", "on_trace", "say_offset", "with_width",
]  # fmt: skip

Image = NDArray[np.float64]

#: Between the widths tried by default, and the widest of them, in pixels of the detector.
STEP, MAX_WIDTH = 0.25, 16.0


def compare_widths(
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    wavelength_range: tuple[float, float] = (0.0, np.inf),
    widths: ArrayLike | None = None,
) -> Growth:
    """Compare apertures of different widths about the same centre, with the same background.

    Where the brightest trace lies beside the aperture's centre, they are about the trace; see `on_trace`.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
        For box extraction; at their width the curves of data and PSF are made to meet.
    references : References
        Of which the PSF is used.
    wavelength_range : tuple of float
        First and last wavelength, in micron.
    widths : array_like, (n_width,), optional
        Full widths in pixels, rising.

    Returns
    -------
    Growth

    Raises
    ------
    LRSError
        When the aperture cannot be placed, no trace is there, or no wavelength is in the range.
    """
    placement, offset = on_trace(image, place(image, parameters), references)
    apertures = measure_widths(image, parameters, references, placement, wavelength_range, widths)
    return replace(growth(apertures, mean_width(placement)), offset=offset)


def say_offset(found: Growth) -> str:
    """Say where the apertures lie, if not where the aperture was put."""
    if found.offset == 0.0:
        return ""
    return f"The trace lies {found.offset:+.1f} px from the aperture's centre: widths are about the trace."


def on_trace(image: SpectralImage, placement: Placement, references: References) -> tuple[Placement, float]:
    """Put the centre of an aperture on the brightest trace, and tell how far that is, in pixels.

    Its edges stay as they are.

    Raises
    ------
    LRSError
        Where no trace is near.
    """
    offset = trace_offset(image, references.psf, np.where(placement.rows, placement.center, np.nan))
    if np.isnan(offset):
        raise LRSError(f"{NO_TRACE}: no width is best.")
    return replace(placement, center=placement.center + offset), offset


def measure_widths(
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    placement: Placement,
    wavelength_range: tuple[float, float] = (0.0, np.inf),
    widths: ArrayLike | None = None,
) -> Apertures:
    """Sum over apertures of different widths, (n_width,); see `compare_widths`, whose first half this is.

    The width in the parameters does not matter. Background regions stay where they are, also where an
    aperture reaches into them.

    Raises
    ------
    LRSError
        When no wavelength of the aperture is in the range.
    """
    if widths is None:
        widths = np.arange(1.0, MAX_WIDTH + STEP / 2, STEP) / detector_pixels(image)
    widths = np.asarray(widths, float)
    lower, upper = wavelength_range
    rows = (image.row_wavelength >= lower) & (image.row_wavelength <= upper) & placement.weights.any(axis=1)
    if not rows.any():
        raise LRSError(f"No wavelength of the aperture lies between {lower:g} and {upper:g} um.")
    center = np.where(rows, placement.center, np.nan)
    background, extra = 0.0, None
    if placement.background is not None:
        half = 0.5 * widths[:, None, None, None]
        edges = np.stack([center[:, None] - half, center[:, None] + half])
        stacked = np.where(image.good, pixel_weights(edges[None], image.xdisp_index), 0.0)
        fitted = box_background(image, parameters, replace(placement, weights=stacked), stacked)
        background, extra = fitted.image, fitted.variances.sum(axis=1)[:, rows]
    psf = on_pixels_of(image, references.psf)
    offsets = image.xdisp_index - center[:, None]
    shape = psf.fractions(offsets, image.row_wavelength)
    return measure_apertures(
        np.where(image.good, image.data - background, 0.0)[rows],
        image.variances.sum(axis=0)[rows],
        np.where(image.good, shape, 0.0)[rows],
        center[rows],
        float(image.xdisp_index[0]),
        widths,
        extra,
    )


def mean_width(placement: Placement) -> float:
    """Full width of the aperture in pixels, all its regions together, averaged over its rows."""
    return float(np.nanmean((placement.edges[:, 1] - placement.edges[:, 0]).sum(axis=0)))


def with_width(parameters: ExtractionParameters, width: float) -> ExtractionParameters:
    """Return the parameters with another width about the same centre.

    Raises
    ------
    LRSError
        Where the aperture has several regions.
    """
    if parameters.src_coeff is None:
        return replace(parameters, extract_width=width)
    if len(parameters.src_coeff) > 2:
        raise LRSError("src_coeff gives several regions, whose width is not one number; clear it first.")
    longest = max(map(len, parameters.src_coeff))
    lower, upper = (np.pad(edge, (0, longest - len(edge))) for edge in parameters.src_coeff)
    middle, half = 0.5 * (lower + upper), np.r_[0.5 * width, np.zeros(longest - 1)]
    return replace(parameters, src_coeff=((middle - half).tolist(), (middle + half).tolist()))
