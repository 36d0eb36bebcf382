"""The switch of what the image viewer shows, and what the panel does with presets and other datasets."""

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract


def layer(active):
    """The layer above the image, and its values."""
    label = active.image_switch.layer.label
    data = active._app.data_collection[label]
    states = [one.state for viewer in active.image_viewers for one in viewer.layers]
    shown = [state for state in states if state.layer.label == label]
    return shown[0], data[data.main_components[0]]


def test_a_residual_follows_the_parameters_and_goes(loaded, active):
    before = list(loaded._app.data_collection.labels)
    active.image_shown = "residual in sigma"
    state, values = layer(active)
    assert (state.v_min, state.v_max, state.cmap.name) == (-5.0, 5.0, "RdBu")
    assert active.colours["unit"] == "sigma"
    kept, label = np.array(values), active.image_switch.layer.label
    active.extract_width = 5
    _, other = layer(active)
    assert active.image_switch.layer.label == label  # replaced in place
    assert np.isfinite(other).any()
    assert not np.array_equal(kept, other, equal_nan=True)
    active.image_shown = "scene model"
    _, model = layer(active)
    expected = extract(active.image, extract_width=5, save_scene_model=True).scene_model
    np.testing.assert_array_equal(model, active.state.source.display.plane(expected))
    active.image_shown = "data"
    assert list(loaded._app.data_collection.labels) == before
    assert active.colours == {}


def test_presets_and_another_dataset(loaded, active, observation, tmp_path, monkeypatch):
    monkeypatch.setenv("JDAVIZ_START_DIR", str(tmp_path))
    panel = active.user_api
    panel.apply_preset("12 px, as the file places it")
    assert (panel.extract_width, panel.use_source_posn) == (12.0, False)
    panel.save_preset("mine")
    panel.undo()
    assert panel.extract_width is None
    panel.apply_preset("mine")
    assert panel.extract_width == 12.0
    with pytest.raises(LRSError, match="is no preset; there are: 8 px"):
        panel.apply_preset("none")
    first = panel.dataset.selected
    loaded.load(str(observation["nod2_s2d"]), format="JWST LRS", auto_extract=False)
    panel.dataset = first  # what is loaded is chosen
    other = "jw00001001001_03101_00002_mirimage_s2d"
    label, *more = panel.apply_to(other)
    assert (label in loaded._app.data_collection, more) == (True, [])
    assert active.state.records[-1].parameters.extract_width == 12.0
    panel.dataset = other
    assert panel.extract_width == 12.0
    with pytest.raises(LRSError, match="no 2-D spectrum"):
        panel.apply_to("none")
