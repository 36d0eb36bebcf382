"""Work that takes long: a script waits for it, the browser goes on and can cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from typing import Generic, TypeVar

from IPython import get_ipython

from jdaviz_lrs.errors import LRSError

__all__ = ["Work", "browser_loop"]

T = TypeVar("T")


class Cancelled(BaseException):
    """Ends work from inside; not an `Exception`, from which CRDS would recover."""


def browser_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that serves the browser; None where a cell or a script asks, and can wait."""
    kernel = getattr(get_ipython(), "kernel", None)
    asked_by = kernel.get_parent("shell") if kernel is not None else {}
    if asked_by.get("header", {}).get("msg_type") != "comm_msg":
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # in a thread of jdaviz
        return None


class Work(Generic[T]):
    """One piece of work, in a thread of its own; all that is told of it is told in the loop's thread.

    Parameters
    ----------
    name : str
        What it is, for the sentence on an unexpected failure.
    do : callable
        Takes a function for lines on its progress, and returns what the work is for or raises `LRSError`.
    tell : callable
        Is told those lines.
    loop : AbstractEventLoop
    """

    def __init__(
        self,
        name: str,
        do: Callable[[Callable[[str], None]], T],
        tell: Callable[[str], None],
        loop: asyncio.AbstractEventLoop,
    ):
        self._name, self._do, self._tell, self._loop = name, do, tell, loop
        self._then: list[Callable[[T | LRSError], None]] = []
        self._outcome: T | LRSError | None = None
        self._over = False
        self._thread = Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def then(self, act: Callable[[T | LRSError], None]) -> None:
        """Have something done with the outcome, which is an error where it failed."""
        self._then.append(act)

    def wait(self) -> T | LRSError:
        """Wait for the outcome; for a script that cannot go on without."""
        self._thread.join()
        self._finish()
        return self._outcome

    def end_with(self, outcome: T | LRSError) -> None:
        """Cancel: go on with this; the thread ends where it next tells of its progress."""
        if not self._over:
            self._outcome = outcome
            self._finish()

    def _work(self) -> None:
        try:
            outcome: T | LRSError = self._do(self._progress)
        except Cancelled:
            return
        except LRSError as error:
            outcome = error
        except Exception as error:
            outcome = LRSError(f"{self._name} failed unexpectedly: {error!r}.")
            outcome.__cause__ = error
        if not self._over:
            self._outcome = outcome
            self._loop.call_soon_threadsafe(self._finish)

    def _progress(self, line: str) -> None:
        if self._over:
            raise Cancelled
        self._loop.call_soon_threadsafe(self._say, line)

    def _say(self, line: str) -> None:
        if not self._over:
            self._tell(line)

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        with ExitStack() as stack:  # every one of them acts, also where another fails
            for act in reversed(self._then):
                stack.callback(act, self._outcome)
