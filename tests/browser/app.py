"""jdaviz as a user sees it: what can be clicked, typed and read."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from io import BytesIO
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.servers import PATIENCE

#: The colours of the marks: aperture and spectrum, background, the other nod's trace; of what is no more.
ORANGE, BLUE, PURPLE, GREY = "#E69F00", "#56B4E9", "#CC79A7", "#808080"

#: Ends when the axes of the viewers have kept their places; bqplot moves them 0.3 s after their figure.
AXES_AT_REST = """async (viewers) => {
    const places = () => JSON.stringify(viewers.map((viewer) =>
        viewer.querySelector(".plotarea_background")?.getBoundingClientRect()));
    for (let before = ""; before !== places(); ) {
        before = places();
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
}"""

PLUGINS_BUTTON = 4  # in the toolbar: loaders, export, settings, info, plugins, subsets


class App:
    """The one jdaviz app on a page; where it is documented, its pictures are those of the documents."""

    def __init__(self, page: Page, artifacts: Path, documented: bool = False):
        self.page = page
        self.artifacts = artifacts
        self.documented = documented
        self.loaded: list[str] = []
        self.trouble: Callable[[], list[str]] = list  # what console and server complain of
        # Where a preview takes long, the panel asks before it draws the next.
        page.add_locator_handler(self.button("update preview").first, lambda button: button.click())

    def shot(self, name: str) -> None:
        """Keep a screenshot."""
        self.page.screenshot(path=self.artifacts / f"{name}.png")

    def picture(self, name: str, *pictures: bytes) -> None:
        """Keep pictures, one below the other, for the documents, in the folder that SCREENSHOTS names."""
        parts = [Image.open(BytesIO(one)).convert("RGB") for one in pictures or (self.page.screenshot(),)]
        whole = Image.new("RGB", (max(p.width for p in parts), sum(p.height for p in parts)), "white")
        for i, part in enumerate(parts):
            whole.paste(part, (0, sum(p.height for p in parts[:i])))
        whole.save(self.artifacts / f"{name}.png")
        if self.documented and (folder := os.environ.get("SCREENSHOTS")):
            Path(folder).mkdir(parents=True, exist_ok=True)
            whole.quantize(256, dither=Image.Dither.NONE).save(Path(folder, f"{name}.png"), optimize=True)

    def launch(self) -> None:
        """Press the Jdaviz logo on the page with which the stock command greets."""
        logo = self.page.locator(
            "button:has(.v-image[title='Launch Jdaviz']), button:has([alt='Launch Jdaviz'])"
        )
        logo.first.click()
        self.wait_for_toolbar()

    def wait_for_toolbar(self) -> None:
        self.page.locator(".jdaviz .v-app-bar .v-btn").first.wait_for()

    def open_loader(self) -> None:
        """Open the loader in the sidebar."""
        self.page.locator(".jdaviz .v-app-bar .v-btn").first.click()

    def load(self, file_name: str) -> None:
        """Pick a file of the start folder in the loader and import it."""
        entry = self.page.get_by_text(re.compile(rf"^\s*{re.escape(file_name)} - "))
        if self.loaded and not entry.is_visible():
            self.open_loader()
        entry.click()
        button = self.button("Import")
        expect(button).to_be_enabled()
        self.shot("loader")
        button.click()
        expect(button).to_have_count(0)  # it offers to overwrite what is loaded now
        expect(self.viewers.first).to_be_visible()
        self.settle()
        self.wait_for_axes()
        self.loaded.append(file_name)

    def button(self, text: str, within: Locator | None = None) -> Locator:
        """Return the button of exactly this text. (Its tooltip is a second element with that role.)"""
        exact = re.compile(rf"^\s*{re.escape(text)}\s*$")
        return (within or self.page).locator("button.v-btn:visible", has_text=exact)

    def settle(self) -> None:
        """Wait until nothing on the page shows progress."""
        progress = self.page.locator(".v-progress-linear:visible, .v-progress-circular:visible")
        expect(progress).to_have_count(0)

    @property
    def clipboard(self) -> str:
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        return self.page.evaluate("navigator.clipboard.readText()")

    def count_clicks(self) -> None:
        """Count from now on how often a button of the mouse goes down."""
        self.page.evaluate(
            """() => {
                window.clicks = 0;
                document.addEventListener("pointerdown", () => { window.clicks += 1; }, true);
            }"""
        )

    @property
    def clicks(self) -> int:
        return self.page.evaluate("window.clicks")

    @property
    def viewers(self) -> Locator:
        """The figures of the viewers; those of the panels are not among them."""
        return self.page.locator(".jdaviz .bqplot.figure:not(.tray-plugin .figure)")

    def open_panel(self, label: str) -> Locator:
        """Open the plugin tray and a panel in it; returns the panel."""
        place = self.page.locator(".v-expansion-panel").filter(
            has=self.page.locator(".plugin-title").get_by_text(label, exact=True)
        )
        panel = place.locator(".tray-plugin")
        if panel.is_visible():
            return panel
        if not place.count():
            self.page.locator(".jdaviz .v-app-bar .v-btn").nth(PLUGINS_BUTTON).click()
        if not is_open(place):  # the tray remembers what was
            place.locator(".plugin-header").click()
        panel.wait_for()
        self.wait_for_axes()
        return panel

    def close_panels(self) -> None:
        """Close the plugin tray."""
        self.page.locator(".jdaviz .v-app-bar .v-btn").nth(PLUGINS_BUTTON).click()
        self.page.locator(".tray-plugin").first.wait_for(state="hidden")
        self.wait_for_axes()

    def fill(self, panel: Locator, label: str, value: str) -> None:
        """Type a value into a field and leave it."""
        field = panel.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Tab")

    def choose(self, panel: Locator, label: str, choice: str) -> None:
        """Pick a choice of a drop-down list."""
        field = panel.locator(".v-select", has=self.page.get_by_text(label, exact=True)).first
        field.click()
        self.page.locator(".menuable__content__active .v-list-item", has_text=choice).first.click()
        expect(field.locator(".v-select__selections")).to_contain_text(choice)

    def drag(self, viewer: int, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse inside the axes of a viewer; places are fractions from the lower left corner."""
        self.hold(viewer, start, end)
        self.page.mouse.up()

    def hold(self, viewer: int, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag, without letting go."""
        self.hover(viewer, start)
        self.page.mouse.down()
        self.page.mouse.move(*self._on_page(viewer, end), steps=8)

    def hover(self, viewer: int, place: tuple[float, float]) -> None:
        """Move the mouse to a place inside the axes of a viewer."""
        self._hover(*self._on_page(viewer, place))

    def cursor(self, viewer: int, place: tuple[float, float]) -> str:
        """Return the shape that the pointer has at a place inside the axes of a viewer."""
        return self.page.evaluate(
            "([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor",
            self._on_page(viewer, place),
        )

    def _on_page(self, viewer: int, place: tuple[float, float]) -> tuple[float, float]:
        frame = self.viewers.nth(viewer).locator(".plotarea_background").bounding_box()
        return frame["x"] + place[0] * frame["width"], frame["y"] + (1 - place[1]) * frame["height"]

    @property
    def readout(self) -> Locator:
        """Where the app says what is under the mouse."""
        return self.page.locator(".jdaviz .v-app-bar").get_by_text(re.compile("Pixel|Cursor|Wave")).first

    def leave_viewers(self) -> None:
        """Take the mouse out of a viewer, and what jdaviz draws at it off the screen."""
        frame = self.viewers.first.bounding_box()
        x = frame["x"] + 0.3 * frame["width"]
        self._hover(x, frame["y"] + 0.5 * frame["height"])
        self.page.mouse.move(x, frame["y"] - 20, steps=20)
        expect(self.readout).to_be_hidden()

    def _hover(self, x: float, y: float) -> None:
        """Move the mouse about a place in a viewer until the app says where it is."""
        nudges = cycle((1, 0))

        def heard() -> bool:
            self.page.mouse.move(x + next(nudges), y)
            return self.readout.is_visible()

        self.until(heard, f"the app hears the mouse at {x:.0f}, {y:.0f}")
        self.page.mouse.move(x, y)

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
        self.until(lambda: self.page.evaluate("window.painted !== null"), "other marks are drawn")
        return self.page.evaluate("window.painted - window.typed")

    def marks(self, viewer: int, color: str) -> list[str]:
        """Return the lines drawn in a colour (#rrggbb) in a viewer, as the paths of its SVG."""
        red, green, blue = bytes.fromhex(color[1:])
        return self.viewers.nth(viewer).evaluate(
            """(viewer, color) => [...viewer.querySelectorAll("path.line")]
                .filter((path) => path.checkVisibility() && path.style.stroke === color)
                .map((path) => path.getAttribute("d") || "").filter((path) => path.length)""",
            f"rgb({red}, {green}, {blue})",
        )

    def ticks(self, viewer: int) -> list[float]:
        """Return the numbers along the axes of a viewer."""
        texts = self.viewers.nth(viewer).locator(".tick text").all_text_contents()
        return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts if text]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what no locator can tell."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
            self.page.wait_for_timeout(100)
            expect(self.page.locator("body")).to_be_attached()  # lets the handler see to the page

    def picture_of(self, element: Locator) -> bytes:
        """Return the picture of an element that may be taller than the page."""
        width, height = (self.page.viewport_size[side] for side in ("width", "height"))
        self.page.set_viewport_size({"width": width, "height": 2 * height})
        self.page.mouse.move(width - 5, 5)
        self.page.evaluate("document.activeElement.blur()")
        self.settle()
        element.scroll_into_view_if_needed()
        before, picture = b"", self._picture_about(element)
        while picture != before:  # plots take their new size a little later
            self.page.wait_for_timeout(1000)
            before, picture = picture, self._picture_about(element)
        self.page.set_viewport_size({"width": width, "height": height})
        self.wait_for_axes()
        return picture

    def _picture_about(self, element: Locator, margin: float = 12) -> bytes:
        """Return the picture of an element and of a margin, into which rows of the panel reach."""
        box = element.bounding_box()
        left = max(box["x"] - margin, 0)
        clip = {"x": left, "y": box["y"], "width": box["x"] + box["width"] + margin - left}
        return self.page.screenshot(clip=clip | {"height": box["height"]}, animations="disabled")

    def wait_for_axes(self) -> None:
        """Wait until the viewers have the size that the page leaves them, or the mouse misses their axes."""
        self.viewers.evaluate_all(AXES_AT_REST)

    def legend(self, viewer: str) -> Locator:
        """Return the entries of a viewer's legend: the first is the viewer's own, then one for each layer."""
        return self.page.locator(f"[id='layer-legend-{viewer}'] .viewer-label")

    def data_menu(self, viewer: str) -> Locator:
        """Open the menu of what a viewer shows."""
        self.legend(viewer).first.locator("button").click()
        menu = self.page.locator(f"[id='dm-content-{viewer}']")
        menu.wait_for()
        return menu

    def expect_layer(self, viewer: str, label: str) -> None:
        """Look a layer up in the menu of a viewer. (A low viewer's legend has not room for all.)"""
        menu = self.data_menu(viewer)
        expect(menu).to_contain_text(label)
        self.legend(viewer).first.locator("button").click()
        menu.wait_for(state="hidden")

    def keep_layers(self, viewer: str, *kept: str) -> None:
        """Remove from the app whatever else a viewer shows."""
        layers = self.page.locator(f"[id='dm-content-{viewer}'] .layer-select")  # there once it was open
        ends = "|".join(map(re.escape, kept))
        others = layers.filter(has_not_text=re.compile(rf"({ends})\s*$"))
        if layers.count() == len(kept) and not others.count():
            return
        menu = self.data_menu(viewer)
        for other in others.all():
            other.locator(".v-list-item__icon").click()
        if others.count():
            menu.locator("button:has(.mdi-delete)").click()
            self.page.locator(".menuable__content__active").get_by_text("Remove from app").click()
        expect(layers).to_have_count(len(kept))
        self.legend(viewer).first.locator("button").click()
        menu.wait_for(state="hidden")

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


def is_open(place: Locator) -> bool:
    """Whether a panel, or a section of one, is open."""
    return "v-expansion-panel--active" in place.get_attribute("class")
