"""What keeps an app of jdaviz after it was closed, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from inspect import getclosurevars
from typing import Any

from glue_jupyter.bqplot.common.viewer import BqplotBaseView
from glue_jupyter.bqplot.image.frb_mark import FRBImage
from reacton.core import Element, _RenderContext

__all__ = ["let_go_when_closed"]

#: glue-jupyter counts the calls of these in a table whose keys are the viewers and images.
COUNTED = (BqplotBaseView.update_glue_scales, FRBImage.debounced_update)

#: Seconds after which each of them has been done and counted for the last time.
DONE = 2.0


def let_go_when_closed(app: Any) -> None:
    """Have an app that is closed leave nothing behind.

    A page that is left closes the widgets of its app, and a kernel that goes on keeps all else of it: 10 to
    16 MB an app (jdaviz 5.0, glue-jupyter 0.29, echo 0.12). Four things hold it. glue-jupyter counts the
    updates of every viewer and image. echo keeps the values and callbacks of a state with its class, where
    one that leads back to the state keeps it for ever. The data, which are such values, know the hub of
    their app, to which everything of it listens. And reacton keeps the callbacks of file choosers.

    Parameters
    ----------
    app : jdaviz.app.Application
    """
    app.observe(_on_comm, "comm")


def _on_comm(change: dict) -> None:
    """Take notice of an app that is closed: it has no connection to a page any more."""
    if change["new"] is None:
        _let_go(change["owner"])
        with suppress(RuntimeError):  # no loop runs, so that nothing waits to be done
            asyncio.get_running_loop().call_later(DONE, _let_go, change["owner"])


def _let_go(app: Any) -> None:
    viewers = {*app._viewer_store.values(), *(plot._obj.viewer for plot in app._plugin_plots.values())}
    for counters in (getclosurevars(counted).nonlocals.get("counters", {}) for counted in COUNTED):
        for one in [one for one in counters if _viewer(one) in viewers or _app(_viewer(one)) is app]:
            viewers.add(_viewer(one))
            del counters[one]
    for state in (app.state, *_states(viewers)):
        state.clear_callbacks()
    for viewer in viewers:
        viewer.state.layers = []  # a layer's state and its viewer's would keep one another
    for listener in [*app.hub._subscriptions]:
        app.hub.unsubscribe_all(listener)
    wrappers = Element._callback_wrappers
    for key in [key for key in wrappers if any(_owner(one) is app for one in _called(key[-1]))]:
        del wrappers[key]


def _called(callback: Any) -> Iterator[Any]:
    """Go through a callback and the functions that it and they close over."""
    waiting, seen = [callback], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        for cell in getattr(one, "__closure__", None) or ():
            with suppress(ValueError):  # one that is empty yet
                held = cell.cell_contents
                given = held.element.kwargs.values() if isinstance(held, _RenderContext) else [held]
                waiting += filter(callable, given)


def _owner(callback: Any) -> Any:
    """Return the app of the widget whose method it is."""
    return getattr(getattr(callback, "__self__", None), "_app", None)


def _viewer(counted: Any) -> Any:
    """Return the viewer that was counted, or that the image is in."""
    return counted.viewer if isinstance(counted, FRBImage) else counted


def _app(viewer: Any) -> Any:
    """Return the app of a viewer, or of the plugin that a plot is in."""
    plugin = getattr(viewer, "_plugin", None)
    return getattr(viewer.session, "jdaviz_app", None) if plugin is None else plugin._app


def _states(viewers: set) -> Iterator[Any]:
    for viewer in viewers:
        yield from (layer.state for layer in viewer.layers)
        yield viewer.state
