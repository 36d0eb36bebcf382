"""The aperture-correction reference file (MirLrsApcorrModel)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from stdatamodels.jwst.datamodels import MirLrsApcorrModel

from jdaviz_lrs.engine.apcorr import correction_table
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT, Mode
from jdaviz_lrs.products.files import in_ascii, whole_file
from jdaviz_lrs.products.read import open_datamodel
from jdaviz_lrs.references.once import read_once
from jdaviz_lrs.references.sound import demand, demand_wavelengths

__all__ = ["ApertureCorrection", "read_apcorr", "write_apcorr"]

SHAPES = {"subarray": 0, "wavelength": 1, "nelem_wl": 0, "size": 1, "nelem_size": 0, "apcorr": 2}
"""Columns of the table to the axes that one of its rows has there."""

NOISE = 0.01
"""Of a correction: by more none rises from one width to the next."""

PLAUSIBLE = (0.9, 10.0)
"""Corrections: less would be an aperture with more than all light, more one that hardly holds any."""


@dataclass(frozen=True, eq=False)
class ApertureCorrection:
    """A tabulated aperture correction.

    Attributes
    ----------
    name : str
        The file's name.
    wavelength : ndarray, (n_wavelength,)
        Micron.
    size : ndarray, (n_size,)
        Aperture widths in `size_unit`.
    size_unit : str
        ``pixels`` or ``arcsec``.
    apcorr : ndarray, (n_wavelength, n_size)
    refusal : str
        Why there is no correction for the exposure, where the file has none: it is needed by the
        extractions only that are corrected by it.
    """

    name: str
    wavelength: NDArray[np.float64]
    size: NDArray[np.float64]
    size_unit: str
    apcorr: NDArray[np.float64]
    refusal: str = ""

    @cached_property
    def _table(self) -> RectBivariateSpline:
        return correction_table(self.size, self.wavelength, self.apcorr)

    def at(self, npixels: NDArray, wavelength: NDArray, pixel_scale: float | None = None) -> NDArray:
        """Interpolate for apertures of `npixels` pixels at `wavelength` (micron).

        `pixel_scale` (arcsec per pixel across the dispersion) is needed where the sizes are in arcsec.

        Raises
        ------
        LRSError
            Where the file has no row, or several, for the exposure's subarray.
        """
        if self.refusal:
            raise LRSError(self.refusal)
        size = npixels * pixel_scale if self.size_unit.startswith("arcsec") else npixels
        return self._table.ev(size, wavelength)

    def light_within(self, width: float, wavelength: NDArray, pixel_scale: float | None = None) -> NDArray:
        """Share of the light in an aperture of one width, (n_disp,); arguments and errors as those of `at`.

        The last one is kept, as one image is extracted again and again.
        """
        kept = vars(self).get("_kept")
        if kept is None or kept[0] is not wavelength or kept[1] != (width, pixel_scale):
            share = 1.0 / self.at(np.full(wavelength.shape, width), wavelength, pixel_scale)
            kept = vars(self)["_kept"] = wavelength, (width, pixel_scale), share
        return kept[2]


@read_once
def read_apcorr(path: str | Path, subarray: str | None = None) -> ApertureCorrection:
    """Read the correction for a subarray.

    Raises
    ------
    LRSError
        When the file is missing or of another kind, or its sizes, wavelengths or corrections cannot be. That
        it has no row, or several, for the subarray is said by the correction when it is asked
        (`ApertureCorrection.at`).
    """
    path = Path(path)
    with open_datamodel(path, {"MirLrsApcorrModel": MirLrsApcorrModel}, "an aperture correction") as model:
        table = np.asarray(model.apcorr_table)
        size_unit = str(model.sizeunit or "pixels")
    absent = sorted({*SHAPES} - {*(table.dtype.names or ())})
    demand(not absent, str(path), f"its table has no column {', '.join(absent)}", "apcorr")
    subarrays = table["subarray"]
    demand(
        subarrays.ndim == 1 and subarrays.dtype.kind in "SU",
        str(path),
        "its column subarray holds no names",
        "apcorr",
    )
    names = np.char.upper(subarrays.astype(str))
    rows = table if subarray is None else table[names == subarray.upper()]
    if len(rows) != 1:
        refusal = (
            f"{path}: {len(rows)} rows for the subarray {subarray} (the file has {', '.join(names)}); give "
            "the file for this subarray, or set apcorr_method to psf or apply_apcorr to false."
        )
        nothing = np.empty(0)
        return ApertureCorrection(path.name, nothing, nothing, size_unit, nothing[:, None], refusal)
    row = rows[0]
    for name, n_axes in SHAPES.items():
        found = np.ndim(row[name])
        demand(found == n_axes, str(path), f"its column {name} has {found} axes, not {n_axes}", "apcorr")
    n_wavelength, n_size = int(row["nelem_wl"]), int(row["nelem_size"])
    lengths = {"nelem_wl": (n_wavelength, "wavelength"), "nelem_size": (n_size, "size")}
    for name, (number, column) in lengths.items():
        sound = 2 <= number <= row[column].size
        demand(
            sound,
            str(path),
            f"its {name} is {number}, of {row[column].size} in the column {column}",
            "apcorr",
        )
    correction = ApertureCorrection(
        name=path.name,
        wavelength=np.asarray(row["wavelength"][:n_wavelength], float),
        size=np.asarray(row["size"][:n_size], float),
        size_unit=size_unit,
        apcorr=np.asarray(row["apcorr"][:n_wavelength, :n_size], float),
    )
    _demand_sound(correction, str(path))
    return correction


def _demand_sound(correction: ApertureCorrection, path: str) -> None:
    """Refuse what cannot be interpolated, or is no correction of an aperture."""
    demand_wavelengths(correction.wavelength, path, "column wavelength", "apcorr")
    size, apcorr = correction.size, correction.apcorr
    rising = np.isfinite(size).all() and size[0] > 0 and (np.diff(size) > 0).all()
    demand(rising, path, "its column size does not rise from a width above zero to the next", "apcorr")
    demand(np.isfinite(apcorr).all(), path, "not all of its column apcorr is finite", "apcorr")
    least, most = PLAUSIBLE
    demand(
        (apcorr >= least).all() and (apcorr <= most).all(),
        path,
        f"its column apcorr runs from {apcorr.min():.4g} to {apcorr.max():.4g}; corrections lie "
        f"between {least:g} and {most:g}",
        "apcorr",
    )
    demand(
        (np.diff(apcorr, axis=1) <= NOISE * apcorr[:, 1:]).all() and (apcorr[:, 0] > apcorr[:, -1]).all(),
        path,
        "its column apcorr does not fall with size, though a wider aperture has more of the light",
        "apcorr",
    )


def write_apcorr(
    correction: ApertureCorrection,
    path: str | Path,
    subarray: str = "FULL",
    mode: Mode = DEFAULT,
    pedigree: str = "GROUND",
    overwrite: bool = False,
) -> Path:
    """Write an aperture correction in the pipeline's format; nothing is left at `path` if it fails.

    Parameters
    ----------
    correction : ApertureCorrection
        Its name becomes the description. The format holds whole numbers for sizes, and single precision.
    path : path-like
        The FITS file to write (MirLrsApcorrModel).
    subarray : str
        That it is for.
    mode : Mode
        That it is for.
    pedigree : str
        As in CRDS: ``GROUND``, ``INFLIGHT``, ``SIMULATION``.
    overwrite : bool
        Without it an existing file is left as it is.

    Returns
    -------
    Path
        The file written.
    """
    path = Path(path)
    n_wavelength, n_size = correction.apcorr.shape
    columns = [
        ("subarray", "S17"),
        ("wavelength", "f4", (n_wavelength,)),
        ("nelem_wl", "i2"),
        ("size", "u1", (n_size,)),
        ("nelem_size", "i2"),
        ("apcorr", "f4", (n_wavelength, n_size)),
        ("apcorr_err", "f4", (n_wavelength, n_size)),
    ]
    table = correction.apcorr
    row = (
        subarray.encode(), correction.wavelength, n_wavelength, correction.size, n_size, table, 0 * table
    )  # fmt: skip
    model = MirLrsApcorrModel(apcorr_table=np.array([row], dtype=columns))
    model.sizeunit = correction.size_unit
    model.meta.reftype, model.meta.telescope = "apcorr", "JWST"
    model.meta.author, model.meta.pedigree = "jdaviz-lrs", pedigree
    model.meta.description, model.meta.useafter = in_ascii(correction.name)[:68], "2022-01-01T00:00:00"
    model.meta.instrument.name, model.meta.exposure.type = "MIRI", mode.exposure_type
    model.meta.exposure.p_exptype = f"{mode.exposure_type}|"
    with whole_file(path, overwrite) as temporary:
        model.save(temporary)
    return path
