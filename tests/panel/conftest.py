"""An app with an observation in it, and the panel."""

import warnings
from pathlib import Path

import pytest


@pytest.fixture
def s2d(observation) -> Path:
    return observation["nod1_s2d"]


@pytest.fixture
def app():
    from jdaviz import App

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield App()


@pytest.fixture
def loaded(app, s2d):
    # without the format jdaviz tries all its loaders first; a spectrum by default takes half of the time
    app.load(str(s2d), format="JWST LRS", auto_extract=False)
    return app


@pytest.fixture
def panel(loaded):
    return loaded.plugins["LRS Extraction"]


@pytest.fixture
def active(panel):
    """The panel as when it is open: it draws."""
    panel.keep_active = True
    return panel._obj
