"""What is closed or removed is let go, though jdaviz keeps dialogues, layers and data of it."""

import gc
import weakref

import pytest
from ipywidgets.widgets import widget
from jdaviz import App


@pytest.fixture
def used(observation):
    """An app in which everything was done with an image, and that image."""
    before = set(widget._instances)
    app = App()
    app.load(str(observation["nod1_s2d"]), data_label="nod1")
    panel = app.plugins["LRS Extraction"]
    panel.keep_active = True
    for section in panel._obj.sections.values():
        section.opened = 0
    panel.extract_width = 6
    panel.extract()
    panel.extraction_type = "optimal"
    panel.show_scene("residual")
    panel.extract()
    yield [app], weakref.ref(panel._obj.image)
    for name in set(widget._instances) - before:
        widget._instances[name].close()


def test_a_dataset_removed_takes_its_image_along(used):
    (app,), image = used
    assert image() is not None
    for data in list(app._app.data_collection):
        app._app.data_item_remove(data.label)
    gc.collect()
    assert image() is None
