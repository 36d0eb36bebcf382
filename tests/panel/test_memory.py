"""What is closed or removed is let go, though jdaviz keeps dialogues, layers and data of it."""

import gc
import time
import warnings
import weakref

import pytest
from ipywidgets import Widget
from jdaviz.configs.specviz.plugins.viewers import Spectrum2DViewer
from reacton.core import Element

from tests.whole_app import WholeApp


@pytest.fixture
def image(active):
    """The image of the panel, with which everything was done."""
    return used(active)


def used(active) -> weakref.ref:
    for section in active.sections.values():
        section.opened = 0
    active.extract_width = 6
    active.extract()
    active.extraction_type = "optimal"
    active.show_scene("residual")
    active.extract()
    return weakref.ref(active.image)


def test_a_spectrum_leaves_nothing_behind(active):
    """jdaviz's loaders make 36 widgets a spectrum and keep them; of a layer glue-jupyter keeps two."""
    active.add_results.label = "again"
    numbers = []
    for width in (5, 6, 7, 8):
        active.extract_width = width
        active.extract()
        numbers.append(len(Widget.widgets))
    assert numbers[3] == numbers[1]


def test_a_scene_leaves_nothing_behind_but_its_layer(active):
    """Some importers refuse it, and are there half made."""
    active.extraction_type = "optimal"
    numbers = []
    for _ in range(4):
        active.show_scene("residual")
        numbers.append(len(Widget.widgets))
    assert numbers[3] - numbers[1] <= 2 * 2


def test_a_dataset_removed_takes_its_image_along(loaded, active, image):
    assert image() is not None
    for data in list(loaded._app.data_collection):
        loaded._app.data_item_remove(data.label)
    gc.collect()
    assert image() is None


def test_a_closed_panel_takes_its_image_along(active, image):
    """Though the app goes on."""
    assert image() is not None
    active.close()
    gc.collect()
    assert image() is None


def test_a_closed_app_leaves_nothing(s2d):
    """As when a page of the standalone app is left: solara closes every widget that it made for it."""
    from jdaviz import App

    whole = WholeApp()
    with whole.at_work(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = App()
        app.load(str(s2d), format="JWST LRS")
        panel = app.plugins["LRS Extraction"]
        panel.keep_active = True
        image = used(panel._obj)
    inside = app._app, panel._obj, app._app.data_collection[0], *app._app.get_viewers_of_cls(Spectrum2DViewer)
    kept = image, *map(weakref.ref, inside)
    del inside
    assert None not in [one() for one in kept]
    whole.close()
    del app, panel
    end = time.monotonic() + 120
    while time.monotonic() < end and any(one() is not None for one in kept):
        gc.collect()  # what has a finalizer goes in a later round, and a message of jdaviz when it was shown
        time.sleep(0.1)
    assert [one() for one in kept] == [None] * len(kept)


def test_an_app_that_is_open_stays_when_another_closes(loaded, active):
    from jdaviz import App

    before = active.state.spectrum
    whole = WholeApp()
    with whole.at_work(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        App()
    whole.close()
    active.extract_width = 6
    assert active.state.spectrum is not before
    loaded._app.data_item_remove(active.dataset_selected)  # which the panel hears of
    assert active.state.source is None


def test_a_closed_app_forgets_its_file_choosers_and_no_other(loaded):
    """Which reacton would keep."""
    from jdaviz import App

    kept = Element._callback_wrappers
    before, whole = {*kept}, WholeApp()
    with whole.at_work(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        App()
    assert {*kept} > before
    whole.close()
    assert before
    assert {*kept} == before
