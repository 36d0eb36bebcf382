"""From the `jdaviz` command to an extracted spectrum, with the mouse and the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import ORANGE, PAINT

pytestmark = pytest.mark.browser


def test_extract_with_another_width(standalone):
    app = standalone
    app.load("nod1_s2d.fits")
    panel = app.open_panel("LRS Extraction")
    app.shot("1-panel")
    before = reported(panel)
    assert aperture_width(before) == pytest.approx(8)

    layers = app.legend("1D Spectrum").count()
    app.fill(panel, "Width (pixels)", "12")
    expect(panel).not_to_contain_text(before)
    app.shot("1-panel")
    assert aperture_width(reported(panel)) == pytest.approx(12)

    app.button("Extract", panel).click()
    expect(app.legend("1D Spectrum")).to_have_count(layers + 1)
    app.settle()
    app.shot("3-extracted")
    app.close_panels()
    assert app.painted(viewer=1) > 500, "no spectrum is drawn in the 1D viewer"
    expect(app.data_menu("1D Spectrum")).to_contain_text("nod1_s2d LRS")
    app.shot("4-layers")


def test_popout(standalone):
    app = standalone
    app.load("nod1_s2d.fits")
    panel = app.open_panel("LRS Extraction")
    app.until(lambda: bool(app.marks(1, ORANGE)), "the preview is drawn")
    with app.page.context.expect_page() as opened:
        panel.locator("button:has(.mdi-application-export)").first.click()
    popout = opened.value
    popout.set_viewport_size({"width": 600, "height": 1000})
    field = popout.get_by_label("Width (pixels)", exact=True)
    field.wait_for(timeout=PAINT)
    spectrum = app.marks(1, ORANGE)
    field.fill("12")
    field.press("Tab")
    app.until(lambda: app.marks(1, ORANGE) != spectrum, "the preview follows the popout")
    expect(panel.get_by_label("Width (pixels)", exact=True)).to_have_value("12")
    assert aperture_width(reported(popout.locator("body"))) == pytest.approx(12)
    popout.screenshot(path=app.artifacts / "popout.png")
    popout.close()


def reported(panel) -> str:
    """Return what the panel says of the aperture."""
    return re.search(r"columns [\d.]+ to [\d.]+", panel.inner_text())[0]


def aperture_width(columns: str) -> float:
    first, last = re.findall(r"[\d.]+", columns)
    return float(last) - float(first) + 1
