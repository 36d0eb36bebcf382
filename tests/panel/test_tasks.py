"""Extractions that take long: the browser goes on, sees them, and can cancel them."""

import asyncio
import threading

import pytest

from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel import tasks
from tests.panel.test_reference_search import until

STEP = "Fitting trace and width of 2 sources"


@pytest.fixture
def auto_extract():
    return True


@pytest.fixture
def slow(monkeypatch):
    """An extraction that goes on when it is let, and what was asked for."""
    extract = ExtractionPlan.extract
    go_on = threading.Event()
    go_on.asked, go_on.ended = [], threading.Event()

    def slowly(plan, progress=None):
        if progress is None:
            return extract(plan)
        go_on.asked.append(plan)
        go_on.ended.clear()
        try:
            progress(STEP)
            assert go_on.wait(30)
            return extract(plan, progress)
        finally:
            go_on.ended.set()

    monkeypatch.setattr(ExtractionPlan, "extract", slowly)
    yield go_on
    go_on.set()


@pytest.fixture
def in_browser(monkeypatch, active):
    """Run a function as the browser's messages are run, with optimal extraction and a refinement chosen."""
    active.extraction_type = "optimal"

    def asyncio_run(scenario):
        async def run():
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(tasks, "browser_loop", lambda: loop)
            active.refinements = ["trace"]
            await scenario()

        asyncio.run(run())

    return asyncio_run


def spectrum(panel):
    return panel.marks.lines["spectrum"].marks_list[0].x


def test_the_browser_goes_on_meanwhile(active, slow, in_browser):
    async def scenario():
        assert spectrum(active).size  # what is quick must not flicker
        await until(lambda: active.work_line == STEP)
        assert not spectrum(active).size
        slow.set()
        await until(lambda: not active.work_line)
        assert spectrum(active).size
        assert active.compute().parameters["refinements"] == ("trace",)
        assert len(slow.asked) == 1

    in_browser(scenario)


def test_what_is_quick_is_not_told_of(active, slow, in_browser, monkeypatch):
    slow.set()
    monkeypatch.setattr(tasks, "SILENCE", 60.0)  # on a busy machine nothing is quick

    async def scenario():
        lines = []
        active.observe(lambda change: lines.append(change["new"]), "work_line")
        await until(lambda: not active.extractions.under_way)
        await asyncio.sleep(0.05)
        assert set(lines) <= {""}

    in_browser(scenario)


def test_a_cancelled_extraction_leaves_nothing_behind(active, slow, in_browser):
    async def scenario():
        await until(lambda: active.work_line == STEP)
        active.vue_cancel_work()
        assert active.work_line == ""
        assert active.notes == [tasks.CANCELLED]
        assert active.problem == ""
        slow.set()
        await until(slow.ended.is_set)
        await asyncio.sleep(0.05)
        assert not spectrum(active).size
        active.vue_extract()
        await until(lambda: not active.spinner)
        assert active.history.items[-1]["type"] == "optimal"
        assert spectrum(active).size  # it is there now

    in_browser(scenario)


def test_another_parameter_takes_the_place_of_the_one_before(active, slow, in_browser):
    async def scenario():
        await until(lambda: len(slow.asked) == 1)
        active.position_offset = 0.2
        await until(lambda: len(slow.asked) == 2)
        slow.set()
        await until(lambda: not active.extractions.under_way)
        assert not slow.asked[0].extracted
        assert active.state.spectrum.parameters["position_offset"] == 0.2
        assert spectrum(active).size

    in_browser(scenario)


def test_extract_waits_for_what_is_under_way(active, slow, in_browser):
    async def scenario():
        await until(lambda: len(slow.asked) == 1)
        rows = len(active.history.items)
        active.vue_extract()
        active.vue_extract()  # a double click
        assert active.spinner
        slow.set()
        await until(lambda: not active.spinner)
        assert len(active.history.items) == rows + 1
        assert len(slow.asked) == 1

    in_browser(scenario)


def test_a_script_waits(active, slow, in_browser):
    async def scenario():
        await until(lambda: len(slow.asked) == 1)
        threading.Timer(0.2, slow.set).start()
        assert active.compute().parameters["refinements"] == ("trace",)
        assert len(slow.asked) == 1

    in_browser(scenario)


def test_images_of_the_fit_do_not_end_the_preview(active, slow, in_browser):
    async def scenario():
        await until(lambda: len(slow.asked) == 1)
        active.vue_show_scene("residual")
        await until(lambda: len(slow.asked) == 2)
        slow.set()
        await until(lambda: not active.extractions.under_way)
        assert f"{active.dataset.selected} residual" in active._app.data_collection
        assert spectrum(active).size

    in_browser(scenario)


def test_a_cancelled_extraction_does_not_begin_by_itself(active, slow, in_browser):
    async def scenario():
        await until(lambda: active.work_line == STEP)
        active.vue_extract()
        assert active.spinner
        active.vue_cancel_work()
        assert not active.spinner
        active.keep_active = False
        active.keep_active = True  # draws anew
        await asyncio.sleep(0.05)
        assert len(slow.asked) == 1
        active.vue_extract()
        assert active.spinner
        assert active.notes == []
        slow.set()
        await until(lambda: not active.spinner)
        assert len(slow.asked) == 2
        assert spectrum(active).size

    in_browser(scenario)


def test_a_failure_is_told_once_and_ends_all_that_waits(active, slow, in_browser, monkeypatch):
    def fails(plan, progress=None):
        slow.asked.append("fails")
        raise RuntimeError("boom")

    async def scenario():
        await until(lambda: not active.extractions.under_way)
        monkeypatch.setattr(ExtractionPlan, "extract", fails)
        slow.asked.clear()
        active.position_offset = 0.1
        active.sections["saving"].vue_write_x1d()
        active.vue_extract()
        await until(lambda: not active.spinner)
        assert len(slow.asked) == 1
        assert "boom" in active.problem
        assert active.sections["saving"].written == ""
        assert not any(map(active.extractions.waits, ("preview", "extract", "save")))

    slow.set()
    in_browser(scenario)


def test_a_double_click_saves_once(active, slow, in_browser, tmp_path, monkeypatch):
    monkeypatch.setenv("JDAVIZ_START_DIR", str(tmp_path))

    async def scenario():
        await until(lambda: len(slow.asked) == 1)
        active.sections["saving"].vue_write_x1d()
        active.sections["saving"].vue_write_x1d()
        slow.set()
        await until(lambda: not active.extractions.under_way)
        assert active.sections["saving"].written
        assert active.sections["saving"].overwrite_warn == ""

    in_browser(scenario)


def test_images_of_the_fit_leave_the_preview(active, slow, in_browser):
    async def scenario():
        slow.set()
        await until(lambda: not active.extractions.under_way)
        slow.clear()
        active.vue_show_scene("residual")
        await until(lambda: active.work_line == STEP)
        assert spectrum(active).size
        active.vue_cancel_work()
        active.update()  # as when a layer is shown or hidden
        assert spectrum(active).size
        slow.set()

    in_browser(scenario)


def test_what_was_cancelled_is_wanted_again_after_another_parameter(active, slow, in_browser):
    async def scenario():
        await until(lambda: active.work_line == STEP)
        active.vue_cancel_work()
        slow.set()
        active.refinements = []  # nothing that takes long
        active.refinements = ["trace"]
        await until(lambda: not active.extractions.under_way)
        assert spectrum(active).size

    in_browser(scenario)
