"""Extracted spectra as files: the pipeline's x1d, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS
from astropy.io import fits
from astropy.modeling.models import Const1D, Tabular1D
from astropy.modeling.models import Mapping as Axes
from gwcs import WCS
from gwcs import coordinate_frames as cf
from stdatamodels.jwst.datamodels import MultiSpecModel, SpecModel, TSOSpecModel

from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.door import open_fits
from jdaviz_lrs.products.files import fits_path, in_ascii, whole_files
from jdaviz_lrs.products.made import being_written, read_made, tell_made
from jdaviz_lrs.products.order import in_order
from jdaviz_lrs.products.orientation import aperture_keywords
from jdaviz_lrs.products.origin import origin_of_headers
from jdaviz_lrs.products.read import checked_kind
from jdaviz_lrs.products.sound import sound_cards, sound_columns

__all__ = [
    "UNITS",
    "describe_spectrum",
    "named_cards",
    "read_x1d",
    "record_references",
    "save_table",
    "write_x1d",
]

COMMON = "LRS_COMMON"
"""Beside each table one of ours, where spectra of the source have an error in common: COMMON_ERROR."""

FLUX, FLUX_VARIANCE, BRIGHTNESS, BRIGHTNESS_VARIANCE = "Jy", "Jy^2", "MJy/sr", "MJy^2 / sr^2"

#: Of the columns that have one, in the pipeline's spelling.
UNITS = {"wavelength": "um", "flux": FLUX, "flux_error": FLUX}
UNITS |= dict.fromkeys(("surf_bright", "sb_error", "background", "bkgd_error"), BRIGHTNESS)
for _source in ("poisson", "rnoise", "flat"):
    UNITS[f"flux_var_{_source}"] = FLUX_VARIANCE
    UNITS[f"sb_var_{_source}"] = UNITS[f"bkgd_var_{_source}"] = BRIGHTNESS_VARIANCE


def write_x1d(spectrum: ExtractedSpectrum, path: str | Path, overwrite: bool = False) -> Path:
    """Write a spectrum as the pipeline's MultiSpecModel.

    The table has the pipeline's 18 columns with units, the primary header is the input's, and the header of
    the table tells under ``HIERARCH LRS ...`` how the spectrum was made. Each integration of a stack gets an
    extension of its own.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    path : path-like
    overwrite : bool
        Without it an existing file is left as it is.

    Raises
    ------
    LRSError
        When the file exists or is the image itself, has not the ending ``.fits``, or cannot be written.
    """
    path = fits_path(path)
    with whole_files([path], overwrite, spectrum.inputs) as (temporary,):
        save_table(spectrum, temporary)
    return path


def save_table(spectrum: ExtractedSpectrum, temporary: Path) -> None:
    """Write a spectrum to a path where nothing is yet; see `write_x1d`."""
    image = spectrum.image
    with being_written(spectrum), MultiSpecModel() as model:
        if image is not None and image.metadata is not None:
            model.update(image.metadata, only="PRIMARY")
        model.meta.cal_step.extract_1d = "COMPLETE"
        record_references(model, spectrum.references)
        tables = [_table(spectrum, index) for index in np.ndindex(spectrum.flux.shape[:-1])]
        model.spec.extend(_spec_model(spectrum, table) for table in tables)
        model.save(temporary)
        with fits.open(temporary, mode="update") as hdus:
            for hdu in hdus:
                if hdu.name == "EXTRACT1D":
                    tell_made(hdu.header, spectrum)
            if spectrum.common_error is not None:
                _append_common(hdus, spectrum)


def _append_common(hdus: fits.HDUList, spectrum: ExtractedSpectrum) -> None:
    """Put the common errors, a table for each integration, before the last extension, which is ASDF."""
    errors = np.broadcast_to(spectrum.common_error, spectrum.flux.shape)
    for version_number, place in enumerate(np.ndindex(spectrum.flux.shape[:-1]), 1):
        column = fits.Column("COMMON_ERROR", "D", unit=FLUX, array=errors[place])
        hdus.insert(len(hdus) - 1, fits.BinTableHDU.from_columns([column], name=COMMON, ver=version_number))


def record_references(model: MultiSpecModel, references: Mapping[str, str]) -> None:
    """Name the reference files, and the CRDS context they come from, in the pipeline's keywords."""
    used = model.meta.ref_file
    for kind, name in references.items():
        if hasattr(used, kind):
            getattr(used, kind).name = in_ascii(name)
    if "context" in references:
        used.crds.context_used = references["context"]
        used.crds.sw_version = version("crds")


def _table(spectrum: ExtractedSpectrum, integration: tuple[int, ...]) -> np.ndarray:
    table = np.zeros(spectrum.wavelength.size, dtype=SpecModel().get_dtype("spec_table"))
    for name in COLUMNS:
        column = getattr(spectrum, name)
        table[name.upper()] = column if name == "wavelength" else column[integration]
    return table


def _spec_model(spectrum: ExtractedSpectrum, table: np.ndarray) -> SpecModel:
    spec = SpecModel(spec_table=table)
    for name, unit in UNITS.items():
        spec.spec_table.columns[name].unit = unit
    describe_spectrum(spec, spectrum)
    return spec


