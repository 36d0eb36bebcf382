"""The keyboard beside the mouse: arrows, undo and redo, and whether Alt is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipyvuetify import VuetifyTemplate
from traitlets import Bool

from jdaviz_lrs.panel.vuetify import adapt_template

__all__ = ["Keyboard"]


class Keyboard(VuetifyTemplate):
    """Listens to the keys of the page that shows an app, while a tool of the mouse is taken.

    The browser's mouse events reach Python without the keys held, and the figures, where they listen to keys,
    take every one away, Tab with them. This takes what it answers to, and only where no field, list or tab
    that knows these keys itself has the focus.

    Parameters
    ----------
    app : jdaviz application
    on_arrow : callable
        Told +1 or -1 for an arrow up or down, and whether Shift was held.
    on_undo, on_redo : callable
    """

    template_file = __file__, "keyboard.vue"
    _adapt_template = adapt_template
    free = Bool(False).tag(sync=True)  # whether Alt is held

    def __init__(
        self,
        app: Any,
        on_arrow: Callable[[int, bool], None],
        on_undo: Callable[[], None],
        on_redo: Callable[[], None],
    ):
        super().__init__()
        self._app, self._on_arrow, self._on_undo, self._on_redo = app, on_arrow, on_undo, on_redo
        app.invisible_children = [*app.invisible_children, self]

    def close(self) -> None:
        """Leave the keys to the page."""
        self._app.invisible_children = [one for one in self._app.invisible_children if one is not self]
        super().close()

    def vue_arrow(self, pressed: dict) -> None:
        """Answer to an arrow."""
        self._on_arrow(pressed["way"], pressed["shift"])

    def vue_undo(self, _=None) -> None:
        """Answer to Ctrl-Z."""
        self._on_undo()

    def vue_redo(self, _=None) -> None:
        """Answer to Ctrl-Shift-Z."""
        self._on_redo()
