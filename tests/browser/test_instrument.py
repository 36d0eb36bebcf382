"""The panel as an instrument, in the stock server and in JupyterLab: a first spectrum, and all else.

In each of the two the tests share one app, and each begins by bringing it to the same state.
"""

import re
from statistics import median

import numpy as np
import pytest
from playwright.sync_api import expect

from jdaviz_lrs.products.x1d import read_x1d
from tests.browser.app import BLUE, GREY, ORANGE, PURPLE
from tests.browser.panel import (
    COLUMNS,
    OFFSET,
    OFFSET_FIELD,
    WIDTH,
    XSTART,
    XSTOP,
    add_region,
    aperture_fields,
    columns,
    height,
    leave_tool,
    open_section,
    region_edges,
    remove_regions,
    section,
    show_tab,
    take_tool,
    width,
)  # fmt: skip
from tests.browser.servers import WINDOW_PATIENCE

pytestmark = pytest.mark.browser

CLICKS = 12  # that a new user may need


def test_first_spectrum_within_twelve_clicks(fresh_app, folder):
    """The path of `from_pipeline_to_panel.md`, step by step."""
    app = fresh_app
    app.count_clicks()
    app.load("target_s2d.fits")  # two clicks
    app.load("target_x1d.fits")  # two clicks
    panel = app.open_panel("LRS Extraction")  # two clicks
    take_tool(app, panel)

    expect(panel).to_contain_text("As the pipeline reports it")
    first, last = columns(panel)
    middle = 0.5 * (first + last) - 1
    app.drag(0, (0.3, height(middle)), (0.3, height(middle + OFFSET)))
    moved = pytest.approx((first + OFFSET, last + OFFSET), abs=0.25)
    app.until(lambda: columns(panel) == moved, "the aperture lies where the mouse left it")
    add_region(app, panel, 17.5, 24.5)
    add_region(app, panel, 39.5, 44.5)

    show_tab(panel, "Inspect")
    compare = section(panel, "Compare")
    expect(compare.get_by_text("target_x1d")).to_be_visible()
    overall = compare.locator("tr.lrs-overall td").nth(2)
    expect(overall).to_have_text(re.compile(r"^\s*(0\.99|1\.00)"))
    clicks_before = app.clicks
    compare.locator(".v-expansion-panel-header").hover()
    app.settle()
    app.picture("panel")

    app.button("Save", panel).click()  # at the foot, whatever tab is shown
    written = folder / "target_extract1dstep.fits"
    app.until(written.exists, "the spectrum is saved")
    app.settle()
    assert read_x1d(written).flux.size == read_x1d(folder / "target_x1d.fits").flux.size
    print(f"from a started app to a saved spectrum: {app.clicks} clicks")
    (app.artifacts / "clicks.txt").write_text(f"{app.clicks}\n")
    assert clicks_before + 1 == app.clicks <= CLICKS


def test_preview_follows_the_width(app, panel):
    field = panel.get_by_label(WIDTH, exact=True)
    aperture, spectrum = app.marks(0, ORANGE), app.marks(1, ORANGE)
    app.delay_of(field, "9", viewer=1)
    app.until(lambda: app.marks(0, ORANGE) != aperture, "another aperture is drawn")
    app.until(lambda: app.marks(1, ORANGE) != spectrum, "another spectrum is drawn")
    report = []
    for viewer, what in ((0, "aperture"), (1, "spectrum")):
        delays = [app.delay_of(field, str(width), viewer) for width in (10, 11, 12, 6, 7, 8, 5)]
        report.append(f"from a typed width to the painted {what}: median {median(delays):.0f} ms of {delays}")
    print("\n".join(report))
    (app.artifacts / "delays.txt").write_text("\n".join(report))
    app.close_panels()
    for viewer in (0, 1):
        app.until(lambda viewer=viewer: not app.marks(viewer, ORANGE), "the marks go with the panel")


def test_compare_with_a_loaded_x1d(app, panel):
    compare = open_section(panel, "Compare")
    expect(compare.locator("tbody tr")).to_have_count(4)
    overall = compare.locator("tr.lrs-overall td").nth(2)
    expect(overall).to_have_text(re.compile(r"^\s*1\.0000"))  # the x1d was made with these parameters
    show_tab(panel, "Set up")
    app.fill(panel, WIDTH, "5")
    show_tab(panel, "Inspect")
    expect(overall).to_have_text(re.compile(r"^\s*(0\.9|1\.0)(?!000)"))
    app.picture("compare", app.picture_of(compare))


