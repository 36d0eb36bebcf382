"""The mouse over viewers: where along x it is, and where it clicked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

__all__ = ["Cursor"]

EVENTS = ["mousemove", "mouseleave", "click"]


class Cursor:
    """Listens to the mouse over some viewers at a time.

    Parameters
    ----------
    on_move : callable
        Told x, or None when the mouse has left, and whether it was a click.
    """

    def __init__(self, on_move: Callable[[float | None, bool], None]):
        self._on_move = on_move
        self.viewers: list[Any] = []
        self._lock = Lock()  # jdaviz tells from a thread of its own that the panel was closed

    def listen_to(self, viewers: Iterable) -> None:
        """Listen to these viewers and to no other."""
        viewers = list(viewers)
        with self._lock:
            before, self.viewers = self.viewers, viewers
            for viewer in before:
                if viewer not in viewers:
                    viewer.remove_event_callback(self._on_event)
            for viewer in viewers:
                if viewer not in before:
                    viewer.add_event_callback(self._on_event, events=EVENTS)

    def _on_event(self, data: dict) -> None:
        x = None if data["event"] == "mouseleave" else (data.get("domain") or {}).get("x")
        self._on_move(x, data["event"] == "click")
