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

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.verdict import Verdict

if TYPE_CHECKING:
    from specutils import Spectrum

__all__ = ["COLUMNS", "FORMATS", "ExtractedSpectrum"]

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ExtractedSpectrum:
    """A 1-D spectrum; rows in the order of the image, one for every row with a wavelength.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron.
    flux, flux_error, flux_var_poisson, flux_var_rnoise, flux_var_flat : ndarray, ([n_int,] n_wavelength)
        Jy, Jy^2.
    surf_bright, sb_error, sb_var_poisson, sb_var_rnoise, sb_var_flat : ndarray, same shape
        MJy/sr, (MJy/sr)^2: the flux averaged over the aperture.
    dq : ndarray of uint32, same shape
        DO_NOT_USE where there is no flux; OUTLIER where a pixel was rejected; FLUX_ESTIMATED where light that
        lost pixels would have had was made up for.
    background, bkgd_error, bkgd_var_poisson, bkgd_var_rnoise, bkgd_var_flat : ndarray, same shape
        MJy/sr: the background subtracted per pixel.
    npixels : ndarray, same shape
        Sum of the weights of the pixels used.
    rows : ndarray of int, (n_wavelength,)
        The image row each wavelength comes from.
    limits : ApertureLimits or None
    center : tuple of float or None
        Row and column of the file where the aperture has its centre of weight.
    sky : tuple of float or None
        Right ascension and declination (deg) of that centre, where they were read from a file.
    apcorr : ndarray or None, (n_wavelength,)
        The aperture correction already in `flux`.
    light_left : ndarray or None, ([n_int,] n_wavelength)
        Share of the light in the aperture, or under the profile, that good pixels have; the flux is already
        that of all of it. None where no pixel is lost.
    scene_model, residual : ndarray or None, ([n_int,] n_disp, n_xdisp)
        What was fitted, and the image minus it, in the unit of the image.
    profile : ndarray or None, (n_disp, n_xdisp)
        The pixel weights (box) or the spatial profile (optimal; positive plus negative).
    trace : ndarray or None, (n_disp,)
        Of the source as fitted, in the file's columns (optimal extraction).
    nod_traces : tuple of ndarray, (n_disp,)
        Of the negative traces fitted along.
    companions : tuple of ExtractedSpectrum
        Further sources fitted along, each with its `trace`.
    rejected : ndarray of bool or None, ([n_int,] n_disp, n_xdisp)
        Pixels left out as outliers.
    variance : ndarray or None, ([n_int,] n_disp, n_xdisp)
        Of the image, as it was used; the residual over its root is the residual in sigma.
    parameters : Mapping of str to object
        Every parameter in effect, by the pipeline's names.
    references : Mapping of str to str
        Kind of reference file (``extract1d``, ``apcorr``, ``psf``) to the name of what was used.
    notes : tuple of str
        What the user should know about this result, in plain sentences.
    report : Mapping of str to object
        What was fitted beyond the fluxes (refinements, advice), by name; plain numbers.
    verdict : Verdict or None
        How far to trust it, in plain numbers; None for a spectrum read from a file of the pipeline's.
    inspect : callable or None
        Looks at the residual of an unrefined extraction; see `advice`.
    image : SpectralImage or None
        The image it came from, None for a spectrum read from a file.
    """

    wavelength: Column
    flux: Column
    flux_error: Column
    flux_var_poisson: Column
    flux_var_rnoise: Column
    flux_var_flat: Column
    surf_bright: Column
    sb_error: Column
    sb_var_poisson: Column
    sb_var_rnoise: Column
    sb_var_flat: Column
    dq: NDArray[np.uint32]
    background: Column
    bkgd_error: Column
    bkgd_var_poisson: Column
    bkgd_var_rnoise: Column
    bkgd_var_flat: Column
    npixels: Column
    rows: NDArray[np.intp] | None = None
    limits: ApertureLimits | None = None
    center: tuple[float, float] | None = None
    sky: tuple[float, float] | None = None
    apcorr: Column | None = None
    light_left: Column | None = None
    scene_model: Column | None = None
    residual: Column | None = None
    profile: Column | None = None
    trace: Column | None = None
    nod_traces: tuple[Column, ...] = ()
    companions: tuple[ExtractedSpectrum, ...] = ()
    rejected: NDArray[np.bool_] | None = None
    variance: Column | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    inspect: Callable[[], tuple] | None = None
    image: SpectralImage | None = None
    file_name: str = ""

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
        """
        return FORMATS.write(self, path, format="x1d", overwrite=overwrite)


#: What a spectrum can be written as (`astropy.io.registry`); the formats' own modules register themselves.
FORMATS = UnifiedOutputRegistry()

#: The columns of the x1d table, in the pipeline's order.
COLUMNS = tuple(f.name for f in fields(ExtractedSpectrum))[:18]
