import numpy as np
import pytest

from jdaviz_lrs.panel.edits import move_aperture


@pytest.fixture
def mouse(loaded, active):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    tool = viewer.toolbar.tools["lrs:regions"]
    tool.activate()
    tool.keyboard.free = True  # as with Alt held

    def act(event, column, row=150):
        x = int(np.flatnonzero(active.state.source.display.rows == row)[0])
        tool.on_mouse({"event": event, "domain": {"x": x, "y": float(active.state.source.display.y(column))}})

    def drag(start, stop, row=150):
        act("dragstart", start, row)
        act("dragmove", 0.5 * (start + stop), row)
        act("dragend", stop, row)

    act.drag = drag
    act.tool = tool
    return act


def edges(panel):
    return panel.state.layout.edges[0, :, 150]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(
    "given",
    [{}, {"extract_width": 9}, {"src_coeff": [[26.0, 0.002], [34.0]]}],
    ids=["limits", "width", "curved"],
)
def test_an_edge_follows_the_mouse_and_nothing_else_moves(active, mouse, centred, given):
    active.use_source_posn = centred
    for name, value in given.items():
        setattr(active, name, value)
    lower, upper = edges(active)
    active.bkg_coeff = [[lower - 14 - active.state.layout.edges[0, 0, 150] + lower], [lower - 9]]
    regions = active.state.layout.background_edges.copy()
    mouse.drag(upper, upper + 1.5)
    np.testing.assert_allclose(edges(active), (lower, upper + 1.5), atol=0.02)
    np.testing.assert_allclose(active.state.layout.background_edges, regions, atol=0.02)
    middle = edges(active).mean()
    mouse.drag(middle, middle - 2)
    np.testing.assert_allclose(edges(active), (lower - 2, upper - 0.5), atol=0.04)


def test_edges_about_the_source(active, mouse):
    active.use_source_posn = True
    active.src_coeff = [[-4.0], [4.0]]
    lower, upper = edges(active)
    mouse.drag(lower, lower - 1)
    assert (active.src_coeff, active.position_offset) == ([[-4.5], [4.5]], -0.5)
    np.testing.assert_allclose(edges(active), (lower - 1, upper), atol=0.02)


@pytest.mark.parametrize("given", [[[-0.5], [7.5]], [[-5.0, 0.17], [3.0, 0.17]]])
def test_edges_in_columns_though_one_of_them_begins_below_zero(active, mouse, given):
    active.use_source_posn = True
    active.src_coeff = given
    lower, upper = edges(active)
    mouse.drag(0.5 * (lower + upper), 0.5 * (lower + upper) + 2)
    np.testing.assert_allclose(edges(active), (lower + 2, upper + 2), atol=0.02)


def test_an_aperture_about_the_source_can_be_taken_far(active, mouse):
    active.use_source_posn = True
    active.src_coeff, active.bkg_coeff = [[-4.0], [4.0]], [[-20.0], [-14.0]]
    lower, upper = edges(active)
    regions = active.state.layout.background_edges.copy()
    middle = 0.5 * (lower + upper)
    mouse.drag(middle, middle + 3.0)  # further than a quarter of its width
    assert (active.src_coeff, active.position_offset) == ([[-4.0], [4.0]], 3.0)
    np.testing.assert_allclose(edges(active), (lower + 3, upper + 3), atol=0.02)
    np.testing.assert_allclose(active.state.layout.background_edges, regions, atol=0.02)
    mouse.drag(upper + 3, 44.0)  # written as it is, this would count as given in columns
    np.testing.assert_allclose(edges(active), (lower + 3, 44.0), atol=0.03)
    np.testing.assert_allclose(active.state.layout.background_edges, regions, atol=0.03)


def test_regions_are_dragged_out_moved_and_removed(active, mouse):
    mouse.drag(4.5, 10.5)
    np.testing.assert_allclose(active.state.layout.background_edges[0, :, 150], (4.5, 10.5), atol=0.01)
    mouse.drag(10.5, 8.5)
    mouse.drag(6.0, 7.0)
    np.testing.assert_allclose(active.state.layout.background_edges[0, :, 150], (5.5, 9.5), atol=0.02)
    mouse("dblclick", 7.0)
    assert active.bkg_coeff is None


def test_what_cannot_be_is_not_taken(active, mouse):
    lower, upper = edges(active)
    mouse.drag(upper, lower - 5)
    assert active.problem == ""
    mouse.drag(6.0, 0.5 * (lower + upper))  # a background region over the source
    assert active.problem == ""


