"""Whether the panel is open, as the browser's pings tell; in loops whose clock the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from jdaviz_lrs.panel import presence
from jdaviz_lrs.panel.presence import INTERVAL, LATE, Presence


class Loop:
    """What of an event loop is asked: its time, and to call something later."""

    def __init__(self):
        self.now, self.closed = 0.0, False
        self._calls: list[tuple[float, Callable, tuple]] = []

    def time(self) -> float:
        return self.now

    def is_closed(self) -> bool:
        return self.closed

    def call_at(self, when: float, act: Callable, *arguments) -> None:
        self._calls.append((when, act, arguments))

    def go_on(self, seconds: float, late: float = 0.0) -> None:
        """Let time go by, and what is due be called, so late."""
        end = self.now + seconds
        while due := [call for call in self._calls if call[0] <= end]:
            call = min(due, key=lambda one: one[0])
            self._calls.remove(call)
            self.now = max(self.now, call[0] + late)
            call[1](*call[2])
        self.now = max(self.now, end)


@pytest.fixture
def loop(monkeypatch) -> Loop:
    """The loop of the page that is open."""
    loop = Loop()
    monkeypatch.setattr(presence, "browser_loop", lambda: loop)
    return loop


@pytest.fixture
def told() -> list[bool]:
    return []


@pytest.fixture
def watch(told) -> Presence:
    return Presence(told.append)


def test_open_while_pings_come_and_closed_after(loop, watch, told):
    for _ in range(30):
        watch.ping()
        loop.go_on(0.2)
    assert set(told) == {True}
    loop.go_on(2 * INTERVAL)
    assert told[-1] is False
    assert told.count(False) == 1


def test_a_busy_kernel_does_not_take_it_for_closed(loop, watch, told):
    watch.ping()
    loop.go_on(INTERVAL, late=2 * LATE)  # nothing was heard meanwhile
    assert told == [True]
    loop.go_on(INTERVAL)
    assert told == [True, False]


def test_another_page_takes_over(monkeypatch, loop, watch, told):
    watch.ping()
    loop.closed = True
    other = Loop()
    monkeypatch.setattr(presence, "browser_loop", lambda: other)
    watch.ping()
    other.go_on(2 * INTERVAL)
    assert told == [True, True, False]


def test_a_script_has_no_loop_to_tell_it(monkeypatch, watch, told):
    monkeypatch.setattr(presence, "browser_loop", lambda: None)
    assert not watch.ping()
    assert told == []


def test_the_panel_follows(loop, panel):
    threads = []
    panel._obj.observe(lambda change: threads.append(threading.current_thread()), "is_active")
    panel._obj.vue_plugin_ping(0)
    assert panel._obj.is_active
    loop.go_on(2 * INTERVAL)
    assert not panel._obj.is_active
    assert threads == 2 * [threading.main_thread()]
