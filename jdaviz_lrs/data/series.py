"""ExtractedSeries: the spectra of a time series, in the columns of the pipeline's x1dints table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.spectrum import FORMATS, ExtractedSpectrum
from jdaviz_lrs.data.table import COLUMNS

if TYPE_CHECKING:
    from specutils import Spectrum

__all__ = ["DRIFT_COLUMNS", "SERIES_COLUMNS", "ExtractedSeries"]

#: Columns of the table that every integration has of its own, in the pipeline's order.
SERIES_COLUMNS = tuple(name for name in COLUMNS if name != "wavelength")

#: What is measured of every integration beside its spectrum.
DRIFT_COLUMNS = ("shift", "shift_error", "width", "width_error", "outlying", "outliers")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ExtractedSeries(Making):
    """The spectra of a time series, one an integration, on one wavelength grid.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron.
    table : Mapping of str to ndarray, (n_int, n_wavelength)
        Columns by the names and in the units of `jdaviz_lrs.data.table.SpectrumTable`; each is an attribute,
        too: ``series.flux``.
    drift : Mapping of str to ndarray, (n_int,)
        What distinguishes the integration from the mean: ``shift`` along the slit in pixels, towards larger
        columns, and ``width`` of the PSF in units of its width, less one, both with their ``_error``;
        ``outlying`` is the number of pixels that stick out of the mean, moved and widened so, by 5 sigma and
        2 % of their light, and ``outliers`` of those that were left out. Each is an attribute, too:
        ``series.shift``. Empty for a series read from a file, and NaN where it was not measured
        (`pipeline_compatible`).
    int_num, segment_num : ndarray of int, (n_int,)
        Number of the integration, from 1 in the exposure, and of the segment it is in.
    int_times : Table or None
        Columns of the pipeline's ``INT_TIMES``, a row an integration.
    mean : ExtractedSpectrum or None
        Extracted from the mean image in the same way: aperture, place, advice; None for a series read from a
        file. The verdict is its verdict.
    file_name : str
        Of the first segment, or of the file that the series was read from.
    header : Mapping of str to object
        The primary header of the file that the series was read from.
    """

    wavelength: NDArray[np.float64]
    table: Mapping[str, NDArray]
    int_num: NDArray[np.intp]
    segment_num: NDArray[np.intp]
    drift: Mapping[str, NDArray] = field(default_factory=dict)
    int_times: Table | None = None
    mean: ExtractedSpectrum | None = None
    file_name: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> NDArray:
        """Return a column of the table, or of the drift."""
        if name in SERIES_COLUMNS:
            return vars(self)["table"][name]
        if name in DRIFT_COLUMNS and name in vars(self)["drift"]:
            return vars(self)["drift"][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __len__(self) -> int:
        """Return the number of integrations."""
        return len(self.int_num)

    def __repr__(self) -> str:
        low, high = np.nanmin(self.wavelength), np.nanmax(self.wavelength)
        return (
            f"<ExtractedSeries: {self.parameters.get('extraction_type', '')}, {len(self)} integrations, "
            f"{self.wavelength.size} wavelengths, {low:.2f} to {high:.2f} um>"
        )

    @property
    def image(self) -> Any:
        """The mean image that the series was laid out on; None for a series read from a file."""
        return None if self.mean is None else self.mean.image

    @property
    def advice(self) -> tuple:
        """What the residual of the mean image shows; see `ExtractedSpectrum.advice`."""
        return () if self.mean is None else self.mean.advice

    def to_spectrum(self) -> Spectrum:
        """As a `specutils.Spectrum` of all integrations: flux (n_int, n_wavelength) in Jy, errors, mask."""
        return FORMATS.write(self, format="specutils")

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write an x1dints file in the pipeline's format; see `jdaviz_lrs.products.x1dints.write_x1dints`.

        Raises
        ------
        LRSError
            When the file exists, is an input, or cannot be written.

        Notes
        -----
        Formats are known to `FORMATS`, a registry of astropy's.
        """
        return FORMATS.write(self, path, format="x1dints", overwrite=overwrite)
