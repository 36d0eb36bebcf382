"""The sections and the controls of the panel; the app is that of `test_instrument`."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import BLUE, ORANGE, PURPLE
from tests.browser.panel import (
    OFFSET_FIELD,
    TABS,
    WIDTH,
    add_region,
    columns,
    height,
    leave_tool,
    open_section,
    remove_regions,
    show_tab,
    take_tool,
    width,
)
from tests.browser.servers import WINDOW_PATIENCE

pytestmark = pytest.mark.browser

SECTIONS = (
    "Reference files", "Cross-dispersion profile", "Best width", "Advanced", "Verdict", "Compare", "History",
    "Save",
)  # fmt: skip

#: Of every input in sight that is not a table's: its label, and whether its hint is shown.
INPUTS = """(panel) => [...panel.querySelectorAll(".v-input")]
    .filter((input) => input.checkVisibility({ visibilityProperty: true }) && !input.closest(".lrs-history"))
    .map((input) => [
        input.querySelector("label, input[aria-label]")?.innerText
            || input.querySelector("[aria-label]")?.getAttribute("aria-label") || "",
        Boolean(input.querySelector(".v-messages__message")?.innerText.trim()
            || input.closest(".lrs-field")?.querySelector(".lrs-help")?.getAttribute("aria-label")),
    ])"""

#: What reaches out of the panel on the right, where it is cut off.
OVERHANG = """(panel) => {
    const end = panel.parentElement.getBoundingClientRect().right;
    return [...panel.querySelectorAll("button, input, textarea, pre, td, .v-messages__message, .api-hint")]
        .filter((one) => one.checkVisibility({ visibilityProperty: true })
            && !one.closest(".lrs-history, .bqplot")
            && one.getBoundingClientRect().right > end + 1)
        .map((one) => one.innerText || one.value);
}"""

#: Labels and choices of which the end is cut off.
CUT_OFF = """(panel) => [...panel.querySelectorAll(".lrs-input .v-label, .lrs-input .v-select__selection")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.scrollWidth > one.clientWidth)
    .map((one) => one.innerText)"""

#: Those whose hint stands above or below them, as it is that of several, and the dataset.
UNHINTED = {"2D Spectrum", "from", "to", "Wavelength of the profile", "Wavelength of the profile in micron"}


def test_every_control_says_what_it_is_for(app, panel):
    for title in SECTIONS:
        open_section(panel, title)
    for extraction in ("optimal", "box"):
        show_tab(panel, "Set up")
        app.choose(panel, "Extraction", extraction)
        expect(panel.get_by_label(WIDTH, exact=True)).to_have_count(int(extraction == "box"))
        inputs = []
        for tab in TABS:
            show_tab(panel, tab)
            app.settle()
            inputs += panel.evaluate(INPUTS)
            assert panel.evaluate(OVERHANG) == []
            assert panel.evaluate(CUT_OFF) == []
            app.shot(f"{tab}-{extraction}")
        assert len(inputs) > 20
        assert not [label for label, hint in inputs if not hint and label not in UNHINTED]


def test_nothing_is_cut_off_on_a_small_screen(app, panel):
    whole = app.page.viewport_size
    app.page.set_viewport_size({"width": 1280, "height": 720})
    try:
        for extraction in ("optimal", "box"):  # with background regions
            app.choose(panel, "Extraction", extraction)
            app.settle()
            app.shot(f"small-{extraction}")
            assert panel.evaluate(CUT_OFF) == []
            assert panel.evaluate(OVERHANG) == []
    finally:
        app.page.set_viewport_size(whole)
        app.wait_for_axes()


def test_all_of_set_up_is_in_sight(app, panel):
    """With everything closed, at 1600 x 1000, from the tabs to the foot."""
    remove_regions(app, panel)
    tab, foot = panel.locator(".lrs-tab").first, panel.locator(".lrs-footer")

    def needed() -> float:
        return tab.evaluate("(tab) => tab.scrollHeight") + foot.bounding_box()["height"]

    app.until(lambda: needed() <= 900, "Set up fits")  # a section that closes does so in its own time


def test_the_keyboard_goes_from_top_to_bottom(app, panel):
    panel.get_by_label("Position offset (pixels)", exact=True).focus()
    names = []
    for _ in range(4):
        app.page.keyboard.press("Tab")
        names.append(app.page.evaluate("document.activeElement.closest('.v-input').innerText"))
    expected = ("xstart", "xstop", "Width", "Edges")
    assert [name for name, start in zip(names, expected, strict=True) if not name.startswith(start)] == []


def test_a_rectangle_becomes_the_aperture(app, panel):
    app.tool("bqplot:xrange").click(button="right")
    app.page.locator(".menuable__content__active img").last.click()
    expect(app.tool("bqplot:rectangle")).to_be_visible()
    app.drag(0, (0.3, height(29.7)), (0.6, height(36.3)))
    app.choose(panel, "Subset", "Subset 1")
    app.button("Use as aperture", panel).click()
    # to a pixel: the axes may have been padded since the image was loaded
    app.until(lambda: columns(panel) == pytest.approx((31, 37), abs=1.1), "the aperture is the rectangle's")


def test_a_double_click_takes_a_region_away(app, panel):
    take_tool(app, panel)
    remove_regions(app, panel)
    add_region(app, panel, 6.5, 13.5)
    app.until(lambda: bool(app.marks(0, BLUE)), "the region is drawn")
    frame = app.viewers.first.locator(".plotarea_background").bounding_box()
    app.page.mouse.dblclick(
        frame["x"] + 0.3 * frame["width"], frame["y"] + (1 - height(10)) * frame["height"]
    )
    expect(panel.get_by_label("from", exact=True)).to_have_count(0)
    app.until(lambda: not app.marks(0, BLUE), "it is drawn no more")
    leave_tool(app, panel)


def test_history_restores_a_row(app, panel):
    app.fill(panel, WIDTH, "6")
    app.until(lambda: width(panel) == pytest.approx(6), "the width is set")
    app.button("Extract", panel).click()
    history = open_section(panel, "History")
    rows = history.locator("tbody tr")
    made = rows.filter(has=app.page.locator("td", has_text=re.compile(r"^\s*6\.0\s*$"))).last
    expect(made).to_be_visible()
    app.until(lambda: bool(app.marks(1, ORANGE)), "the preview outlasts the extraction")
    show_tab(panel, "Set up")
    app.fill(panel, WIDTH, "10")
    app.until(lambda: width(panel) == pytest.approx(10), "the width is another")
    open_section(panel, "History")
    made.locator(".v-simple-checkbox, .v-data-table__checkbox, [role='checkbox'], .v-icon").first.click()
    app.button("Restore parameters", history).click()
    expect(panel.get_by_label(WIDTH, exact=True)).to_have_value("6")
    app.picture("history", app.picture_of(history))


def test_copy_as_python_and_the_question_before_overwriting(app, panel, folder):
    save = open_section(panel, "Save")
    code = save.locator(".lrs-code textarea")
    expect(code).to_have_value(re.compile(r"extract_width=8,"))
    app.button("Copy as Python", save).click()
    app.until(lambda: app.clipboard == code.input_value(), "the call is copied")

    written = folder / "target_extract1dstep.fits"
    app.button("Save", save).click()
    app.until(written.exists, "the spectrum is saved")
    expect(save.get_by_text("Written to")).to_be_visible()
    before = written.read_bytes()
    app.button("Save", save).click()
    expect(save.get_by_text("already on disk")).to_be_visible()
    app.button("Cancel", save).click()
    expect(save.get_by_text("already on disk")).to_be_hidden()
    assert written.read_bytes() == before
    app.button("Save", save).click()
    app.button("Overwrite", save).click()
    expect(save.get_by_text("Written to")).to_be_visible()
    assert written.read_bytes() != before


def test_the_run_of_the_pipeline_is_shown_whole_and_copied(app, panel):
    save = open_section(panel, "Save")
    calls = save.locator(".lrs-call pre")
    expect(calls).to_have_count(2)
    expect(calls.first).to_contain_text("result = Extract1dStep.call('/")
    expect(calls.last).to_contain_text("strun extract_1d /")
    name = save.get_by_label("extract1d reference file (JSON)")
    name.fill(3 * "it's_a_name_of_many_letters_")
    name.press("End")  # jdaviz reads this field as a key is let go
    expect(calls.first).to_contain_text("of_many_letters")
    assert calls.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")
    assert panel.evaluate(OVERHANG) == []
    app.shot("save-long-name")
    name.fill("mine.json")
    name.press("End")
    expect(calls.last).to_contain_text("mine.json")
    for button, call in (("Copy call", calls.first), ("Copy command", calls.last)):
        app.button(button, save).click()
        app.until(lambda call=call: app.clipboard == call.inner_text(), "the call is copied")
        expect(app.button(button, save)).to_be_visible()
    app.picture("save", app.picture_of(save))
    save.locator("button:has(.mdi-label)").click()
    expect(name).to_have_value("target_extract1d.json")


def test_refinements_and_their_advice(app, panel):
    app.load("nods_cal.fits")
    panel = app.open_panel("LRS Extraction")
    app.choose(panel, "2D Spectrum", "nods_cal")
    app.choose(panel, "Extraction", "optimal")
    app.until(lambda: bool(app.marks(0, PURPLE)) and bool(app.marks(1, ORANGE)), "the preview is optimal")
    # one change at a time: a click overtakes changes that wait in the browser until the kernel has time
    fitted = app.marks(1, ORANGE)
    panel.get_by_label("Fit the place of the traces").press("Space")
    app.until(lambda: app.marks(1, ORANGE) not in ([], fitted), "the traces are where they should be")
    nominal = app.marks(1, ORANGE)
    app.fill(panel, OFFSET_FIELD, "0.4")
    app.until(lambda: app.marks(1, ORANGE) not in ([], nominal), "the traces are off")
    app.button("Extract", panel).click()
    show_tab(panel, "Inspect")
    advice = panel.locator(".lrs-advice")
    expect(advice).to_contain_text("px off")
    refinements = panel.locator(".lrs-field", has_text="Refinements").first
    sentences = app.picture_of(advice)
    app.button("trace", advice).click()
    expect(app.button("trace", advice)).to_have_count(0)
    show_tab(panel, "Set up")
    app.picture("refinements", sentences, app.picture_of(refinements))
    expect(panel.get_by_label("trace", exact=True)).to_be_checked()
    app.until(lambda: bool(app.marks(1, ORANGE)), "the refined spectrum is drawn")

    many = [round(-26.0 + i, 1) for i in range(38)]
    app.fill(panel, "Further sources (pixels)", str(many))
    work = panel.locator(".lrs-work")
    expect(work).to_contain_text(re.compile("Fitting trace of 39 sources|Extracting"))
    app.shot("long-work")
    app.button("Cancel", work).click()
    expect(work).to_have_count(0)
    expect(panel).to_contain_text("The extraction was cancelled")
    app.until(lambda: not app.marks(1, ORANGE), "no spectrum of other parameters is drawn")
    app.fill(panel, "Further sources (pixels)", "")
    app.until(lambda: bool(app.marks(1, ORANGE)), "the preview is back")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["jupyterlab"], indirect=True)  # elsewhere jdaviz has no API hints
def test_api_hints(app, panel):
    toggle = app.page.locator(".jdaviz .v-app-bar button:has(img[width='24'])")
    toggle.last.click()
    expect(panel.get_by_text("plg.extract_width =", exact=True)).to_be_visible()
    for title in SECTIONS:
        open_section(panel, title)
    calls = {
        "Set up": ("plg.apply_preset(name)", "plg.extract()"),
        "Inspect": ("plg.profile_view.cut()", "plg.width_view.use_best_width()", "plg.compare()"),
        "Save": ("plg.save_x1d()", "plg.to_python()", "plg.extract()"),
    }
    for tab, texts in calls.items():
        show_tab(panel, tab)
        for call in texts:
            expect(panel.get_by_text(call).filter(visible=True).first).to_be_visible()
        assert panel.evaluate(OVERHANG) == []
    app.shot("api-hints")
    toggle.last.click()
    show_tab(panel, "Set up")
    expect(panel.get_by_label(WIDTH, exact=True)).to_be_visible()


def test_a_plot_in_a_window_of_its_own_has_its_legend(app, panel):
    best = open_section(panel, "Best width")
    expect(best.locator(".lrs-keys")).to_contain_text("light enclosed")
    with app.page.expect_popup() as opened:
        best.locator(".lrs-popout button").click()
    window = opened.value
    expect(window.locator(".bqplot.figure")).to_be_visible(timeout=1000 * WINDOW_PATIENCE)
    keys = window.locator(".lrs-keys")
    expect(keys).to_contain_text("light enclosed")

    def in_sight() -> bool:
        places = [key.bounding_box() for key in keys.locator(".lrs-key").all()]
        width, height = window.evaluate("[innerWidth, innerHeight]")
        return all(
            place is not None
            and place["x"] + place["width"] <= width
            and place["y"] + place["height"] <= height
            for place in places
        )

    app.until(in_sight, "all of the legend is in the window")  # which takes its shape as it is filled
    window.screenshot(path=app.artifacts / "window.png")
    window.close()
