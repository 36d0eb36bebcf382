"""The part of the panel that knows whether it is open: the browser pings while it is."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable

from jdaviz_lrs.panel.tasks import browser_loop

__all__ = ["Presence"]

#: Seconds from one look for pings to the next; while the panel is open they come every 0.2 s.
INTERVAL = 1.0

#: Seconds by which a look may come late: after more the kernel was busy, and the pings wait behind it.
LATE = 0.2


class Presence:
    """Takes the panel for closed when the browser is silent.

    In jdaviz a thread does, also while the kernel is busy and cannot hear, and it draws at the same time as
    the kernel.

    Parameters
    ----------
    tell : callable
        Is told whether the panel is open.
    """

    def __init__(self, tell: Callable[[bool], None]):
        self._tell = tell
        self._pings = 0
        self._loop: AbstractEventLoop | None = None

    def ping(self) -> bool:
        """Take notice that the panel is open somewhere; false where no loop of the browser can tell."""
        loop = browser_loop()
        if loop is None:
            return False
        self._pings += 1
        self._tell(True)
        if self._loop is None or self._loop.is_closed():
            self._loop = loop
            self._look_later()
        return True

    def _look_later(self) -> None:
        due = self._loop.time() + INTERVAL
        self._loop.call_at(due, self._look, due, self._pings)

    def _look(self, due: float, pings: int) -> None:
        late = self._loop.time() - due > LATE
        if late or self._pings != pings:
            self._look_later()
            return
        self._loop = None
        self._tell(False)
