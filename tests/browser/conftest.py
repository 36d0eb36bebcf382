"""Chromium, jdaviz in it, and the watch over what goes wrong on a page or in its server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from jdaviz_lrs import extract
from jdaviz_lrs.simulate import Scene, simulate, write_exposure
from tests.browser import servers
from tests.browser.app import App
from tests.browser.notebook import run_notebook, warnings, write_notebook
from tests.browser.panel import OFFSET, leave_tool

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

#: What the console says without us too: seen with jdaviz 5.0.2 and solara 1.64 where this package registers
#: nothing. Each is matched from the first letter to the last of the message's first line.
STOCK_NOISE = tuple(
    map(
        re.compile,
        (
            # The first import, in jupyter-vue: a template is drawn before a widget in it has arrived.
            r"widget model not found",
            # The first import, in solara: a widget of a viewer is given its state before it is painted.
            r"Error setting state: Cannot read properties of null \(reading '0'\)",
            # The popout of every viewer asks where solara serves it, or whether it does at all.
            r"Failed to load resource: .* status of 404 \(Not Found\) /solara/readyz",
            r"Solara found, using Solara popout page\.",
        ),
    )
)

expect.set_options(timeout=30_000)

ARTIFACTS = Path(__file__).parents[2] / "artifacts"


@pytest.fixture(scope="session")
def system_chromium() -> Iterator[Browser]:
    """The system's Chromium, or the one that playwright downloaded."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(
                "no Chromium: run these tests with make test, or leave them out with -m 'not browser'"
            )
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def artifacts_of(name: str) -> Path:
    """Make an empty folder for screenshots and logs."""
    folder = ARTIFACTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def artifacts(request) -> Path:
    """Folder of the screenshots and logs of one test."""
    return artifacts_of(request.node.name)


@contextmanager
def watched(browser: Browser, folder: Path) -> Iterator[tuple[Page, list[str]]]:
    """Open a page and list what its console complains of, as it does; its last state is kept as a picture."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    said: list[str] = []
    complaints: list[str] = []

    def on_complaint(text: str) -> None:
        said.append(text)
        if not any(noise.fullmatch(text.split("\n")[0]) for noise in STOCK_NOISE):
            complaints.append(text)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            missing = message.text.startswith("Failed to load resource")
            where = f" {urlsplit(message.location['url']).path}" if missing else ""
            on_complaint(message.text + where)

    page.on("console", on_console)
    page.on("pageerror", lambda error: on_complaint(f"{error}\n{error.stack}"))
    yield page, complaints
    page.screenshot(path=folder / "last.png")
    (folder / "console.log").write_text("\n\n".join(said))
    page.close()


@pytest.fixture
def tab(system_chromium: Browser, artifacts: Path) -> Iterator[Page]:
    """A new page; at its end no exception may stand in its console."""
    with watched(system_chromium, artifacts) as (page, complaints):
        yield page
    assert not complaints, "\n\n".join(complaints)


@pytest.fixture
def data(observation: dict[str, Path], tmp_path: Path) -> Path:
    """A folder as a user has it: an s2d file and nothing else."""
    shutil.copy(observation["nod1_s2d"], tmp_path / "nod1_s2d.fits")
    return tmp_path


@pytest.fixture
def standalone_server(data: Path, artifacts: Path) -> Iterator[servers.Server]:
    """The stock `jdaviz` command in the folder of the data; at its end no exception may stand in its log."""
    with servers.jdaviz(data, artifacts / "server.log") as server:
        yield server
    assert not server.trouble, server.trouble[0]


@pytest.fixture
def standalone(standalone_server: servers.Server, tab: Page, artifacts: Path) -> App:
    """The standalone app, just launched. (The page closes before its server does.)"""
    tab.goto(standalone_server.url)
    app = App(tab, artifacts)
    app.launch()
    return app


@pytest.fixture(scope="session", params=["standalone", "jupyterlab"])
def place(request):
    """Where the app runs."""
    return request.param


@pytest.fixture(scope="session")
def folder(place, tmp_path_factory, observation):
    """A folder as a user has it: an s2d whose coordinates are off, its x1d, and the cal file of a nod."""
    folder = tmp_path_factory.mktemp("data")
    s2d = folder / "target_s2d.fits"
    write_exposure(simulate(Scene(nod_subtracted=False, trace_shift=OFFSET), "s2d", 1), s2d)
    background = {"bkg_coeff": [[14.5], [21.5], [36.5], [41.5]], "bkg_fit": "poly", "bkg_order": 0}
    extract(s2d, position_offset=OFFSET, **background).write(folder / "target_x1d.fits")
    shutil.copy(observation["nod1_cal"], folder / "nods_cal.fits")
    return folder


@pytest.fixture(scope="session")
def session(place, system_chromium, folder):
    """The app of these tests with what its console complains of; nothing may stand in the server's log."""
    artifacts = artifacts_of(f"test_instrument_{place}")
    start = {"standalone": servers.jdaviz, "jupyterlab": servers.jupyterlab}[place]
    with (
        start(folder, artifacts / "server.log") as server,
        watched(system_chromium, artifacts) as (page, complaints),
    ):
        app = App(page, artifacts, documented=place == "standalone")
        if place == "standalone":
            page.goto(server.url)
            app.launch()
        else:
            write_notebook(folder / "instrument.ipynb", "import jdaviz\n\njdaviz.show()")
            run_notebook(page, server, "instrument.ipynb")
            app.wait_for_toolbar()
        yield app, complaints, server


@pytest.fixture
def app(session):
    """The app; no exception may stand in the console or the server's log when the test is done."""
    app, complaints, server = session
    yield app
    found = [*complaints, *server.trouble, *warnings(app.page).all_inner_texts()]
    complaints.clear()
    assert not found, "\n\n".join(found)


@pytest.fixture
def panel(app):
    """The panel, open on the s2d."""
    for name in ("target_s2d.fits", "target_x1d.fits"):
        if name not in app.loaded:
            app.load(name)
    panel = app.open_panel("LRS Extraction")
    leave_tool(app, panel)
    return panel
