"""Chromium, jdaviz in it, and the watch over what goes wrong on a page or in its server."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from jdaviz_lrs import extract
from jdaviz_lrs.simulate import Scene, simulate, write_exposure
from tests.browser import servers
from tests.browser.app import App
from tests.browser.notebook import run_notebook, warnings, write_notebook
from tests.browser.panel import APERTURE, OFFSET, reset

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

expect.set_options(timeout=1000 * servers.PATIENCE)

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


@pytest.fixture
def artifacts(request) -> Path:
    """Empty folder for the screenshots and logs of one test."""
    folder = ARTIFACTS / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def watched(browser: Browser, folder: Path) -> Iterator[tuple[Page, list[str]]]:
    """Open a page and list what its console complains of, as it does; its last state is kept as a picture."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.context.set_default_timeout(1000 * servers.PATIENCE)
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
    try:
        yield page, complaints
    finally:
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


@pytest.fixture(scope="session")
def observed(tmp_path_factory, observation) -> Path:
    """A folder as a user has it: an s2d whose coordinates are off, its x1d, and the cal file of a nod."""
    folder = tmp_path_factory.mktemp("data")
    s2d = folder / "target_s2d.fits"
    write_exposure(simulate(Scene(nod_subtracted=False, trace_shift=OFFSET), "s2d", 1), s2d)
    extract(s2d, position_offset=OFFSET, **APERTURE).write(folder / "target_x1d.fits")
    shutil.copy(observation["nod1_cal"], folder / "nods_cal.fits")
    return folder


@pytest.fixture
def folder(observed) -> Iterator[Path]:
    """That folder, from which goes what a test writes there."""
    yield observed
    for written in observed.glob("target_extract1d*"):
        written.unlink()


@pytest.fixture(scope="session")
def start(tmp_path_factory) -> Path:
    """The extract1d file of the aperture with which every test starts."""
    path = tmp_path_factory.mktemp("start") / "start.json"
    path.write_text(json.dumps({"apertures": [{"id": "ANY", **APERTURE}]}))
    return path


@pytest.fixture(params=["standalone", pytest.param("jupyterlab", marks=pytest.mark.slow)])
def place(request) -> str:
    """Where the app runs; what a notebook changes is tested in `test_notebook.py` by `make test`, too."""
    return request.param


@contextmanager
def started(place: str, folder: Path, browser: Browser, artifacts: Path) -> Iterator[App]:
    """The app as it greets in a place, with nothing loaded."""
    start = {"standalone": servers.jdaviz, "jupyterlab": servers.jupyterlab}[place]
    with (
        start(folder, artifacts / "server.log") as server,
        watched(browser, artifacts) as (page, complaints),
    ):
        app = App(page, artifacts, documented=place == "standalone")
        app.trouble = lambda: [*complaints, *server.trouble, *warnings(page).all_inner_texts()]
        if place == "standalone":
            page.goto(server.url)
            app.launch()
        else:
            write_notebook(folder / "instrument.ipynb", "import jdaviz\n\njdaviz.show()")
            run_notebook(page, server, "instrument.ipynb")
            app.wait_for_toolbar()
        yield app


@pytest.fixture
def fresh_app(place, folder, system_chromium, artifacts) -> Iterator[App]:
    """An app for one test; no exception may stand in the console or the server's log when it is done."""
    with started(place, folder, system_chromium, artifacts) as app:
        yield app
        found = app.trouble()
    assert not found, "\n\n".join(found)


@pytest.fixture(scope="session")
def apps(system_chromium) -> Iterator[dict[str, tuple[App, ExitStack]]]:
    """The app of each place that has one, and what ends it."""
    running: dict[str, tuple[App, ExitStack]] = {}
    yield running
    for _, end in running.values():
        end.close()


@pytest.fixture
def app(request, apps, place, folder, system_chromium, artifacts) -> Iterator[App]:
    """The app that the tests of a place share, as a start takes long; a new one after a test has failed."""
    if place not in apps:
        with ExitStack() as stack:
            app = stack.enter_context(started(place, folder, system_chromium, artifacts))
            app.load("target_s2d.fits")
            app.load("target_x1d.fits")
            apps[place] = app, stack.pop_all()
    app, end = apps[place]
    app.artifacts = artifacts
    failed_before = request.session.testsfailed
    yield app
    found = app.trouble()
    if found or request.session.testsfailed > failed_before:
        app.shot("failed")
        del apps[place]
        end.close()
    assert not found, "\n\n".join(found)


@pytest.fixture
def panel(app, start) -> Locator:
    """The panel, open on the s2d, with the parameters with which every test starts."""
    return reset(app, start)
