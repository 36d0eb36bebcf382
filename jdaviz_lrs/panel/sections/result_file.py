"""The file of what a section has made, and where files go that have no folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from traitlets import Bool, Unicode, observe

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import PanelState

__all__ = ["FileInTheWayError", "SavingResult", "check_free", "file_path", "folders_of", "working_folder"]


class FileInTheWayError(LRSError):
    """A file is in the way, and nobody said that it may go."""


class Written(Protocol):
    """What can be written to one file."""

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write it."""


class SavingResult(Section):
    """A section that makes one thing at a time, which can be saved.

    Attributes
    ----------
    endings : tuple of str
        That the names of its files may have; the first is given to one that has none.
    none_yet : str
        What is said where nothing was made.
    result : object or None
        What was made last.
    """

    endings: tuple[str, ...] = (".fits", ".fits.gz")
    none_yet = ""

    filename = Unicode().tag(sync=True)
    folder = Unicode().tag(sync=True)
    written = Unicode().tag(sync=True)
    in_the_way = Bool(False).tag(sync=True)  # the file is there: a second press overwrites it

    def __init__(self, panel, app):
        self.result: Any = None
        super().__init__(panel, app)

    def keep(self, result: Written, name: str) -> None:
        """Take notice of what was made, and propose the name of its file."""
        self.result, self.problem, self.written, self.in_the_way = result, "", "", False
        self.folder, self.filename = str(working_folder()), name

    def made(self) -> Any:
        """Return what was made last.

        Raises
        ------
        LRSError
            When that is nothing.
        """
        if self.result is None:
            raise LRSError(self.none_yet)
        return self.result

    def save(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write it.

        Raises
        ------
        LRSError
            When nothing was made, or the file exists or cannot be written.
        """
        result = self.made()
        path = file_path(self.filename if path is None else path, *self.endings)
        if not overwrite:
            check_free(path)
        return result.write(path, overwrite)

    @observe("filename")
    def _on_filename(self, change: dict) -> None:
        self.in_the_way, self.written = False, ""

    def vue_rename(self, name: str) -> None:
        """Answer to the field of the name."""
        self.filename = name or ""

    def vue_save(self, _=None) -> None:
        """Answer to the button; a second press overwrites."""
        try:
            path = self.save(overwrite=self.in_the_way)
        except FileInTheWayError as error:
            self.in_the_way, self.written = True, str(error)
        except LRSError as error:
            self.problem = str(error)
        else:
            self.in_the_way, self.written = False, f"Written to {path}"


def working_folder() -> Path:
    """Where a name without a folder goes: as in jdaviz, the folder in which it was started."""
    return Path(os.environ.get("JDAVIZ_START_DIR") or Path.cwd())


def folders_of(state: PanelState) -> set[Path]:
    """Where files of the user's lie that go with the dataset: the working folder, and that of its file."""
    path = None if state.source is None else state.source.image.path
    return {working_folder(), *([] if path is None else [Path(path).parent])}


def file_path(name: str | Path, ending: str, *others: str) -> Path:
    """Complete the name of a file with its folder and, unless it has one of several, with its ending.

    Raises
    ------
    LRSError
        Where it is none, or that of a folder.
    """
    name = str(name).strip()
    try:
        path = working_folder() / Path(name).expanduser()
        named = bool(name) and "\0" not in name and not path.is_dir()
        if named and not path.name.endswith((ending, *others)):
            path = path.with_name(f"{path.name}{ending}")
        path.exists()  # a name that is too long fails here
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LRSError(f"'{name[:40]}' cannot name a file ({reason}); give another.") from None
    if not named:
        raise LRSError(f"'{name}' names no file; give one such as spectrum{ending}.")
    return path


def check_free(*paths: Path) -> None:
    """Raise a `FileInTheWayError` that names those of some files which exist."""
    if existing := [str(path) for path in paths if path.exists()]:
        raise FileInTheWayError(
            f"{', '.join(existing)}: the file exists; choose another name or allow it to be overwritten."
        )