def test_the_tool_shows_only_where_there_is_something_to_move(loaded, active, mouse):
    assert mouse.tool.is_visible()
    loaded._app.data_item_remove(active.dataset.selected)
    assert not mouse.tool.is_visible()
    mouse.tool.on_mouse({"event": "dragstart", "domain": {"x": 100, "y": 30}})


def test_moving_nothing_changes_nothing(active):
    parameters = active.parameters
    moved = parameters.with_(move_aperture(active.image, parameters, active.state.layout, 0.0, 0.0))
    assert moved == parameters


def test_trace_and_sources_of_an_optimal_extraction(active, mouse):
    active.extraction_type = "optimal"
    trace = active.state.layout.trace[150]
    mouse.drag(trace, trace + 1.2)
    assert active.position_offset == pytest.approx(1.2)
    trace = active.state.layout_drawn.trace[150]  # where it was found, again
    mouse("dblclick", trace + 7)
    assert active.sources == [pytest.approx(7.0, abs=0.01)]
    (companion,) = active.state.layout_drawn.companions
    assert companion[150] == pytest.approx(trace + 7, abs=0.05)
    mouse.drag(trace + 7, trace + 8.5)
    assert active.sources == [pytest.approx(8.5, abs=0.02)]
    mouse.drag(trace - 10, trace - 5)  # nothing is there
    assert active.position_offset == pytest.approx(1.2)
    mouse("dblclick", trace + 8.5)
    assert active.sources == []
    mouse("dblclick", trace)  # the target stays
    assert active.sources == []


def test_the_mouse_takes_hold_of_a_trace_where_it_was_found(active, mouse):
    active.extraction_type, active.position_offset, active.refinements = "optimal", 1.5, ["trace"]
    placed, seen = active.state.layout.trace[150], active.state.layout_drawn.trace[150]
    assert abs(seen - placed) > 1.0
    assert active.marks.image["trace"].marks_list[0].y[150] == pytest.approx(
        active.state.source.display.y(active.state.layout_drawn.trace)[150], abs=0.2
    )
    mouse("mousemove", seen)
    assert mouse.tool.cursor == "grab"
    mouse.drag(seen, seen + 0.5)
    assert active.position_offset == pytest.approx(2.0)
    mouse("dblclick", active.state.layout_drawn.trace[150] + 9)
    assert active.sources == [pytest.approx(9.0, abs=0.01)]


def test_what_is_dragged_comes_to_whole_or_half_pixels(active, mouse):
    active.use_source_posn = True
    active.extract_width = 8
    mouse.tool.keyboard.free = False
    upper = edges(active)[1]
    mouse.drag(upper, upper + 1.2)
    assert (active.extract_width, active.position_offset) == (9, 0.5)
    active.undo()  # a drag is one step
    assert (active.extract_width, active.position_offset) == (8, 0)


def test_regions_come_to_borders_of_pixels(active, mouse):
    active.use_source_posn = False
    mouse.tool.keyboard.free = False
    mouse.drag(4.3, 10.8)
    assert active.bkg_coeff == [[4.5], [10.5]]
    mouse.drag(10.5, 9.3)
    assert active.bkg_coeff == [[4.5], [9.5]]
    mouse.drag(7.0, 8.2)
    assert active.bkg_coeff == [[5.5], [10.5]]
    mouse.tool.keyboard.free = True
    mouse.drag(10.5, 9.3)
    assert active.bkg_coeff == [[5.5], [9.3]]
    mouse.tool.keyboard.free = False
    mouse.drag(9.3, 9.5)  # nearer to where it was than to a border
    assert active.bkg_coeff == [[5.5], [9.5]]


def test_a_click_moves_nothing(active, mouse):
    active.use_source_posn = False
    active.xstart, active.xstop = 26.8, 33.3
    mouse.tool.keyboard.free = False
    upper = edges(active)[1]
    mouse("dragstart", upper)
    mouse("dragmove", upper + 0.05)
    mouse("dragend", upper + 0.05)
    assert (active.xstart, active.xstop) == (26.8, 33.3)


def test_traces_and_sources_come_to_half_pixels(active, mouse):
    active.extraction_type = "optimal"
    active.sources = [7.0]
    mouse.tool.keyboard.free = False
    trace = active.state.layout.trace[150]
    mouse.drag(trace, trace + 1.2)
    assert active.position_offset == 1.0
    mouse.drag(trace + 8, trace + 8.8)
    assert active.sources == [8.0]