def test_the_verdict_follows_the_aperture(app, panel):
    verdict = open_section(panel, "Verdict")
    summary = verdict.locator(".lrs-verdict-summary")
    trace = verdict.locator("tbody tr", has_text="trace").locator("td").nth(1)
    expect(verdict.locator("thead th")).to_have_text(["um", "5-8", "8-11", "11-13.5"])
    expect(trace).to_have_text(re.compile(r"[+-]0\.\d\d.* px"))
    expect(trace).not_to_have_class(re.compile("lrs-passed"))
    app.shot("verdict-fine")

    place = place_of_the_button(app, panel)
    show_tab(panel, "Set up")
    app.fill(panel, OFFSET_FIELD, f"{OFFSET - 2:g}")
    assert place_of_the_button(app, panel) == pytest.approx(place, abs=1)  # in every tab
    show_tab(panel, "Inspect")
    expect(trace).to_have_class(re.compile("lrs-passed"))
    expect(trace.locator(".mdi-alert")).to_be_visible()
    expect(trace).to_have_text(re.compile(r"\+[12]\.\d\d.* px"))
    expect(summary).to_contain_text(re.compile("beyond the limit.*trace"))
    same = pytest.approx(place, abs=1)
    app.until(lambda: place_of_the_button(app, panel) == same, "the button stays in its place")
    app.shot("verdict-beside")
    show_tab(panel, "Set up")
    app.fill(panel, OFFSET_FIELD, f"{OFFSET:g}")
    expect(trace).not_to_have_class(re.compile("lrs-passed"))


def place_of_the_button(app, panel) -> float:
    """Return how far below the top of the screen the panel's button is, in pixels."""
    return app.button("Extract", panel).bounding_box()["y"]


def test_profile(app, panel):
    profile = open_section(panel, "Cross-dispersion profile")
    expect(profile.locator(".bqplot.figure")).to_be_visible()
    caption = profile.locator(".lrs-caption")
    for wavelength, nearby in (("6", r"\b(5\.9|6\.0)"), ("8", r"\b(7\.9|8\.0)")):
        app.fill(profile, "Wavelength of the profile in micron", wavelength)
        expect(caption).to_contain_text(re.compile(nearby))
    app.picture("profile", app.picture_of(profile))


def test_best_width_and_tapered_aperture(app, panel):
    app.fill(panel, WIDTH, "12")
    best = open_section(panel, "Best width")
    expect(best.locator(".bqplot.figure")).to_be_visible()
    widths = best.locator(".lrs-widths")
    expect(widths).to_contain_text(re.compile(r"12\.0 px: S/N"))
    app.picture("width", app.picture_of(best))
    wanted = float(re.search(r"best\s+([\d.]+) px", widths.inner_text())[1])
    wide, regions = app.marks(0, ORANGE), app.marks(0, BLUE)
    app.button("Use the best width", best).click()
    app.until(lambda: width(panel) == pytest.approx(wanted, abs=0.01), "the aperture has the best width")
    app.until(lambda: app.marks(0, ORANGE) != wide, "the aperture is drawn with that width")

    straight = app.marks(0, ORANGE)
    app.fill(best, "Half width of a tapered aperture (FWHM)", "1.5")
    app.button("Taper the aperture", best).click()
    expect(panel.get_by_label("Edges as polynomials")).not_to_have_value("")
    app.until(lambda: app.marks(0, ORANGE) != straight, "the aperture is another")
    expect(panel.locator(".lrs-problem")).to_have_count(0)
    app.until(lambda: len(app.marks(0, BLUE)) == len(regions), "the background regions stay")
    app.leave_viewers()
    app.picture("taper", app.viewers.first.screenshot())


def test_mouse_moves_the_edges(app, panel):
    take_tool(app, panel)
    first, last = columns(panel)
    app.drag(0, (0.3, height(last - 0.5)), (0.3, height(last + 0.7)))
    moved = pytest.approx((first, last + 1.2), abs=0.3)
    app.until(lambda: columns(panel) == moved, "the edge lies where the mouse left it")

    regions, marks = region_edges(panel), app.marks(0, BLUE)
    top = height(shown(panel, 1))
    app.drag(0, (0.6, top), (0.6, top - 3 / COLUMNS))
    moved = pytest.approx([regions[0], regions[1] - 3, *regions[2:]], abs=0.3)
    app.until(lambda: region_edges(panel) == moved, "the region's edge lies where the mouse left it")
    app.until(lambda: app.marks(0, BLUE) != marks, "the region is drawn elsewhere")
    leave_tool(app, panel)


