"""The tapered aperture: as wide as the source at every wavelength, times a factor."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jdaviz_lrs.analysis.fwhm_table import read_widths
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.engine.full_width import MeasuredWidth, full_width, measure_fwhm
from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.extraction.found_trace import NO_TRACE, mean_image, trace_offset
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.pixels import on_pixels_of

__all__ = ["measured_widths", "psf_widths", "tapered_aperture"]

DIGITS = 2
"""Kept of a place, in pixels."""

SIGNIFICANT = 8
"""Digits kept of a coefficient: the edges stay where they are to 1e-5 px."""


def tapered_aperture(
    multiple: float,
    image: SpectralImage | None = None,
    table: Any = None,
    psf: SpectralPSF | None = None,
    degree: int = 1,
    position_offset: float = 0.0,
) -> dict[str, Any]:
    """Parameters of an aperture that reaches `multiple` times the FWHM to either side of the source.

    ``extract(image, **tapered_aperture(2.0, image=image))`` extracts with it. The FWHM is a polynomial in
    wavelength through that of the table, else of the PSF, else as measured in the image.

    Parameters
    ----------
    multiple : float
        Half the aperture's width over the FWHM.
    image : SpectralImage, optional
        To measure the FWHM in; with a table or PSF, to see what range of wavelengths it must cover, and the
        scale of its pixels.
    table : optional
        See `jdaviz_lrs.analysis.fwhm_table.read_widths`.
    psf : SpectralPSF, optional
    degree : int
        Of the polynomial.
    position_offset : float
        Pixels from where the header has the source, to look for its trace about.

    Returns
    -------
    dict
        `src_coeff` (edges about zero, in pixels from the source), `independent_var` and `use_source_posn`;
        and `position_offset` if not zero: that given, or of the trace where the image has it beside.

    Raises
    ------
    LRSError
        For a multiple or degree that cannot be meant, a table that cannot be read, a source that is too faint
        or of which the header does not tell the place, and where the polynomial gives no positive width.

    Warns
    -----
    LRSWarning
        Where the polynomial is used beyond the wavelengths it was made from by more than a tenth of them;
        where the aperture is laid about the trace in the image, or no trace is there.
    """
    if not multiple > 0 or not np.isfinite(multiple):
        raise LRSError(f"multiple = {multiple} is not positive; give the half width over the FWHM, e.g. 2.")
    if degree != int(degree) or degree < 0:
        raise LRSError(f"degree = {degree} is not a whole number; give 0, 1, 2 ...")
    source = None if image is None else image.source
    if source is not None:
        position_offset = _on_trace(image, psf, source.trace, position_offset)
    if table is not None:
        widths = read_widths(table, None if image is None else image.pixel_scale)
    elif psf is not None:
        widths = psf_widths(psf if image is None else on_pixels_of(image, psf))
    elif image is not None:
        widths = measured_widths(image, None if source is None else source.trace + position_offset)
    else:
        raise LRSError("The FWHM is not known; give an image to measure it in, a table or a PSF.")
    if image is not None and (table is not None or psf is not None):
        _check_range(widths, image)
    coefficients = _polynomial(widths, int(degree))
    if image is not None:
        fwhm = np.polynomial.polynomial.polyval(image.row_wavelength, coefficients)
        if np.nanmin(fwhm) <= 0:
            raise LRSError(
                f"degree = {degree}: the FWHM is not positive at some wavelengths; lower the degree."
            )
    upper = [float(f"{one:.{SIGNIFICANT}g}") for one in multiple * coefficients]
    return {
        "src_coeff": [[-one for one in upper], upper],
        "independent_var": "wavelength",
        "use_source_posn": True,
    } | ({"position_offset": position_offset} if position_offset else {})


def _on_trace(image: SpectralImage, psf: SpectralPSF | None, trace: ArrayLike, offset: float) -> float:
    """Offset of the brightest trace near an offset from a trace, or that itself; says what it finds."""
    by = trace_offset(image, psf or built_in_psf(), np.asarray(trace, float) + offset)
    if np.isnan(by):
        warnings.warn(f"{NO_TRACE}.", LRSWarning, stacklevel=3)
    elif by:
        warnings.warn(
            f"The trace lies {by:+.1f} px from the aperture's centre: it is laid about the trace.",
            LRSWarning,
            stacklevel=3,
        )
        return round(offset + by, DIGITS)
    return offset


def measured_widths(image: SpectralImage, trace: ArrayLike | None = None, n_bins: int = 12) -> MeasuredWidth:
    """Measure the FWHM of the source in an image; of a stack in the mean of its integrations.

    Parameters
    ----------
    image : SpectralImage
    trace : array_like, (n_disp,), optional
        Where the source lies, in columns; by default where the header has it.
    n_bins : int
        Number of intervals of wavelength.

    Returns
    -------
    MeasuredWidth
        See `jdaviz_lrs.engine.full_width.measure_fwhm`.

    Raises
    ------
    LRSError
        When neither `trace` nor the header tells where the source lies, or no width can be measured.
    """
    if trace is None:
        source = image.source
        if source is None:
            raise LRSError("The header does not tell where the source is; give its FWHM in a table.")
        trace = source.trace
    data, variance, good = mean_image(image)
    if not (variance[good] > 0).any():
        variance = np.ones_like(data)
    return measure_fwhm(
        data, variance, good, np.asarray(trace, float), image.xdisp_index, image.row_wavelength, n_bins
    )


def psf_widths(psf: SpectralPSF) -> MeasuredWidth:
    """Return the FWHM of a PSF reference, in pixels, the pixel included as in the data."""
    place = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
    ends = np.array([full_width(place, row)[:2] for row in psf.data])
    order = np.argsort(psf.wavelength)
    fwhm = (ends[:, 1] - ends[:, 0])[order]
    return MeasuredWidth(psf.wavelength[order], fwhm, np.ones_like(fwhm))


def _polynomial(widths: MeasuredWidth, degree: int) -> np.ndarray:
    known = np.isfinite(widths.fwhm) & np.isfinite(widths.error)
    if known.sum() <= degree:
        raise LRSError(
            f"The FWHM is known at {known.sum()} wavelengths, too few for degree {degree}; lower it, or, "
            "where the source is too faint to measure it, give a table."
        )
    weights = 1.0 / widths.error[known]
    return np.polynomial.polynomial.polyfit(widths.wavelength[known], widths.fwhm[known], degree, w=weights)


def _check_range(widths: MeasuredWidth, image: SpectralImage) -> None:
    known = widths.wavelength[np.isfinite(widths.fwhm)]
    if known.size == 0:
        raise LRSError("The PSF has no FWHM at any wavelength; give a table.")
    first, last = np.nanmin(image.row_wavelength), np.nanmax(image.row_wavelength)
    covered = (min(last, known.max()) - max(first, known.min())) / (last - first)
    extent = f"{known.min():.2f} to {known.max():.2f} um"
    if covered <= 0.5:
        raise LRSError(
            f"The FWHM is known from {extent} only, but the image has {first:.2f} to {last:.2f} um; "
            "give a table that covers them."
        )
    if covered < 0.9:
        warnings.warn(
            f"The FWHM is known from {extent} only: to {first:.2f} and {last:.2f} um it is extrapolated.",
            LRSWarning,
            stacklevel=3,
        )
