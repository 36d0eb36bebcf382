"""The section Cross-dispersion profile, in the kernel."""

from dataclasses import replace

import numpy as np
import pytest
from jdaviz import App

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.profile.chart import STYLES

REGIONS = [[18.5], [23.5], [36.5], [42.5]]


@pytest.fixture(scope="module")
def loaded(observation):
    """One app for all tests here, which takes seconds to make; `active` puts it back."""
    app = App()
    app.load(str(observation["nod1_s2d"]), data_label="nod 1")
    return app


@pytest.fixture
def active(panel):
    """The panel as it was at first, and drawing."""
    inner = panel._obj
    panel.keep_active = False
    inner.profile_view.opened = None
    for name in ("wavelength", "n_rows", "follow_cursor", "scale_to_background"):
        setattr(inner.profile_view, name, inner.profile_view.traits()[name].default_value)
    panel.dataset.selected, panel.live_preview = "nod 1", True
    inner.update(parameters=inner.state.references.parameters)
    panel.keep_active = True
    return inner


@pytest.fixture
def view(active):
    """The section, open in an active panel."""
    active.use_source_posn, active.extract_width = True, 6.0
    active.profile_view.opened = 0
    return active.profile_view


def viewer_of(panel):
    return panel.dataset.viewers_with_selected_visible[0]


def mouse(panel, event, x=None):
    """What a viewer tells of the mouse."""
    data = {"event": event, "domain": {"x": x, "y": 20.0}}
    viewer_of(panel)._on_mouse_interaction(None, data, None)


def window(view):
    """First and last column marked on the image; none without a mark."""
    marks = view.window.marks_list
    x = np.concatenate([np.atleast_1d(mark.x) for mark in marks]) if marks else np.empty(0)
    return (x.min() + 0.5, x.max() - 0.5) if x.size else ()


def line(view, name):
    mark = view.chart.marks[name]
    return (mark.x, mark.y) if mark.visible else None


def test_a_closed_section_draws_nothing(active):
    view = active.profile_view
    assert window(view) == ()
    assert not view.cursor.viewers


def test_an_open_section_shows_the_middle_of_the_spectrum(view):
    display = view.panel.state.source.display
    middle = display.rows.size // 2
    assert view.wavelength == display.wavelength[middle]
    assert window(view) == (middle - 5, middle + 5)
    assert view.caption == f"{view.cut().wavelength:.3f} um, median of rows 188 to 198"
    assert [key["label"] for key in view.chart.plot.legend] == [
        "aperture", "trace", "data", "PSF, scaled to the aperture",
    ]  # fmt: skip


def test_the_wavelength_moves_the_cut_and_its_mark(view, panel):
    panel.profile_view.wavelength = 7.7
    cut = panel.profile_view.cut()
    assert cut.wavelength == pytest.approx(7.7, abs=0.02)
    column = np.argmin(np.abs(view.panel.state.source.display.wavelength - 7.7))
    assert window(view) == (column - 5, column + 5)
    assert view.column == column
    x, y = line(view, "data")
    seen = np.isfinite(cut.value)
    np.testing.assert_array_equal(y, np.repeat(cut.value[seen], 2))
    np.testing.assert_array_equal(x[::2], cut.columns[seen] - 0.5)
    view.vue_set_column(column + 40)
    assert window(view) == (column + 35, column + 45)


def test_a_wavelength_beyond_the_image_is_its_end(view):
    view.wavelength = 99.0
    assert view.wavelength == view.panel.state.source.display.wavelength[-1]
    assert window(view)[1] == view.last_column


def test_the_number_of_rows(view, panel):
    at = view.column
    panel.profile_view.n_rows = 1
    assert window(view) == (at, at)
    panel.profile_view.n_rows = 4
    assert window(view) == (at - 1, at + 2)
    assert panel.profile_view.cut().rows.size == 4
    with pytest.raises(LRSError, match="give 1 or more"):
        panel.profile_view.n_rows = 0
    assert panel.profile_view.n_rows == 4


def test_the_mouse_shows_and_a_click_keeps(view, active):
    kept, at = view.wavelength, view.column
    mouse(active, "mousemove", 100.2)
    assert window(view) == (95, 105)
    assert view.wavelength == kept
    mouse(active, "mouseleave")
    assert window(view) == (at - 5, at + 5)
    mouse(active, "mousemove", 100.2)
    mouse(active, "click", 100.2)
    mouse(active, "mouseleave")
    assert window(view) == (95, 105)
    assert view.wavelength == view.panel.state.source.display.wavelength[100]


def test_the_mouse_beyond_the_image(view, active):
    mouse(active, "mousemove", -7.0)
    assert window(view) == (0, 5)
    mouse(active, "mousemove", 1e4)
    assert window(view)[1] == view.last_column
    mouse(active, "mousemove", None)
    assert window(view) == (view.column - 5, view.column + 5)


def test_the_mouse_is_followed_only_when_asked(view, active, panel):
    mouse(active, "mousemove", 100.2)
    panel.profile_view.follow_cursor = False
    before = window(view)
    assert before == (view.column - 5, view.column + 5)
    mouse(active, "mousemove", 50.0)
    assert window(view) == before
    mouse(active, "click", 50.0)
    assert window(view) == (45, 55)


