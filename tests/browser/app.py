"""jdaviz as a user sees it: what can be clicked, typed and read."""

from __future__ import annotations

import os
import re
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError, expect

#: First paint takes half a minute on a slow machine.
PAINT = 120_000
ANSWER = 30_000

PLUGINS_BUTTON = 4  # in the toolbar: loaders, export, settings, info, plugins, subsets


class App:
    """The one jdaviz app on a page."""

    def __init__(self, page: Page, artifacts: Path):
        self.page = page
        self.artifacts = artifacts
        page.set_default_timeout(ANSWER)

    def shot(self, name: str) -> None:
        """Keep a screenshot."""
        self.page.screenshot(path=self.artifacts / f"{name}.png")

    def picture(self, name: str) -> None:
        """Keep a screenshot, and put it into the folder that ``make screenshots`` names."""
        self.shot(name)
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def launch(self) -> None:
        """Press the Jdaviz logo on the page with which the stock command greets."""
        logo = self.page.locator(
            "button:has(.v-image[title='Launch Jdaviz']), button:has([alt='Launch Jdaviz'])"
        )
        logo.first.click(timeout=PAINT)
        self.wait_for_toolbar()

    def wait_for_toolbar(self) -> None:
        self.page.locator(".jdaviz .v-app-bar .v-btn").first.wait_for(timeout=PAINT)

    def open_loader(self) -> None:
        """Open the loader in the sidebar."""
        self.page.locator(".jdaviz .v-app-bar .v-btn").first.click()

    def load(self, file_name: str) -> None:
        """Pick a file of the start folder in the loader and import it."""
        self.page.get_by_text(re.compile(rf"^\s*{re.escape(file_name)} - ")).click()
        button = self.button("Import")
        expect(button).to_be_enabled(timeout=PAINT)
        self.shot("loader")
        button.click()
        expect(self.viewers.first).to_be_visible(timeout=PAINT)
        self.settle()

    def button(self, text: str, within: Locator | None = None) -> Locator:
        """Return the button of exactly this text. (Its tooltip is a second element with that role.)"""
        exact = re.compile(rf"^\s*{re.escape(text)}\s*$")
        return (within or self.page).locator("button.v-btn:visible", has_text=exact)

    def settle(self) -> None:
        """Wait until nothing on the page shows progress."""
        expect(self.page.locator(".v-progress-linear:visible, .v-progress-circular:visible")).to_have_count(
            0, timeout=PAINT
        )

    @property
    def viewers(self) -> Locator:
        return self.page.locator(".jdaviz .bqplot.figure")

    def open_panel(self, label: str) -> Locator:
        """Open the plugin tray and a panel in it; returns the panel."""
        place = self.page.locator(".v-expansion-panel").filter(
            has=self.page.locator(".plugin-title").get_by_text(label, exact=True)
        )
        if not place.count():
            self.page.locator(".jdaviz .v-app-bar .v-btn").nth(PLUGINS_BUTTON).click()
        panel = place.locator(".tray-plugin")
        try:
            panel.wait_for(timeout=3000)  # the tray remembers what was open, a moment after it opens
        except TimeoutError:
            place.locator(".plugin-header").click()
            panel.wait_for()
        return panel

    def close_panels(self) -> None:
        """Close the plugin tray."""
        self.page.locator(".jdaviz .v-app-bar .v-btn").nth(PLUGINS_BUTTON).click()
        self.page.locator(".tray-plugin").first.wait_for(state="hidden")

    def fill(self, panel: Locator, label: str, value: str) -> None:
        """Type a value into a field and leave it."""
        field = panel.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Tab")

    def choose(self, panel: Locator, label: str, choice: str) -> None:
        """Pick a choice of a drop-down list."""
        panel.locator(".v-select", has=self.page.get_by_text(label, exact=True)).first.click()
        self.page.locator(".menuable__content__active .v-list-item", has_text=choice).first.click()

    def drag(self, viewer: int, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse inside the axes of a viewer; places are fractions from the lower left corner."""
        frame = self.viewers.nth(viewer).locator(".plotarea_background").bounding_box()
        (x0, y0), (x1, y1) = (
            (frame["x"] + x * frame["width"], frame["y"] + (1 - y) * frame["height"]) for x, y in (start, end)
        )
        self.page.mouse.move(x0, y0)
        self.page.mouse.down()
        self.page.mouse.move(x1, y1, steps=8)
        self.page.mouse.up()

    def tool(self, name: str) -> Locator:
        """Return a tool's button in a viewer's toolbar, by the tool's name."""
        return self.page.locator(f"button[value='{name}']").first

    def delay_of(self, field: Locator, value: str, viewer: int) -> float:
        """Milliseconds from a value typed into a field to the first frame with other marks in a viewer."""
        self.page.evaluate(
            """([field, viewer]) => {
                window.painted = null;
                const observer = new MutationObserver(() => {
                    observer.disconnect();
                    requestAnimationFrame(() => { window.painted = performance.now(); });
                });
                field.addEventListener("input", () => {
                    window.typed = performance.now();
                    observer.observe(viewer, { subtree: true, attributes: true, attributeFilter: ["d"] });
                }, { once: true });
            }""",
            [field.element_handle(), self.viewers.nth(viewer).element_handle()],
        )
        field.fill(value)
        self.page.wait_for_function("window.painted !== null")
        return self.page.evaluate("window.painted - window.typed")

    def legend(self, viewer: str) -> Locator:
        """Return the entries of a viewer's legend: the first is the viewer's own, then one for each layer."""
        return self.page.locator(f"[id='layer-legend-{viewer}'] .viewer-label")

    def data_menu(self, viewer: str) -> Locator:
        """Open the menu of what a viewer shows."""
        self.legend(viewer).first.locator("button").click()
        menu = self.page.locator(f"[id='dm-content-{viewer}']")
        menu.wait_for()
        return menu

    def painted(self, viewer: int) -> int:
        """Count the coloured pixels inside the axes of a viewer, by its place from the top."""
        frame = self.viewers.nth(viewer).locator(".plotarea_background").bounding_box()
        inside = {
            "x": frame["x"] + 3,
            "y": frame["y"] + 3,
            "width": frame["width"] - 40,
            "height": frame["height"] - 6,
        }
        pixels = np.asarray(Image.open(BytesIO(self.page.screenshot(clip=inside))).convert("HSV"))
        return int((pixels[..., 1] > 100).sum())
