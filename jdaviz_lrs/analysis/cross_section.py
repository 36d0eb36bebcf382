"""A cut across the dispersion: the data at some rows, and all that an extraction lays over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.spatial_profile import median_profile, scale_profile
from jdaviz_lrs.extraction.box_background import box_background
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.pixels import on_pixels_of

__all__ = ["CrossSection", "background_image", "cross_section"]

Row = NDArray[np.float64]
Image = NDArray[np.float64]

#: Samples of the drawn PSF per pixel, and how far from the source it is drawn.
FINE, REACH = 8, 16.0


@dataclass(frozen=True, eq=False)
class CrossSection:
    """A cut at one wavelength; places in the file's columns, brightness in the unit of the image.

    Attributes
    ----------
    wavelength : float
        Mean of the rows, in micron.
    rows : ndarray, (n_rows,)
        Of the file.
    columns : ndarray, (n_xdisp,)
    value, error : ndarray, (n_xdisp,)
        Median of the rows; NaN where no pixel is good.
    aperture, regions : ndarray, (n_regions, 2)
        Lower and upper edges of the aperture and of the background regions; without rows where there are
        none.
    trace : float
        Of the source; NaN where an aperture does not go by its position.
    nod : float
        Where the negative trace of the other nod was fitted; NaN without one.
    background : ndarray, (n_xdisp,)
        The background that is subtracted; NaN where there is none.
    model_columns, model : ndarray, (n_model,)
        Source and background: the fitted scene of an optimal extraction at the columns, else the PSF scaled
        to the pixels of the aperture, with a constant where no background is subtracted. Empty without a
        PSF.
    """

    wavelength: float
    rows: Row
    columns: Row
    value: Row
    error: Row
    aperture: NDArray[np.float64]
    regions: NDArray[np.float64]
    trace: float
    nod: float
    background: Row
    model_columns: Row
    model: Row


def background_image(
    image: SpectralImage, parameters: ExtractionParameters, placement: Placement
) -> Image | None:
    """Return the background that box extraction subtracts, (n_disp, n_xdisp), or None."""
    weights = np.where(image.good, placement.weights, 0.0)
    fitted = box_background(image, parameters, placement, weights)
    return None if fitted is None else np.broadcast_to(fitted.image, image.data.shape)


def cross_section(
    image: SpectralImage,
    rows: NDArray[np.intp],
    placement: Placement | None,
    psf: SpectralPSF,
    background: Image | None = None,
    optimal: ExtractedSpectrum | None = None,
) -> CrossSection:
    """Cut an image.

    Parameters
    ----------
    image : SpectralImage
    rows : ndarray of int, (n_rows,)
        Of the image, to take the median of.
    placement : Placement or None
        Of a box extraction.
    psf : SpectralPSF
    background : ndarray, (n_disp, n_xdisp), optional
        From `background_image`.
    optimal : ExtractedSpectrum, optional
        An optimal extraction, to show its traces and scene.

    Returns
    -------
    CrossSection
    """
    seen = median_profile(image.data[rows], image.variance[rows], image.good[rows])
    columns = image.xdisp_index
    level = np.full(columns.size, np.nan) if background is None else np.median(background[rows], axis=0)
    aperture = regions = np.empty((0, 2))
    model_columns = model = np.empty(0)
    trace = nod = np.nan
    if optimal is not None:
        trace, nod = (_middle(sign * optimal.profile[rows], columns) for sign in (1, -1))
        model_columns, model = columns, np.median(optimal.scene_model[rows], axis=0)
    elif placement is not None:
        aperture, regions = (_mean_edges(e, rows) for e in (placement.edges, placement.background_edges))
        if placement.trace is not None:
            trace = _mean(placement.trace[rows])
        center, wavelength = _mean(placement.center[rows]), image.row_wavelength[rows]
        psf = on_pixels_of(image, psf)
        model_columns, model = _scaled_psf(seen, columns, aperture, center, wavelength, psf, level)
    return CrossSection(
        wavelength=_mean(image.row_wavelength[rows]),
        rows=image.disp_index[rows],
        columns=columns,
        value=seen.value,
        error=seen.error,
        aperture=aperture,
        regions=regions,
        trace=trace,
        nod=nod,
        background=level,
        model_columns=model_columns,
        model=model,
    )


def _scaled_psf(seen, columns, aperture, center, wavelength, psf, level) -> tuple[Row, Row]:
    def shape(at: Row) -> Row:
        offsets = np.broadcast_to(at - center, (wavelength.size, at.size))
        return psf.fractions(offsets, wavelength).mean(axis=0)

    inside = ((columns > aperture[:, :1] - 0.5) & (columns < aperture[:, 1:] + 0.5)).any(axis=0)
    constant = np.isnan(level)
    value = np.where(inside, seen.value - np.where(constant, 0.0, level), np.nan)
    amplitude, zero = scale_profile(value, seen.error, shape(columns), bool(constant.all()))
    if not np.isfinite(amplitude):
        return np.empty(0), np.empty(0)
    fine = np.linspace(columns[0], columns[-1], (columns.size - 1) * FINE + 1)
    fine = fine[np.abs(fine - center) <= REACH]
    under = np.interp(fine, columns, np.where(constant, zero, level))
    return fine, amplitude * shape(fine) + under


def _mean(values: Row) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _mean_edges(edges: Image | None, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    if edges is None:
        return np.empty((0, 2))
    found = np.array([[_mean(edge[rows]) for edge in region] for region in edges])
    return found[np.isfinite(found).all(axis=1)]


def _middle(profile: Image, columns: Row) -> float:
    """Centre of weight of the positive part of a profile over some rows, its wings left out."""
    light = np.maximum(np.nan_to_num(profile), 0.0).sum(axis=0)
    light = np.where(light > 0.05 * light.max(), light, 0.0)
    return float(light @ columns / light.sum()) if light.sum() > 0 else np.nan
