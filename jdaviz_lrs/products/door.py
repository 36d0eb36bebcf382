"""The door that files come in by: what a file says of its size is checked before any of it is read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf, prod
from pathlib import Path
from typing import BinaryIO

import psutil
from astropy.io import fits

from jdaviz_lrs.errors import LRSError

__all__ = ["COMPLAINT", "is_packed", "local_file", "one_sentence", "open_fits", "text_of"]

BLOCK, CARD = 2880, 80
"""Bytes of a FITS file are counted in blocks, its headers in cards."""

LONGEST_HEADER = 1000
"""Blocks: 36,000 cards. The longest of a product, with all that its association tells, has a tenth."""

MOST_EXTENSIONS = 1000
"""A product has ten or twenty; one with all its integrations apart, some hundred."""

MOST_FIELDS = 999
"""Axes of an image or columns of a table, by the FITS standard; readers go through all that are announced."""

PEAK = 7
"""Memory that reading and extracting take at most, in sizes of the file: planes of float32 become float64,
and there are flags, masks and sums beside them (measured on stacks of integrations)."""

PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""What astropy unpacks on reading, by how the file begins."""

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):(//?|(?=JWST/))", re.IGNORECASE)
"""How an address begins; a single letter is a drive."""

DOWNLOAD = {
    "s3": "aws s3 cp --no-sign-request {} .",
    "mast": "Observations.download_file('{}') of astroquery",
}
ANY_DOWNLOAD = "curl -LO {}"

COMPLAINT = "not a complete FITS file; download or copy it again."

END = re.compile(rb"(?s)\A(?:.{80})*?END {77}")


@contextmanager
def one_sentence(
    what: str | Path, problem: str = "cannot be read", passing: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turn whatever the libraries raise on a damaged file into one sentence.

    There is no list of it: astropy, asdf, gwcs, stdatamodels and json meet what they did not foresee, too.

    Parameters
    ----------
    what : str or path
        The file.
    problem : str
        What cannot be done with it.
    passing : tuple of exceptions
        Which are told elsewhere.

    Raises
    ------
    LRSError
        For any error but those of the family, which pass.
    """
    try:
        yield
    except LRSError:
        raise
    except passing:
        raise
    except MemoryError as error:
        raise LRSError(f"{what}: {problem}, there is not enough memory; close other programs.") from error
    except (NameError, ImportError) as error:  # no file can do that
        raise LRSError(
            f"{what}: {problem}, by a fault of jdaviz-lrs and not of the file "
            f"({type(error).__name__}: {_reason(error)}); please report it."
        ) from error
    except Exception as error:
        remedy = "download it again, or give another."
        if isinstance(error, AttributeError | TypeError) and _is_ours(error):
            kind = type(error).__name__
            remedy = f"if it is whole, this {kind} is a fault of jdaviz-lrs; please report it."
        raise LRSError(f"{what}: {problem} ({_reason(error)}); {remedy}") from error


def _is_ours(error: Exception) -> bool:
    """Whether a line of this package raised it, and not one of a library that it calls."""
    *_, (last, _) = traceback.walk_tb(error.__traceback__)
    return str(last.f_globals.get("__name__")).partition(".")[0] == __name__.partition(".")[0]


def _reason(error: Exception) -> str:
    """Return the first line of what a library says, or failing that the error's kind."""
    said = str(error.args[0] if error.args else "").strip() or str(error).strip()
    said = said.splitlines()[0].rstrip(".:") if said else ""
    return said[:100] if " " in said else f"{type(error).__name__} {said[:60]}".rstrip()


def local_file(path: str | Path) -> Path:
    """Return a path at which there is a file that may be read.

    Raises
    ------
    LRSError
        For an address, a folder, a file that is not there or may not be read.
    """
    text = str(path)
    if address := ADDRESS.match(text):
        # a Path has one of the two slashes
        whole = text if "//" in text or not address[2] else text.replace(":/", "://", 1)
        command = DOWNLOAD.get(address[1].lower(), ANY_DOWNLOAD).format(whole)
        raise LRSError(f"{whole}: files are read from disk; download it first ({command}).")
    path = Path(path)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError as error:  # such as a name that is too long
        raise LRSError(f"{path}: there can be no such file ({error.strerror}).") from error
    if is_folder:
        raise LRSError(f"{path}: there is no such file, but a folder of that name; give a file in it.")
    if not is_file:
        raise LRSError(f"{path}: there is no such file.")
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise LRSError(f"{path}: you may not read it ({error.strerror}); ask for the permission.") from error


def text_of(path: str | Path, most: int) -> str:
    """Read a text file of at most `most` bytes.

    Raises
    ------
    LRSError
        For one that is larger, missing, or no text.
    """
    path = local_file(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise LRSError(f"{path}: larger than the {most / 1e6:g} MB that it may be; give another file.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LRSError(f"{path}: it is not text in UTF-8; give another file.") from error


@contextmanager
def open_fits(path: str | Path, in_parts: bool = False) -> Iterator[fits.HDUList]:
    """Open a FITS file, whatever its ending, that is whole and fits into memory.

    Whatever goes wrong while it is open is said in one sentence.

    Parameters
    ----------
    path : path-like
    in_parts : bool
        Whether a part of it is read at a time, so that it need not fit into memory.

    Raises
    ------
    LRSError
        For a file that is missing, cut short, no FITS file, too large for the free memory, or damaged.
    """
    path = local_file(path)
    with one_sentence(path):
        _check_sizes(path, in_parts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # astropy mends a header on reading; what matters is checked
            # no map into memory: others may cut the file meanwhile
            with fits.open(path, memmap=False) as hdus:
                yield hdus


def is_packed(path: Path) -> bool:
    """Whether a file is packed, so that no part of it can be read without all before."""
    with path.open("rb") as file:
        return _unpack(file.read(6)) is not None


def _unpack(first: bytes) -> Callable | None:
    return next((unpack for start, unpack in PACKED.items() if first.startswith(start)), None)


def _check_sizes(path: Path, in_parts: bool) -> None:
    with path.open("rb") as file:
        first = file.read(6)
    unpack = _unpack(first)
    if unpack is None and first != b"SIMPLE":
        raise LRSError(f"{path}: {COMPLAINT}")
    try:
        with unpack(path) if unpack else path.open("rb") as file:
            total = _walk(file, path)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise LRSError(f"{path}: {COMPLAINT}") from error
    free = psutil.virtual_memory().available
    if PEAK * total > free and not in_parts:
        raise LRSError(
            f"{path}: its {total / 1e9:.3g} GB of pixels need up to {PEAK * total / 1e9:.3g} GB of memory, "
            f"of which {free / 1e9:.3g} are free; give fewer integrations at a time, or close other programs."
        )


def _walk(file: BinaryIO, path: Path) -> int:
    """Go from header to header, and return how many bytes of data they announce, all of them there."""
    total, number = 0, 0
    while block := file.read(BLOCK):
        size = sum(_sizes(_header(file, block, path), path))
        total, number = total + size, number + 1
        if number > MOST_EXTENSIONS:
            raise LRSError(f"{path}: more than {MOST_EXTENSIONS} extensions; give another file.")
        if padded := -(-size // BLOCK) * BLOCK:
            if padded > sys.maxsize:
                raise EOFError("more than any file has")
            file.seek(padded - 1, 1)
            if not file.read(1):
                raise EOFError("cut short")
    return total


def _header(file: BinaryIO, block: bytes, path: Path) -> fits.Header:
    blocks = [block]
    while not END.match(blocks[-1]):
        blocks.append(file.read(BLOCK))
        if len(blocks[-1]) < BLOCK or len(blocks) > LONGEST_HEADER:
            raise LRSError(f"{path}: {COMPLAINT}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fits.Header.fromstring(b"".join(blocks))


def _sizes(header: fits.Header, path: Path) -> Iterator[int]:
    """Bytes of an extension's data, and of the image that a compressed one unpacks to."""
    where = f"{path}: in the extension {header.get('EXTNAME', 'PRIMARY')}"

    def whole(name: str, least: int, missing: int | None = None, most: float = inf) -> int:
        value = header.get(name, missing)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            told = "is missing" if value is None else f"is {value!r}"
            raise LRSError(f"{where}, {name} {told}; the file is damaged, download it again.")
        return value

    whole("TFIELDS", 0, 0, MOST_FIELDS)
    for prefix in ("", "Z") if header.get("ZIMAGE") else ("",):
        bits = whole(f"{prefix}BITPIX", -64)
        if bits not in (8, 16, 32, 64, -32, -64):
            raise LRSError(f"{where}, {prefix}BITPIX is {bits}; the file is damaged, download it again.")
        axes = [
            whole(f"{prefix}NAXIS{axis + 1}", 0)
            for axis in range(whole(f"{prefix}NAXIS", 0, most=MOST_FIELDS))
        ]
        pixels = prod(axes) if axes else 0
        yield abs(bits) // 8 * whole("GCOUNT", 1, 1) * (whole("PCOUNT", 0, 0) * (not prefix) + pixels)
