"""Names of outputs, and writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jdaviz_lrs.errors import LRSError

__all__ = ["in_ascii", "output_path", "whole_file"]

#: Endings that the pipeline exchanges for that of its step.
PRODUCT_SUFFIXES = ("s2d", "cal", "calints", "s2dints", "bsub", "bsubints", "crf", "x1d", "extract1dstep")


def output_path(path: str | Path, suffix: str = "extract1dstep") -> Path:
    """Name an output as the pipeline does, beside its input.

    ``jw..._s2d.fits`` gives ``jw..._extract1dstep.fits``.
    """
    path = Path(path)
    stem = path.name.removesuffix(".gz").removesuffix(".fits")
    root, _, last = stem.rpartition("_")
    return path.with_name(f"{root if root and last in PRODUCT_SUFFIXES else stem}_{suffix}.fits")


def in_ascii(text: str) -> str:
    """Spell what a FITS header cannot hold, so that a name never keeps a file from being written."""
    return "".join(c if c.isascii() and c.isprintable() else ascii(c)[1:-1] for c in text)


#: Letters of a temporary name; spelt in ASCII it is longer than the file's.
LONGEST = 200


@contextmanager
def whole_file(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to, and move it into place when all went well.

    It has the same name, spelt in ASCII, for the header that holds it.

    Raises
    ------
    LRSError
        When the file exists and `overwrite` is not set, or its folder does not exist or cannot be written to.
    """
    path = Path(path)
    try:
        if path.exists() and not overwrite:
            raise LRSError(f"{path}: the file exists; choose another name or allow it to be overwritten.")
        if not path.parent.is_dir():
            raise LRSError(f"{path}: there is no folder {path.parent} to write to.")
        with tempfile.TemporaryDirectory(prefix=".lrs-", dir=path.parent) as folder:
            temporary = Path(folder, f"{in_ascii(path.stem)[:LONGEST]}{path.suffix}")
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        raise LRSError(f"{path}: cannot be written ({error.strerror or error}).") from None
