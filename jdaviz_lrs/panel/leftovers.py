"""Widgets that loading through jdaviz leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

from bqplot import Mark
from glue.viewers.common.layer_artist import LayerArtist
from glue_jupyter.vuetify_helpers import WidgetCache
from ipywidgets import Widget
from jdaviz.configs.default.plugins.viewers import JdavizViewerWindow
from jdaviz.core.loaders.importers import BaseImporter
from jdaviz.core.loaders.resolvers import BaseResolver
from jdaviz.core.template_mixin import Table

__all__ = ["without_leftovers"]


@contextmanager
def without_leftovers(app: Any) -> Iterator[None]:
    """Close what jdaviz and glue-jupyter make for one load and keep.

    These are the resolver with its importers, and a window of every viewer for each time that a list of
    viewers is asked for: 36 widgets a spectrum (jdaviz 5.0), which go on listening to all that happens.
    Where a viewer came with the spectrum, all stays, as its window is among them. Of a layer whose place the
    new one has taken its marks and its options stay (glue-jupyter 0.29).

    Parameters
    ----------
    app : jdaviz.app.Application
    """
    before, viewers = {*Widget.widgets}, dict(app._viewer_store)
    layers = {layer: _marks(layer) for viewer in viewers.values() for layer in viewer.layers}
    try:
        yield
    finally:
        for viewer in viewers.values():
            _close_options(viewer.layer_options.widgetCache, {*viewer.layers})
            for layer in viewer.layers:
                layers.pop(layer, None)
        for mark in chain(*layers.values()):
            mark.close()
        if {*app._viewer_store} == {*viewers}:
            _close(app, [Widget.widgets[name] for name in Widget.widgets.keys() - before])


def _marks(layer: LayerArtist) -> list[Mark]:
    return [one for one in vars(layer).values() if isinstance(one, Mark)]


def _close_options(kept: WidgetCache, layers: set[LayerArtist]) -> None:
    for layer in [one for one in kept.cache if one not in layers]:
        kept.cache.pop(layer).close()


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
