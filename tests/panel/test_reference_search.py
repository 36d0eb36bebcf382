"""The search for reference files: told, waited for by a script, cancelled in the browser."""

import asyncio
import threading

import pytest
from glue.core.hub import HubListener
from jdaviz.core.events import SnackbarMessage

from jdaviz_lrs import LRSError
from jdaviz_lrs.panel import reference_search

FETCHING = "Fetching jwst_miri_apcorr_0015.fits"


@pytest.fixture
def told(app):
    messages, ear = [], HubListener()
    app._app.hub.subscribe(ear, SnackbarMessage, handler=messages.append)
    yield lambda: [(m.text, m.loading) for m in messages if m.sender is panel_of(app)]
    app._app.hub.unsubscribe_all(ear)


def panel_of(app):
    return app._app.get_tray_item_from_name("lrs-extraction")


@pytest.fixture
def slow(monkeypatch):
    """A search that goes on when it is let, and what was asked for."""
    find = reference_search.find_references
    go_on = threading.Event()
    go_on.asked, go_on.ended = [], threading.Event()

    def slowly(image, *overrides, progress=None, crds=None):
        if crds is False:
            return find(image, *overrides, crds=False)
        go_on.asked.append(image)
        try:
            progress(FETCHING)
            assert go_on.wait(30)
            progress("Fetching jwst_miri_psf_0001.fits")
            return find(image, *overrides)
        finally:
            go_on.ended.set()

    monkeypatch.setattr(reference_search, "find_references", slowly)
    yield go_on
    go_on.set()


@pytest.fixture
def in_browser(monkeypatch):
    """Run a function as the browser's messages are run: in a loop that goes on meanwhile."""

    def asyncio_run(scenario):
        async def run():
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(reference_search, "browser_loop", lambda: loop)
            monkeypatch.setattr(reference_search, "asks_crds", lambda *_: True)
            await scenario()

        asyncio.run(run())

    return asyncio_run


async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def test_a_script_waits_and_is_told(app, s2d, told, slow):
    slow.set()
    app.load(str(s2d), data_label="nod1_s2d")
    assert told()[0] == (FETCHING, True)
    assert told()[2] == ("The reference files are there.", False)
    assert len(slow.asked) == 1  # the loader's extraction takes what the panel found
    assert "nod1_s2d (auto-ext)" in app._app.data_collection


def test_an_error_ends_the_message_too(app, s2d, told, monkeypatch):
    def fails(*_, progress):
        progress("at it")
        raise LRSError("no such file")

    monkeypatch.setattr(reference_search, "find_references", fails)
    app.load(str(s2d), data_label="nod1_s2d")
    assert told()[:2] == [("at it", True), ("The reference files were not found.", False)]
    assert panel_of(app).problem == "no such file"
    assert panel_of(app).search_line == ""


def test_what_is_quick_says_nothing(app, s2d, told):
    app.load(str(s2d), data_label="nod1_s2d")
    assert not [text for text, _ in told() if "reference" in text]


def test_the_browser_goes_on_meanwhile(app, s2d, slow, in_browser):
    panel = panel_of(app)

    async def scenario():
        app.load(str(s2d), data_label="nod1_s2d")
        await until(lambda: panel.search_line == FETCHING)
        assert "looked for" in panel.problem
        slow.set()
        await until(lambda: not panel.search_line)
        assert panel.problem == ""
        assert "nod1_s2d (auto-ext)" in app._app.data_collection
        assert len(slow.asked) == 1
        assert not panel.search_cancelled

    in_browser(scenario)


def test_a_cancelled_search_leaves_the_built_in_models(app, s2d, told, slow, in_browser):
    panel = panel_of(app)

    async def scenario():
        app.load(str(s2d), data_label="nod1_s2d")
        await until(lambda: panel.search_line == FETCHING)
        panel.vue_cancel_search()
        assert (panel.problem, panel.search_line, panel.search_cancelled) == ("", "", True)
        assert "cancelled" in " ".join(panel.compute().notes)
        assert "cancelled" in told()[-1][0]
        slow.set()
        await until(slow.ended.is_set)  # the thread ends before the next file
        await asyncio.sleep(0.05)
        assert panel.search_line == ""
        assert panel.search_cancelled
        panel.vue_search_again()
        await until(lambda: panel.problem == "")
        assert not panel.search_cancelled
        assert "cancelled" not in " ".join(panel.compute().notes)

    in_browser(scenario)


def test_a_script_waits_for_what_the_browser_began(app, s2d, slow, in_browser, monkeypatch):
    panel = panel_of(app)

    async def scenario():
        app.load(str(s2d), data_label="nod1_s2d")
        await until(lambda: panel.search_line == FETCHING)
        monkeypatch.setattr(reference_search, "browser_loop", lambda: None)
        threading.Timer(0.2, slow.set).start()
        assert panel.extract(add_data=False).flux.size > 300

    in_browser(scenario)


def test_another_dataset_is_not_given_the_files_of_the_first(app, s2d, slow, in_browser):
    panel = panel_of(app)

    async def scenario():
        app.load(str(s2d), data_label="nod1_s2d")
        await until(lambda: panel.search_line == FETCHING)
        app._app.data_item_remove("nod1_s2d")
        slow.set()
        await until(lambda: not panel.search_line)
        assert panel.state.source is None
        assert "nod1_s2d (auto-ext)" not in app._app.data_collection

    in_browser(scenario)


def test_what_crds_has_for_an_image_is_looked_for_once(app, observation, slow):
    slow.set()
    for nod in (1, 2):
        app.load(str(observation[f"nod{nod}_s2d"]), data_label=f"nod{nod}")
    panel = app.plugins["LRS Extraction"]
    for label in ("nod1", "nod2", "nod1"):
        panel.dataset = label
    assert len(slow.asked) == 2


def test_one_of_two_searches_ends(app, observation, slow, in_browser):
    panel = panel_of(app)

    async def scenario():
        for nod in (1, 2):
            app.load(str(observation[f"nod{nod}_s2d"]), data_label=f"nod{nod}")
        panel.dataset.selected = "nod2"
        await until(lambda: len(slow.asked) == 2)
        first, _ = panel.search.searches.values()
        first.end_with(LRSError("gone"))
        assert panel.search_line
        assert panel.search.under_way
        slow.set()
        await until(lambda: not panel.search_line)

    in_browser(scenario)


def test_restored_parameters_outlast_a_search(app, observation, slow, in_browser):
    slow.set()
    for nod in (1, 2):
        app.load(str(observation[f"nod{nod}_s2d"]), data_label=f"nod{nod}")
    panel = panel_of(app)
    panel.dataset.selected, panel.extract_width = "nod1", 5
    panel.extract()
    panel.dataset.selected, panel.extract_width = "nod2", 7
    slow.clear()
    panel.search.forget()

    async def scenario():
        panel.restore("nod1 LRS")
        await until(lambda: panel.search_line == FETCHING)
        slow.set()
        await until(lambda: not panel.search_line)
        assert (panel.dataset.selected, panel.extract_width) == ("nod1", 5)
        panel.vue_search_again()
        await until(lambda: not panel.search_line)
        assert panel.extract_width == 5

    in_browser(scenario)
