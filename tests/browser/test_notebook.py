"""The panel in JupyterLab: there without an import, and working."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, PAINT, PURPLE, App

pytestmark = pytest.mark.browser

CELLS = (
    "import jdaviz\n\njdaviz.show()",
    "jdaviz.load('nod1_s2d.fits', format='JWST LRS')",
)


@pytest.fixture
def notebook(data):
    """A notebook as a user writes it, beside the data."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{i}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for i, source in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (data / "extract.ipynb").write_text(json.dumps(content))
    return "extract.ipynb"


@pytest.fixture
def lab_server(data, notebook, artifacts):
    with servers.jupyterlab(data, artifacts / "server.log") as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_extract_in_jupyterlab(lab_server, notebook, tab, artifacts):
    tab.goto(f"{lab_server.url}/lab/tree/{notebook}")
    app = App(tab, artifacts)
    tab.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PAINT)
    tab.get_by_text("| Idle").wait_for(timeout=PAINT)  # or JupyterLab asks which kernel to start
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
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
    expect(tab.locator(".jp-OutputArea-output[data-mime-type*='stderr']")).to_have_count(0)
