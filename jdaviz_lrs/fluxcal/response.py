"""Response: what the flux of a spectrum is to be multiplied by, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import QTable
from numpy.typing import NDArray

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.manner import Manner
from jdaviz_lrs.products.files import whole_files

__all__ = ["Response", "read_response"]

Column = NDArray[np.float64]

FORMAT = "jdaviz-lrs response"

COLUMNS = ("wavelength", "factor", "error", "systematic", "apcorr")

TOLD = ("stars", "models", "epochs", "chi_square", "stand_in", "versions", "made", "notes")


@dataclass(frozen=True, eq=False)
class Response:
    """The model of a star over its extracted spectrum, for spectra extracted in the same manner.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron, rising.
    factor : ndarray, (n_wavelength,)
        What a flux is multiplied by; NaN where it is not known.
    error : ndarray, (n_wavelength,)
        Of the factor, from the star's errors; neighbouring wavelengths have it in common.
    systematic : ndarray, (n_wavelength,)
        Of the factor, from the model's own error and the scatter of several stars about their mean.
    apcorr : ndarray, (n_wavelength,)
        The aperture correction in the star's flux, NaN where it is not known.
    manner : Manner
        How the star was extracted.
    stars, models, epochs : tuple of str
        One for each star or epoch.
    chi_square : float
        Of the stars about the smooth response.
    stand_in : bool
        Whether a model is none of the star.
    versions : Mapping of str to str
    made : str
        Date and time.
    notes : tuple of str
    inputs : tuple of path-like
        Files that it was made from, or read from.
    """

    wavelength: Column
    factor: Column
    error: Column
    systematic: Column
    apcorr: Column
    manner: Manner
    stars: tuple[str, ...]
    models: tuple[str, ...]
    epochs: tuple[str, ...] = ()
    chi_square: float = float("nan")
    stand_in: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
    made: str = ""
    notes: tuple[str, ...] = ()
    inputs: tuple[str | Path, ...] = ()

    @property
    def name(self) -> str:
        """Whose it is, in a few words."""
        return f"{', '.join(dict.fromkeys(self.stars))} ({', '.join(dict.fromkeys(self.models))})"

    def at(self, wavelength: Column) -> tuple[Column, Column]:
        """Return the factor and its whole error at wavelengths (micron), (n,); NaN outside its validity."""
        error = np.hypot(self.error, self.systematic)
        known = {"left": np.nan, "right": np.nan}
        return tuple(np.interp(wavelength, self.wavelength, one, **known) for one in (self.factor, error))

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write it as ECSV, with all that it holds for.

        Raises
        ------
        LRSError
            When the name does not end with ``.ecsv``, the file exists, is an input, or cannot be written.
        """
        path = Path(path)
        if path.suffix != ".ecsv":
            raise LRSError(f"{path}: responses are written as ECSV; let the name end with .ecsv.")
        columns = {name: getattr(self, name) for name in COLUMNS}
        columns["wavelength"] = columns["wavelength"] * u.um
        manner = {one.name: getattr(self.manner, one.name) for one in fields(Manner)}
        told = {name: getattr(self, name) for name in TOLD}
        meta = {"format": FORMAT, **told, "hash": self.manner.hash, "manner": manner}
        # through JSON, as YAML would spell tuples and numpy's numbers in its own way
        table = QTable(columns, meta=json.loads(json.dumps(meta, default=_number)))
        with whole_files([path], overwrite, self.inputs) as (temporary,):
            table.write(temporary, format="ascii.ecsv")
        return path


def _number(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else value.item()


def read_response(path: str | Path) -> Response:
    """Read a response.

    Raises
    ------
    LRSError
        When the file is missing, of another kind, or was changed so that it does not hold together.
    """
    path = Path(path)
    if not path.is_file():
        raise LRSError(f"{path}: there is no such file; give a response, as jdaviz-lrs response writes it.")
    try:
        table = QTable.read(path, format="ascii.ecsv")
        if table.meta.get("format") != FORMAT:
            raise ValueError
        columns = {name: np.asarray(table[name].value, float) for name in ("wavelength",)}
        columns |= {name: np.asarray(table[name], float) for name in COLUMNS[1:]}
        manner = Manner(**table.meta["manner"])
        told = {name: table.meta[name] for name in TOLD}
    except Exception:  # of astropy's tables, of YAML, of a meta that lacks something
        raise LRSError(f"{path}: this is no response, as jdaviz-lrs response writes it.") from None
    if manner.hash != table.meta.get("hash"):
        raise LRSError(
            f"{path}: its parameters do not belong to their hash, so it was changed; make it anew."
        )
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    _demand_sound(columns, path)
    return Response(**columns, manner=manner, **told, inputs=(str(path),))


def _demand_sound(columns: dict[str, np.ndarray], path: Path) -> None:
    wavelength, factor, error = (columns[name] for name in ("wavelength", "factor", "error"))
    known = np.isfinite(factor)
    sound = (np.diff(wavelength) > 0).all() and known.any() and (factor[known] > 0).all()
    if not sound or not (error[known] >= 0).all():
        raise LRSError(f"{path}: its wavelengths do not rise, or factors are not positive; make it anew.")
