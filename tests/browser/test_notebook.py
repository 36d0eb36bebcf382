"""The panel in JupyterLab: there without an import, and working."""

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, PAINT, PURPLE, App
from tests.browser.notebook import run_notebook, warnings, write_notebook

pytestmark = pytest.mark.browser


@pytest.fixture
def lab_server(data, artifacts):
    load = "jdaviz.load('nod1_s2d.fits', format='JWST LRS')"
    write_notebook(data / "extract.ipynb", "import jdaviz\n\njdaviz.show()", load)
    with servers.jupyterlab(data, artifacts / "server.log") as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_extract_in_jupyterlab(lab_server, tab, artifacts):
    run_notebook(tab, lab_server, "extract.ipynb")
    app = App(tab, artifacts)
    app.wait_for_toolbar()
    expect(app.legend("1D Spectrum").first).to_be_visible(timeout=PAINT)
    panel = app.open_panel("LRS Extraction")
    app.shot("1-panel")
    spectrum = app.marks(1, ORANGE)
    assert spectrum
    app.fill(panel, "Width (pixels)", "12")
    app.until(lambda: app.marks(1, ORANGE) != spectrum, "the preview follows the width")
    app.choose(panel, "Extraction", "optimal")
    app.until(lambda: len(app.marks(0, PURPLE)) == 1, "the trace of the other nod is drawn")
    layers = app.legend("1D Spectrum").count()
    app.button("Extract", panel).click()
    expect(app.legend("1D Spectrum")).to_have_count(layers + 1)
    app.settle()
    app.shot("2-extracted")
    expect(warnings(tab)).to_have_count(0)
