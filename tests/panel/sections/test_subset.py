import pytest
from glue.core.edit_subset_mode import NewMode
from glue.core.roi import RangeROI, RectangularROI

from jdaviz_lrs import LRSError


@pytest.mark.parametrize("centred", [False, True])
def test_the_aperture_takes_the_edges_of_a_subset(loaded, active, centred):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    loaded._app.session.edit_subset_mode.mode = NewMode
    viewer.apply_roi(RectangularROI(50, 150, 19.6, 28.4))
    active.use_source_posn = centred
    assert "Subset 1" in active.subset.choices
    active.aperture_from_subset("Subset 1")
    assert active.state.layout.edges[0, :, 150] == pytest.approx((19.5, 28.5), abs=0.02)
    with pytest.raises(LRSError, match="'Subset 9' has no pixel"):
        active.aperture_from_subset("Subset 9")


def test_a_tapered_aperture_becomes_the_subset_too(loaded, active):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    loaded._app.session.edit_subset_mode.mode = NewMode
    viewer.apply_roi(RectangularROI(50, 150, 34.6, 41.4))
    active.width_view.multiple = 1.5
    active.width_view.use_tapered_aperture()
    active.aperture_from_subset("Subset 1")
    row = active.state.source.display.rows[active.state.source.display.rows.size // 2]
    assert active.state.layout.edges[0, :, row] == pytest.approx((34.5, 41.5), abs=0.02)


def test_rows_are_no_aperture(loaded, active):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    loaded._app.session.edit_subset_mode.mode = NewMode
    viewer.apply_roi(RangeROI("x", 50, 150))
    before = active.parameters
    with pytest.raises(LRSError, match="from end to end; draw a rectangle"):
        active.aperture_from_subset("Subset 1")
    assert active.parameters == before


def test_the_toolbar_has_a_subset_that_bounds_columns(loaded, active):
    tools = loaded.viewers["2D Spectrum"]._obj.glue_viewer.toolbar.tools
    assert "bqplot:rectangle" in tools
