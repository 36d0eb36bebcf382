"""The mouse on the image, and the arrow keys that move on what it had hold of."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import BLUE
from tests.browser.panel import (
    OFFSET_FIELD,
    WIDTH,
    XSTOP,
    aperture_fields,
    columns,
    height,
    leave_tool,
    region_edges,
    take_tool,
)

pytestmark = pytest.mark.browser

#: What the fields of the aperture hold at first, and with its upper edge taken one pixel up.
AT_FIRST, WIDER = ["3", "27", "34", "8"], ["3.5", "27.5", "34.5", "9"]


def upper_edge(panel) -> float:
    """Return the column of the file at which the aperture ends."""
    return columns(panel)[1] - 0.5


def at(column: float, x: float = 0.3) -> tuple[float, float]:
    return x, height(column)


def reach_edge(app, panel) -> float:
    """Take the tool, and move the mouse onto the upper edge; returns its column."""
    take_tool(app, panel)
    edge = upper_edge(panel)

    def reached() -> bool:
        app.hover(0, at(edge))
        return app.cursor(0, at(edge)) == "ns-resize"

    app.until(reached, "the mouse is on the edge")
    return edge


def words(app):
    """What stands beside the mouse."""
    return app.viewers.first.get_by_text(re.compile(r"^columns? [\d.]+.*, row \d+, [\d.]+ um$")).last


def test_the_pointer_tells_what_can_be_dragged(app, panel):
    edge = upper_edge(panel)
    app.hover(0, at(edge))
    assert app.cursor(0, at(edge)) == "auto"  # nothing can be, before the tool is taken
    take_tool(app, panel)
    for column, shape in (
        (edge, "ns-resize"),
        (edge - 4, "grab"),
        (2.0, "auto"),
        (edge, "ns-resize"),
    ):
        app.hover(0, at(column))
        app.until(lambda column=column, shape=shape: app.cursor(0, at(column)) == shape, shape)
    app.hover(0, at(edge - 4))
    app.page.mouse.down()
    app.until(lambda: app.cursor(0, at(edge - 4)) == "grabbing", "the hand has closed")
    app.page.mouse.up()
    app.until(lambda: app.cursor(0, at(edge - 4)) == "grab", "the hand is open again")
    leave_tool(app, panel)
    app.until(lambda: app.cursor(0, at(edge)) == "auto", "the pointer is the page's own")
    assert aperture_fields(panel) == AT_FIRST  # a click moves nothing


def test_an_edge_comes_to_whole_pixels_and_says_where_it_is(app, panel):
    edge = reach_edge(app, panel)
    expect(words(app)).to_be_hidden()
    app.hold(0, at(edge), at(edge + 1.0, x=0.32))
    app.until(lambda: aperture_fields(panel) == WIDER, "the width is a whole number")
    expect(words(app)).to_be_visible()
    expect(words(app)).to_have_text(re.compile(rf"^column {edge + 1:.4g}, row \d+, \d\.\d\d\d um$"))
    readout = app.readout.locator("..")
    expect(readout).to_contain_text(re.compile(r"column [\d.]+, row"))
    told = re.search(r"column ([\d.]+), row", readout.inner_text())
    assert float(told[1]) == pytest.approx(edge + 1.0, abs=0.5)  # of the mouse itself
    app.shot("dragging")
    app.page.mouse.up()
    expect(words(app)).to_be_hidden()

    app.page.keyboard.press("Control+z")
    app.until(lambda: aperture_fields(panel) == AT_FIRST, "a drag is one step, undone where the mouse is")
    app.page.keyboard.press("Control+Shift+z")
    app.until(lambda: aperture_fields(panel) == WIDER, "and made again")
    leave_tool(app, panel)


def test_with_alt_an_edge_is_free(app, panel):
    edge = reach_edge(app, panel)
    free = []
    for further in (1.2, 1.4, 1.6):
        app.page.keyboard.down("Alt")
        app.drag(0, at(edge), at(edge + further))
        app.page.keyboard.up("Alt")
        app.until(lambda: aperture_fields(panel) != AT_FIRST, "the edge follows")
        free.append(width(panel))
        app.page.keyboard.press("Control+z")
        app.until(lambda: aperture_fields(panel) == AT_FIRST, "it is undone")
    assert any(one % 1 for one in free)  # without, all are whole
    leave_tool(app, panel)


def test_new_regions_come_to_borders_of_pixels(app, panel):
    before, marks = region_edges(panel), app.marks(0, BLUE)
    take_tool(app, panel)
    app.drag(0, at(3.3), at(9.8))
    expect(panel.get_by_label("from", exact=True)).to_have_count(3)
    new = region_edges(panel)[len(before) :]
    assert all(edge % 1 == 0.5 for edge in new)
    app.until(lambda: app.marks(0, BLUE) != marks, "the region is drawn")
    leave_tool(app, panel)


def test_arrows_move_what_the_mouse_had_hold_of(app, panel):
    reach_edge(app, panel)
    app.page.mouse.down()
    app.page.mouse.up()
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowUp", "ArrowDown"):
        app.page.keyboard.press(key)
    app.until(lambda: width(panel) == 9.1, "0.1 + 0.1 + 1 - 0.1 pixels")
    app.shot("moved")
    app.page.keyboard.press("Control+z")
    app.until(lambda: aperture_fields(panel) == AT_FIRST, "keys that follow each other are one step")
    app.page.keyboard.press("Tab")  # not taken away, as a figure that listens to keys would
    assert app.page.evaluate("document.activeElement.tagName") == "BUTTON"
    app.page.keyboard.press("ArrowUp")
    app.until(lambda: width(panel) == 8.1, "on a button of the app the arrows are the tool's too")
    leave_tool(app, panel)
    app.page.keyboard.press("ArrowUp")
    app.page.wait_for_timeout(1000)
    assert width(panel) == 8.1


def width(panel) -> float:
    return float(panel.get_by_label(WIDTH, exact=True).input_value())


def test_fields_keep_their_keys_and_move_by_them(app, panel):
    take_tool(app, panel)
    app.page.keyboard.press("Escape")
    offset = panel.get_by_label(OFFSET_FIELD, exact=True)
    for field, changed in ((offset, ["4.2", "27", "34", "8"]), (panel.get_by_label(XSTOP, exact=True), None)):
        field.focus()
        for key in ("ArrowUp", "ArrowUp", "Shift+ArrowUp"):
            field.press(key)
        if changed is None:
            expect(field).to_have_value("35.2")
            for _ in range(3):  # one step each where a busy machine hears of them a second apart
                if field.input_value() != "34":
                    field.press("Control+z")  # in the panel
                    app.page.wait_for_timeout(2000)
            expect(field).to_have_value("34")
        else:
            app.until(lambda changed=changed: aperture_fields(panel) == changed, "the field alone moves")
    text = panel.get_by_label("Further bad pixels", exact=True)
    text.focus()
    text.press_sequentially("[[3, 4]]")
    text.press("ArrowUp")  # to the beginning, as in every field of text
    assert text.evaluate("(field) => field.selectionStart") == 0
    assert aperture_fields(panel)[0] == "4.2"
    text.fill("")
    leave_tool(app, panel)
