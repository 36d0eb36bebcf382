"""The panel as an instrument, in the standalone app: preview, mouse, mistakes, two datasets."""

import re
from statistics import median

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

COLUMNS = 46  # of the simulated image; the 2-D viewer shows them from -0.5 to 45.5


def height(column: float) -> float:
    """Return the place of a column in the 2-D viewer, as a fraction from below."""
    return (column + 0.5) / COLUMNS


def columns(panel) -> tuple[float, float]:
    """Return the aperture that the panel reports, one-indexed."""
    first, last = re.search(r"columns ([\d.]+) to ([\d.]+)", panel.inner_text()).groups()
    return float(first), float(last)


@pytest.fixture
def panel(standalone):
    """The panel, open on the image of the first nod."""
    standalone.load("nod1_s2d.fits")
    return standalone.open_panel("LRS Extraction")


def test_preview_follows_the_width(standalone, panel):
    field = panel.get_by_label("Width (pixels)", exact=True)
    standalone.delay_of(field, "9", viewer=0)
    delays = [standalone.delay_of(field, str(width), viewer=0) for width in (10, 11, 12, 6, 7, 8, 5)]
    standalone.shot("1-width")
    print(f"from a changed width to the painted mark: median {median(delays):.0f} ms of {delays}")
    assert sorted(delays)[1] < 250  # the slow ones tell of other work on the machine
    standalone.close_panels()
    assert standalone.viewers.first.locator("path[stroke='#E69F00' i]").count() == 0


def test_mouse_moves_the_aperture_and_adds_regions(standalone, panel):
    standalone.tool("lrs:regions").click()
    first, last = columns(panel)
    standalone.drag(0, (0.5, height(last - 0.5)), (0.5, height(last + 1.5)))
    expect(panel).not_to_contain_text(f"to {last:.6g},")
    assert columns(panel) == pytest.approx((first, last + 2), abs=0.5)

    regions = panel.locator("button[aria-label='Remove this background region']")
    standalone.drag(0, (0.5, height(39)), (0.5, height(43)))
    standalone.shot("1-region")
    expect(regions).to_have_count(1)
    before = panel.get_by_label("from", exact=True).input_value()
    standalone.drag(0, (0.5, height(41)), (0.5, height(42)))
    expect(panel.get_by_label("from", exact=True)).not_to_have_value(before)
    standalone.picture("mouse")


def test_wrong_input_disables_the_button_and_says_why(standalone, panel):
    button = standalone.button("Extract", panel)
    expect(button).to_be_enabled()
    standalone.fill(panel, "xstart: first column (pixels)", "50")
    expect(button).to_be_disabled()
    expect(panel.locator(".lrs-problem")).to_contain_text("xstart")
    standalone.shot("1-refused")
    standalone.fill(panel, "xstart: first column (pixels)", "27")
    expect(button).to_be_enabled()
    expect(panel.locator(".lrs-problem")).to_have_count(0)


def test_optimal_extraction_of_a_second_dataset(standalone, panel):
    first = columns(panel)
    standalone.open_loader()
    standalone.load("nod2_s2d.fits")
    panel = standalone.open_panel("LRS Extraction")
    standalone.choose(panel, "2D Spectrum", "nod2_s2d")
    expect(panel).not_to_contain_text(f"columns {first[0]:.6g} to")
    standalone.choose(panel, "Extraction", "optimal")
    standalone.settle()
    standalone.shot("1-optimal")
    layers = standalone.legend("1D Spectrum").count()
    standalone.button("Extract", panel).click()
    expect(standalone.legend("1D Spectrum")).to_have_count(layers + 1)
    standalone.settle()
    standalone.picture("optimal")