def shown(panel, edge: int) -> float:
    """Return the column at which the image shows an edge of the first background region."""
    first, last = columns(panel)
    nominal = 0.5 * sum(float(panel.get_by_label(name).input_value()) for name in (XSTART, XSTOP))
    return region_edges(panel)[edge] + 0.5 * (first + last) - 1 - nominal


def test_wrong_input_is_named_at_the_foot_and_nothing_vanishes(app, panel):
    button, problem = app.button("Extract", panel), panel.locator(".lrs-problem")
    expect(button).to_be_enabled()
    before = panel.get_by_label(XSTART, exact=True).input_value()
    app.fill(panel, XSTART, "50")
    expect(button).to_be_disabled()
    expect(problem).to_contain_text(re.compile(r"xstart.*50|50.*xstart"))
    app.until(lambda: not app.marks(0, ORANGE) and not app.marks(1, ORANGE), "no stale marks in colour")
    app.until(lambda: bool(app.marks(0, GREY) and app.marks(1, GREY)), "the last marks stay, grey")
    app.shot("wrong")
    show_tab(panel, "Save")
    expect(problem).to_be_visible()
    problem.get_by_role("button").click()
    field = panel.get_by_label(XSTART, exact=True)
    expect(field).to_be_focused()  # a click leads to it, in another tab
    app.fill(panel, XSTART, before)
    expect(button).to_be_enabled()
    expect(problem).to_have_count(0)
    app.until(lambda: bool(app.marks(0, ORANGE) and app.marks(1, ORANGE)), "all is back in its colours")
    assert not app.marks(0, GREY)


def test_changes_are_undone_and_made_again(app, panel):
    field, undo = panel.get_by_label(WIDTH, exact=True), panel.get_by_label("Undo", exact=True)
    spectrum = app.marks(1, ORANGE)
    app.fill(panel, WIDTH, "6")
    app.until(lambda: width(panel) == pytest.approx(6), "the width is 6")
    take_tool(app, panel)
    first, last = columns(panel)
    app.drag(0, (0.3, height(0.5 * (first + last) - 1)), (0.3, height(0.5 * (first + last) - 3)))
    moved = pytest.approx((first - 2, last - 2), abs=0.25)
    app.until(lambda: columns(panel) == moved, "the aperture lies where the mouse left it")
    leave_tool(app, panel)
    expect(panel.locator(".lrs-edited")).to_contain_text("Width")
    undo.click()  # the whole drag
    app.until(lambda: columns(panel) == pytest.approx((first, last), abs=0.01), "the drag is undone")
    field.press("Control+z")
    expect(field).to_have_value("8")
    app.until(lambda: app.marks(1, ORANGE) == spectrum, "the spectrum is as it was")
    field.press("Control+Shift+Z")
    expect(field).to_have_value("6")
    app.button("Reset to the reference file", panel).click()
    expect(field).to_have_value("")
    undo.click()
    expect(field).to_have_value("6")


def test_residual_follows_the_parameters_and_goes(app, panel):
    show_tab(panel, "Inspect")
    app.leave_viewers()
    data = app.viewers.first.screenshot()
    app.button("residual in sigma", panel).click()
    expect(panel.locator(".lrs-colours")).to_contain_text("5 sigma")
    app.expect_layer("2D Spectrum", "target_s2d residual in sigma (live)")
    app.settle()
    app.leave_viewers()
    residual = app.viewers.first.screenshot()
    assert residual != data
    show_tab(panel, "Set up")
    app.fill(panel, OFFSET_FIELD, f"{OFFSET + 4:g}")
    app.until(lambda: app.viewers.first.screenshot() != residual, "the residual is another")
    app.shot("residual")
    show_tab(panel, "Inspect")
    app.button("data", panel).click()
    expect(panel.locator(".lrs-colours")).to_have_count(0)
    app.keep_layers("2D Spectrum", "target_s2d")  # there is nothing to remove


def round_numbers(app) -> bool:
    """Whether the image has file pixels along its axes; those of the viewer lie at no round numbers."""
    ticks = app.ticks(0)
    return len(ticks) > 5 and all(tick % 5 == 0 for tick in ticks)


