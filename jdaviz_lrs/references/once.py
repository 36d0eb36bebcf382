"""Reference files are read once, as long as they stay as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

__all__ = ["read_once"]

KEPT = 16
"""Files of one kind: some hundred kilobytes each."""

Reader = TypeVar("Reader", bound=Callable[..., Any])


def read_once(read: Reader) -> Reader:
    """Keep what a function has read of a file, until the file is another.

    Parameters
    ----------
    read : callable
        Of a path, and more that can be hashed; what it returns must not change.

    Returns
    -------
    callable
        The same, that asks the file's place, size and time of change first.
    """

    @lru_cache(maxsize=KEPT)
    def kept(path, state, *more):
        return read(path, *more)

    @wraps(read)
    def once(path, *more):
        try:
            state = os.stat(path)
        except (OSError, ValueError):  # for which the reader has a sentence
            return read(path, *more)
        return kept(path, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns), *more)

    return cast("Reader", once)
