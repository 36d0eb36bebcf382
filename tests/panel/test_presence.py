"""Whether the panel is open, as the browser's pings tell."""

import asyncio
import threading
import time

import pytest

from jdaviz_lrs.panel import presence
from tests.panel.test_reference_search import until


@pytest.fixture
def closed_in(panel):
    """The threads in which the panel was found closed, as it is."""
    threads = []
    panel._obj.observe(
        lambda change: change["new"] or threads.append(threading.current_thread()), "is_active"
    )
    return threads


@pytest.fixture
def in_browser(monkeypatch, panel):
    """Run a function as the browser's messages are run, in a loop of its own as each page has."""
    monkeypatch.setattr(presence, "INTERVAL", 0.1)
    monkeypatch.setattr(presence, "LATE", 0.01)

    def asyncio_run(scenario):
        async def run():
            loop = asyncio.get_running_loop()
            monkeypatch.setattr(presence, "browser_loop", lambda: loop)
            await scenario(panel._obj)

        asyncio.run(run())

    return asyncio_run


def test_open_while_pings_come_and_closed_after(in_browser, closed_in):
    async def scenario(panel):
        for _ in range(30):
            panel.vue_plugin_ping(0)
            assert panel.is_active
            await asyncio.sleep(0.01)
        assert closed_in == []
        await until(lambda: not panel.is_active)

    in_browser(scenario)
    assert closed_in == [threading.main_thread()]


def test_a_busy_kernel_does_not_take_it_for_closed(in_browser, closed_in):
    async def scenario(panel):
        panel.vue_plugin_ping(0)
        loop = asyncio.get_running_loop()
        time.sleep(0.5)  # nothing is heard meanwhile; what was said waits until the kernel has time for it
        loop.call_soon(loop.call_soon, panel.vue_plugin_ping, 0)
        await asyncio.sleep(0.05)

    in_browser(scenario)
    assert closed_in == []


def test_another_page_takes_over(in_browser, closed_in):
    async def one_ping(panel):
        panel.vue_plugin_ping(0)

    async def silence(panel):
        await one_ping(panel)
        await until(lambda: not panel.is_active)

    in_browser(one_ping)
    assert closed_in == []
    in_browser(silence)
    assert closed_in == [threading.main_thread()]
