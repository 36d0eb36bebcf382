"""Curve: a spectrum as it is compared with others, whatever it was made by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.nddata import StdDevUncertainty
from numpy.typing import NDArray
from specutils import Spectrum

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError

__all__ = ["Curve"]

Column = NDArray[np.float64]

#: Wavelengths that agree to this relative precision, which is single precision's, are the same.
SAME_WAVELENGTH = 3e-7


@dataclass(frozen=True, eq=False)
class Curve:
    """A spectrum as it is compared: wavelength increasing, nothing but flux and its error.

    Attributes
    ----------
    wavelength : ndarray, (n,)
        Micron.
    flux : ndarray, (n,)
        Jy; NaN where there is none.
    error : ndarray, (n,)
        Jy; zero throughout for a spectrum without errors.
    """

    wavelength: Column
    flux: Column
    error: Column

    @classmethod
    def of(cls, spectrum: ExtractedSpectrum | Spectrum | Curve) -> Curve:
        """Take a spectrum in whatever units; masked points become NaN.

        Raises
        ------
        LRSError
            When it has no wavelengths or no flux density, or is not 1-D.
        """
        if isinstance(spectrum, Curve):
            return spectrum
        if isinstance(spectrum, ExtractedSpectrum):
            return cls._sorted(spectrum.wavelength, spectrum.flux, spectrum.flux_error)
        try:
            wavelength = spectrum.spectral_axis.to_value(u.um, u.spectral())
        except u.UnitConversionError:
            raise LRSError(
                f"The spectral axis is in {spectrum.spectral_axis.unit}; only a spectrum with wavelengths or "
                "frequencies can be compared."
            ) from None
        scale = u.spectral_density(wavelength * u.um)
        try:
            flux = spectrum.flux.to_value(u.Jy, scale)
        except u.UnitConversionError:
            raise LRSError(
                f"The spectrum is in {spectrum.flux.unit}; only a flux density, such as Jy, can be compared."
            ) from None
        if spectrum.mask is not None:
            flux = np.where(spectrum.mask, np.nan, flux)
        error = np.zeros_like(flux)
        if spectrum.uncertainty is not None:
            deviation = spectrum.uncertainty.represent_as(StdDevUncertainty).quantity
            error = deviation.to_value(u.Jy, scale)
        return cls._sorted(wavelength, flux, error)

    @classmethod
    def _sorted(cls, wavelength: Column, flux: Column, error: Column) -> Curve:
        if flux.ndim != 1:
            raise LRSError(f"The flux has {flux.ndim} dimensions; choose a single 1-D spectrum.")
        order = np.argsort(wavelength)
        order = order[np.isfinite(wavelength[order])]
        return cls(*(np.asarray(column, float)[order] for column in (wavelength, flux, error)))

    @property
    def has_errors(self) -> bool:
        """Whether any error is known."""
        return bool(np.any(self.error > 0))

    def at(self, wavelength: Column) -> Curve:
        """Interpolate linearly, with the error that independent points give; NaN outside and beside NaN."""
        right = np.clip(np.searchsorted(self.wavelength, wavelength), 1, self.wavelength.size - 1)
        low, high = self.wavelength[right - 1], self.wavelength[right]
        share = (wavelength - low) / (high - low)
        share = np.where((share < 0) | (share > 1), np.nan, share)

        def blend(values: Column, power: int) -> Column:
            inside = (1 - share) ** power * values[right - 1] + share**power * values[right]
            return np.where(share == 0, values[right - 1], np.where(share == 1, values[right], inside))

        return Curve(wavelength, blend(self.flux, 1), np.sqrt(blend(self.error**2, 2)))

    def same_grid(self, other: Curve) -> bool:
        """Whether the wavelengths are those of the other."""
        mine, theirs = self.wavelength, other.wavelength
        return mine.size == theirs.size and bool(np.allclose(mine, theirs, rtol=SAME_WAVELENGTH, atol=0))
