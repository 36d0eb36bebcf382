"""Names of outputs, and writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jdaviz_lrs.errors import LRSError

__all__ = ["output_path", "whole_file"]

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


@contextmanager
def whole_file(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path of the same name to write to, and move it into place when all went well.

    Raises
    ------
    LRSError
        When the file exists and `overwrite` is not set, or its folder does not exist or cannot be written to.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise LRSError(f"{path}: the file exists; choose another name or allow it to be overwritten.")
    if not path.parent.is_dir():
        raise LRSError(f"{path}: there is no folder {path.parent} to write to.")
    try:
        with tempfile.TemporaryDirectory(prefix=".lrs-", dir=path.parent) as folder:
            yield Path(folder, path.name)
            os.replace(Path(folder, path.name), path)
    except OSError as error:
        raise LRSError(f"{path}: cannot be written ({error.strerror or error}).") from None
