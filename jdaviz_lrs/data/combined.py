"""CombinedSpectrum: several spectra in one, in the columns of the pipeline's c1d table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io.fits import Header
from numpy.typing import NDArray

from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.spectrum import FORMATS

if TYPE_CHECKING:
    from specutils import Spectrum
    from stdatamodels.jwst.datamodels import MultiSpecModel

__all__ = ["C1D_COLUMNS", "CombinedSpectrum", "CombinedTable"]

Column = NDArray[np.float64]
Table = NDArray[np.float64]

#: Of the c1d table, in the pipeline's order: the column's name to that of ours.
C1D_COLUMNS = {
    "WAVELENGTH": "wavelength",
    "FLUX": "flux",
    "ERROR": "flux_error",
    "SURF_BRIGHT": "surf_bright",
    "SB_ERROR": "sb_error",
    "DQ": "dq",
    "WEIGHT": "weight",
    "N_INPUT": "n_input",
}


@dataclass(frozen=True, eq=False, repr=False)
class CombinedTable:
    """The columns of a c1d table, and what was made of the inputs, wavelength by wavelength.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron: every one that any input has.
    flux, flux_error : ndarray, (n_wavelength,)
        Jy.
    surf_bright, sb_error : ndarray, (n_wavelength,)
        MJy/sr, averaged as the flux is.
    dq : ndarray of uint32, (n_wavelength,)
        Of the inputs used, or-ed; OUTLIER where an input was left out, DO_NOT_USE where there is no flux.
    weight : ndarray, (n_wavelength,)
        Sum of the weights used.
    n_input : ndarray, (n_wavelength,)
        Number of inputs used.
    flux_var_poisson, flux_var_rnoise, flux_var_flat : ndarray, (n_wavelength,)
        Jy^2. The flat's is not averaged down among inputs on the same pixels; `flux_error` may exceed their
        sum where inputs contradict each other and nothing tells which is right.
    chi_square : ndarray, (n_wavelength,)
        Of the inputs used about their mean, without the errors that they share.
    input_flux, input_error : ndarray, (n_input, n_wavelength)
        The inputs as they were averaged: on one grid, scaled.
    input_dq : ndarray of uint32, (n_input, n_wavelength)
    used : ndarray of bool, (n_input, n_wavelength)
    scales, scale_errors : ndarray, (n_input,)
        By which the inputs were multiplied; ones and NaN where no scale was fitted.
    """

    wavelength: Column
    flux: Column
    flux_error: Column
    surf_bright: Column
    sb_error: Column
    dq: NDArray[np.uint32]
    weight: Column
    n_input: Column
    flux_var_poisson: Column
    flux_var_rnoise: Column
    flux_var_flat: Column
    chi_square: Column
    input_flux: Table
    input_error: Table
    input_dq: NDArray[np.uint32]
    used: NDArray[np.bool_]
    scales: Column
    scale_errors: Column


@dataclass(frozen=True, eq=False, repr=False)
class CombinedSpectrum(Making, CombinedTable):
    """A spectrum made of several: a table, and how it was made, beside what follows.

    Its wavelengths run as those of the first input.

    Attributes
    ----------
    input_names : tuple of str
    slit_ra, slit_dec : float or None
        Where the first input was extracted, in degrees.
    metadata : MultiSpecModel, Header or None
        Primary header of the first input.
    """

    input_names: tuple[str, ...] = ()
    slit_ra: float | None = None
    slit_dec: float | None = None
    source_type: str | None = None
    spectral_order: int | None = None
    metadata: MultiSpecModel | Header | None = None
    file_name: str = ""

    @property
    def chi_square_per_freedom(self) -> float:
        """Chi-square of all inputs over its degrees of freedom: one where errors hold; NaN without any."""
        freedom = np.maximum(self.n_input - 1, 0).sum()
        return float(np.nansum(self.chi_square) / freedom) if freedom > 0 else float("nan")

    @property
    def image(self) -> None:
        """None: it comes from no single image."""

    @property
    def advice(self) -> tuple:
        """Nothing: what the inputs' residuals show is told by them."""
        return ()

    def __repr__(self) -> str:
        low, high = np.nanmin(self.wavelength), np.nanmax(self.wavelength)
        return (
            f"<CombinedSpectrum: {len(self.input_names)} inputs, {self.wavelength.size} wavelengths, "
            f"{low:.2f} to {high:.2f} um>"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the header behind, which is a data model."""
        return vars(self) | {"metadata": None}

    def to_spectrum(self) -> Spectrum:
        """As a `specutils.Spectrum`: Jy, StdDevUncertainty, mask, and how it was made in ``meta``."""
        return FORMATS.write(self, format="specutils")

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write a c1d file in the pipeline's format; see `jdaviz_lrs.products.c1d.write_c1d`.

        Raises
        ------
        LRSError
            When the file exists, is an input, or cannot be written.

        Notes
        -----
        Formats are known to `FORMATS`, a registry of astropy's.
        """
        return FORMATS.write(self, path, format="c1d", overwrite=overwrite)