def describe_spectrum(spec: SpecModel | TSOSpecModel, spectrum: ExtractedSpectrum) -> None:
    """Tell in the header of a table where its spectrum is, in the pipeline's keywords."""
    spec.slit_ra, spec.slit_dec = spectrum.slit_ra, spectrum.slit_dec
    image = spectrum.image
    if image is not None:
        spec.name = image.observation.slit_name
        spec.source_type = image.observation.source_type
        spec.spectral_order = image.observation.spectral_order
        spec.dispersion_direction = 1 if image.horizontal else 2
        if image.metadata is not None:
            spec.detector = image.metadata.meta.instrument.detector
        if spectrum.limits is not None:
            for name, value in aperture_keywords(spectrum.limits, image.horizontal).items():
                setattr(spec, name, value)
    if spectrum.slit_ra is not None:
        spec.meta.wcs = _spectral_wcs(spectrum.slit_ra, spectrum.slit_dec, spectrum.wavelength)


def _spectral_wcs(ra: float, dec: float, wavelength: np.ndarray) -> WCS:
    """Row of the table to a fixed sky position and the wavelength, and back."""
    rows = np.arange(wavelength.size, dtype=float)
    forward = Axes((0, 0, 0)) | Const1D(ra) & Const1D(dec) & Tabular1D(
        points=rows, lookup_table=wavelength, bounds_error=False, fill_value=None
    )
    order = np.argsort(wavelength)
    if np.all(np.diff(wavelength[order]) > 0):
        forward.inverse = Axes((2,)) | Tabular1D(
            points=wavelength[order], lookup_table=rows[order], bounds_error=False
        )
    pixel = cf.CoordinateFrame(
        naxes=1, axes_type=("SPATIAL",), axes_order=(0,), unit=(u.pix,), name="pixel_frame"
    )
    sky = cf.CelestialFrame(name="sky", axes_order=(0, 1), reference_frame=ICRS())
    spectral = cf.SpectralFrame(
        name="spectral", axes_order=(2,), unit=(u.micron,), axes_names=("wavelength",)
    )
    return WCS([(pixel, forward), (cf.CompositeFrame([sky, spectral], name="world"), None)])


#: Cards that hold no value.
UNNAMED = ("", "COMMENT", "HISTORY")

#: Columns that files of 2020 and before have under another name; they lack the variances by source.
FORMER_NAMES = {"flux_error": "ERROR", "bkgd_error": "BERROR"}


def read_x1d(path: str | Path) -> ExtractedSpectrum:
    """Read the first spectrum of an x1d file, ours or the pipeline's, of today or of 2020.

    What the file does not tell is NaN; a note tells of further spectra in it.

    Raises
    ------
    LRSError
        For a file that is missing, broken or of another kind.
    """
    # not as a data model, which refuses the columns of old files
    with open_fits(path) as hdus:
        checked_kind(hdus, path, ("MultiSpecModel",), "an extracted spectrum")
        if "EXTRACT1D" not in hdus:
            raise LRSError(f"{path}: it holds no spectrum; run the extraction again.")
        primary = sound_cards(hdus[0].header)
        first = replace(_spectrum(hdus["EXTRACT1D"], Path(path), primary), header=named_cards(primary))
        if COMMON in hdus:
            first = replace(first, common_error=_common_error(hdus[COMMON], path, first.flux.size))
        number = sum(hdu.name == "EXTRACT1D" for hdu in hdus)
    if number == 1:
        return first
    return replace(first, notes=(f"The file holds {number} spectra; this is the first.", *first.notes))


def named_cards(header: fits.Header) -> dict[str, object]:
    """Return what a header tells, by name."""
    return {name: value for name, value in header.items() if name not in UNNAMED}


def _spectrum(extension: fits.BinTableHDU, path: Path, primary: fits.Header) -> ExtractedSpectrum:
    table, header = extension.data, sound_cards(extension.header)
    columns = {name: _column(table, name) for name in COLUMNS}
    if np.isnan(columns["wavelength"]).all() or np.isnan(columns["flux"]).all():
        raise LRSError(f"{path}: its table has no WAVELENGTH or no FLUX; run the extraction again.")
    if any(column.ndim != 1 for column in columns.values()):
        raise LRSError(f"{path}: its table has several numbers in a row; give an x1d file of one spectrum.")
    if not in_order(columns["wavelength"]):
        raise LRSError(f"{path}: its wavelengths do not rise or fall throughout; run the extraction again.")
    columns["dq"] = np.nan_to_num(columns["dq"]).astype(np.uint32)
    columns, notes = sound_columns(columns)
    sky, made = (header.get("SLIT_RA"), header.get("SLIT_DEC")), read_made(header)
    return ExtractedSpectrum(
        **columns,
        sky=None if None in sky else sky,
        **made | {"notes": (*notes, *made["notes"])},
        file_name=path.name,
        origin=origin_of_headers(primary, header, _unit_of(extension, "FLUX")),
    )


def _common_error(extension: fits.BinTableHDU, path: str | Path, size: int) -> np.ndarray:
    table = getattr(extension, "data", None)
    if (
        table is None
        or getattr(table, "names", None) != ["COMMON_ERROR"]
        or table["COMMON_ERROR"].shape != (size,)
    ):
        raise LRSError(f"{path}: its {COMMON} does not go with its table; run the extraction again.")
    error = np.array(table["COMMON_ERROR"], float)
    if (np.isinf(error) | (error < 0)).any():
        raise LRSError(f"{path}: its {COMMON} has negative or infinite errors; run the extraction again.")
    return error


def _unit_of(extension: fits.BinTableHDU, name: str) -> str | None:
    return extension.columns[name].unit if name in extension.columns.names else None


def _column(table: fits.FITS_rec, name: str) -> np.ndarray:
    for known in (name.upper(), FORMER_NAMES.get(name)):
        if known in table.names:
            return np.array(table[known], float)
    return np.full(len(table), np.nan)