def test_two_datasets_and_optimal_extraction(app, panel):
    kept = columns(panel), region_edges(panel), aperture_fields(panel)
    app.load("nods_cal.fits")
    panel = app.open_panel("LRS Extraction")
    app.choose(panel, "2D Spectrum", "nods_cal")
    expect(panel).not_to_contain_text(f"columns {kept[0][0]:.6g} to")
    app.until(lambda: region_edges(panel) == [], "it has no regions")
    app.until(lambda: not app.marks(0, BLUE), "the regions of the other dataset are gone")
    app.until(lambda: round_numbers(app), "the axes count the pixels of this file")

    app.choose(panel, "Extraction", "optimal")
    expect(panel.get_by_label(WIDTH, exact=True)).to_have_count(0)
    app.until(lambda: not app.marks(0, ORANGE), "there is no aperture")
    app.until(lambda: len(app.marks(0, PURPLE)) == 1, "the trace of the other nod is drawn")
    app.leave_viewers()
    traces = app.viewers.first.screenshot()
    show_tab(panel, "Inspect")
    for kind in ("scene model", "residual in sigma"):
        app.button(kind, panel).click()
        app.expect_layer("2D Spectrum", f"nods_cal {kind} (live)")
    app.leave_viewers()
    app.picture("optimal", traces, app.viewers.first.screenshot())
    app.button("Extract", panel).click()
    app.expect_layer("1D Spectrum", "nods_cal LRS")
    show_tab(panel, "Set up")

    app.choose(panel, "2D Spectrum", "target_s2d")
    app.until(
        lambda: (columns(panel), region_edges(panel), aperture_fields(panel)) == kept, "all is as it was"
    )
    app.until(lambda: not app.marks(0, PURPLE), "the traces of the other dataset are gone")
    app.until(lambda: round_numbers(app), "the axes count the pixels of this file")
    expect(app.button("Extract", panel)).to_be_enabled()


def test_parameters_go_out_and_come_back_as_json(app, panel, folder):
    app.fill(panel, WIDTH, "6.5")
    app.until(lambda: width(panel) == pytest.approx(6.5), "the new width is reported")
    exported, widths = columns(panel), np.diff(region_edges(panel))[::2]
    save = open_section(panel, "Save")
    app.button("Export JSON", save).click()
    app.until((folder / "target_extract1d.json").exists, "the parameters are exported")
    expect(save.get_by_text(re.compile("Written to.*target_extract1d.json"))).to_be_visible()
    show_tab(panel, "Set up")
    app.fill(panel, WIDTH, "11")
    remove_regions(app, panel)
    app.until(lambda: width(panel) == pytest.approx(11) and not app.marks(0, BLUE), "all is otherwise")

    files = open_section(panel, "Reference files")
    app.fill(files, "extract1d JSON file", str(folder / "target_extract1d.json"))
    app.button("Import", files).click()
    same = pytest.approx(exported, abs=0.01)
    app.until(lambda: columns(panel) == same, "the aperture is as it was exported")
    expect(panel.get_by_label("from", exact=True)).to_have_count(len(widths))
    assert np.diff(region_edges(panel))[::2] == pytest.approx(widths, abs=0.01)
    app.until(lambda: bool(app.marks(0, BLUE)), "the background regions are drawn again")


def test_an_extraction_is_drawn_and_listed(app, panel):
    app.fill(panel, WIDTH, "12")
    app.until(lambda: width(panel) == pytest.approx(12), "the width is reported")
    app.button("Extract", panel).click()
    expect(open_section(panel, "History")).to_contain_text("target_s2d LRS")
    app.close_panels()
    app.until(lambda: app.painted(viewer=1) > 500, "a spectrum is drawn in the 1D viewer")
    app.expect_layer("1D Spectrum", "target_s2d LRS")


@pytest.mark.parametrize("place", ["standalone"], indirect=True)
def test_popout(app, panel):
    spectrum = app.marks(1, ORANGE)
    with app.page.context.expect_page() as opened:
        panel.locator("button:has(.mdi-application-export)").first.click()
    popout = opened.value
    expect(popout.get_by_label(WIDTH, exact=True)).to_be_visible(timeout=1000 * WINDOW_PATIENCE)
    popout.set_viewport_size({"width": 600, "height": 1000})
    app.fill(popout.locator("body"), WIDTH, "12")
    app.until(lambda: app.marks(1, ORANGE) != spectrum, "the preview follows the popout")
    expect(panel.get_by_label(WIDTH, exact=True)).to_have_value("12")
    app.until(lambda: width(popout.locator("body")) == pytest.approx(12), "the popout reports the width")
    popout.screenshot(path=app.artifacts / "popout.png")
    popout.close()
