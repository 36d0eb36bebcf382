"""From a loaded file to a saved spectrum without a mouse."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from jdaviz_lrs.products.x1d import read_x1d
from tests.browser.app import PLUGINS_BUTTON
from tests.browser.panel import OFFSET_FIELD, WIDTH

pytestmark = pytest.mark.browser

#: More stops than the longest way has.
MOST = 120

#: Pixels about a control, and how many of them must look otherwise where it has the focus.
MARGIN, CHANGED = 6, 60


def tab_to(app, target: Locator, key: str = "Tab") -> int:
    """Press a key until something has the focus; returns how often."""
    for presses in range(MOST):
        if target.evaluate("(element) => element === document.activeElement"):
            return presses
        app.page.keyboard.press(key)
    raise AssertionError(f"{target} has no place among the stops of {key}")


def picture(app, box: dict) -> np.ndarray:
    clip = {"x": box["x"] - MARGIN, "y": box["y"] - MARGIN}
    clip |= {"width": box["width"] + 2 * MARGIN, "height": box["height"] + 2 * MARGIN}
    shot = app.page.screenshot(clip=clip, animations="disabled")
    return np.asarray(Image.open(BytesIO(shot)).convert("L"), int)


def looks_focused(app) -> bool:
    """Whether what has the focus looks otherwise than without it."""
    handle = app.page.evaluate_handle("document.activeElement")
    app.page.wait_for_timeout(400)  # Vuetify fades in
    box = handle.bounding_box()
    focused = picture(app, box)
    handle.evaluate("(element) => element.blur()")
    app.page.wait_for_timeout(400)
    blurred = picture(app, box)
    handle.evaluate("(element) => element.focus({ focusVisible: true })")
    return differ(focused, blurred)


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape != other.shape or (abs(one - other) > 20).sum() > CHANGED


@pytest.mark.parametrize("place", ["standalone"])
def test_from_a_loaded_file_to_a_saved_x1d(fresh_app, folder):
    app = fresh_app
    app.load("target_s2d.fits")
    app.count_clicks()
    app.page.mouse.move(2, 900)
    press = app.page.keyboard.press

    tab_to(app, app.page.locator(".jdaviz .v-app-bar .v-btn").nth(PLUGINS_BUTTON))
    press("Enter")
    header = app.page.locator(".plugin-header").filter(has_text="LRS Extraction")
    tab_to(app, header)
    assert looks_focused(app)
    press("Enter")
    panel = app.page.locator(".tray-plugin.lrs-panel")
    expect(panel.get_by_label(WIDTH, exact=True)).to_be_visible()

    tab_to(app, panel.get_by_label(OFFSET_FIELD, exact=True))
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "Shift+ArrowUp"):
        press(key)
    tab_to(app, panel.get_by_label(WIDTH, exact=True))
    app.page.keyboard.type("8")
    press("Tab")
    expect(panel).to_contain_text("columns 31.0")
    expect(panel.locator(".lrs-footer")).to_contain_text("Box, 8 px")

    save = app.button("Save", panel.locator(".lrs-footer"))
    tab_to(app, save)
    assert looks_focused(app)
    app.shot("save")
    press("Enter")
    written = folder / "target_extract1dstep.fits"
    app.until(written.exists, "the spectrum is saved")
    app.settle()
    expected = read_x1d(folder / "target_x1d.fits")
    assert read_x1d(written).flux.size == expected.flux.size

    written.unlink()
    press("Control+s")  # from anywhere in the panel
    app.until(written.exists, "the spectrum is saved again")
    assert app.clicks == 0


@pytest.mark.parametrize("place", ["standalone"])
def test_every_stop_in_the_panel_is_seen(app, panel):
    press = app.page.keyboard.press
    panel.get_by_role("tab", name="Set up", exact=True).focus()
    press("Shift+Tab")
    unseen, stops = [], 0
    last, seen = None, None
    for _ in range(MOST):
        press("Tab")
        app.page.wait_for_timeout(400)  # Vuetify fades in and out
        here = app.page.evaluate_handle("document.activeElement")
        if last is not None:  # a list that is left by a blur of ours would look as before
            last.scroll_into_view_if_needed()
            if not differ(seen, picture(app, last.bounding_box())):
                unseen.append(last.evaluate("(element) => element.outerHTML.slice(0, 200)"))
        if not here.evaluate("(element) => element.closest('.lrs-panel') !== null"):
            break
        stops += 1
        here.scroll_into_view_if_needed()
        last, seen = here, picture(app, here.bounding_box())
    assert stops > 15
    assert not unseen
