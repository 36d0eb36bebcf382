"""The panel in JupyterLab: there without an import, and working."""

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, PURPLE, App
from tests.browser.notebook import run_notebook, warnings, write_notebook
from tests.browser.panel import (
    assert_foot_is_whole,
    columns,
    height,
    leave_tool,
    open_section,
    take_tool,
)

pytestmark = pytest.mark.browser


TOP_LEVEL = ("import jdaviz\n\njdaviz.show()", "jdaviz.load('nod1_s2d.fits', format='JWST LRS')")

SPECVIZ2D = (
    """import warnings
from jdaviz import Specviz2d
from jdaviz_lrs.panel import add_to_specviz2d

warnings.simplefilter("ignore", DeprecationWarning)  # of Specviz2d itself
specviz2d = Specviz2d()
add_to_specviz2d(specviz2d)
specviz2d.load("nod1_s2d.fits")
specviz2d.show()""",
)


@pytest.fixture(
    params=[
        pytest.param(TOP_LEVEL, id="app"),
        pytest.param(SPECVIZ2D, id="specviz2d", marks=pytest.mark.slow),
    ]
)
def lab_server(request, data, artifacts):
    write_notebook(data / "extract.ipynb", *request.param)
    with servers.jupyterlab(data, artifacts / "server.log") as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_extract_in_jupyterlab(lab_server, tab, artifacts):
    run_notebook(tab, lab_server, "extract.ipynb")
    app = App(tab, artifacts)
    app.wait_for_toolbar()
    expect(app.viewers.nth(1)).to_be_visible()
    panel = app.open_panel("LRS Extraction")
    app.shot("1-panel")
    app.until(lambda: bool(app.marks(1, ORANGE)), "the preview is drawn")
    spectrum = app.marks(1, ORANGE)
    app.fill(panel, "Width (pixels)", "12")
    app.until(lambda: app.marks(1, ORANGE) != spectrum, "the preview follows the width")
    take_tool(app, panel)
    first, last = columns(panel)
    app.drag(0, (0.3, height(last - 0.5)), (0.3, height(last + 0.7)))
    moved = pytest.approx((first, last + 1.2), abs=0.3)
    app.until(lambda: columns(panel) == moved, "the edge lies where the mouse left it")
    leave_tool(app, panel)
    app.choose(panel, "Extraction", "optimal")
    app.until(lambda: len(app.marks(0, PURPLE)) == 1, "the trace of the other nod is drawn")
    app.button("Extract", panel).click()
    made = open_section(panel, "History")
    expect(made).to_contain_text("nod1_s2d LRS")
    app.settle()
    app.shot("2-extracted")
    assert_foot_is_whole(panel)
    expect(warnings(tab)).to_have_count(0)


TWO_APPS = (
    """import jdaviz

apps = [jdaviz.new_app(), jdaviz.new_app()]
for app in apps:
    app.load("nod1_s2d.fits", format="JWST LRS")
    app.plugins["LRS Extraction"].open_in_tray(scroll_to=False)
apps[0].show()""",
    "apps[1].show()",
)


@pytest.fixture
def two_apps_server(data, artifacts):
    write_notebook(data / "two.ipynb", *TWO_APPS)
    with servers.jupyterlab(data, artifacts / "server.log") as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_two_apps_in_one_kernel(two_apps_server, tab, artifacts):
    tab.set_viewport_size({"width": 1600, "height": 2000})  # JupyterLab draws only the cells in sight
    run_notebook(tab, two_apps_server, "two.ipynb")
    app = App(tab, artifacts)
    panels = tab.locator(".tray-plugin:visible")
    expect(panels).to_have_count(2)
    app.until(lambda: all(app.marks(viewer, ORANGE) for viewer in range(4)), "both previews are drawn")
    before = [app.marks(viewer, ORANGE) for viewer in range(4)]
    app.fill(panels.nth(1), "Width (pixels)", "12")
    for viewer in (2, 3):
        app.until(lambda viewer=viewer: app.marks(viewer, ORANGE) != before[viewer], "the second app follows")
    assert [app.marks(viewer, ORANGE) for viewer in (0, 1)] == before[:2]
    expect(panels.nth(0).get_by_label("Width (pixels)", exact=True)).to_have_value("")
    app.shot("two-apps")
    expect(warnings(tab)).to_have_count(0)
