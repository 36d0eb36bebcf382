"""Extracted series as files: the pipeline's x1dints, written and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray
from stdatamodels.jwst.datamodels import TSOMultiSpecModel, TSOSpecModel

from jdaviz_lrs.data.series import SERIES_COLUMNS, ExtractedSeries
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.door import open_fits
from jdaviz_lrs.products.files import fits_path, whole_files
from jdaviz_lrs.products.made import being_written, read_made, tell_made
from jdaviz_lrs.products.order import in_order
from jdaviz_lrs.products.read import checked_kind
from jdaviz_lrs.products.sound import sound_cards, sound_columns
from jdaviz_lrs.products.x1d import UNITS, describe_spectrum, named_cards, record_references

__all__ = ["read_x1dints", "write_x1dints"]

BLOCK = 2880
"""Bytes that FITS files are counted in."""

PART = 128
"""Integrations that are written at a time."""

TIMES = {
    "MJD-BEG": "int_start_MJD_UTC",
    "MJD-AVG": "int_mid_MJD_UTC",
    "MJD-END": "int_end_MJD_UTC",
    "TDB-BEG": "int_start_BJD_TDB",
    "TDB-MID": "int_mid_BJD_TDB",
    "TDB-END": "int_end_BJD_TDB",
}
"""Columns of the table and those of ``INT_TIMES``, in days."""


def write_x1dints(series: ExtractedSeries, path: str | Path, overwrite: bool = False) -> Path:
    """Write a series as the pipeline's TSOMultiSpecModel: one table, a row an integration.

    The table is written in parts, so that it need not fit into memory; the file is there when it is whole.

    Parameters
    ----------
    series : ExtractedSeries
    path : path-like
    overwrite : bool
        Without it an existing file is left as it is.

    Raises
    ------
    LRSError
        When the file exists or is an input, has not the ending ``.fits``, or cannot be written.
    """
    path = fits_path(path)
    with whole_files([path], overwrite, series.inputs) as (temporary,), being_written(series):
        model = temporary.parent / "one" / temporary.name  # the header holds the name
        model.parent.mkdir()
        _save_one(series, model)
        with fits.open(model, memmap=False) as hdus, temporary.open("xb") as file:
            for hdu in hdus:
                if hdu.name == "EXTRACT1D":
                    _stream(series, hdu, file)
                else:
                    file.write(_bytes(hdu))
    return path


def _save_one(series: ExtractedSeries, path: Path) -> None:
    """Write the file as it is with one integration: all but the rows of its table."""
    image = series.image
    with TSOMultiSpecModel() as model:
        if image is not None and image.metadata is not None:
            model.update(image.metadata, only="PRIMARY")
            model.meta.exposure.integration_start = int(series.int_num[0])
            model.meta.exposure.integration_end = int(series.int_num[-1])
        model.meta.cal_step.extract_1d = "COMPLETE"
        record_references(model, series.references)
        spec = TSOSpecModel()
        spec.spec_table = np.zeros(1, _dtype(spec, series.wavelength.size))
        for name, unit in UNITS.items():
            spec.spec_table.columns[name].unit = unit
        for name in TIMES:
            spec.spec_table.columns[name].unit = "d"
        if series.mean is not None:
            describe_spectrum(spec, series.mean)
        if series.int_times is not None:
            spec.time_scale = "UTC"
            model.int_times = np.asarray(series.int_times).astype(model.get_dtype("int_times"))
        model.spec.append(spec)
        model.save(path)


def _dtype(spec: TSOSpecModel, size: int) -> np.dtype:
    """Columns of the table: numbers, and vectors of `size` where every wavelength has its own."""
    vectors = {"WAVELENGTH", *(name.upper() for name in SERIES_COLUMNS)}
    names = spec.get_dtype("spec_table")
    return np.dtype([(name, names[name].base, (size,) * (name in vectors)) for name in names.names])


def _bytes(hdu: fits.PrimaryHDU | fits.BinTableHDU) -> bytes:
    """Return an extension as it is in its file."""
    place = hdu.fileinfo()
    with Path(place["file"].name).open("rb") as file:
        file.seek(place["hdrLoc"])
        return file.read(place["datLoc"] - place["hdrLoc"] + place["datSpan"])


def _stream(series: ExtractedSeries, hdu: fits.BinTableHDU, file: BinaryIO) -> None:
    """Write the table, part by part."""
    header = hdu.header.copy()
    header["NAXIS2"] = len(series)
    tell_made(header, series)
    file.write(header.tostring().encode("ascii"))
    columns = hdu.columns
    raw = columns.dtype.newbyteorder(">")
    zeros = {column.name: int(column.bzero or 0) for column in columns}
    written = 0
    for part, values in _parts(series):
        rows = np.zeros(part.stop - part.start, raw)
        for name, value in (_numbers(series, part) | values).items():
            key = name.upper()
            rows[key] = np.asarray(value).astype(np.int64) - zeros[key] if zeros[key] else value
        written += file.write(rows.tobytes())
    file.write(bytes(-written % BLOCK))


def _numbers(series: ExtractedSeries, part: slice) -> dict[str, object]:
    """Return what the rows hold beside the spectra."""
    times = series.int_times
    return {
        "INT_NUM": series.int_num[part],
        "WAVELENGTH": series.wavelength,
        "N_ALONGDISP": series.wavelength.size,
        "SEGMENT": series.segment_num[part],
        **{name: np.nan if times is None else np.asarray(times[of])[part] for name, of in TIMES.items()},
    }


def _parts(series: ExtractedSeries) -> Iterator[tuple[slice, dict[str, NDArray]]]:
    """Go through the table without having it all in memory, if it is stored in parts."""
    if hasattr(series.table, "parts"):
        yield from series.table.parts()
        return
    columns = {name: series.table[name] for name in SERIES_COLUMNS}
    for start in range(0, len(series), PART):
        part = slice(start, min(start + PART, len(series)))
        yield part, {name: column[part] for name, column in columns.items()}


def read_x1dints(path: str | Path) -> ExtractedSeries:
    """Read the series in an x1dints file, ours or that of the pipeline from jwst 1.18 on.

    Raises
    ------
    LRSError
        For a file that is missing, broken or of another kind, or whose spectra differ in wavelength.
    """
    with open_fits(path) as hdus:
        checked_kind(hdus, path, ("TSOMultiSpecModel",), "a series of extracted spectra")
        tables = [hdu for hdu in hdus if hdu.name == "EXTRACT1D"]
        if not tables or not all(len(hdu.data) for hdu in tables):
            raise LRSError(f"{path}: it holds no spectrum; run the extraction again.")
        wavelength = np.array(tables[0].data["WAVELENGTH"][0], float)
        for hdu in tables:
            every = hdu.data["WAVELENGTH"]
            if every.shape[1:] != wavelength.shape or not np.array_equal(
                every, np.broadcast_to(wavelength, every.shape), equal_nan=True
            ):
                raise LRSError(f"{path}: its spectra differ in wavelength; give a file of one order.")
        header, primary = (sound_cards(hdu.header) for hdu in (tables[0], hdus[0]))

        def column(name: str, kind: type) -> NDArray:
            return np.concatenate([np.array(hdu.data[name.upper()], kind) for hdu in tables])

        columns = {name: column(name, np.uint32 if name == "dq" else float) for name in SERIES_COLUMNS}
        shape = (sum(len(hdu.data) for hdu in tables), *wavelength.shape)
        if wavelength.ndim != 1 or any(values.shape != shape for values in columns.values()):
            raise LRSError(f"{path}: its columns differ in length; run the extraction again.")
        if not in_order(wavelength):
            raise LRSError(
                f"{path}: its wavelengths do not rise or fall throughout; run the extraction again."
            )
        table, notes = sound_columns(columns)
        made = read_made(header)
        return ExtractedSeries(
            wavelength=wavelength,
            table=table,
            int_num=column("INT_NUM", int),
            segment_num=column("SEGMENT", int),
            int_times=_times(column),
            **made | {"notes": (*notes, *made["notes"])},
            file_name=Path(path).name,
            header=named_cards(primary),
        )


def _times(column) -> Table | None:
    """Return the times in the rows of the table; None where there are none."""
    times = Table({of: column(name, float) for name, of in TIMES.items()})
    times.add_column(column("INT_NUM", int), name="integration_number", index=0)
    return times if np.isfinite(times["int_mid_MJD_UTC"]).any() else None
