"""The PSF reference file: read, checked, written."""

import os
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT
from jdaviz_lrs.products.door import open_fits
from jdaviz_lrs.products.files import whole_file
from jdaviz_lrs.references.once import read_once
from jdaviz_lrs.references.sound import demand, demand_wavelengths

__all__ = ["read_psf", "write_psf"]

MODELS = ("SpecPsfModel", "MiriLrsPsfModel")  # the second until jwst 1.18
SUBPIX_RANGE = (0.5, 200.0)
"""Samples per pixel: fewer do not show a profile, more are a mistake."""
LEAST_EXTENT = 3.0
"""Pixels that a profile must reach over."""
NEGATIVE = 0.01
"""Of the light at a wavelength: more that is negative is not the noise of a measured profile."""


@read_once
def read_psf(path: str | os.PathLike, names: tuple[str, ...] = DEFAULT.psf_apertures) -> SpectralPSF:
    """Read a PSF reference file (SpecPsfModel).

    Parameters
    ----------
    path : path-like
        The file.
    names : tuple of str
        What an aperture of the mode may be called; of several the first that is called so is taken.

    Returns
    -------
    SpectralPSF
        Rows without a finite wavelength are dropped, and so are those at either end of the wavelengths
        that hold nothing but zeros or NaN.

    Raises
    ------
    LRSError
        If the file is missing, is not FITS, is of another kind, has no usable aperture, or holds what cannot
        be a profile.
    """
    path = Path(path)
    with open_fits(path) as hdus:
        header = hdus[0].header
        kind = str(header.get("DATAMODL")), str(header.get("REFTYPE")).lower()
        if kind[0] not in MODELS or kind[1] != "psf":
            raise LRSError(
                f"PSF reference {path}: DATAMODL and REFTYPE are {kind[0]} and {kind[1]}; "
                "a SpecPsfModel of type psf is needed."
            )
        return _from_hdus(hdus, path, names)


def _from_hdus(hdus: fits.HDUList, path: Path, names: tuple[str, ...]) -> SpectralPSF:
    for extension in (hdu for hdu in hdus if hdu.name == "PSF"):
        # files older than stdatamodels 4 keep these keywords in the primary header
        header = {**hdus[0].header, **extension.header}
        if str(header.get("APERTURE", "ANY")).strip().upper() in names:
            break
    else:
        raise LRSError(f"PSF reference {path}: no aperture is named {' or '.join(names)}.")
    data = np.asarray(extension.data, float)
    wavelength = np.asarray(hdus["WAVE", extension.ver].data, float)
    good = np.isfinite(wavelength)
    if not good.any():
        raise LRSError(f"PSF reference {path}: none of its wavelengths is finite.")
    if data.ndim != 2 or data.shape[0] != wavelength.size:
        raise LRSError(
            f"PSF reference {path}: the profile {data.shape} does not match {wavelength.size} wavelengths."
        )
    psf = SpectralPSF(
        *_with_light(data[good], wavelength[good]),
        _number(header, "SUBPIX"),
        _number(header, "CENTCOL"),
        path.name,
    )
    _demand_sound(psf, f"PSF reference {path}")
    return psf


def _number(header: dict, keyword: str) -> float:
    """Return a keyword's number; NaN where there is none."""
    value = header.get(keyword)
    return float(value) if isinstance(value, int | float) else np.nan


def _with_light(data: NDArray, wavelength: NDArray) -> tuple[NDArray, NDArray]:
    """Leave out rows without anything at either end of the wavelengths; all are kept if none has anything."""
    rows = np.flatnonzero((np.nan_to_num(data) != 0).any(axis=1))
    within = slice(rows[0], rows[-1] + 1) if rows.size else slice(None)
    return data[within], wavelength[within]


def _demand_sound(psf: SpectralPSF, what: str) -> None:
    """Refuse what cannot be a profile."""
    n_column, subpix, center = psf.data.shape[1], psf.subpix, psf.center_col
    least, most = SUBPIX_RANGE
    demand(
        least <= subpix <= most and n_column >= LEAST_EXTENT * subpix,
        what,
        f"its SUBPIX {subpix:g} cannot be, for a profile of {n_column} samples",
        "psf",
    )
    demand(
        0 <= center <= n_column - 1,
        what,
        f"its CENTCOL {center:g} lies outside the profile (0 to {n_column - 1})",
        "psf",
    )
    demand_wavelengths(psf.wavelength, what, "plane WAVE", "psf")
    light = np.maximum(psf.data, 0).sum(axis=1)  # NaN where any sample is
    problems = {
        "is not finite": ~np.isfinite(psf.data).all(axis=1),
        "is all zero": ~psf.data.any(axis=1),
        f"is negative, by more than {NEGATIVE:.0%} of the light,": -psf.data.clip(max=0).sum(axis=1)
        > NEGATIVE * light,
    }
    for problem, bad in problems.items():
        demand(
            not bad.any(),
            what,
            f"its plane PSF {problem} at {bad.sum()} of {bad.size} wavelengths, "
            f"the first {psf.wavelength[bad.argmax()]:.4g} um",
            "psf",
        )


def write_psf(psf: SpectralPSF, path: str | os.PathLike) -> Path:
    """Write a PSF reference file in the pipeline's format; nothing is left at `path` if it fails.

    Parameters
    ----------
    psf : SpectralPSF
        The profile; its name becomes the description.
    path : path-like
        The FITS file to write.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    from stdatamodels.jwst.datamodels import SpecPsfModel

    path = Path(path)
    model = SpecPsfModel()
    model.apertures.append(
        {
            "name": "ANY",
            "subpix": psf.subpix,
            "center_col": psf.center_col,
            "center_row": 0.0,
            "data": psf.data,
            "wave": psf.wavelength,
        }
    )
    model.meta.description = psf.name[:68]
    model.meta.reftype = "psf"
    model.meta.author = "jdaviz-lrs"
    model.meta.pedigree = "SIMULATION"
    model.meta.useafter = "2022-01-01T00:00:00"
    model.meta.telescope = "JWST"
    model.meta.instrument.name = "MIRI"
    model.meta.exposure.type = DEFAULT.exposure_type
    with whole_file(path, overwrite=True) as temporary:
        model.save(temporary)
    return path
