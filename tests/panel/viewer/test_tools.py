import numpy as np
import pytest

from jdaviz_lrs.panel.edits import move_aperture


@pytest.fixture
def mouse(loaded, active):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    tool = viewer.toolbar.tools["lrs:regions"]
    tool.activate()

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
    trace = active.state.layout.trace[150]
    mouse("dblclick", trace + 7)
    assert active.sources == [pytest.approx(7.0, abs=0.01)]
    assert len(active.state.layout.companions) == 1
    mouse.drag(trace + 7, trace + 8.5)
    assert active.sources == [pytest.approx(8.5, abs=0.02)]
    mouse.drag(trace - 10, trace - 5)  # nothing is there
    assert active.position_offset == pytest.approx(1.2)
    mouse("dblclick", trace + 8.5)
    assert active.sources == []
    mouse("dblclick", trace)  # the target stays
    assert active.sources == []
