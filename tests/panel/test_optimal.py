import numpy as np
import pytest

from jdaviz_lrs import LRSError
from jdaviz_lrs.extraction.advice import Advice


@pytest.fixture
def optimal(active):
    active.extraction_type = "optimal"
    assert active.problem == ""
    return active


def test_traces_are_drawn_and_the_aperture_is_not(optimal):
    marks = {name: found.marks_list for name, found in optimal.marks.image.items()}
    assert marks["trace"][0].y.size
    assert marks["nods"][0].y.size
    assert not marks["aperture"][0].y.size
    result = optimal.compute()
    display = optimal.state.source.display
    np.testing.assert_allclose(marks["trace"][0].y, display.y(result.trace[display.rows]))


def test_advice_has_a_button_that_answers_it(loaded, optimal):
    optimal.update(advice=(Advice("trace", "trace 0.3 px off", {}),))
    assert optimal.advice == [{"sentence": "trace 0.3 px off", "refinement": "trace"}]
    optimal.vue_refine("trace")
    assert optimal.refinements == ["trace"]
    assert optimal.advice == []
    assert "trace_shift" in optimal.compute().report
    optimal.vue_refine("all")
    assert len(optimal.refinements) == 6


def test_the_residual_tells_of_a_trace_that_is_off(optimal):
    optimal.optimize_psf_location = False
    optimal.position_offset = 0.4
    (advice,) = [one for one in optimal.inspect() if one["refinement"] == "trace"]
    assert "trace 0.4" in advice["sentence"]
    optimal.optimize_psf_location = True
    assert not [one for one in optimal.inspect() if one["refinement"] == "trace"]


def test_scene_and_residual_go_to_the_viewer(loaded, panel):
    label = panel.show_scene("residual in sigma")
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    assert label in viewer.data_menu.data_labels_visible
    shown = loaded.datasets[label].get_data()
    assert shown.flux.unit == ""
    assert shown.shape == panel._obj.state.source.display.spectrum().shape
    assert label not in panel.dataset.choices
    with pytest.raises(LRSError, match="is not known"):
        panel.show_scene("portrait")


def test_the_metadata_panel_tells_how_a_spectrum_was_made(loaded, panel):
    label = panel.add_results.label
    panel.extract()
    metadata = loaded.plugins["Metadata"]
    metadata.dataset = label
    assert metadata.meta["program"]["value"] == "jdaviz-lrs"
    assert metadata.meta["xstart"]["value"] == "27.0"
