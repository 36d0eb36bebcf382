"""A time series in the browser: from two segments to light curves, saved and read back."""

import re

import numpy as np
import pytest
from astropy.table import QTable
from playwright.sync_api import expect

from jdaviz_lrs import extract, read_x1dints
from jdaviz_lrs.simulate import SeriesScene, write_series
from tests.browser import servers
from tests.browser.accessibility import faint, violations
from tests.browser.app import App
from tests.browser.conftest import watched
from tests.browser.panel import section, show_tab

pytestmark = pytest.mark.browser

#: So long that it can be cancelled: five chunks.
SCENE = SeriesScene(integrations=640, segments=2, cosmic_rays=0, bad_pixels=0)


def test_two_segments_are_seen_extracted_plotted_and_saved(tmp_path, system_chromium, artifacts):
    written = write_series(tmp_path, SCENE)
    segments = [written["seg001"], written["seg002"]]
    with (
        servers.jdaviz(tmp_path, artifacts / "server.log") as server,
        watched(system_chromium, artifacts) as (page, complaints),
    ):
        page.goto(server.url)
        app = App(page, artifacts, documented=True)
        app.launch()
        app.load(segments[1].name)
        panel = app.open_panel("LRS Extraction")
        show_tab(panel, "Inspect")
        series = section(panel, "Series")
        expect(series).to_contain_text("Mean of 64 of 640 integrations")
        slider = series.get_by_role("slider", name="Integration that is shown")
        slider.focus()
        for _ in range(3):
            slider.press("ArrowRight")
        expect(series).to_contain_text("Integration 3 of segment 1")
        app.shot("integration")
        series.locator("button[aria-label=Play]").click()
        expect(series).to_contain_text(re.compile(r"Integration ([5-9]|\d\d+) of segment 1"))
        app.button("Mean", series).click()
        expect(series).to_contain_text("Mean of 64")
        app.button("Extract series", series).click()
        expect(series).to_contain_text("of 640 integrations")
        app.shot("progress")
        app.button("Cancel", series).click()
        expect(series).to_contain_text("The extraction was cancelled")
        app.button("Extract series", series).click()
        expect(series).to_contain_text("640 integrations, 388 wavelengths each")
        app.settle()
        app.button("Save x1dints", series).click()
        expect(series).to_contain_text("Written to")
        curves = section(panel, "Light curves")
        expect(curves).to_contain_text("times as much as their errors tell")
        curves.locator(".bqplot.figure").nth(2).wait_for()
        app.settle()
        app.picture("series", app.picture_of(curves))
        lines = curves.locator(".bqplot.figure").first.locator("path.line")
        app.until(lambda: lines.evaluate_all(DRAWN) >= 6, "white light and five bins are drawn")
        app.fill(curves, "Bins", "3")
        app.until(lambda: lines.evaluate_all(DRAWN) == 4, "white light and three bins are drawn")
        app.button("Save light curves", curves).click()
        expect(curves).to_contain_text("Written to")
        app.until(lambda: not faint(panel), "all texts can be read")
        found = violations(panel)
        assert not found, "\n\n".join(found)
        assert not complaints, "\n\n".join(complaints)
        assert not server.trouble
    (x1dints,), (table,) = tmp_path.glob("*x1dints.fits"), tmp_path.glob("*lightcurves.ecsv")
    np.testing.assert_array_equal(read_x1dints(x1dints).flux, extract(segments).flux)
    light = QTable.read(table)["whitelight_flux"].value
    transit = SCENE.covered() > 0.9
    assert np.median(light[transit]) / np.median(light[~transit]) < 1 - 0.5 * SCENE.depth


#: How many of some lines have points.
DRAWN = """(lines) => lines.filter((line) => line.checkVisibility()
    && (line.getAttribute("d") || "").length > 100).length"""
