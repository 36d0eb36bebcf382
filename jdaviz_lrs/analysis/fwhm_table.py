"""A table of the FWHM against wavelength: read, and checked."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from jdaviz_lrs.engine.full_width import MeasuredWidth
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references.lrs_psf import PLATE_SCALE

__all__ = ["read_widths"]


def read_widths(table: Any, pixel_scale: float | None = None) -> MeasuredWidth:
    """Read the FWHM against wavelength.

    Parameters
    ----------
    table : path-like, Table or pair of array_like
        A file in any format that astropy reads (ECSV, FITS, CSV, columns of text ...) or a table, with the
        columns ``wavelength`` and ``fwhm``, or just the two. Without units they are in micron and pixels.
    pixel_scale : float, optional
        Arcsec per pixel, for widths in units of angle; by default that of MIRI.

    Returns
    -------
    MeasuredWidth
        In micron and pixels, all with the same weight.

    Raises
    ------
    LRSError
        For a file that is missing or no table, a column that is not there, a unit that is no length (or, of
        the widths, pixel or angle), values that are not finite and positive, and wavelengths that neither
        rise nor fall throughout.
    """
    name = "The table of the FWHM"
    if isinstance(table, str | Path):
        name, table = str(table), _read(Path(table))
    if isinstance(table, Table):
        columns = [_column(table, column, name) for column in ("wavelength", "fwhm")]
    else:
        columns = _pair(table, name)
    angle = u.pixel_scale((pixel_scale or PLATE_SCALE) * u.arcsec / u.pix)
    wavelength = _values(columns[0], u.um, u.spectral(), f"{name}: wavelength")
    fwhm = _values(columns[1], u.pix, angle, f"{name}: fwhm")
    if wavelength.size != fwhm.size:
        raise LRSError(f"{name}: {wavelength.size} wavelengths, but {fwhm.size} widths.")
    steps = np.diff(wavelength)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise LRSError(f"{name}: the wavelengths neither rise nor fall throughout; sort them.")
    order = np.argsort(wavelength)
    return MeasuredWidth(wavelength[order], fwhm[order], np.ones_like(fwhm))


def _read(path: Path) -> Table:
    if not path.is_file():
        raise LRSError(f"{path}: there is no such file.")
    readers = [{}] if b"\0" in path.read_bytes()[:4096] else [{}, {"format": "ascii"}]
    for settings in readers:
        with suppress(Exception):  # astropy's readers raise many kinds
            return Table.read(path, **settings)
    raise LRSError(f"{path}: not a table that astropy can read; give e.g. an ECSV file.")


def _column(table: Table, wanted: str, name: str) -> Any:
    for column in table.colnames:
        if column.lower() == wanted:
            return table[column]
    raise LRSError(f"{name}: no column '{wanted}' (found: {', '.join(table.colnames)}); rename one.")


def _pair(table: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(table, tuple | list) or len(table) != 2:
        raise LRSError(f"{name} is neither a file, a table, nor a pair of wavelengths and widths.")
    return table[0], table[1]


def _values(column: Any, unit: u.Unit, equivalencies: list, name: str) -> np.ndarray:
    given = getattr(column, "unit", None) or unit
    try:
        values: np.ndarray = np.ma.filled(np.ma.asarray(getattr(column, "value", column), float), np.nan)
        values = u.Quantity(np.atleast_1d(values), given).to_value(unit, equivalencies)
    except u.UnitConversionError:
        raise LRSError(f"{name} is in {given}, which is no measure of it; give {unit}.") from None
    except (TypeError, ValueError):
        raise LRSError(f"{name} is not a column of numbers.") from None
    if values.size == 0 or not (np.isfinite(values) & (values > 0)).all():
        raise LRSError(f"{name} has values that are missing, zero or negative; leave these rows out.")
    return values
