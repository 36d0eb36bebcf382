"""The dataset chosen in the panel is the image shown, also where it was in no viewer."""

import pytest


def shown(app) -> dict[str, list[str]]:
    """The datasets that are visible, by viewer of 2-D spectra."""
    viewers = {label: one for label, one in app.viewers.items() if label.startswith("2D Spectrum")}
    return {label: list(one._obj.glue_viewer.data_menu.data_labels_visible) for label, one in viewers.items()}


@pytest.fixture
def two(loaded, active, observation):
    """The labels of a dataset in the viewer, and of another that is in none."""
    first = active.dataset_selected
    loaded.load(str(observation["nod2_s2d"]), format="JWST LRS", auto_extract=False, viewer=[])
    (other,) = {*active.dataset.choices} - {first}
    return first, other


def test_a_dataset_in_no_viewer_is_shown_when_it_is_chosen(loaded, panel, two):
    first, other = two
    assert shown(loaded) == {"2D Spectrum": [first]}
    panel.dataset = other
    assert shown(loaded) == {"2D Spectrum": [other]}
    panel.dataset = first
    assert shown(loaded) == {"2D Spectrum": [first]}


def test_one_that_was_taken_out_of_its_viewer_comes_back(loaded, panel, two):
    first, other = two
    panel.dataset = other
    loaded._app.remove_data_from_viewer("2D Spectrum", first)
    panel.dataset = first
    assert shown(loaded) == {"2D Spectrum": [first]}


def test_without_a_viewer_one_is_made(loaded, panel, two):
    _, other = two
    loaded._app.vue_destroy_viewer_item("2D Spectrum")
    assert shown(loaded) == {}
    panel.dataset = other
    assert list(shown(loaded).values()) == [[other]]


def test_what_stands_in_for_a_removed_dataset_is_shown(loaded, panel, two):
    first, other = two
    loaded._app.data_item_remove(first)
    assert panel.dataset.selected == other
    assert shown(loaded) == {"2D Spectrum": [other]}


def test_the_first_dataset_is_shown_when_the_panel_opens(app, s2d):
    app.load(str(s2d), format="JWST LRS", auto_extract=False, viewer=[])
    panel = app.plugins["LRS Extraction"]
    assert panel.dataset.selected
    assert shown(app) == {}
    panel.keep_active = True
    assert list(shown(app).values()) == [[panel.dataset.selected]]
