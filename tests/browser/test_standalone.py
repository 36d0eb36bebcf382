"""From the `jdaviz` command to an extracted spectrum, with the mouse and the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, PAINT, App
from tests.browser.panel import open_section

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
    const texts = [...panel.querySelectorAll("*")].filter((e) => e.checkVisibility()
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


@pytest.fixture(params=["light", "dark"])
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
    app.settle()
    app.shot("panel")
    contrasts = panel.evaluate(CONTRASTS)
    assert len(contrasts) > 60
    ours = [(ratio, text) for ratio, text in contrasts if not JDAVIZ_TEXTS.fullmatch(text)]
    # 4.5 is what WCAG asks of small text; jdaviz's own orange on white, of actions, has 3.7
    assert not [(ratio, text) for ratio, text in ours if ratio < 3.5]
