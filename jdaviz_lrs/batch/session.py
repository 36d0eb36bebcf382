"""Session: which files were extracted how, in one small file from which all of it can be had again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.door import one_sentence, text_of
from jdaviz_lrs.products.files import whole_files

__all__ = ["ENDING", "FORMAT", "Extraction", "Session", "read_session"]

ENDING = ".lrs-session.json"
"""How the names of such files end."""

FORMAT = 1
"""Of the file; one with a higher number was written by a version that knows more."""

KEY = "jdaviz_lrs_session"

LARGEST = 1_000_000
"""Bytes of a file: some hundred extractions."""

MOST = 1000
"""Extractions in a file."""

LONGEST_LABEL = 200

OVERRIDES = ("override_extract1d", "override_apcorr", "override_psf")


@dataclass(frozen=True)
class Extraction:
    """How a file was, or is to be, extracted.

    Attributes
    ----------
    dataset : str
        What the 2-D spectrum is called.
    file : Path
        Where it lies.
    parameters : ExtractionParameters
    overrides : Mapping of str to Path
        Reference files that were given, by ``override_extract1d`` and the like.
    label : str
        What the spectrum is called; empty where nothing was extracted yet.
    """

    dataset: str
    file: Path
    parameters: ExtractionParameters
    overrides: Mapping[str, Path] = field(default_factory=dict)
    label: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that it takes."""
        return (self.file, *self.overrides.values())

    def extract(self) -> ExtractedSpectrum:
        """Extract the spectrum again; see `jdaviz_lrs.extract`.

        Raises
        ------
        LRSError
            When a file is missing, or it cannot be extracted.
        """
        return extract(self.file, self.parameters, **self.overrides)


@dataclass(frozen=True)
class Session:
    """What was worked on.

    Attributes
    ----------
    settings : tuple of Extraction
        What is set for each dataset, that in view first; without labels.
    history : tuple of Extraction
        The extractions made, in their order.
    """

    settings: tuple[Extraction, ...] = ()
    history: tuple[Extraction, ...] = ()

    @property
    def missing(self) -> tuple[Path, ...]:
        """The files that it takes and that are not there."""
        files = dict.fromkeys(path for one in (*self.settings, *self.history) for path in one.files)
        return tuple(path for path in files if not _is_file(path))

    def check_files(self) -> None:
        """Make sure that every file is there.

        Raises
        ------
        LRSError
            Which names those that are not.
        """
        if missing := self.missing:
            more = f" and {len(missing) - 3} more" if missing[3:] else ""
            names = ", ".join(map(str, missing[:3])) + more
            verb, they = ("are", "them") if len(missing) > 1 else ("is", "it")
            raise LRSError(
                f"{names} {verb} missing; put {they} back, or beside the session's file, and load it again."
            )

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write it as JSON; files in the folder of the session's file are named from there.

        Raises
        ------
        LRSError
            When there is nothing to write, or the file exists or cannot be written.
        """
        if not self.settings and not self.history:
            raise LRSError("There is nothing to keep in a session; load an s2d or cal file first.")
        path = Path(path)
        folder = path.expanduser().resolve().parent
        content = {
            KEY: FORMAT,
            "version": version("jdaviz-lrs"),
            "settings": [_plain(one, folder) for one in self.settings],
            "history": [_plain(one, folder) for one in self.history],
        }
        inputs = [file for one in (*self.settings, *self.history) for file in one.files]
        with whole_files([path], overwrite, inputs) as (temporary,):
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path


def read_session(path: str | Path) -> Session:
    """Read what `Session.write` wrote.

    A file that is no more where it was is looked for beside the session's, so that both can be moved, and
    given to others, together. Nothing of what the session names is opened.

    Raises
    ------
    LRSError
        When the file is missing, is no session, of a later format, or has parameters that cannot be meant.
    """
    path = Path(path)
    text = text_of(path, LARGEST)
    with one_sentence(path, "not a valid JSON file"):
        content = json.loads(text)
    if not isinstance(content, dict) or KEY not in content:
        raise LRSError(f"{path}: this is no session of jdaviz-lrs; give one that was saved in the panel.")
    number = content[KEY]
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise LRSError(f"{path}: {KEY} is no number of a format; save the session again.")
    if number > FORMAT:
        raise LRSError(f"{path}: a later version of jdaviz-lrs wrote it (format {number}); install that one.")
    folder = path.expanduser().resolve().parent
    try:
        settings, history = (_extractions(content, name, folder) for name in ("settings", "history"))
    except LRSError as error:
        raise LRSError(f"{path}: {error}") from None
    if unnamed := sum(not one.label for one in history):
        raise LRSError(f"{path}: {unnamed} of its extractions have no label; save the session again.")
    return Session(tuple(replace(one, label="") for one in settings), history)


def _plain(one: Extraction, folder: Path) -> dict[str, Any]:
    given = {name: _from(path, folder) for name, path in one.overrides.items()}
    content = {"label": one.label, "dataset": one.dataset, "file": _from(one.file, folder), **given}
    return {name: value for name, value in content.items() if value} | {"parameters": one.parameters.asdict()}


def _from(path: Path, folder: Path) -> str:
    """Name a file from a folder if it lies in it, otherwise from the root."""
    whole = Path(os.path.abspath(path.expanduser()))
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


def _extractions(content: Mapping[str, Any], name: str, folder: Path) -> tuple[Extraction, ...]:
    found = content.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise LRSError(f"'{name}' is no list of extractions; save the session again.")
    if len(found) > MOST:
        raise LRSError(f"more than {MOST} extractions in '{name}'; give another file.")
    return tuple(_extraction(one, folder) for one in found)


def _extraction(content: Mapping[str, Any], folder: Path) -> Extraction:
    parameters = content.get("parameters")
    if not isinstance(parameters, dict):
        raise LRSError("an extraction without parameters; save the session again.")
    overrides = {name: _path(content, name, folder) for name in OVERRIDES if content.get(name) is not None}
    return Extraction(
        _text(content, "dataset"),
        _path(content, "file", folder),
        ExtractionParameters().with_(parameters),
        overrides,
        _text(content, "label", ""),
    )


def _text(content: Mapping[str, Any], name: str, missing: str | None = None) -> str:
    text = content.get(name, missing)
    if not isinstance(text, str) or not text.isprintable() or len(text) > LONGEST_LABEL:
        raise LRSError(f"'{name}' of an extraction is missing or is no text; save the session again.")
    return text


def _path(content: Mapping[str, Any], name: str, folder: Path) -> Path:
    """Find a file from the folder of the session's, or by its name beside it."""
    text = content.get(name)
    if not isinstance(text, str) or not text.strip() or "\0" in text or not _can_be_named(text):
        raise LRSError(f"'{name}' of an extraction names no file; save the session again.")
    path = Path(os.path.abspath(folder / text))
    beside = folder / path.name
    return beside if not _is_file(path) and _is_file(beside) else path


def _can_be_named(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or of no encoding
        return False
