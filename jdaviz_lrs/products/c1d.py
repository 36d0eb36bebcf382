"""Combined spectra as files: the pipeline's c1d, written and read."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from stdatamodels.jwst.datamodels import CombinedSpecModel, MultiCombinedSpecModel, MultiSpecModel

from jdaviz_lrs.data.combined import C1D_COLUMNS, CombinedSpectrum
from jdaviz_lrs.data.provenance import PREFIX
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.door import one_sentence, open_fits
from jdaviz_lrs.products.files import fits_path, in_ascii, whole_files
from jdaviz_lrs.products.made import being_written, read_made, tell_made
from jdaviz_lrs.products.order import in_order
from jdaviz_lrs.products.origin import origin_of_headers
from jdaviz_lrs.products.read import checked_kind
from jdaviz_lrs.products.sound import sound_cards, sound_columns

__all__ = ["read_c1d", "write_c1d"]

EXTENSION, INPUTS = "COMBINE1D", "LRS_INPUTS"
"""The pipeline's table, and one of ours beside it: what each input had at every wavelength."""

UNITS = {"WAVELENGTH": "um", "FLUX": "Jy", "ERROR": "Jy", "SURF_BRIGHT": "MJy/sr", "SB_ERROR": "MJy/sr"}

#: Columns of our table that the pipeline's lacks, one number a wavelength.
BESIDE = {
    "FLUX_VAR_POISSON": ("flux_var_poisson", "Jy^2"),
    "FLUX_VAR_RNOISE": ("flux_var_rnoise", "Jy^2"),
    "FLUX_VAR_FLAT": ("flux_var_flat", "Jy^2"),
    "CHI_SQUARE": ("chi_square", ""),
}


def write_c1d(spectrum: CombinedSpectrum, path: str | Path, overwrite: bool = False) -> Path:
    """Write a combined spectrum as the pipeline's MultiCombinedSpecModel.

    The primary header is that of the first input. The table has the pipeline's columns; one of ours beside
    it holds the inputs, which of them are used, and the variances by source.

    Parameters
    ----------
    spectrum : CombinedSpectrum
    path : path-like
    overwrite : bool
        Without it an existing file is left as it is.

    Raises
    ------
    LRSError
        When the file exists or is an input, has not the ending ``.fits``, or cannot be written.
    """
    path = fits_path(path)
    with whole_files([path], overwrite, spectrum.inputs) as (temporary,), being_written(spectrum):
        _save(spectrum, temporary)
    return path


def _save(spectrum: CombinedSpectrum, temporary: Path) -> None:
    """Write a combined spectrum to a path where nothing is yet."""
    with MultiCombinedSpecModel() as model:
        header = _header(spectrum)
        if header is not None:
            model.update(header, only="PRIMARY")
        model.meta.cal_step.combine_1d = "COMPLETE"
        model.spec.append(_spec(spectrum))
        model.save(temporary)
    with fits.open(temporary, mode="update") as hdus:
        cards = hdus[EXTENSION].header
        for name, value in (("SLIT_RA", spectrum.slit_ra), ("SLIT_DEC", spectrum.slit_dec)):
            if value is not None:
                cards[name] = value
        tell_made(cards, spectrum)
        hdus.insert(len(hdus) - 1, _inputs_table(spectrum))


