"""Names that a page could take for HTML: of files, datasets, spectra, apertures. None may run a script."""

import json
import re
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from playwright.sync_api import Locator, expect

from tests.browser import servers
from tests.browser.app import App
from tests.browser.panel import WIDTH, open_section, show_tab

pytestmark = pytest.mark.browser

HOSTILE = "<img src=data:, onerror=window.hacked=1>"

SECTIONS = (
    "Reference files", "Cross-dispersion profile", "Best width", "Advanced", "Verdict", "Compare", "History",
    "Save",
)  # fmt: skip

#: Cards of words that nothing is computed from.
CARDS = ("TARGNAME", "TARGPROP", "TITLE", "PI_NAME", "SRCTYPE", "OBSLABEL")

INFO_BUTTON = 3  # in the toolbar

#: Tell every element that the mouse has entered it, or left it; the tooltips of all come, or go.
MOUSE = """(panel, event) => [panel, ...panel.querySelectorAll("*")]
    .forEach((element) => element.dispatchEvent(new MouseEvent(event)))"""


@pytest.fixture
def data(observation, tmp_path) -> Path:
    s2d = tmp_path / f"{HOSTILE}_s2d.fits"
    shutil.copy(observation["nod1_s2d"], s2d)
    with fits.open(s2d, mode="update", output_verify="ignore") as hdus:
        hdus[0].header.update(dict.fromkeys(CARDS, HOSTILE))
    aperture = {"id": HOSTILE, "xstart": 27, "xstop": 34}
    (tmp_path / f"{HOSTILE}.json").write_text(json.dumps({"apertures": [aperture]}))
    (tmp_path / f"{HOSTILE}.txt").write_text("# yi xi\nno pixel\n")
    return tmp_path


@pytest.fixture
def server(data, artifacts):
    with servers.jdaviz(data, artifacts / "server.log") as server:
        yield server


def hover_over_all(app: App, place: Locator) -> None:
    """Have all tooltips of a place shown, and see that nothing has run."""
    app.page.mouse.move(1595, 5)  # what it rests upon would keep its tooltip
    place.evaluate(MOUSE, "mouseenter")
    shown = app.page.locator(".v-tooltip__content.menuable__content__active")
    app.until(lambda: shown.count() > 5, "the tooltips are shown")
    app.page.wait_for_timeout(500)
    place.evaluate(MOUSE, "mouseleave")
    expect(shown).to_have_count(0)
    assert app.page.evaluate("window.hacked") is None


def test_no_name_runs_a_script(server, tab, artifacts, data):
    tab.goto(server.url)
    app = App(tab, artifacts)
    app.launch()
    tab.get_by_text(re.compile(rf"^\s*{re.escape(HOSTILE)}_s2d\.fits - ")).click()
    everywhere = tab.locator(".jdaviz").first
    label = tab.get_by_label("Data Label", exact=True)
    expect(label).to_have_value(re.compile("img src"))
    assert "<" not in label.input_value()  # jdaviz shows it in tooltips of its own
    label.fill(HOSTILE)
    label.press("End")
    hover_over_all(app, everywhere)
    app.shot("loader")
    app.button("Import").click()
    expect(app.viewers.first).to_be_visible()
    app.settle()
    panel = app.open_panel("LRS Extraction")
    expect(app.button("Extract", panel)).to_be_enabled()
    for title in SECTIONS:
        open_section(panel, title)

    files = open_section(panel, "Reference files")
    app.fill(files, "extract1d JSON file", str(data / f"{HOSTILE}.json"))
    app.button("Import", files).click()  # the message that tells how it went has the name
    app.fill(panel, "Aperture id", HOSTILE)
    app.fill(panel, WIDTH, "6")
    app.button("Extract", panel).click()
    show_tab(panel, "Save")
    rows = panel.locator(".lrs-history tbody tr")
    made = rows.filter(has_text="LRS").last
    expect(made).to_contain_text(HOSTILE)
    made.locator(".v-simple-checkbox, .v-data-table__checkbox, [role='checkbox'], .v-icon").first.click()
    expect(app.button("Restore parameters", panel)).to_be_enabled()
    hover_over_all(app, panel)
    app.shot("extracted")
    for viewer in ("2D Spectrum", "1D Spectrum"):
        menu = app.data_menu(viewer)
        expect(menu).to_contain_text("img src")
        hover_over_all(app, everywhere)
        app.legend(viewer).first.locator("button").click()
        menu.wait_for(state="hidden")

    show_tab(panel, "Set up")
    for field, value in (
        ("Further bad pixels", str(data / f"{HOSTILE}.txt")),
        ("Path of the apcorr file", str(data / f"{HOSTILE}.fits")),
    ):
        app.fill(panel, field, value)
        expect(panel.locator(".lrs-problem")).to_contain_text("<img")
        hover_over_all(app, panel)
        app.fill(panel, field, "")
        expect(panel.locator(".lrs-problem")).to_have_count(0)
    app.shot("problems")

    tab.locator(".jdaviz .v-app-bar .v-btn").nth(INFO_BUTTON).click()
    tab.get_by_text("Show primary header", exact=True).click()
    for card in CARDS:
        expect(tab.get_by_text(f"{card} | {HOSTILE}")).to_be_visible()
    hover_over_all(app, everywhere)
    app.shot("metadata")

    tab.evaluate("(html) => { document.createElement('div').innerHTML = html; }", HOSTILE)
    app.until(lambda: tab.evaluate("window.hacked") == 1, "the name would run, did HTML take it")
