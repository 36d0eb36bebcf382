"""ExtractedSpectrum: what an extraction gives, in the columns of the pipeline's x1d table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io.registry import UnifiedOutputRegistry
from numpy.typing import NDArray

from jdaviz_lrs.data.fit_images import FitImages
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.origin import Origin
from jdaviz_lrs.data.table import COLUMNS, SpectrumTable

if TYPE_CHECKING:
    from specutils import Spectrum

__all__ = ["COLUMNS", "FORMATS", "ExtractedSpectrum"]

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ExtractedSpectrum(Making, FitImages, SpectrumTable):
    """A 1-D spectrum: a table, how it was made, and images of the fit, beside what follows.

    Attributes
    ----------
    rows : ndarray of int, (n_wavelength,)
        The image row each wavelength comes from.
    limits : ApertureLimits or None
    center : tuple of float or None
        Row and column of the file where the aperture has its centre of weight.
    sky : tuple of float or None
        Right ascension and declination (deg) of that centre, where they were read from a file.
    common_error : ndarray or None, ([n_int,] n_wavelength)
        Jy: part of the error by flat field that all spectra of the source have in common, wherever it lies on
        the detector: that of the profile's fitted shape, and of a response. None where there is none.
    apcorr : ndarray or None, (n_wavelength,)
        The aperture correction already in `flux`.
    light_left : ndarray or None, ([n_int,] n_wavelength)
        Share of the light in the aperture, or under the profile, that good pixels have; the flux is already
        that of all of it. None where no pixel is lost.
    trace : ndarray or None, (n_disp,)
        Of the source as fitted, in the file's columns (optimal extraction).
    nod_traces : tuple of ndarray, (n_disp,)
        Of the negative traces fitted along.
    companions : tuple of ExtractedSpectrum
        Further sources fitted along, each with its `trace`.
    inspect : callable or None
        Looks at the residual of an unrefined extraction; see `advice`.
    image : SpectralImage or None
        The image it came from, None for a spectrum read from a file.
    header : Mapping of str to object
        The primary header of the file it was read from; empty for one that was extracted.
    origin : Origin or None
        What the file's headers tell, for a spectrum read from a file.
    """

    rows: NDArray[np.intp] | None = None
    limits: ApertureLimits | None = None
    center: tuple[float, float] | None = None
    sky: tuple[float, float] | None = None
    common_error: Column | None = None
    apcorr: Column | None = None
    light_left: Column | None = None
    trace: Column | None = None
    nod_traces: tuple[Column, ...] = ()
    companions: tuple[ExtractedSpectrum, ...] = ()
    inspect: Callable[[], tuple] | None = None
    image: SpectralImage | None = None
    file_name: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin | None = None

    @cached_property
    def _sky(self) -> tuple[float | None, float | None]:
        if self.sky is None and self.center is not None and self.image is not None and self.image.wcs:
            ra, dec, _ = self.image.world(*self.center)
            if np.isfinite(ra) and np.isfinite(dec):
                return float(ra), float(dec)
        return self.sky or (None, None)

    @property
    def slit_ra(self) -> float | None:
        """Right ascension of the aperture's centre, in degrees."""
        return self._sky[0]

    @property
    def slit_dec(self) -> float | None:
        """Declination of the aperture's centre, in degrees."""
        return self._sky[1]

    @cached_property
    def advice(self) -> tuple:
        """What the residual shows, and which further refinement answers it (`jdaviz_lrs.extraction.advice`).

        Found when it is first asked for.
        """
        return self.inspect() if self.inspect is not None else ()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the pixels and the WCS behind, in a pickle or copy: all that is said of it stays."""
        state = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.image is not None:
            state |= {"sky": self._sky if None not in self._sky else None, "image": self.image.header_only()}
        return state | {"inspect": None, "advice": self.advice}

    def __repr__(self) -> str:
        low, high = np.nanmin(self.wavelength), np.nanmax(self.wavelength)
        kind = self.parameters.get("extraction_type", "")
        return f"<ExtractedSpectrum: {kind}, {self.wavelength.size} wavelengths, {low:.2f} to {high:.2f} um>"

    def to_spectrum(self) -> Spectrum:
        """As a `specutils.Spectrum`: Jy, StdDevUncertainty, mask, and how it was made in ``meta``."""
        return FORMATS.write(self, format="specutils")

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write an x1d file in the pipeline's format; see `jdaviz_lrs.products.x1d.write_x1d`.

        Raises
        ------
        LRSError
            When the file exists, is an input, or cannot be written.

        Notes
        -----
        Formats are known to `FORMATS`, a registry of astropy's.
        """
        return FORMATS.write(self, path, format="x1d", overwrite=overwrite)


#: What a spectrum can be written as (`astropy.io.registry`); the formats' own modules register themselves.
FORMATS = UnifiedOutputRegistry()
