"""The panel in both themes of the stock server."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import App
from tests.browser.panel import TABS, open_section, show_tab

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


@pytest.fixture(params=["dark", pytest.param("light", marks=pytest.mark.slow)])
def themed_server(request, data, artifacts):
    with servers.jdaviz(data, artifacts / "server.log", theme=request.param) as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_texts_can_be_read(themed_server, tab, artifacts):
    tab.goto(themed_server.url)
    app = App(tab, artifacts)
    app.launch()
    app.load("nod1_s2d.fits")
    panel = app.open_panel("LRS Extraction")
    app.button("Extract", panel).click()
    for title in ("Cross-dispersion profile", "Best width", "Verdict", "Compare", "History", "Save"):
        open_section(panel, title)
    expect(panel.locator(".lrs-history")).to_contain_text("nod1_s2d LRS")

    def faint() -> list[str]:
        """Return what is in our hands and cannot be read, with its contrast."""
        contrasts = [one for one in panel.evaluate(CONTRASTS) if not JDAVIZ_TEXTS.fullmatch(one[1])]
        # 4.5 is what WCAG asks of small text; jdaviz's own orange on white, of actions, has 3.7
        return [f"{ratio:.1f} {text}" for ratio, text in contrasts if ratio < 3.5]

    seen = 0
    for tab in TABS:
        show_tab(panel, tab)
        app.settle()
        app.shot(tab)
        app.until(lambda: not faint(), "all texts can be read")  # colours change slowly, as after a click
        seen += len(panel.evaluate(CONTRASTS))
    assert seen > 60
