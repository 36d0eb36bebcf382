"""The search for reference files where CRDS does not answer: seen and cancelled, while all else works."""

import socket

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, App

pytestmark = pytest.mark.browser


@pytest.fixture
def deaf():
    """The address of a server that takes calls and never answers."""
    with socket.create_server(("localhost", 0)) as server:
        yield f"http://localhost:{server.getsockname()[1]}"


@pytest.fixture
def server(data, artifacts, deaf, tmp_path_factory):
    cache = tmp_path_factory.mktemp("crds")
    settings = {"CRDS_SERVER_URL": deaf, "CRDS_PATH": str(cache)}
    with servers.jdaviz(data, artifacts / "server.log", settings) as server:
        yield server
    assert not server.trouble, server.trouble[0]


def test_cancel_the_search_in_crds(server, tab, artifacts):
    tab.goto(server.url)
    app = App(tab, artifacts)
    app.launch()
    tab.get_by_text("nod1_s2d.fits - ").click()
    app.button("Import").click()
    expect(app.viewers.first).to_be_visible()
    panel = app.open_panel("LRS Extraction")
    search = panel.locator(".lrs-search")
    expect(search).to_contain_text("Looking for the reference files in CRDS")
    expect(app.button("Extract", panel)).to_be_disabled()
    app.shot("1-searching")
    app.button("Cancel", search).click()
    expect(search).to_contain_text("cancelled")
    expect(app.button("Extract", panel)).to_be_enabled()
    app.until(lambda: bool(app.marks(0, ORANGE) and app.marks(1, ORANGE)), "the preview is drawn")
    app.settle()
    app.shot("2-cancelled")
    expect(panel).to_contain_text("The search in CRDS was cancelled; used instead of")

    app.button("Ask CRDS again", search).click()
    expect(app.button("Extract", panel)).to_be_disabled()
    expect(app.button("Extract", panel)).to_be_enabled()  # CRDS is given up on
    expect(search).to_have_count(0)
    expect(panel).to_contain_text("CRDS cannot be reached")
    app.shot("3-given-up")