def test_parameters_show_at_once(view, active):
    x, y = line(view, "aperture")
    assert np.ptp(x) == pytest.approx(6.0)
    assert (y.min(), y.max()) == (0.0, 1.0)
    assert line(view, "regions") is None
    active.extract_width = 9.0
    assert np.ptp(line(view, "aperture")[0]) == pytest.approx(9.0)
    active.bkg_coeff = REGIONS
    assert line(view, "regions")[0].shape[0] == 2
    assert "fitted background" in [key["label"] for key in view.chart.plot.legend]
    columns, level = line(view, "background")
    assert columns.size == level.size == view.panel.state.plan.image.n_xdisp
    active.position_offset = 1.5
    assert line(view, "trace")[0].mean() == pytest.approx(view.cut().trace)


def test_the_model_peaks_at_the_source(view):
    x, y = line(view, "model")
    assert x[np.argmax(y)] == pytest.approx(view.cut().trace, abs=0.2)


def test_nothing_stale_is_left(view, active):
    def nothing():
        return window(view) == () and line(view, "data") is None and view.caption == ""

    view.opened = None
    assert nothing()
    assert not view.cursor.viewers
    view.opened = 0
    assert window(view)
    active.keep_active = False
    assert nothing()
    mouse(active, "mousemove", 50.0)
    assert nothing()
    active.keep_active = True
    assert window(view)
    active.extract_width = -1
    assert nothing()
    active.extract_width = 5.0
    assert window(view)
    active.live_preview = False
    assert window(view)


def test_another_dataset(view, active, loaded, observation):
    view.wavelength = 6.0
    loaded.load(str(observation["nod2_s2d"]), data_label="the other nod")
    active.dataset.selected = "the other nod"
    assert active.problem == ""
    cut = view.cut()
    assert cut.wavelength == pytest.approx(6.0, abs=0.03)
    assert cut.columns[np.nanargmax(cut.value)] < 20
    x, y = line(view, "data")
    assert x[np.argmax(y)] < 20


def test_a_users_zoom_is_kept(view):
    state = view.chart.plot.viewer.state
    before = (state.x_min, state.x_max, state.y_min, state.y_max)
    view.wavelength = 6.2
    assert state.y_max != before[3]
    state.x_min, state.x_max = 20.0, 40.0
    view.wavelength = 8.0
    assert (state.x_min, state.x_max) == (20.0, 40.0)
    assert state.y_max != before[3]
    view.chart.plot.toolbar.tools["jdaviz:homezoom"].activate()
    assert (state.x_min, state.x_max) == before[:2]


def test_the_axis_can_be_scaled_to_the_background(view, active):
    state = view.chart.plot.viewer.state
    whole = state.y_max
    view.scale_to_background = True
    assert state.y_max < 0.5 * whole
    active.bkg_coeff = REGIONS
    cut = view.cut()
    inside = (cut.columns > 19) & (cut.columns < 23)
    assert state.y_min < np.nanmin(cut.value[inside])
    assert state.y_max > np.nanmax(cut.value[inside])


def test_where_no_psf_applies_a_box_takes_the_place_of_an_optimal_extraction(view, active):
    references = replace(active.state.references, not_applicable=frozenset({"psf"}))
    active.update(references=references, kept=())
    active.extraction_type = "optimal"
    assert active.problem == ""
    assert [key["label"] for key in view.chart.plot.legend] == ["data"]
    active.update(references=replace(references, not_applicable=frozenset()), kept=())


def test_optimal_extraction_shows_its_scene(view, active):
    active.extraction_type = "optimal"
    assert active.problem == ""
    labels = [key["label"] for key in view.chart.plot.legend]
    assert "fitted scene" in labels
    assert "trace of the other nod" in labels
    assert "aperture" not in labels
    # without a preview there is no fit to show, but a script gets one
    active.live_preview = False
    assert [key["label"] for key in view.chart.plot.legend] == ["data"]
    assert view.cut().model.size


def test_without_data_there_is_no_cut(app):
    with pytest.raises(LRSError, match="Load a MIRI LRS spectrum"):
        app.plugins["LRS Extraction"].profile_view.cut()


def test_the_colours_differ_and_are_those_of_the_image():
    from jdaviz_lrs.panel.viewer import marks

    for ours, theirs in (
        ("aperture", "aperture"),
        ("regions", "background"),
        ("trace", "trace"),
        ("nod", "nods"),
    ):
        assert STYLES[ours]["colors"] == marks.IMAGE_MARKS[theirs]["colors"]
        assert STYLES[ours].get("line_style") == marks.IMAGE_MARKS[theirs].get("line_style")


def test_the_public_names(panel):
    assert {"wavelength", "n_rows", "follow_cursor", "scale_to_background", "cut"} <= set(
        dir(panel.profile_view)
    )


def test_api_hints_come_and_go_with_the_panels(active):
    for wanted in (True, False):
        active.api_hints_enabled = wanted
        assert {section.api_hints_enabled for section in active.sections.values()} == {wanted}
