"""Chunks of a series: what is read, extracted and forgotten at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.series import SeriesPlan
from jdaviz_lrs.products.door import one_sentence
from jdaviz_lrs.products.series import Segment, read_integrations

__all__ = ["BOX_CHUNK", "OPTIMAL_CHUNK", "Chunk", "chunks_of", "extract_chunk"]

BOX_CHUNK, OPTIMAL_CHUNK = 256, 128
"""Integrations: with more one worker waits for the other at the end, with fewer time goes into calls, and
those of a scheduler. An optimal extraction takes twice as long as a box."""

Span = tuple[Path, int, int]

PLANE_BYTES = 128e6
"""Of a chunk's plane as it lies in the file, at most; a whole frame has 4 MB an integration."""


@dataclass(frozen=True)
class Chunk:
    """Some integrations of one segment.

    Attributes
    ----------
    path : Path
        Of the segment.
    first, stop : int
        Integrations in the file, counted from 0; the last is `stop` - 1.
    number : int
        Of the first of them in the exposure, counted from 1.
    start : int
        Where the first of them is in the series, counted from 0.
    seen : tuple of (Path, int, int)
        These integrations with some before and after: file, first and stop in it.
    before : int
        How many are before.
    """

    path: Path
    first: int
    stop: int
    number: int
    start: int
    seen: tuple[Span, ...]
    before: int = 0

    @property
    def size(self) -> int:
        """Number of integrations."""
        return self.stop - self.first

    def __str__(self) -> str:
        return f"{self.path}, integrations {self.number} to {self.number + self.size - 1}"


def chunks_of(segments: Sequence[Segment], size: int, halo: int = 0) -> list[Chunk]:
    """Divide a series into chunks of at most `size` integrations, none over two files.

    Each knows up to `halo` integrations on either side, in whatever file these are.

    Raises
    ------
    LRSError
        When `size` is no positive whole number.
    """
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise LRSError(f"chunk_size = {size!r}: a chunk has at least one integration; give a whole number.")
    size = min(size, max(int(PLANE_BYTES // (4 * np.prod(segments[0].shape))), 1))
    chunks, start = [], 0
    for segment in segments:
        for first in range(0, segment.size, size):
            stop = min(first + size, segment.size)
            place = start + first
            seen = _spans(segments, place - halo, start + stop + halo)
            number = segment.first + first
            chunks.append(Chunk(segment.path, first, stop, number, place, seen, min(place, halo)))
        start += segment.size
    return chunks


def _spans(segments: Sequence[Segment], start: int, stop: int) -> tuple[Span, ...]:
    """Tell in which files some integrations of the series are."""
    spans, before = [], 0
    for segment in segments:
        first, last = max(start - before, 0), min(stop - before, segment.size)
        if first < last:
            spans.append((segment.path, first, last))
        before += segment.size
    return tuple(spans)


def extract_chunk(chunk: Chunk, plan: SeriesPlan) -> dict[str, NDArray]:
    """Read and extract a chunk; depends on nothing else, and changes nothing.

    Returns
    -------
    dict of str to ndarray, (n_int, n_wavelength) or (n_int,)

    Raises
    ------
    LRSError
        That names the file and the integrations.
    """
    with one_sentence(str(chunk), "cannot be extracted"):
        try:
            stacks = [read_integrations(*span, plan.image) for span in chunk.seen]
            return plan.extract(stacks, slice(chunk.before, chunk.before + chunk.size), chunk.start)
        except LRSError as error:
            raise LRSError(f"{chunk}: {str(error).removeprefix(f'{chunk.path}: ')}") from error
