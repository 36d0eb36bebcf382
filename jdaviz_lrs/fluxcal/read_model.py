"""Models of stars, as people have them: CALSPEC's files, tables with units, spectra, or a name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io.fits import getheader
from astropy.table import Table
from specutils import Spectrum

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.star_model import StarModel, engelke, rayleigh_jeans

__all__ = ["star_model"]

#: Units as CALSPEC spells them.
SPELT = {
    "ANGSTROMS": u.AA, "ANGSTROM": u.AA, "NANOMETERS": u.nm, "MICRONS": u.um,
    "FLAM": u.erg / (u.s * u.cm**2 * u.AA), "FNU": u.erg / (u.s * u.cm**2 * u.Hz),
    "JY": u.Jy, "MJY": u.mJy,
}  # fmt: skip

ERRORS = ("staterror", "syserror")

FITS = (".fits", ".fit", ".fits.gz")


def star_model(model: StarModel | Spectrum | str | Path) -> StarModel:
    """Take a model of a star in whatever form it comes.

    Parameters
    ----------
    model : StarModel, specutils.Spectrum, or str or path-like
        A FITS table as CALSPEC has them, a table in ECSV or another text format that holds units, the name of
        a star in CALSPEC (with the extra ``calspec``, from the network), or a stand-in, scaled at 10 um:
        ``rayleigh-jeans:0.05`` (Jy) or ``engelke:4200:0.3`` (kelvin, Jy).

    Returns
    -------
    StarModel

    Raises
    ------
    LRSError
        When it cannot be read, has no units, is in air, or no star has the name.
    """
    if isinstance(model, StarModel):
        return model
    if isinstance(model, Spectrum):
        name = str(model.meta.get("name") or model.meta.get("header", {}).get("OBJECT") or "a spectrum")
        _demand_vacuum(name, model.meta | dict(model.meta.get("header", {})), ())
        return _sound(name, model.spectral_axis, model.flux, None, ())
    if not isinstance(model, str | Path):
        raise LRSError("Give the star's model: a file, a specutils Spectrum, its name, or a stand-in.")
    text, path = str(model), Path(model).expanduser()
    if path.is_file():
        return _read(path)
    if stand_in := _stand_in(text):
        return stand_in
    if isinstance(model, Path) or path.suffix or len(path.parts) > 1:
        raise LRSError(f"{path}: there is no such file; give the star's model.")
    return _named(text)


def _stand_in(text: str) -> StarModel | None:
    kinds = {"engelke": (engelke, 2), "rayleigh-jeans": (rayleigh_jeans, 1)}
    kind, *numbers = text.lower().split(":")
    if kind not in kinds or not numbers:
        return None
    make, number = kinds[kind]
    try:
        values = [float(one) for one in numbers]
    except ValueError:
        values = []
    if len(values) != number:
        raise LRSError(f"{text}: a stand-in is given as engelke:KELVIN:JANSKY or rayleigh-jeans:JANSKY.")
    return make(*values)


def _read(path: Path, name: str = "") -> StarModel:
    """Read a table; a name tells its format where the path does not."""
    name = name or path.name
    with _one_sentence(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CALSPEC's units are none of FITS
        fits = name.lower().endswith(FITS)
        table = Table.read(path, format="fits", hdu=1) if fits else Table.read(path, format="ascii")
        header = dict(getheader(path, 1)) if fits else {}  # some of it is not in the table's
        product = getheader(path).get("DATAMODL") if fits else None
    if product:
        raise LRSError(f"{path}: this was observed ({product}), and is no model of the star; give its model.")
    columns = {name.lower(): table[name] for name in table.colnames}
    _demand_vacuum(str(path), header | table.meta, columns)
    units = {name: _unit(column.unit) for name, column in columns.items()}
    spectral = next((n for n, unit in units.items() if unit and unit.is_equivalent(u.um, u.spectral())), None)
    flux = sorted(
        (n for n, unit in units.items() if unit and unit.is_equivalent(u.Jy, u.spectral_density(1 * u.um))),
        key=lambda name: name != "flux",
    )
    flux = [name for name in flux if name not in ERRORS]
    if spectral is None or not flux:
        lacking = "wavelengths" if spectral is None else "flux densities"
        raise LRSError(
            f"{path}: no column has the unit of {lacking}; give a table whose columns have units, as ECSV."
        )
    wavelength, density = _filled(columns[spectral]), _filled(columns[flux[0]])
    errors = [np.asarray(columns[name], float) for name in ERRORS if name in columns]
    error = np.hypot.reduce(errors) * units[flux[0]] if errors else None
    return _sound(
        name,
        wavelength * units[spectral],
        density * units[flux[0]],
        error,
        (str(path),),
    )


def _filled(column: Any) -> np.ndarray:
    return np.asarray(np.ma.filled(np.ma.asarray(column, float), np.nan))


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a library for each format has errors of its own
        why = str(error).strip().partition("\n")[0][:80] or type(error).__name__
        raise LRSError(f"{path}: not a table that can be read ({why}); give FITS or ECSV.") from None


def _unit(unit: Any) -> u.UnitBase | None:
    if unit is None or str(unit) == "":
        return None
    known = SPELT.get(str(unit).upper())
    if known is not None:
        return known
    return None if isinstance(unit, u.UnrecognizedUnit) else u.Unit(unit)


def _demand_vacuum(name: str, meta: dict[str, Any], columns: Any) -> None:
    told = [str(meta.get(key, "")).lower() for key in ("AIRORVAC", "airorvac", "MEDIUM", "medium")]
    types = [
        str(value).upper() for key, value in meta.items() if str(key).upper().startswith(("CTYPE", "TCTYP"))
    ]
    in_air = "air" in told or any(one.startswith("AWAV") for one in types)
    if in_air or any("air" in one.split("_") for one in columns):
        raise LRSError(f"{name}: its wavelengths are in air; convert them to vacuum.")


def _sound(
    name: str, wavelength: u.Quantity, flux: u.Quantity, error: u.Quantity | None, inputs: tuple[str, ...]
) -> StarModel:
    """Return the model in micron and Jy, in order, without what is not known."""
    try:
        micron = u.Quantity(wavelength).to(u.um, u.spectral())
        jansky = u.Quantity(flux).to_value(u.Jy, u.spectral_density(micron))
    except u.UnitConversionError:
        raise LRSError(
            f"{name}: {wavelength.unit or 'no unit'} and {flux.unit or 'no unit'} are not units of a "
            "spectrum; give wavelengths and flux densities."
        ) from None
    more = None
    if error is not None:
        more = error.to_value(u.Jy, u.spectral_density(micron))
        more = more if np.isfinite(more).any() and (more > 0).any() else None
    known = np.isfinite(micron.value) & np.isfinite(jansky) & (micron.value > 0)
    place, first = np.unique(micron.value[known], return_index=True)
    if place.size < 2:
        raise LRSError(f"{name}: it has {place.size} wavelengths with a flux; give the star's model.")
    return StarModel(
        name, place, jansky[known][first], None if more is None else np.nan_to_num(more[known][first]),
        inputs=inputs,
    )  # fmt: skip


def _named(name: str) -> StarModel:
    """Fetch the model of a star of CALSPEC."""
    try:
        from getCalspec.getCalspec import Calspec
    except ImportError:
        raise LRSError(
            f'{name}: no such file; to take it for a star\'s name, pip install "jdaviz-lrs[calspec]".'
        ) from None
    try:
        star = Calspec(name)
        path = star.download_spectrum_fits_filename(type="mod")
        file = star.get_spectrum_fits_filename(type="mod")
    except KeyError:
        raise LRSError(f"{name}: neither a file nor a star of CALSPEC; give the model's file.") from None
    except Exception as error:  # of the network, in whatever form
        why = type(error).__name__
        raise LRSError(
            f"{name}: its model cannot be fetched from CALSPEC's archive ({why}); give its file."
        ) from None
    return replace(_read(Path(path), str(file)), inputs=())
