from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.panel.viewer.marks import GREY, ORANGE


@pytest.fixture
def auto_extract():
    return True


def mark(panel, name):
    marks = {**panel.marks.image, **panel.marks.lines}[name].marks_list
    return marks[0] if marks else None


def test_the_aperture_is_drawn_as_it_is_typed(active):
    active.use_source_posn = False
    active.xstart, active.xstop = 20, 27
    aperture = mark(active, "aperture")
    assert aperture.y.min() == 19.5
    assert aperture.y.max() == 27.5
    active.src_coeff = [[19.5, 0.01], [27.5, -0.005]]
    columns = active.state.source.display.rows
    first = columns[0]
    assert np.unique(aperture.y).size > 100
    assert aperture.y[0] == pytest.approx(19.5 + 0.01 * first)


def test_every_background_region_is_an_outline(active):
    active.bkg_coeff = [[3.5], [9.5]]
    assert mark(active, "background").y.ndim == 1
    active.vue_add_region()
    assert mark(active, "background").y.shape[0] == 2
    assert active.problem == ""
    active.bkg_coeff = None
    assert mark(active, "background").y.size == 0


def test_the_spectrum_is_previewed_in_the_viewer_unit(loaded, active):
    result = active.compute()
    finite = np.isfinite(result.flux)
    shown = mark(active, "spectrum")
    assert np.nanmax(shown.y) == pytest.approx(result.flux[finite].max())
    loaded.plugins["Unit Conversion"].flux_unit = "mJy"
    assert np.nanmax(shown.y) == pytest.approx(1e3 * result.flux[finite].max())
    loaded.plugins["Unit Conversion"].spectral_unit = "Angstrom"
    assert shown.x.max() > 1e5


def test_no_stale_marks(loaded, active):
    def size(name):
        return mark(active, name).x.size

    def color(name):
        return mark(active, name).colors[0]

    assert size("spectrum")
    assert size("aperture")
    active.keep_active = False
    assert not size("spectrum")
    assert not size("aperture")
    active.keep_active = True
    assert size("band")
    active.extract_width = -1  # the last ones stay, grey
    assert (size("band") > 0, color("band"), size("aperture") > 0, color("aperture")) == (
        True,
        GREY,
        True,
        GREY,
    )
    active.extract_width = None
    assert (size("spectrum") > 0, color("spectrum")) == (True, ORANGE)
    active.live_preview = False
    assert not size("spectrum")
    assert size("aperture")
    active.live_preview = True
    loaded._app.data_item_remove(active.dataset.selected)
    assert not size("spectrum")
    assert not size("aperture")


def test_the_preview_outlasts_the_extraction(active):
    active.extract()
    result = active.compute()
    assert np.nanmax(mark(active, "spectrum").y) == pytest.approx(np.nanmax(result.flux))
    assert mark(active, "spectrum").visible


def test_two_apps_do_not_share_marks(active, s2d):
    from jdaviz import App

    other = App()
    other.load(str(s2d))
    panel = other.plugins["LRS Extraction"]
    panel.keep_active = True
    panel.extract_width = 5
    assert active.extract_width is None
    assert np.ptp(mark(active, "aperture").y) == pytest.approx(8, abs=0.01)
    assert np.ptp(mark(panel._obj, "aperture").y) == pytest.approx(5, abs=0.01)


def test_a_single_row_is_drawn(active):
    for row in (0, 100):
        active.ystart = active.ystop = row
        assert active.problem == ""
        assert mark(active, "spectrum").x.size == 1


def test_no_background_is_drawn_where_none_is_subtracted(active):
    assert mark(active, "subtracted").x.size == 0
    result = active.compute()
    gap = np.where(np.arange(result.flux.size) == 7, np.nan, result.apcorr)  # as where the flux is unknown
    active.marks.draw_spectrum(replace(result, apcorr=gap), active.add_results.results_viewers)
    assert mark(active, "subtracted").x.size == 0
    active.bkg_coeff = [[3.5], [9.5]]
    result = active.compute()
    shown = mark(active, "subtracted")
    expected = result.background * result.npixels * result.image.pixel_area * 1e6 * result.apcorr
    assert np.nanmax(shown.y) == pytest.approx(np.nanmax(expected))
