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
def auto_extract() -> bool:
    """Whether a spectrum and its viewer come with the dataset; tests that need them say so."""
    return False


@pytest.fixture
def loaded(app, s2d, auto_extract):
    app.load(str(s2d), format="JWST LRS", auto_extract=auto_extract)  # without the format jdaviz tries all
    return app


@pytest.fixture
def panel(loaded):
    return loaded.plugins["LRS Extraction"]


@pytest.fixture
def active(panel):
    """The panel as when it is open: it draws."""
    panel.keep_active = True
    return panel._obj
