"""The search for reference files: a script waits for it, the browser goes on and can cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread

from IPython import get_ipython

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references.find import References

__all__ = ["Search", "browser_loop"]


class Cancelled(BaseException):
    """Ends a search from inside CRDS, which recovers from every `Exception`."""


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


class Search:
    """One search, in a thread of its own; all that is told of it is told in the loop's thread.

    Parameters
    ----------
    find : callable
        Takes a function for lines on its progress, and returns `References` or raises `LRSError`.
    tell : callable
        Is told those lines.
    loop : AbstractEventLoop
    """

    def __init__(
        self,
        find: Callable[[Callable[[str], None]], References],
        tell: Callable[[str], None],
        loop: asyncio.AbstractEventLoop,
    ):
        self._find, self._tell, self._loop = find, tell, loop
        self._then: list[Callable[[References | LRSError], None]] = []
        self._found: References | LRSError | None = None
        self._over = False
        self._thread = Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def then(self, act: Callable[[References | LRSError], None]) -> None:
        """Have something done with what is found, or with the error."""
        self._then.append(act)

    def wait(self) -> None:
        """Wait for the end; for a script that cannot go on without."""
        self._thread.join()
        self._finish()

    def end_with(self, found: References | LRSError) -> None:
        """Cancel: go on with this; nothing more is downloaded after the file under way, which is kept."""
        if not self._over:
            self._found = found
            self._finish()

    def _work(self) -> None:
        try:
            found: References | LRSError = self._find(self._progress)
        except Cancelled:
            return
        except LRSError as error:
            found = error
        except Exception as error:
            found = LRSError(f"The search for reference files failed unexpectedly: {error!r}.")
        if not self._over:
            self._found = found
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
        for act in self._then:
            act(self._found)
