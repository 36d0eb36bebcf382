"""The panel LRS Extraction on a page: its sections, its numbers, its tool."""

from __future__ import annotations

import re
from math import nan
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import BLUE, ORANGE, App, is_open

COLUMNS = 46  # of the s2d; the 2-D viewer shows them from -0.5 to 45.5

OFFSET_FIELD, WIDTH = "Position offset (pixels)", "Width (pixels)"
XSTART, XSTOP = "xstart: first column (pixels)", "xstop: last column (pixels)"

#: How far the source is from where its coordinates have it, px.
OFFSET = 3.0

#: Where every test starts: the aperture of the extract1d file, there with the offset, and what is in the app.
REGIONS = [14.5, 21.5, 37.0, 41.5]
APERTURE = {
    "xstart": 27,
    "xstop": 34,
    "extract_width": 8,
    "bkg_coeff": [[edge] for edge in REGIONS],
    "bkg_fit": "poly",
    "bkg_order": 0,
}
PLACED = (31, 38)  # one-indexed, as reported
LAYERS = {"1D Spectrum": ("target_s2d (auto-ext)", "target_x1d"), "2D Spectrum": ("target_s2d",)}


def height(column: float) -> float:
    """Return the place of a column in the 2-D viewer, as a fraction from below."""
    return (column + 0.5) / COLUMNS


def columns(panel: Locator) -> tuple[float, float]:
    """Return the aperture that the panel reports, one-indexed; NaN while there is none."""
    found = re.search(r"columns ([\d.]+) to ([\d.]+)", panel.text_content())
    return tuple(map(float, found.groups())) if found else (nan, nan)


def width(panel: Locator) -> float:
    """Return the width of that aperture."""
    first, last = columns(panel)
    return last - first + 1


def assert_foot_is_whole(panel: Locator) -> None:
    """Nothing at the foot of the panel may be cut off, however narrow that is."""
    foot = panel.locator(".lrs-footer")
    wide, room = foot.evaluate("foot => [foot.scrollWidth, foot.clientWidth]")
    assert wide <= room, f"the foot takes {wide} px of {room} px"


#: The tab of every section that opens and closes.
TABS = {
    "Set up": ("Reference files", "Advanced"),
    "Inspect": (
        "Series",
        "Light curves",
        "Verdict",
        "Cross-dispersion profile",
        "Best width",
        "Compare",
        "Verify",
    ),
    "Save": ("History", "Combine", "Calibrate", "Save", "Figure", "Session"),
}


def show_tab(panel: Locator, name: str) -> None:
    """Turn to one of the three parts of the panel."""
    tab = panel.get_by_role("tab", name=name, exact=True)
    if tab.get_attribute("aria-selected") != "true":
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")


def section(panel: Locator, title: str) -> Locator:
    """Return a section of the panel that opens and closes."""
    return panel.locator(".v-expansion-panel").filter(
        has=panel.page.locator(".v-expansion-panel-header").get_by_text(title, exact=True)
    )


def close_sections(panel: Locator) -> None:
    """Close all sections, and end in the first tab."""
    opened = panel.locator(".v-expansion-panel--active > .v-expansion-panel-header:visible")
    for tab in reversed(TABS):
        show_tab(panel, tab)
        for left in reversed(range(opened.count())):
            opened.first.click()
            expect(opened).to_have_count(left)


def open_section(panel: Locator, title: str) -> Locator:
    """Turn to the tab of a section, and open it unless it is."""
    show_tab(panel, next(tab for tab, titles in TABS.items() if title in titles))
    found = section(panel, title)
    if not is_open(found):
        found.locator(".v-expansion-panel-header").click()
    found.locator(".v-expansion-panel-content").wait_for()
    return found


def take_tool(app: App, panel: Locator) -> None:
    """Click on the tool that moves edges, and wait until it listens."""
    app.tool("lrs:regions").click()
    expect(panel.get_by_role("switch", name="Keep active")).to_be_checked()


def leave_tool(app: App, panel: Locator) -> None:
    """Click on it again."""
    app.tool("lrs:regions").click()
    expect(panel.get_by_role("switch", name="Keep active")).not_to_be_checked()


def region_edges(panel: Locator) -> list[float]:
    """Return the numbers of the background regions."""
    fields = panel.get_by_label(re.compile("^(from|to)$")).locator("visible=true")
    return [float(value) for value in values(fields)]


def aperture_fields(panel: Locator) -> list[str]:
    """Return what stands in the fields of the aperture."""
    fields = (values(panel.get_by_label(name, exact=True)) for name in (OFFSET_FIELD, XSTART, XSTOP, WIDTH))
    return [value for found in fields for value in found]


def values(fields: Locator) -> list[str]:
    """Return what stands in each of these fields, of which there may be none."""
    return fields.evaluate_all("(fields) => fields.map((field) => field.value)")


def reset(app: App, start: Path) -> Locator:
    """Bring the app to where every test starts, whatever another has left; returns the open panel."""
    panel = app.open_panel("LRS Extraction")
    for tool in app.page.locator(".jdaviz button.v-btn--active[value]").all():
        tool.click()
    show_tab(panel, "Set up")
    app.choose(panel, "2D Spectrum", "target_s2d")
    for viewer, labels in LAYERS.items():
        app.keep_layers(viewer, *labels)
    files = open_section(panel, "Reference files")
    app.fill(files, "extract1d JSON file", str(start))
    app.button("Import", files).click()
    app.until(lambda: aperture_fields(panel) == ["0", "27", "34", "8"], "the aperture is that of the file")
    app.fill(panel, OFFSET_FIELD, f"{OFFSET:g}")
    app.until(lambda: columns(panel) == pytest.approx(PLACED, abs=0.01), "the aperture is on the source")
    assert region_edges(panel) == REGIONS
    close_sections(panel)
    app.leave_viewers()  # what the app says of the mouse comes after all that it was asked before
    for viewer, color in ((0, ORANGE), (0, BLUE), (1, ORANGE)):
        app.until(lambda viewer=viewer, color=color: bool(app.marks(viewer, color)), "the preview is drawn")
    return panel


def remove_regions(app: App, panel: Locator) -> None:
    """Take every background region away."""
    remove = panel.locator("button[aria-label='Remove this background region']")
    for left in reversed(range(remove.count())):
        remove.first.click()
        expect(remove).to_have_count(left)


def add_region(app: App, panel: Locator, first: float, last: float) -> None:
    """Drag out a background region between two columns of the image, with the tool taken."""
    number = panel.get_by_label("from", exact=True).count()
    app.drag(0, (0.3, height(first)), (0.3, height(last)))
    expect(panel.get_by_label("from", exact=True)).to_have_count(number + 1)
