"""Widgets that loading through jdaviz leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ipywidgets import Widget
from jdaviz.configs.default.plugins.viewers import JdavizViewerWindow
from jdaviz.core.loaders.importers import BaseImporter
from jdaviz.core.loaders.resolvers import BaseResolver
from jdaviz.core.template_mixin import Table

__all__ = ["without_leftovers"]


@contextmanager
def without_leftovers(app: Any) -> Iterator[None]:
    """Close what jdaviz makes for one load and keeps.

    These are the resolver with its importers, and a window of every viewer for each time that a list of
    viewers is asked for: 36 widgets a spectrum (jdaviz 5.0), which go on listening to all that happens.
    Where a viewer came with the spectrum, all stays, as its window is among them.

    Parameters
    ----------
    app : jdaviz.app.Application
    """
    before, viewers = {*Widget.widgets}, {*app._viewer_store}
    try:
        yield
    finally:
        if {*app._viewer_store} == viewers:
            _close(app, [Widget.widgets[name] for name in Widget.widgets.keys() - before])


def _close(app: Any, made: list[Widget]) -> None:
    resolvers = [one for one in made if isinstance(one, BaseResolver)]
    importers = [one for one in made if isinstance(one, BaseImporter) and one._resolver in resolvers]
    tables = [one for one in made if isinstance(one, Table) and one._plugin in (*importers, *resolvers)]
    windows = [one for one in made if isinstance(one, JdavizViewerWindow)]
    for importer in importers:
        with suppress(ValueError):  # one that refused what it was given has not come so far
            app.unobserve(importer._update_existing_data_in_dc_traitlet, "existing_data_in_dc")
    for left in (*tables, *importers, *resolvers, *windows):
        app.hub.unsubscribe_all(left)
        if (button := getattr(left, "popout_button", None)) is not None:
            button.target.close()
            button.close()
        left.close()
