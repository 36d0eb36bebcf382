"""Reading a time series: segments of one exposure, of which the pixels are read in parts."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack
from numpy.typing import NDArray
from stdatamodels.jwst.datamodels import ImageModel, SlitModel

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.robust_mean import robust_mean
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.door import is_packed, local_file, one_sentence, open_fits
from jdaviz_lrs.products.read import VARIANCES, checked_kind, from_datamodel, good_pixels, negative

__all__ = ["Segment", "Series", "exposure_of", "is_series", "listed", "read_integrations", "read_series"]

KINDS = {"SlitModel": SlitModel, "CubeModel": ImageModel}
"""What a file is opened as when it holds the mean of its integrations."""

PLANES = ("SCI", "ERR", "DQ", *(name.upper() for name in VARIANCES), "WHT")

OWN_NOISE = ("var_poisson", "var_rnoise")
"""What every integration has for itself; what the flat field is uncertain by, all have in common."""

SAMPLE = 64
"""Integrations, spread over the series, that the mean image is made of."""

SAMPLE_BYTES = 128e6
"""Of one plane of them, at most; a whole frame has 4 MB."""

EXPOSURE = ("PROGRAM", "OBSERVTN", "VISIT", "EXPOSURE")
"""Cards that tell one exposure from another."""

SAME = {
    "TARGPROP": "target",
    "TARGNAME": "target",
    "EXP_TYPE": "exposure type",
    "SUBARRAY": "subarray",
    **dict.fromkeys(EXPOSURE, "exposure"),
    "BUNIT": "unit",
    "PIXAR_SR": "pixel area",
}
"""Cards that are those of all segments, and what they are."""

PART = 32
"""Integrations that are read at a time, of which less is kept: a processor's cache has room for them."""

WRAP = 2**16
"""Integrations beyond 32767 have had negative numbers in INT_TIMES."""


@dataclass(frozen=True, eq=False)
class Segment:
    """One file of a series.

    Attributes
    ----------
    path : Path
    number : int
        ``EXSEGNUM``.
    first, size : int
        The first integration, counted from 1 in the exposure, and how many there are.
    total : int or None
        Integrations of the whole exposure.
    shape : tuple of int
        Of an integration in the file.
    kind : str
        ``DATAMODL``.
    cards : dict
        By which segments are known to belong together.
    wavelength : ndarray or None
        The extension of that name.
    int_times : Table or None
        Rows of ``INT_TIMES``, one an integration.
    """

    path: Path
    number: int
    first: int
    size: int
    total: int | None
    shape: tuple[int, int]
    kind: str
    cards: dict[str, object]
    wavelength: NDArray | None
    int_times: Table | None

    @property
    def last(self) -> int:
        """The last integration."""
        return self.first + self.size - 1


@dataclass(frozen=True, eq=False)
class Series:
    """A time series whose pixels are still in their files.

    Attributes
    ----------
    segments : tuple of Segment
        In the order of their integrations.
    image : SpectralImage
        The robust mean of integrations spread over the series.
    number : ndarray of int, (n_disp, n_xdisp)
        Integrations that each of its pixels is the mean of.
    notes : tuple of str
        What is odd about the segments.
    """

    segments: tuple[Segment, ...]
    image: SpectralImage
    number: NDArray[np.intp]
    notes: tuple[str, ...] = ()

    @property
    def n_int(self) -> int:
        """Number of integrations."""
        return sum(segment.size for segment in self.segments)

    @cached_property
    def int_num(self) -> NDArray[np.intp]:
        """Numbers of the integrations, counted from 1 in the exposure, (n_int,)."""
        return np.concatenate([segment.first + np.arange(segment.size) for segment in self.segments])

    @cached_property
    def segment_num(self) -> NDArray[np.intp]:
        """The segment of every integration, (n_int,)."""
        return np.concatenate([np.full(segment.size, segment.number) for segment in self.segments])

    @cached_property
    def int_times(self) -> Table | None:
        """Times of the integrations, a row each; None unless all segments have them."""
        tables = [segment.int_times for segment in self.segments]
        if any(table is None for table in tables):
            return None
        return vstack(tables, metadata_conflicts="silent")


