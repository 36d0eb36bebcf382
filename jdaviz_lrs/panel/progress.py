"""What takes long tells in jdaviz's message bar how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jdaviz.core.events import SnackbarMessage

__all__ = ["progress"]


@contextmanager
def progress(sender, done: str) -> Iterator[Callable[[str], None]]:
    """Give a function that shows a line as work under way, and take the last one away at the end.

    Parameters
    ----------
    sender : HubListener
        With a ``hub``; the browser paints what it is told even while the kernel works.
    done : str
        What is said at the end, if anything was said before.
    """
    told = False

    def tell(line: str) -> None:
        nonlocal told
        told = True
        sender.hub.broadcast(SnackbarMessage(line, sender=sender, loading=True))

    color, text = "error", "Stopped by an error."
    try:
        yield tell
        color, text = "success", done
    finally:
        if told:
            sender.hub.broadcast(SnackbarMessage(text, sender=sender, color=color))
