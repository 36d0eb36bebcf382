"""Chromium, jdaviz in it, and the watch over what goes wrong on a page or in its server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser import servers
from tests.browser.app import App

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

#: What is logged as an error without us: by jdaviz 5.0.2's launcher and image viewer, by solara's and its
#: popout's search for each other.
STOCK_NOISE = (
    "widget model not found",
    "Error setting state: Cannot read properties of null (reading '0')",
    "Failed to load resource: the server responded with a status of 404",
    "Solara found, using Solara popout page.",
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


@pytest.fixture
def artifacts(request) -> Path:
    """Folder of the screenshots and logs of one test."""
    folder = ARTIFACTS / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tab(system_chromium: Browser, artifacts: Path) -> Iterator[Page]:
    """A new page; at its end no exception may stand in its console. Its last state is kept as a picture."""
    page = system_chromium.new_page(viewport={"width": 1600, "height": 1000})
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"{error}\n{error.stack}"))
    yield page
    page.screenshot(path=artifacts / "last.png")
    (artifacts / "console.log").write_text("\n\n".join(complaints))
    page.close()
    complaints = [one for one in complaints if not one.startswith(STOCK_NOISE)]
    assert not complaints, "\n\n".join(complaints)


@pytest.fixture
def data(observation: dict[str, Path], tmp_path: Path) -> Path:
    """A folder as a user has it: the s2d files of two nods."""
    for nod in ("nod1_s2d", "nod2_s2d"):
        shutil.copy(observation[nod], tmp_path / f"{nod}.fits")
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
