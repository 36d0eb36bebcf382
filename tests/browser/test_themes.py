"""The panel in both themes of the stock server: contrasts, labels, names and roles."""

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.accessibility import CONTRASTS, faint, violations
from tests.browser.app import App
from tests.browser.panel import open_section, section, show_tab

pytestmark = pytest.mark.browser


#: Lets the app have the other theme, as solara's own button would.
TURN = """(dark) => { document.querySelector(".v-application").__vue__.$vuetify.theme.dark = dark; }"""

#: The sections that are opened, the last first, as one that opens moves those below it.
OPENED = {
    "Set up": ("Advanced", "Reference files"),
    "Inspect": ("Verify", "Compare", "Best width", "Cross-dispersion profile", "Verdict"),
    "Save": ("Session", "Figure", "Save", "Calibrate", "Combine", "History"),
}


@pytest.fixture
def dark_server(data, artifacts):
    with servers.jdaviz(data, artifacts / "server.log", theme="dark") as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_everybody_can_read_and_reach_the_panel(dark_server, tab, artifacts):
    tab.goto(dark_server.url)
    app = App(tab, artifacts)
    app.launch()
    app.load("nod1_s2d.fits")
    panel = app.open_panel("LRS Extraction")
    app.button("Extract", panel).click()
    expect(panel.locator(".lrs-footer")).to_contain_text("Median S/N")
    for name, titles in OPENED.items():
        show_tab(panel, name)
        for title in titles:
            open_section(panel, title)
    save = section(panel, "Calibrate")
    app.choose(save, "Model", "Rayleigh-Jeans law")
    app.fill(save, "Flux (Jy)", "0.0005")
    app.button("Make response", save).click()
    expect(save).to_contain_text("Response of")
    show_tab(panel, "Inspect")
    app.button("residual in sigma", panel).click()

    for theme in ("dark", "light"):
        tab.evaluate(TURN, theme == "dark")
        seen = 0
        for name in OPENED:
            show_tab(panel, name)
            app.settle()
            app.shot(f"{theme}-{name}")
            app.until(lambda: not faint(panel), "all texts can be read")  # colours change slowly
            seen += len(panel.evaluate(CONTRASTS))
            found = violations(panel)
            assert not found, "\n\n".join(found)
        assert seen > 100
    show_tab(panel, "Set up")
    app.choose(panel, "Extraction", "optimal")
    app.settle()
    for theme in ("dark", "light"):
        tab.evaluate(TURN, theme == "dark")
        app.shot(f"{theme}-optimal")
        app.until(lambda: not faint(panel), "all texts can be read")
        found = violations(panel)
        assert not found, "\n\n".join(found)
    app.fill(panel, "Path of the apcorr file", "none.fits")
    expect(panel.locator(".lrs-problem")).to_contain_text("there is no such file")
    found = violations(panel)
    assert not found, "\n\n".join(found)
