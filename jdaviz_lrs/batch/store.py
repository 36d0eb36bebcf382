"""What chunks have given: in memory while that is little, else in a folder, from which one can go on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.batch.chunks import Chunk, extract_chunk
from jdaviz_lrs.data.series import DRIFT_COLUMNS, SERIES_COLUMNS
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.series import SeriesPlan
from jdaviz_lrs.products.files import whole_file

__all__ = ["ChunkStore", "ChunkTable", "extract_into"]

IN_MEMORY = 128e6
"""Bytes of a table that is kept in memory: some 2400 integrations."""

JOB = "series.json"
"""Tells what the folder holds chunks of."""


class ChunkTable(Mapping[str, NDArray]):
    """The columns of a series, put together of those of its chunks when they are asked for.

    Parameters
    ----------
    chunks : sequence of Chunk
    columns : list of path or mapping
        Of each chunk: where they are stored, or the columns themselves.
    keep : object
        What must live as long as the table: the folder.
    """

    def __init__(self, chunks: Sequence[Chunk], columns: Sequence[Path | Mapping[str, NDArray]], keep: Any):
        self._ends = [(chunk.start, chunk.start + chunk.size) for chunk in chunks]
        self._columns, self._keep = columns, keep

    def __getitem__(self, name: str) -> NDArray:
        """Return a column, (n_int, n_wavelength); of the drift, (n_int,)."""
        return self.columns([name])[name]

    def columns(self, names: Iterable[str]) -> dict[str, NDArray]:
        """Return several columns, for which every chunk is looked at once."""
        if unknown := {*names} - {*SERIES_COLUMNS, *DRIFT_COLUMNS}:
            raise KeyError(unknown.pop())
        parts = [_read(one, names) for one in self._columns]
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def __iter__(self) -> Iterator[str]:
        return iter(SERIES_COLUMNS)

    def __len__(self) -> int:
        return len(SERIES_COLUMNS)

    def parts(self) -> Iterator[tuple[slice, dict[str, NDArray]]]:
        """Go through the table chunk by chunk: which integrations, and all their columns."""
        for (start, stop), one in zip(self._ends, self._columns, strict=True):
            yield slice(start, stop), _read(one, SERIES_COLUMNS)


def _read(columns: Path | Mapping[str, NDArray], names: Iterable[str]) -> dict[str, NDArray]:
    return _stored(columns, names) if isinstance(columns, Path) else {name: columns[name] for name in names}


def _stored(path: Path, names: Iterable[str]) -> dict[str, NDArray]:
    """Read columns of a finished chunk."""
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in names}
    except Exception as error:  # a damaged file may raise anything
        raise LRSError(
            f"{path}: this finished chunk cannot be read ({type(error).__name__}); remove it, and extract "
            "again with the same folder to resume from."
        ) from error


def extract_into(chunk: Chunk, common: tuple[SeriesPlan, Path | None]) -> dict[str, NDArray] | None:
    """Extract a chunk and store it where it was done, which spares sending it and one process the writing.

    Parameters
    ----------
    chunk : Chunk
    common : (SeriesPlan, Path or None)
        The plan; and a file in the folder of finished chunks, by which a worker sees whether that is the same
        where it runs.

    Returns
    -------
    dict of str to ndarray, (n_int, n_wavelength) or (n_int,), or None
        None when the chunk is in the folder.

    Raises
    ------
    LRSError
        When it cannot be extracted, or the folder cannot be written to.
    """
    plan, witness = common
    columns = extract_chunk(chunk, plan)
    if witness is None or not witness.is_file():
        return columns
    _save(_place(witness.parent, chunk), columns)
    return None


def _place(folder: Path, chunk: Chunk) -> Path:
    return folder / f"integrations_{chunk.start:06d}_{chunk.start + chunk.size:06d}.npz"


def _save(path: Path, columns: Mapping[str, NDArray]) -> None:
    with whole_file(path, overwrite=True, lasting=False) as temporary:
        np.savez(temporary, **columns)


class ChunkStore:
    """Keep what chunks have given.

    Parameters
    ----------
    chunks : sequence of Chunk
    n_wavelength : int
    folder : path-like or TemporaryDirectory, optional
        Where finished chunks stay, and are found again; without it they go when nobody needs them any more,
        and so does a temporary folder.
    job : mapping
        What distinguishes this extraction from others, as JSON.

    Raises
    ------
    LRSError
        When the folder holds chunks of another extraction, or cannot be written to.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        n_wavelength: int,
        folder: str | Path | tempfile.TemporaryDirectory | None = None,
        job: Mapping[str, Any] | None = None,
    ):
        self.chunks = chunks
        total = sum(chunk.size for chunk in chunks) * n_wavelength * len(SERIES_COLUMNS) * 8
        self._memory: dict[Chunk, Mapping[str, NDArray]] = {}
        self._keep: Any = None
        self.folder: Path | None = None
        if isinstance(folder, tempfile.TemporaryDirectory):
            self._keep, folder = folder, folder.name
        if folder is not None:
            self.folder = Path(folder)
            _claim(self.folder, dict(job or {}))
        elif total > IN_MEMORY:
            self._keep = tempfile.TemporaryDirectory(prefix="jdaviz-lrs-")
            self.folder = Path(self._keep.name)

    def __contains__(self, chunk: Chunk) -> bool:
        """Whether the chunk is done."""
        return chunk in self._memory or (self.folder is not None and _place(self.folder, chunk).is_file())

    def __setitem__(self, chunk: Chunk, columns: Mapping[str, NDArray]) -> None:
        if self.folder is None:
            self._memory[chunk] = {name: np.array(column) for name, column in columns.items()}
            return
        _save(_place(self.folder, chunk), columns)

    @contextmanager
    def open_to(self, plan: SeriesPlan) -> Iterator[tuple[SeriesPlan, Path | None]]:
        """Give what `extract_into` needs, as long as the folder shows that it is this one."""
        if self.folder is None:
            yield plan, None
            return
        folder = self.folder.absolute()  # workers may be at home elsewhere
        with ExitStack() as stack:
            try:
                witness = stack.enter_context(tempfile.NamedTemporaryFile(dir=folder, prefix=".witness-"))
            except OSError as error:
                raise LRSError(
                    f"{folder}: finished chunks cannot be stored there ({error.strerror}); make room, or "
                    "give another folder to resume from."
                ) from error
            yield plan, Path(witness.name)

    def table(self) -> ChunkTable:
        """Return the table of all chunks."""
        columns = [self._memory.get(chunk) or _place(self.folder, chunk) for chunk in self.chunks]
        return ChunkTable(self.chunks, columns, self._keep)


def _claim(folder: Path, job: Mapping[str, Any]) -> None:
    """Make the folder that of this extraction, unless it is another's."""
    told = json.loads(json.dumps(job, default=str))
    card = folder / JOB
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = dict(json.loads(card.read_text(encoding="utf-8"))) if card.is_file() else None
        full = any(folder.iterdir())
    except (OSError, TypeError, ValueError) as error:
        raise LRSError(f"{folder}: it cannot hold finished chunks ({error}); give another folder.") from error
    if known is None and full:
        raise LRSError(f"{folder}: it holds other files; give a new folder for the finished chunks.")
    if known is not None and known != told:
        other = next(name for name in {**known, **told} if known.get(name) != told.get(name))
        raise LRSError(
            f"{folder}: its chunks are of another extraction ({other} differs); give another folder, or "
            "empty it."
        )
    if known is None:
        with whole_file(card, overwrite=True) as temporary:
            temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
