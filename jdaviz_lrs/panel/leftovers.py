"""Widgets that loading through jdaviz leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any

from bqplot import LinearScale, Mark, Scale
from echo import keep_in_sync
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
    Where a viewer came with the spectrum, all stays, as its window is among them. A layer whose place the new
    one has taken is kept by its own callbacks, and with it data, marks and options (glue-jupyter 0.29); the
    line that marks a slice leaves a scale at every change of the limits.

    Parameters
    ----------
    app : jdaviz.app.Application
    """
    before, viewers = {*Widget.widgets}, dict(app._viewer_store)
    layers, scales = _layers(viewers), _scales(_in_use())
    try:
        yield
    finally:
        made = [Widget.widgets[name] for name in Widget.widgets.keys() - before]
        for layer in layers.keys() - _layers(viewers).keys():
            _let_go(layer, layers[layer])
        for viewer in viewers.values():
            _close_options(viewer.layer_options.widgetCache, {*viewer.layers})
        for scale in (scales | _scales(made)) - _in_use():
            scale.close()
        if {*app._viewer_store} == {*viewers}:
            _close(app, made)


def _layers(viewers: Mapping[str, Any]) -> dict[LayerArtist, list[Mark]]:
    """Return the layers in sight, each with its marks, which it forgets when it is removed."""
    layers = [layer for viewer in viewers.values() for layer in viewer.layers]
    return {layer: [one for one in vars(layer).values() if isinstance(one, Mark)] for layer in layers}


def _scales(widgets: Iterable[Widget]) -> set[Scale]:
    """Return those that lines of slices take where their place is out of sight: from 0 to 1, with padding."""
    linear = {one for one in widgets if type(one) is LinearScale and one.allow_padding}
    return {one for one in linear if (one.min, one.max) == (0.0, 1.0)}


def _in_use() -> set[Scale]:
    marks = [one for one in Widget.widgets.values() if isinstance(one, Mark)]
    return {scale for mark in marks for scale in mark.scales.values()}


def _let_go(layer: LayerArtist, marks: list[Mark]) -> None:
    """Take the callbacks away that keep a layer which is shown no more, and close its marks."""
    for one in (*vars(layer).values(), *vars(layer.state).values()):
        if isinstance(one, keep_in_sync):
            one.disable_syncing()
    layer.state.clear_callbacks()
    for mark in marks:
        mark.close()


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
    for window, viewer in product(windows, app._viewer_store.values()):
        with suppress(ValueError):  # another viewer's
            viewer.toolbar.unobserve(window._on_toolbar_override_change, "tool_override_mode")
    for left in (*tables, *importers, *resolvers, *windows):
        app.hub.unsubscribe_all(left)
        if (button := getattr(left, "popout_button", None)) is not None:
            button.target.close()
            button.close()
        left.close()
