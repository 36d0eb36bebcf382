"""To and from `specutils.Spectrum`, the type of jdaviz."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.nddata import StdDevUncertainty
from specutils import Spectrum

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.image import Observation, SpectralImage
from jdaviz_lrs.data.provenance import provenance
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError

__all__ = ["from_spectrum", "to_spectrum"]


def to_spectrum(spectrum: ExtractedSpectrum | ExtractedSeries) -> Spectrum:
    """Return an extracted spectrum in Jy, with standard deviations, mask, and its history in ``meta``.

    Of a series the flux is (n_int, n_wavelength). Wavelengths run as in the table; specutils takes falling
    ones as they are.
    """
    return Spectrum(
        spectral_axis=spectrum.wavelength * u.um,
        flux=spectrum.flux * u.Jy,
        uncertainty=StdDevUncertainty(spectrum.flux_error * u.Jy),
        mask=(spectrum.dq & DO_NOT_USE) != 0,
        meta=provenance(spectrum),
    )


def from_spectrum(spectrum: Spectrum) -> SpectralImage:
    """Take a 2-D spectrum that jdaviz's own loader read for an image.

    Such a spectrum has flux, mask, wavelengths and the header; variances (unless it has an uncertainty, which
    cannot be told apart into its sources) and the WCS are gone, and listed in ``missing``.

    Raises
    ------
    LRSError
        When it is not 2-D, has no wavelengths, or a unit that is neither MJy/sr nor Jy.
    """
    if spectrum.flux.ndim != 2:
        raise LRSError(f"The data have {spectrum.flux.ndim} dimensions; choose a 2-D spectrum.")
    if not spectrum.spectral_axis.unit.is_equivalent(u.um):
        raise LRSError("The data have no wavelengths; load the s2d file with the format JWST LRS.")
    header = {**spectrum.meta.get("_primary_header", {}), **spectrum.meta}
    unit = "MJy/sr" if spectrum.flux.unit.is_equivalent("MJy/sr") else "Jy"
    try:
        data = np.swapaxes(spectrum.flux.to_value(unit), 0, 1)
    except u.UnitConversionError:
        raise LRSError(f"The data are in {spectrum.flux.unit}; MJy/sr or Jy is needed.") from None
    area = header.get("PIXAR_SR")
    if area is None:
        raise LRSError("PIXAR_SR, the solid angle of a pixel, is missing; load with the format JWST LRS.")
    good = np.isfinite(data)
    if spectrum.mask is not None:
        good &= ~np.swapaxes(np.asarray(spectrum.mask, bool), 0, 1)
    if not good.any():
        raise LRSError("No pixel of the data is valid; every one is NaN or masked.")
    nothing = np.where(good, 0.0, np.nan)
    return SpectralImage(
        data=np.where(good, data, np.nan),
        var_poisson=nothing,
        var_rnoise=nothing,
        var_flat=nothing,
        dq=(~good).astype(np.uint32),
        good=good,
        wavelength=np.broadcast_to(spectrum.spectral_axis.to_value(u.um)[:, None], data.shape),
        unit=unit,
        pixel_area=float(area),
        observation=Observation(
            source_type=header.get("SRCTYPE", header.get("SRCTYAPT")),
            subarray=header.get("SUBARRAY"),
            primary_type=header.get("PATTTYPE"),
            bkg_subtract=header.get("S_BKDSUB"),
        ),
        bounding_box=((-0.5, data.shape[0] - 0.5), (-0.5, data.shape[1] - 0.5)),
        file_shape=data.shape,
        missing=("var_poisson", "var_rnoise", "var_flat", "wcs"),
        file_name=str(header.get("FILENAME", "")),
    )
