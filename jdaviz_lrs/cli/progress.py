"""Telling what is under way: on a terminal as a bar or in a few words, with ``-v`` in the log, else not."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Progress", "log_to_stderr"]

LOGGER = logging.getLogger("jdaviz_lrs")

CLEAR = "\r\x1b[K"
"""Empties the line of the cursor."""


@contextmanager
def log_to_stderr(verbose: bool) -> Iterator[None]:
    """Write the log of this package to standard error, if asked to."""
    if not verbose:
        yield
        return
    handler, before = logging.StreamHandler(sys.stderr), LOGGER.level
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s", "%H:%M:%S"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)


class Progress:
    """Shows on one line what is under way, and leaves nothing of it.

    Parameters
    ----------
    unit : str
        What is counted, for the log.
    """

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.shown = sys.stderr.isatty() and not LOGGER.isEnabledFor(logging.INFO)
        self.bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def say(self, words: str) -> None:
        """Tell what is begun, in a few words."""
        LOGGER.info(words)
        if self.shown:
            sys.stderr.write(f"{CLEAR}{words} ...")
            sys.stderr.flush()

    def count(self, done: int, total: int) -> None:
        """Tell how many are done, and of how many."""
        LOGGER.info("%d of %d %s", done, total, self.unit)
        if not self.shown:
            return
        if self.bar is None:
            from astropy.utils.console import ProgressBar

            self.bar = ProgressBar(total, file=sys.stderr)
        self.clear()
        self.bar.update(done)

    def clear(self) -> None:
        """Empty the line, for what is printed next."""
        if self.shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