def test_the_pointer_tells_what_can_be_dragged(active, mouse):
    active.bkg_coeff = [[4.5], [10.5]]
    shape = mouse.tool.viewer.figure.interaction
    lower, upper = edges(active)
    for column, cursor in (
        (upper, "ns-resize"),
        (0.5 * (lower + upper), "grab"),
        (4.5, "ns-resize"),
        (7.5, "grab"),
        (18.0, "auto"),
    ):
        mouse("mousemove", column)
        assert shape.cursor == cursor
    mouse("dragstart", 7.5)
    mouse("mousemove", 4.5)  # sent late
    assert shape.cursor == "grabbing"
    mouse("dragend", 7.5)
    assert shape.cursor == "grab"
    active.extraction_type = "optimal"
    mouse("mousemove", active.state.layout.trace[150])
    assert shape.cursor == "grab"
    mouse.tool.deactivate()
    assert shape.cursor == "auto"


def test_words_beside_the_mouse_while_it_drags(active, mouse):
    active.use_source_posn = False
    mouse.tool.keyboard.free = False
    lower, upper = edges(active)
    mouse("mousemove", upper)
    assert "labels" not in vars(mouse.tool.label)
    mouse("dragstart", upper)
    mouse("dragmove", upper + 1.2)
    words = mouse.tool.label.labels[-1]
    wavelength = active.image.row_wavelength[150]
    assert words.visible
    row = int(active.image.disp_index[150])
    assert words.text.item() == f"column {upper + 1:g}, row {row}, {wavelength:.3f} um"
    mouse("dragend", upper + 1.2)
    assert not words.visible
    middle = 0.5 * (lower + upper)
    mouse("dragstart", middle)
    mouse("dragmove", middle + 1)
    assert words.text.item().startswith(f"columns {lower + 1:g} to {upper + 2:g}, row")


def test_the_readout_follows_a_drag(loaded, active, mouse):
    readout = loaded._app.session.application._tools["g-coords-info"]
    upper = edges(active)[1]
    mouse("dragstart", upper)
    mouse("dragmove", upper + 2)
    assert f"column {upper + 2:.1f}, row {int(active.image.disp_index[150])}" in readout.row1a_text


def test_arrows_move_what_was_dragged_last(active, mouse):
    active.use_source_posn = False
    active.xstart, active.xstop = 27, 33
    press = mouse.tool.keyboard.vue_arrow
    press({"way": 1, "shift": False})  # nothing was dragged: the whole aperture
    assert (active.xstart, active.xstop) == (27.1, 33.1)
    press({"way": -1, "shift": True})
    assert (active.xstart, active.xstop) == (26.1, 32.1)
    active.undo()  # keys that follow each other are one step
    active.undo()
    assert (active.xstart, active.xstop) == (27, 34)
    active.redo()
    mouse("dragstart", 33.5)
    mouse("dragend", 33.5)  # a click chooses
    press({"way": 1, "shift": True})
    press({"way": 1, "shift": False})
    assert (active.xstart, active.xstop) == (27, 34.1)
    mouse.tool.keyboard.vue_undo()
    assert (active.xstart, active.xstop) == (27, 33)
    mouse.tool.keyboard.vue_redo()
    assert (active.xstart, active.xstop) == (27, 34.1)


def test_what_was_dragged_last_is_drawn_until_it_is_no_more(active, mouse):
    def held():
        return [mark.y.ndim and mark.y.size for mark in active.marks.image["held"].marks_list if mark.visible]

    mouse.drag(4.5, 10.5)
    rows = active.state.source.display.rows.size
    assert held() == [2 * rows]  # both edges of the new region
    mouse.drag(10.5, 9.5)
    assert held() == [rows]
    active.bkg_coeff = None
    assert active.state.grip is None
    assert not any(held())
    mouse.drag(4.5, 10.5)
    mouse.tool.deactivate()
    assert not any(held())


def test_the_keyboard_is_heard_while_the_tool_is_taken(loaded, mouse):
    keyboard = mouse.tool.keyboard
    assert keyboard in loaded._app.invisible_children
    mouse.tool.deactivate()
    assert keyboard not in loaded._app.invisible_children
    assert mouse.tool.keyboard is None


def test_the_keyboard_goes_with_the_dataset(loaded, active, mouse):
    toolbar = mouse.tool.viewer.toolbar
    toolbar.active_tool_id = mouse.tool.tool_id
    keyboard = mouse.tool.keyboard
    loaded._app.data_item_remove(active.dataset.selected)
    assert toolbar.active_tool is None
    assert keyboard not in loaded._app.invisible_children
