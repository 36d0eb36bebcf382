"""An app with all that was made for it, so that it can be closed as a page that is left closes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import solara.comm
from ipyvue import Template
from ipywidgets import Widget
from jdaviz.style_registry import StyleRegistry

#: Widgets that one process has once, for all its apps.
SHARED = (Template, StyleRegistry)


class WholeApp:
    """The widgets that are made while it is at work, which are closed with it."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Take the widgets that are made here for the app's."""
        before = set(Widget.widgets)
        yield
        self._names |= set(Widget.widgets) - before

    def close(self) -> None:
        """Close them all, as solara does when a page is left."""
        for name in self._names:
            widget = Widget.widgets.get(name)  # one may have gone with another
            if widget is not None and not isinstance(widget, SHARED):
                widget.close()
        solara.comm.orphan_comm_stacks.clear()  # which nothing ends outside of a page
