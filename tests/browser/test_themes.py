"""The panel in both themes of the stock server: contrasts, labels, names and roles."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.accessibility import violations
from tests.browser.app import App
from tests.browser.panel import open_section, section, show_tab

pytestmark = pytest.mark.browser


#: The contrast of every text in sight to what it stands on (WCAG 2.1, "contrast ratio"), and the text.
CONTRASTS = """(panel) => {
    const numbers = (color) => [...color.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
    const light = (channels) => {
        const [r, g, b] = channels.map((n) => n / 255)
            .map((n) => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const [r, g, b, alpha] = numbers(getComputedStyle(e).backgroundColor);
            if (alpha > 0.9) { return [r, g, b]; }
        }
        return [255, 255, 255];
    };
    const texts = [...panel.querySelectorAll("*")]
        .filter((e) => e.checkVisibility({ visibilityProperty: true })
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
        && !e.closest("svg, .v-btn--disabled, .v-input--is-disabled, .v-tooltip"));
    return texts.map((e) => {
        const behind = ground(e), [r, g, b, alpha] = numbers(getComputedStyle(e).color);
        const text = [r, g, b].map((n, i) => alpha * n + (1 - alpha) * behind[i]);
        const [high, low] = [light(text), light(behind)].sort((one, other) => other - one);
        return [(high + 0.05) / (low + 0.05), e.innerText.trim()];
    });
}"""


#: What jdaviz itself writes fainter.
JDAVIZ_TEXTS = re.compile(r"Learn More|\(\d+/\d+ selected\)")


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

    def faint() -> list[str]:
        """Return what is in our hands and cannot be read, with its contrast."""
        contrasts = [one for one in panel.evaluate(CONTRASTS) if not JDAVIZ_TEXTS.fullmatch(one[1])]
        # 4.5 is what WCAG asks of small text; jdaviz's own orange on white, of actions, has 3.7
        return [f"{ratio:.1f} {text}" for ratio, text in contrasts if ratio < 3.5]

    for theme in ("dark", "light"):
        tab.evaluate(TURN, theme == "dark")
        seen = 0
        for name in OPENED:
            show_tab(panel, name)
            app.settle()
            app.shot(f"{theme}-{name}")
            app.until(lambda: not faint(), "all texts can be read")  # colours change slowly, as after a click
            seen += len(panel.evaluate(CONTRASTS))
            found = violations(panel)
            assert not found, "\n\n".join(found)
        assert seen > 100
    show_tab(panel, "Set up")
    app.fill(panel, "Path of the apcorr file", "none.fits")
    expect(panel.locator(".lrs-problem")).to_contain_text("there is no such file")
    found = violations(panel)
    assert not found, "\n\n".join(found)
