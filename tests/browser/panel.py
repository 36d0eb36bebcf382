"""The panel LRS Extraction on a page: its sections, its numbers, its tool."""

from __future__ import annotations

import re
from math import nan

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.app import App

COLUMNS = 46  # of the s2d; the 2-D viewer shows them from -0.5 to 45.5
OFFSET = 3.0  # of the source from where its coordinates have it, px

OFFSET_FIELD, WIDTH = "Position offset (pixels)", "Width (pixels)"
XSTART, XSTOP = "xstart: first column (pixels)", "xstop: last column (pixels)"


def height(column: float) -> float:
    """Return the place of a column in the 2-D viewer, as a fraction from below."""
    return (column + 0.5) / COLUMNS


def columns(panel: Locator) -> tuple[float, float]:
    """Return the aperture that the panel reports, one-indexed; NaN while there is none."""
    found = re.search(r"columns ([\d.]+) to ([\d.]+)", panel.inner_text())
    return tuple(map(float, found.groups())) if found else (nan, nan)


def width(panel: Locator) -> float:
    """Return the width of that aperture."""
    first, last = columns(panel)
    return last - first + 1


def section(panel: Locator, title: str) -> Locator:
    """Return a section of the panel that opens and closes."""
    return panel.locator(".v-expansion-panel").filter(
        has=panel.page.locator(".v-expansion-panel-header").get_by_text(title, exact=True)
    )


def open_section(panel: Locator, title: str) -> Locator:
    """Open a section unless it is."""
    found = section(panel, title)
    if "v-expansion-panel--active" not in found.get_attribute("class"):
        found.locator(".v-expansion-panel-header").click()
    found.locator(".v-expansion-panel-content").wait_for()
    return found


def take_tool(app: App, panel: Locator) -> None:
    """Click on the tool that moves edges, and wait until it listens."""
    app.tool("lrs:regions").click()
    expect(panel.get_by_role("switch", name="Keep active")).to_be_checked()


def leave_tool(app: App, panel: Locator) -> None:
    """Click on it again, unless it is off."""
    kept = panel.get_by_role("switch", name="Keep active")
    if kept.is_checked():
        app.tool("lrs:regions").click()
        expect(kept).not_to_be_checked()


def region_edges(panel: Locator) -> list[float]:
    """Return the numbers of the background regions."""
    fields = panel.get_by_label(re.compile("^(from|to)$")).locator("visible=true")
    return [float(fields.nth(i).input_value()) for i in range(fields.count())]


def set_straight(app: App, panel: Locator) -> None:
    """Give the aperture 8 straight columns about the source, whatever it was."""
    app.choose(panel, "Centre on the source's position", "Automatic")
    app.fill(panel, "Aperture edges as polynomials", "")
    for name, value in ((OFFSET_FIELD, f"{OFFSET:g}"), (XSTART, "27"), (XSTOP, "34"), (WIDTH, "8")):
        app.fill(panel, name, value)
    app.until(lambda: width(panel) == pytest.approx(8), "the aperture is 8 pixels wide")


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