def is_series(path: str | Path) -> bool:
    """Whether a file holds a stack of integrations."""
    with open_fits(path, in_parts=True) as hdus:
        return "SCI" in hdus and hdus["SCI"].header.get("NAXIS") == 3


def exposure_of(path: str | Path) -> tuple:
    """Tell the exposure that a file is of, by its header."""
    with open_fits(path, in_parts=True) as hdus:
        header = hdus[0].header
        return tuple(header.get(card) for card in (*EXPOSURE, "EXP_TYPE", "SUBARRAY", "TARGNAME", "DETECTOR"))


def listed(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files of a list, in which there may be patterns.

    Raises
    ------
    LRSError
        When a pattern has no file, a name is none of a file, a file is named twice, or there is none.
    """
    found: list[Path] = []
    for one in [paths] if isinstance(paths, str | Path) else paths:
        if Path(one).name in ("", ".."):
            raise LRSError(f"{str(one)!r}: this names no file; give the names of files.")
        if Path(one).exists() or not glob.has_magic(str(one)):
            found.append(Path(one))
        elif matches := sorted(glob.glob(str(one))):
            found += map(Path, matches)
        else:
            raise LRSError(f"{one}: no file has a name like this.")
    if not found:
        raise LRSError("The list of files is empty; give the segments of a series.")
    for number, one in enumerate(found):
        if one in found[:number]:
            raise LRSError(f"{one}: it is named twice; give each segment once.")
    return found


def read_series(paths: str | Path | Iterable[str | Path]) -> Series:
    """Read what is to be known of a series before its pixels are.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        Segments (calints, crfints) in any order, or patterns of their names.

    Returns
    -------
    Series

    Raises
    ------
    LRSError
        Where a file cannot be read, is no stack of calibrated integrations, or does not belong to the others.
    """
    with ExitStack() as stack:
        files = {path: stack.enter_context(_opened(path)) for path in listed(paths)}
        segments = sorted(
            (_segment(path, hdus) for path, hdus in files.items()),
            key=lambda segment: (segment.first, segment.number),
        )
        _check_together(segments)
        image, number = _mean(segments, files)
    notes = (*_gaps(segments), *_without_times(segments))
    return Series(tuple(segments), image, number, notes)


def read_integrations(path: Path, first: int, stop: int, like: SpectralImage) -> SpectralImage:
    """Read the integrations `first` to `stop` - 1 of a file, counted from 0.

    Parameters
    ----------
    path : Path
    first, stop : int
    like : SpectralImage
        One image of the series, which tells what part of the file is wanted and is the same in all.

    Returns
    -------
    SpectralImage
        A stack, (n_int, n_disp, n_xdisp).

    Raises
    ------
    LRSError
        When the file cannot be read, or a variance is negative.
    """
    rows, columns = (slice(o, o + n) for o, n in zip(like.origin, like.shape, strict=True))
    ends = (slice(0, rows.start), slice(rows.stop, like.file_shape[0])) if like.margins else ()
    found, beyond = {}, {}
    with one_sentence(path), fits.open(path, memmap=False) as hdus:
        for name in PLANES:
            if name in hdus and name.lower() not in like.missing and (hdu := hdus[name]).header["NAXIS"]:
                parts = [
                    _cut(hdu, at, min(at + PART, stop), like.horizontal, (rows, *ends), columns)
                    for at in range(first, stop, PART)
                ]
                found[name.lower()], *beyond[name.lower()] = map(np.concatenate, zip(*parts, strict=True))
    good = _good(found)
    bad = np.flatnonzero(~good)
    planes = {}
    for key in ("sci", *VARIANCES):
        stored = found.get(key, np.zeros(good.shape, np.float32))
        if key in VARIANCES and (stored < 0).any() and (number := int((good & (stored < 0)).sum())):
            raise LRSError(negative(path, key, number))
        planes[key] = stored.astype(float, order="C")
        planes[key].reshape(-1)[bad] = np.nan
    dq = found["dq"].astype(np.uint32, copy=False) if "dq" in found else np.zeros(good.shape, np.uint32)
    dq.reshape(-1)[bad] |= np.uint32(DO_NOT_USE)
    other = replace(
        like,
        data=planes.pop("sci"),
        **planes,
        dq=dq,
        good=good,
        margins=tuple(_end({name: pair[side] for name, pair in beyond.items()}) for side in (0, 1))
        if ends
        else None,
        file_name=path.name,
        path=path,
    )
    return other.known_as(like)


def _good(planes: dict[str, NDArray]) -> NDArray[np.bool_]:
    dq = planes.get("dq", np.zeros((), np.uint32))
    others = [planes.get(key) for key in VARIANCES]
    if "err" in planes and np.isfinite(planes["err"]).any():  # else it counts as missing
        others.append(planes["err"])
    return good_pixels(planes["sci"], dq, planes.get("wht"), *others)


def _end(planes: dict[str, NDArray]) -> NDArray[np.float64]:
    return np.where(_good(planes), planes["sci"], np.nan).astype(float)


def _cut(
    hdu: fits.ImageHDU, first: int, stop: int, horizontal: bool, rows: Sequence[slice], columns: slice
) -> list[NDArray]:
    """Read some integrations of a plane, and keep certain rows and columns of them."""
    plane = _section(hdu, first, stop)
    plane = np.swapaxes(plane, -1, -2) if horizontal else plane
    plane = np.broadcast_to(plane, (stop - first, *plane.shape[-2:]))
    return [_native(plane[:, some, columns]) for some in rows]


def _section(hdu: fits.ImageHDU, first: int, stop: int) -> NDArray:
    """Read some integrations of a plane; one that all have in common is two-dimensional."""
    return hdu.section[first:stop] if hdu.header["NAXIS"] == 3 else hdu.section[:]


def _native(plane: NDArray) -> NDArray:
    """Return a copy in the byte order of this machine."""
    return plane.astype(plane.dtype.newbyteorder("="))


@contextmanager
def _opened(path: Path) -> Iterator[fits.HDUList]:
    if is_packed(local_file(path)):
        raise LRSError(f"{path}: it is packed, and cannot be read in parts; unpack it first (gunzip).")
    with open_fits(path, in_parts=True) as hdus:
        yield hdus


def _segment(path: Path, hdus: fits.HDUList) -> Segment:
    """Look at the headers of a file, its wavelengths and times."""
    with one_sentence(path):  # of all that are open, the last would be blamed
        header = hdus[0].header
        if "SCI" not in hdus or hdus["SCI"].header.get("NAXIS") != 3:
            raise LRSError(f"{path}: it holds no stack of integrations; give a calints or crfints file.")
        science = hdus["SCI"].header
        unit = str(science.get("BUNIT", ""))
        if unit.upper().startswith("DN") or header.get("S_WCS", "COMPLETE") == "SKIPPED":
            raise LRSError(
                f"{path}: its unit is {unit}, as of a rateints file, which has no wavelengths yet; run "
                "calwebb_spec2, and give the calints file that it makes."
            )
        kind = checked_kind(hdus, path, KINDS, "a stack of integrations")
        size, *shape = (science[f"NAXIS{axis}"] for axis in (3, 2, 1))
        if 0 in (size, *shape):
            raise LRSError(f"{path}: its SCI extension holds no image.")
        for name in PLANES:
            axes = _axes(hdus[name]) if name in hdus else ()
            if axes not in ((), (size, *shape), tuple(shape)):
                raise LRSError(
                    f"{path}: {name} has the shape {axes}, but SCI has {(size, *shape)}; write the file "
                    "anew, with planes of one shape."
                )
        first = _count(header, "INTSTART", path) or 1
        return Segment(
            path=path,
            number=_count(header, "EXSEGNUM", path) or 1,
            first=first,
            size=size,
            total=_count(header, "NINTS", path),
            shape=tuple(shape),
            kind=kind,
            cards={card: header.get(card, science.get(card)) for card in SAME},
            wavelength=hdus["WAVELENGTH"].data if "WAVELENGTH" in hdus else None,
            int_times=_times(hdus["INT_TIMES"], first, size) if "INT_TIMES" in hdus else None,
        )


def _count(header: fits.Header, card: str, path: Path) -> int | None:
    value = header.get(card)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise LRSError(f"{path}: {card} is {value!r}, but counts from 1; download the file again.")


def _axes(hdu: fits.ImageHDU) -> tuple[int, ...]:
    return tuple(hdu.header[f"NAXIS{axis}"] for axis in range(hdu.header["NAXIS"], 0, -1))


def _times(hdu: fits.BinTableHDU, first: int, size: int) -> Table | None:
    """Return the rows of the integrations; None where the table does not have them all."""
    table = Table(hdu.data)
    if not len(table):
        return None
    stored = np.asarray(table["integration_number"], int)
    start = stored[0] % WRAP if stored[0] < 1 else stored[0]
    counted = start + np.concatenate([[0], np.cumsum(np.diff(stored) % WRAP)])
    row = np.searchsorted(counted, first)
    wanted = first + np.arange(size)
    if row + size > len(table) or not np.array_equal(counted[row : row + size], wanted):
        return None
    table = table[row : row + size]
    table["integration_number"] = wanted.astype(np.int32)
    return table


def _check_together(segments: Sequence[Segment]) -> None:
    """Refuse segments of different exposures, shapes or wavelengths, and integrations given twice."""
    one = segments[0]
    for other in segments[1:]:
        for card, what in SAME.items():
            if one.cards[card] != other.cards[card]:
                raise LRSError(
                    f"{other.path}: its {what} ({card}) is {other.cards[card]!r}, but {one.path.name} has "
                    f"{one.cards[card]!r}; give the segments of one exposure."
                )
        if one.shape != other.shape:
            raise LRSError(
                f"{other.path}: its images have the shape {other.shape}, but {one.path.name} has "
                f"{one.shape}; give the segments of one exposure."
            )
        known = (one.wavelength is None) + (other.wavelength is None)
        if known == 1 or (not known and not np.array_equal(one.wavelength, other.wavelength, equal_nan=True)):
            raise LRSError(
                f"{other.path}: its WAVELENGTH extension is not that of {one.path.name}; calibrate both with "
                "the same reference files."
            )
    for before, after in pairwise(segments):
        if after.first <= before.last:
            raise LRSError(
                f"{after.path}: it begins with integration {after.first} (INTSTART), but {before.path.name} "
                f"has {before.first} to {before.last}; give each integration once."
            )


def _gaps(segments: Sequence[Segment]) -> tuple[str, ...]:
    notes = [
        f"{_integrations(before.last + 1, after.first - 1)} missing between {before.path.name} and "
        f"{after.path.name}."
        for before, after in pairwise(segments)
        if after.first > before.last + 1
    ]
    first, last, total = segments[0].first, segments[-1].last, segments[0].total
    if first > 1:
        notes.insert(0, f"{_integrations(1, first - 1)} not among the files.")
    if total and last < total:
        notes.append(f"{_integrations(last + 1, total)} not among the files.")
    return tuple(notes)


def _integrations(first: int, last: int) -> str:
    return f"Integration {first} is" if first == last else f"Integrations {first} to {last} are"


def _without_times(segments: Sequence[Segment]) -> tuple[str, ...]:
    without = [segment.path.name for segment in segments if segment.int_times is None]
    if not without:
        return ()
    more = f" and {len(without) - 1} more" if len(without) > 1 else ""
    return (
        f"The times of the integrations are not known: {without[0]}{more} has no INT_TIMES for all of them.",
    )


def _mean(
    segments: Sequence[Segment], files: Mapping[Path, fits.HDUList]
) -> tuple[SpectralImage, NDArray[np.intp]]:
    """Read the mean of integrations spread over the series, and how many each pixel is the mean of."""
    total = sum(segment.size for segment in segments)
    most = int(np.clip(SAMPLE_BYTES // (4 * np.prod(segments[0].shape)), 5, SAMPLE))
    wanted = np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int))
    parts: dict[str, list[NDArray]] = {}
    start = 0
    for segment in segments:
        inside = wanted[(wanted >= start) & (wanted < start + segment.size)] - start
        start += segment.size
        hdus = files[segment.path]
        with one_sentence(segment.path):
            for name in PLANES:
                if name in hdus and (hdu := hdus[name]).header["NAXIS"]:
                    parts.setdefault(name.lower(), []).extend(
                        np.broadcast_to(_section(hdu, one, one + 1), (1, *segment.shape)) for one in inside
                    )
    planes = {name: _native(np.concatenate(some)) for name, some in parts.items() if len(some) == len(wanted)}
    one = segments[0]
    with one_sentence(one.path):
        mean, number = _mean_planes(planes)
        kept = [hdu if hdu.name not in PLANES else _one(hdu, mean) for hdu in files[one.path]]
        with KINDS[one.kind](fits.HDUList(kept)) as model:
            image = from_datamodel(model, one.path)
    number = number.T if image.horizontal else number
    rows, columns = (slice(o, o + n) for o, n in zip(image.origin, image.shape, strict=True))
    return image, number[rows, columns]


def _one(hdu: fits.ImageHDU, mean: dict[str, NDArray]) -> fits.ImageHDU:
    plane = mean.get(hdu.name.lower())
    return fits.ImageHDU(plane, hdu.header, name=hdu.name)


def _mean_planes(planes: dict[str, NDArray]) -> tuple[dict[str, NDArray], NDArray[np.intp]]:
    """Average the planes of integrations."""
    good = _usable(planes)
    some = np.maximum(good.sum(axis=0), 1)
    noise = sum(np.where(good, planes[name], 0.0).sum(axis=0) for name in OWN_NOISE if name in planes)
    data, number = robust_mean(planes["sci"].astype(float), good, np.sqrt(noise / some))
    mean = {"sci": data.astype(np.float32)}
    for name in ("var_poisson", "var_rnoise", "var_flat", "err", "wht"):
        if name in planes:
            plane = planes[name].astype(float)
            plane = np.where(good, plane**2 if name == "err" else plane, 0.0).sum(axis=0) / some
            if name in OWN_NOISE:
                plane = plane / np.maximum(number, 1)
            mean[name] = np.where(number > 0, plane, np.nan).astype(np.float32)
    if "err" in mean:
        known = [mean[name] for name in ("var_poisson", "var_rnoise", "var_flat") if name in mean]
        mean["err"] = np.sqrt(sum(known)) if len(known) == 3 else np.sqrt(mean["err"] / np.maximum(number, 1))
    dq = planes.get("dq", np.zeros((1, *number.shape), np.uint32))
    common = np.bitwise_and.reduce(dq, axis=0) & ~np.uint32(DO_NOT_USE)
    mean["dq"] = (common | np.where(number > 0, 0, DO_NOT_USE)).astype(np.uint32)
    return mean, number


def _usable(planes: dict[str, NDArray]) -> NDArray[np.bool_]:
    """Tell the good pixels; a plane that is nowhere finite counts as missing, as when one image is read."""
    finite = {name: p for name, p in planes.items() if name == "dq" or np.isfinite(p).any()}
    if "sci" not in finite:
        return np.zeros(planes["sci"].shape, bool)
    return _good(finite)
