"""An app with an observation in it, and the panel."""

import warnings
from pathlib import Path

import pytest


@pytest.fixture
def s2d(observation) -> Path:
    return observation["nod1_s2d"]


#: What of jdaviz the panel meets; an app with all of it takes twice as long to make and to load a file into.
PLUGINS = {
    "lrs-extraction",
    "g-unit-conversion",
    "g-metadata-viewer",
    "g-subset-tools",
    "g-plot-options",
    "spectral-extraction-2d",
    "export",
    "logger",
}
PARSERS = {"fits", "specutils.Spectrum", "object"}
IMPORTERS = {"JWST LRS", "JWST LRS series", "JWST LRS x1d", "1D Spectrum", "2D Spectrum"}


@pytest.fixture
def whole_jdaviz() -> bool:
    """Whether the app has all plugins and loaders; tests of how a file finds its loader say so."""
    return False


@pytest.fixture
def app(whole_jdaviz, monkeypatch):
    from jdaviz import App
    from jdaviz.core.registries import loader_importer_registry, loader_parser_registry, tray_registry

    import jdaviz_lrs.panel.registration  # noqa: F401 - else the app's own import adds to the registries

    kept = {tray_registry: PLUGINS, loader_parser_registry: PARSERS, loader_importer_registry: IMPORTERS}
    for registry, names in kept.items():
        if not whole_jdaviz:
            for other in registry.members.keys() - names:
                monkeypatch.delitem(registry.members, other)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield App()


@pytest.fixture
def auto_extract() -> bool:
    """Whether a spectrum and its viewer come with the dataset; tests that need them say so."""
    return False


@pytest.fixture
def loaded(app, s2d, auto_extract, monkeypatch):
    from jdaviz.core.registries import loader_parser_registry

    # With the format, and without the parsers that are not the image's, jdaviz need not try them all.
    others = PARSERS - {"fits"} if not auto_extract else set()  # its spectrum is loaded in the same way
    with monkeypatch.context() as fewer:
        for parser in loader_parser_registry.members.keys() & others:
            fewer.delitem(loader_parser_registry.members, parser)
        app.load(str(s2d), format="JWST LRS", auto_extract=auto_extract)
    return app


@pytest.fixture
def panel(loaded):
    return loaded.plugins["LRS Extraction"]


@pytest.fixture
def active(panel):
    """The panel as when it is open: it draws."""
    panel.keep_active = True
    return panel._obj