def _header(spectrum: CombinedSpectrum) -> MultiSpecModel | None:
    if not isinstance(spectrum.metadata, fits.Header):
        return spectrum.metadata
    header = spectrum.metadata.copy()
    header["DATAMODL"] = "MultiSpecModel"
    name = (*spectrum.input_names, spectrum.file_name)[0]
    with one_sentence(name, "its header cannot be carried over"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cards that no model knows, which are left out
        return MultiSpecModel(fits.HDUList([fits.PrimaryHDU(header=header)]))


def _spec(spectrum: CombinedSpectrum) -> CombinedSpecModel:
    table = np.zeros(spectrum.wavelength.size, dtype=CombinedSpecModel().get_dtype("spec_table"))
    for column, name in C1D_COLUMNS.items():
        table[column] = getattr(spectrum, name)
    spec = CombinedSpecModel(spec_table=table)
    for name, unit in UNITS.items():
        spec.spec_table.columns[name].unit = unit
    spec.spectral_order = spectrum.spectral_order or 1
    if spectrum.source_type in ("EXTENDED", "POINT", "UNKNOWN"):
        spec.source_type = spectrum.source_type
    return spec


def _inputs_table(spectrum: CombinedSpectrum) -> fits.BinTableHDU:
    number = len(spectrum.input_flux)
    columns = [
        fits.Column(name, "D", unit=unit or None, array=getattr(spectrum, attribute))
        for name, (attribute, unit) in BESIDE.items()
    ]
    columns += [
        fits.Column("INPUT_FLUX", f"{number}D", unit="Jy", array=spectrum.input_flux.T),
        fits.Column("INPUT_ERROR", f"{number}D", unit="Jy", array=spectrum.input_error.T),
        fits.Column("USED", f"{number}L", array=spectrum.used.T),
        fits.Column("INPUT_DQ", f"{number}J", bzero=2**31, array=spectrum.input_dq.T),
    ]
    table = fits.BinTableHDU.from_columns(columns, name=INPUTS)
    for place in range(number):
        table.header[f"HIERARCH {PREFIX} input_{place + 1}"] = in_ascii(spectrum.input_names[place])
        table.header[f"HIERARCH {PREFIX} scale_{place + 1}"] = float(spectrum.scales[place])
        if np.isfinite(spectrum.scale_errors[place]):
            table.header[f"HIERARCH {PREFIX} scale_error_{place + 1}"] = float(spectrum.scale_errors[place])
    return table


def read_c1d(path: str | Path) -> CombinedSpectrum:
    """Read the first spectrum of a c1d file, ours or the pipeline's.

    Of a file of the pipeline's the inputs are not known: their tables are empty.

    Raises
    ------
    LRSError
        For a file that is missing, broken or of another kind.
    """
    path = Path(path)
    with open_fits(path) as hdus:
        checked_kind(hdus, path, ("MultiCombinedSpecModel",), "a combined spectrum")
        if EXTENSION not in hdus:
            raise LRSError(f"{path}: it holds no combined spectrum; combine the spectra again.")
        with one_sentence(path):
            return _spectrum(hdus, path)


def _spectrum(hdus: fits.HDUList, path: Path) -> CombinedSpectrum:
    extension = hdus[EXTENSION]
    table, header = extension.data, sound_cards(extension.header)
    if not {"WAVELENGTH", "FLUX", "ERROR"} <= {*table.names}:
        raise LRSError(f"{path}: its table has no WAVELENGTH, FLUX or ERROR; combine the spectra again.")
    nothing = np.full(len(table), np.nan)
    columns = {
        name: np.array(table[column], float) if column in table.names else nothing
        for column, name in C1D_COLUMNS.items()
    }
    if any(column.ndim != 1 for column in columns.values()):
        raise LRSError(f"{path}: its table has several numbers in a row; combine the spectra again.")
    if not in_order(columns["wavelength"]):
        raise LRSError(f"{path}: its wavelengths do not rise or fall throughout; combine the spectra again.")
    columns["dq"] = np.nan_to_num(columns["dq"]).astype(np.uint32)
    beside = next((one for one in hdus if one.name == INPUTS), None)
    if beside is not None and len(beside.data) != len(table):
        raise LRSError(f"{path}: its tables differ in length; combine the spectra again.")
    inputs = _inputs(beside, len(table))
    tables = {name: values for name, values in inputs.items() if isinstance(values, np.ndarray)}
    columns, notes = sound_columns(columns | tables)
    origin = origin_of_headers(sound_cards(hdus[0].header), header, extension.columns["FLUX"].unit)
    made = read_made(header)
    return CombinedSpectrum(
        **inputs | columns,
        slit_ra=header.get("SLIT_RA"),
        slit_dec=header.get("SLIT_DEC"),
        source_type=origin.source_type,
        spectral_order=origin.spectral_order,
        metadata=origin.header,
        **made | {"notes": (*notes, *made["notes"])},
        file_name=path.name,
    )


def _inputs(beside: fits.BinTableHDU | None, size: int) -> dict:
    if beside is None:
        empty = np.empty((0, size))
        unknown = {attribute: np.full(size, np.nan) for attribute, _ in BESIDE.values()}
        return unknown | {
            "input_flux": empty,
            "input_error": empty,
            "input_dq": empty.astype(np.uint32),
            "used": empty.astype(bool),
            "scales": np.empty(0),
            "scale_errors": np.empty(0),
        }
    table, header = beside.data, beside.header
    flux = np.array(table["INPUT_FLUX"], float).reshape(size, -1).T
    numbers = range(1, len(flux) + 1)
    return {
        **{attribute: np.array(table[name], float) for name, (attribute, _) in BESIDE.items()},
        "input_flux": flux,
        "input_error": np.array(table["INPUT_ERROR"], float).reshape(size, -1).T,
        "input_dq": np.array(table["INPUT_DQ"]).reshape(size, -1).T.astype(np.uint32),
        "used": np.array(table["USED"], bool).reshape(size, -1).T,
        "scales": np.array([header.get(f"{PREFIX} scale_{n}", 1.0) for n in numbers]),
        "scale_errors": np.array([header.get(f"{PREFIX} scale_error_{n}", np.nan) for n in numbers]),
        "input_names": tuple(str(header.get(f"{PREFIX} input_{n}", "")) for n in numbers),
    }
