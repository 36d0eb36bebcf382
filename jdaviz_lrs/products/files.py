"""Names of outputs, and writing files whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from jdaviz_lrs.errors import LRSError

__all__ = ["in_ascii", "output_path", "whole_file", "whole_files"]

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

#: Of the folders that hold what is being written; host and process follow.
PREFIX = ".lrs-"

#: Seconds after which such a folder is nobody's, whoever made it.
STRAY = 3600.0


def fits_path(path: str | Path) -> Path:
    """Return the path of a FITS file to be written.

    Raises
    ------
    LRSError
        When its name ends otherwise.
    """
    path = Path(path)
    if path.suffix != ".fits":
        raise LRSError(f"{path}: spectra are written as FITS; let the name end with .fits.")
    return path


def whole_file(
    path: str | Path, overwrite: bool = False, lasting: bool = True
) -> AbstractContextManager[Path]:
    """Give a temporary path to write to, and move it into place when all went well; see `whole_files`."""
    return _first(whole_files([path], overwrite, lasting=lasting))


@contextmanager
def _first(files: AbstractContextManager[list[Path]]) -> Iterator[Path]:
    with files as (only,):
        yield only


@contextmanager
def whole_files(
    paths: Iterable[str | Path],
    overwrite: bool = False,
    inputs: Iterable[str | Path | None] = (),
    lasting: bool = True,
) -> Iterator[list[Path]]:
    """Give temporary paths to write to, and move all of them into place when all went well, or none.

    Each has the name of its file, spelt in ASCII, for the header that holds it. Without `overwrite` a file
    that has come into being meanwhile stays, and nothing is written. A process that is killed between two of
    the moves leaves some files new and others old, each of them whole.

    Parameters
    ----------
    paths : iterable of path-like
    overwrite : bool
    inputs : iterable of path-like or None
        Files that are never written over.
    lasting : bool
        Whether they are on the disk when they have their names, so that they are whole when power fails too;
        what can be made again is not worth the wait.

    Raises
    ------
    LRSError
        When a file exists and `overwrite` is not set, is an input, is named twice or is no regular file, or
        its folder does not exist or cannot be written to.
    """
    targets = [Path(path) for path in paths]
    with ExitStack() as stack:
        stack.enter_context(_told(targets[0]))
        _check(targets, overwrite, [Path(path) for path in inputs if path])
        folders = {}
        for parent in dict.fromkeys(target.parent for target in targets):
            _sweep(parent)
            new = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{_host()}-{os.getpid()}-", dir=parent)
            folders[parent] = Path(stack.enter_context(new))
        written = [
            folders[target.parent] / f"{in_ascii(target.stem)[:LONGEST]}{target.suffix}" for target in targets
        ]
        yield written
        for temporary in written if lasting else ():
            _to_disk(temporary)
        _move_all(written, targets, overwrite)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LRSError(f"{path}: cannot be written ({error.strerror or error}).") from None


def _check(targets: list[Path], overwrite: bool, inputs: list[Path]) -> None:
    """Refuse what must not be written, before anything is."""
    for number, target in enumerate(targets):
        if any(_same(target, one) for one in inputs):
            raise LRSError(f"{target}: this file is an input of the extraction; choose another name.")
        if any(_same(target, other) for other in targets[:number]):
            raise LRSError(f"{target}: two files would have this name; choose another one.")
        if os.path.lexists(target) and not overwrite:
            raise LRSError(f"{target}: the file exists; choose another name or allow it to be overwritten.")
        if target.exists() and not target.is_file():
            raise LRSError(f"{target}: this is no regular file; choose another name.")
        if not target.parent.is_dir():
            raise LRSError(f"{target}: there is no folder {target.parent} to write to.")


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever links."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _host() -> str:
    return re.sub(r"\W", "_", socket.gethostname())[:50]


def _sweep(folder: Path) -> None:
    """Remove what a killed process left: one of this host that is gone, or one of another an hour ago."""
    for stray in folder.glob(f"{PREFIX}*"):
        ours = re.fullmatch(rf"{re.escape(PREFIX)}(\w+)-(\d+)-[a-z0-9_]{{8}}", stray.name)
        with suppress(OSError):
            if ours and stray.is_dir():
                host, process = ours.groups()
                old = time.time() - stray.stat().st_mtime > STRAY
                if old if host != _host() else not psutil.pid_exists(int(process)):
                    shutil.rmtree(stray, ignore_errors=True)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _move_all(written: list[Path], targets: list[Path], overwrite: bool) -> None:
    """Move every file into place; if one cannot be, take back those that were."""
    undo: list[Callable[[], None]] = []
    try:
        for temporary, target in zip(written, targets, strict=True):
            kept = temporary.with_name(f"{temporary.name}.before")
            # noted first, as a signal may come at any line
            if overwrite and os.path.lexists(target):
                _keep(target, kept)
                undo.append(partial(os.replace, kept, target))
                os.replace(temporary, target)
            else:
                undo.append(partial(_take_back, temporary, target))
                _put(temporary, target)
    except BaseException:
        for step in reversed(undo):
            with suppress(OSError):
                step()
        raise


def _take_back(temporary: Path, target: Path) -> None:
    """Remove a new file, if it is this one."""
    if temporary.samefile(target):
        target.unlink()


def _keep(target: Path, kept: Path) -> None:
    """Give a file a second name, or where a disk has none of these, a copy; of a link the link itself."""
    try:
        os.link(target, kept, follow_symlinks=False)
    except OSError:
        shutil.copy2(target, kept, follow_symlinks=False)


def _put(temporary: Path, target: Path) -> None:
    """Move a file to where none may be; another writer may have been faster."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise LRSError(f"{target}: another process has written it meanwhile; choose another name.") from None
    except OSError:  # the disk has no second names
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise LRSError(
                f"{target}: another process has written it meanwhile; choose another name."
            ) from None
        try:
            os.replace(temporary, target)
        except OSError:
            target.unlink()
            raise
