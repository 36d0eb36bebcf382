"""A time series in the panel: one integration, all of them, their light curves."""

import gc
import weakref

import numpy as np
import pytest
from astropy.table import QTable

from jdaviz_lrs import LRSError, extract, light_curves, read_x1dints
from jdaviz_lrs.panel.sections.series.section import CANCELLED, Clock
from jdaviz_lrs.panel.tasks import CancelledError
from jdaviz_lrs.products.series import read_integrations
from tests.slitless import write_segments

LABEL = "jw00001001001_03101_00001_mirimage_calints"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_segments(tmp_path_factory.mktemp("segments"), (9, 6), light=0.001)


@pytest.fixture
def panel(app, written):
    app.load([str(path) for path in written], format="JWST LRS series", auto_extract=False)
    app.plugins["LRS Extraction"].keep_active = True
    return app.plugins["LRS Extraction"]


@pytest.fixture
def section(panel):
    return panel._obj.sections["series"]


def test_from_segments_to_files_that_are_read_back(app, panel, section, written, tmp_path):
    assert section.present
    assert not panel._obj.sections["light_curves"].present
    panel.xstart, panel.xstop = 32, 42
    series = panel.extract_series()
    expected = extract(written, xstart=32, xstop=42)
    np.testing.assert_array_equal(series.flux, expected.flux)
    np.testing.assert_array_equal(series.shift, expected.shift)
    assert not section.stale
    path = panel.save_x1dints(tmp_path / "star_x1dints.fits")
    np.testing.assert_array_equal(read_x1dints(path).flux, expected.flux)
    curves = panel.light_curves(number=3, wavelength_range=(5.0, 11.0))
    np.testing.assert_allclose(curves.flux, light_curves(expected, number=3, wavelength_range=(5, 11)).flux)
    table = QTable.read(panel.save_light_curves(tmp_path / "star.ecsv"))
    np.testing.assert_allclose(table["whitelight_flux"].value, curves.white)
    panel.xstop = 41
    assert section.stale
    assert "series = extract(\n" in panel.to_python()


def test_a_removed_series_goes_with_all_that_was_extracted_of_it(app, panel):
    series, image = weakref.ref(panel.extract_series()), weakref.ref(panel._obj.state.source.image)
    assert series() is not None
    app._app.data_item_remove(LABEL)
    gc.collect()
    assert series() is None
    assert image() is None


def test_an_integration_is_shown_in_place_of_the_mean(app, panel, section, written):
    section.vue_slide(11)
    label = f"{LABEL} integration (live)"
    source = panel._obj.state.source
    expected = read_integrations(written[1], 1, 2, source.image).data[0]
    shown = app._app.data_collection[label]
    np.testing.assert_array_equal(shown["flux"], source.display.plane(expected))
    assert (section.integration, section.caption) == (11, "Integration 11 of segment 2")
    section.vue_slide(0)
    assert label not in app._app.data_collection
    assert "Mean of 15 of 15" in section.caption
    section.vue_slide(16)
    assert "counted from 1 to 15" in section.problem


def test_what_was_finished_is_not_done_again(panel, section, monkeypatch):
    panel._obj.compute()
    source = panel._obj.state.source
    told = []

    def once(progress):
        told.append(progress.line)
        if "integrations" in progress.line:
            raise CancelledError(CANCELLED)

    with pytest.raises(CancelledError):
        section.asked(source, "")(once)
    assert told[-1] == "9 of 15 integrations"
    told.clear()
    section.asked(source, "")(lambda progress: told.append(progress.line))
    assert [line for line in told if "of 15" in line] == ["15 of 15 integrations"]
    panel.xstop = 40
    told.clear()
    section.asked(source, "")(lambda progress: told.append(progress.line))
    assert sum("of 15" in line for line in told) == 2


def test_a_broken_file_is_told_and_the_button_comes_back(app, panel, section, tmp_path):
    paths = write_segments(tmp_path, (4, 4))
    app.load([str(one) for one in paths], format="JWST LRS series", auto_extract=False, data_label="other")
    panel.dataset = "other"
    paths[1].write_bytes(paths[1].read_bytes()[:100_000])
    section.vue_extract()
    assert paths[1].name in section.problem
    assert "integrations 5 to 8" in section.problem
    assert section.work_line == ""


def test_edges_follow_the_mouse_and_bad_ones_are_told(panel):
    panel.extract_series()
    curves = panel._obj.sections["light_curves"]
    curves.number, curves.last = 2, 11.0
    assert len(curves.result.bins) == 2
    curves.toggle_edge(9.5)
    assert curves.edges == "5.000, 8.000, 9.500, 11.000"
    curves.toggle_edge(8.02)
    assert curves.edges == "5.000, 9.500, 11.000"
    np.testing.assert_allclose(curves.result.bins, [[5, 9.5], [9.5, 11]])
    assert "scatter" in curves.sentence
    curves.edges = "5, x"
    assert "wavelengths in micron" in curves.problem
    curves.number = 3
    assert (curves.edges, curves.problem) == ("", "")


def test_one_image_is_no_series(app, s2d):
    app.load(str(s2d), format="JWST LRS", auto_extract=False)
    panel = app.plugins["LRS Extraction"]
    assert not panel._obj.sections["series"].present
    with pytest.raises(LRSError, match="The dataset is one image"):
        panel.extract_series()
    with pytest.raises(LRSError, match="No series was extracted"):
        panel.light_curves()


def test_the_clock_tells_what_is_left(monkeypatch):
    now = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr("jdaviz_lrs.panel.sections.series.section.time.monotonic", lambda: next(now))
    clock = Clock()
    assert clock.progress(100, 1000).line == "100 of 1000 integrations"
    assert clock.progress(200, 1000).line == "200 of 1000 integrations, 80 s left"
    assert clock.progress(300, 1000).share == 30
