"""The light outside an aperture, made up for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.apcorr import LEAST_SHARE, profile_correction
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import convention_of
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.extraction.tabulate import scaled
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References
from jdaviz_lrs.references.pixels import detector_pixels, on_pixels_of

__all__ = ["correct_aperture", "psf_correction"]

Image = NDArray[np.float64]


def correct_aperture(
    spectrum: ExtractedSpectrum,
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    placement: Placement,
) -> ExtractedSpectrum:
    """Correct for the light outside the aperture, whichever of its pixels are lost."""
    if not parameters.apply_apcorr:
        return spectrum
    if image.observation.source_type != "POINT":
        kind = image.observation.source_type or "not given"
        note = f"No aperture correction: the source type (SRCTYPE) is {kind}, not POINT."
        return replace(spectrum, notes=(*spectrum.notes, note))
    if parameters.apcorr_method == "reference" and "apcorr" in references.not_applicable:
        return replace(spectrum, references={**spectrum.references, "apcorr": "N/A"})
    notes: tuple[str, ...] = ()
    if parameters.apcorr_method == "reference" and references.apcorr is not None:
        correction = _reference_correction(spectrum, image, parameters, references, placement)
        name = references.apcorr.name
    else:
        correction = psf_correction(image, references.psf, placement)[spectrum.rows]
        name = f"computed from {references.psf.name}"
        lost = np.isnan(correction) & np.isfinite(spectrum.flux)
        if lost.any():
            notes = (_uncorrected(int(lost.sum()), lost.size, references.psf),)
    spectrum = scaled(spectrum, correction, references={**spectrum.references, "apcorr": name})
    return replace(spectrum, notes=(*spectrum.notes, *notes)) if notes else spectrum


def _reference_correction(
    spectrum: ExtractedSpectrum,
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    placement: Placement,
) -> Image:
    """Look the correction up by the number of pixels, ([n_int,] n_wavelength).

    On pixels of another size than the detector's an aperture of the same width loses more light, or less: by
    how much, the PSF tells.
    """
    if image.pixel_scale is None and references.apcorr.size_unit.startswith("arcsec"):
        raise LRSError("The aperture correction is given in arcsec, but the image has no WCS to convert it.")
    convention = convention_of(parameters)
    size = detector_pixels(image) if convention.scaled_to_pixels else 1.0
    scale = None if image.pixel_scale is None else image.pixel_scale / size
    # in the pipeline an aperture with a bad pixel is a smaller one
    same = not convention.light_made_up_for or spectrum.light_left is None
    npixels = spectrum.npixels if same else placement.weights.sum(axis=-1)[spectrum.rows]
    correction = references.apcorr.at(npixels * size, spectrum.wavelength, scale)
    if size == 1.0:
        return correction
    half = 0.5 * size * placement.weights.sum(axis=-1)[spectrum.rows]
    there = psf_correction(image, references.psf, placement)[spectrum.rows]
    change = there * enclosed_fraction(references.psf, -half, half, spectrum.wavelength)
    return correction * np.where(np.isfinite(change), change, 1.0)


def _uncorrected(number: int, size: int, psf: SpectralPSF) -> str:
    first, last = psf.wavelength.min(), psf.wavelength.max()
    return (
        f"No aperture correction, and so no flux, at {number} of {size} wavelengths: they lie outside the "
        f"PSF's ({first:.1f} to {last:.1f} um), or the aperture has less than {LEAST_SHARE:.0%} of its light."
    )


def psf_correction(image: SpectralImage, psf: SpectralPSF, placement: Placement) -> Image:
    """Aperture correction for a source on the trace, or in the middle of the aperture where there is none.

    Parameters
    ----------
    image : SpectralImage
    psf : SpectralPSF
    placement : Placement

    Returns
    -------
    ndarray, (n_disp,)
        See `jdaviz_lrs.engine.apcorr.profile_correction`.
    """
    psf = on_pixels_of(image, psf)
    used = np.flatnonzero(placement.weights.any(axis=0))
    columns = slice(used[0], used[-1] + 1)
    offsets = image.xdisp_index[columns] - placement.center[:, None]
    profile = psf.fractions(offsets, image.row_wavelength)
    return profile_correction(profile, placement.weights[:, columns])
