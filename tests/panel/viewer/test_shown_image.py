"""The dataset chosen in the panel is the image shown, both ways."""

import pytest

FIRST, SECOND = (f"jw00001001001_03101_0000{nod}_mirimage_s2d" for nod in (1, 2))
CAL = "jw00001001001_03101_00001_mirimage_cal"


@pytest.fixture
def both(loaded, active, observation):
    loaded.load(str(observation["nod2_s2d"]), format="JWST LRS", auto_extract=False)
    return loaded.viewers["2D Spectrum"]._obj.glue_viewer


def visible(viewer):
    return {layer.layer.label for layer in viewer.layers if layer.visible}


def test_what_is_imported_is_shown_and_chosen(active, both):
    assert visible(both) == {SECOND}
    assert active.dataset_selected == active.state.source.label == SECOND


def test_the_image_follows_the_choice_and_its_axes_fit(loaded, active, both, observation):
    active.dataset_selected = FIRST
    assert visible(both) == {FIRST}
    both.set_limits(x_min=100.0, x_max=120.0)
    loaded.load(str(observation["nod1_cal"]), format="JWST LRS", auto_extract=False)
    assert visible(both) == {CAL}
    height, width = loaded._app.data_collection[CAL].shape
    limits = both.state.x_min, both.state.x_max, both.state.y_min, both.state.y_max
    assert limits == (-0.5, width - 0.5, -0.5, height - 0.5)
    assert (active.marks.image["aperture"].marks_list[0].visible, active.image_viewers) == (True, [both])


def test_the_choice_follows_the_image_unless_several_are_shown(loaded, active, both):
    menu = loaded.viewers["2D Spectrum"].data_menu
    menu.set_layer_visibility(FIRST, True)
    assert (visible(both), active.dataset_selected) == ({FIRST, SECOND}, SECOND)
    menu.set_layer_visibility(SECOND, False)
    assert active.dataset_selected == active.state.source.label == FIRST
    menu.set_layer_visibility(FIRST, False)
    assert active.image_viewers == []
    menu.set_layer_visibility(SECOND, True)
    assert active.dataset_selected == SECOND


def test_restore_shows_the_image_of_the_extraction(active, both):
    active.dataset_selected = FIRST
    active.extract(add_data=True)
    active.dataset_selected = SECOND
    assert visible(both) == {SECOND}
    active.restore(active.state.records[-1].label)
    assert visible(both) == {FIRST}
    assert active.state.source.label == FIRST
