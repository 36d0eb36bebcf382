"""The trail of values to go back to, and the state that goes along it: no app is made here."""

from dataclasses import replace

import pytest

from jdaviz_lrs import read
from jdaviz_lrs.panel.inputs import Choice
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.state import next_state
from jdaviz_lrs.panel.undo import MOST, Pauses, Trail, back, changed, forth
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.panel.bare import BarePanel


@pytest.fixture(scope="module")
def start():
    """The state of a panel that has just been given an image."""
    return BarePanel(VerdictSection).take(read(to_model(simulate(Scene(nod_subtracted=False), "s2d")))).state


def put(state, gesture=None, **values):
    return next_state(state, values={**state.values, **values}, gesture=gesture)


def test_there_and_back_along_a_trail():
    trail = changed(changed(Trail(), {"a": 1}), {"a": 2})
    trail, values = back(trail, {"a": 3})
    assert values == {"a": 2}
    trail, values = back(trail, values)
    assert (values, trail.done) == ({"a": 1}, ())
    assert back(trail, values) == (trail, values)
    trail, values = forth(trail, values)
    assert values == {"a": 2}
    trail, values = forth(trail, values)
    assert (values, trail.undone) == ({"a": 3}, ())
    assert forth(trail, values) == (trail, values)


def test_a_gesture_is_one_change_and_a_new_change_ends_what_was_undone():
    drag = object()
    trail = changed(Trail(), {"a": 1}, drag)
    for step in (2, 3, 4):
        trail = changed(trail, {"a": step}, drag)
    assert trail.done == ({"a": 1},)
    assert changed(trail, {"a": 5}, object()).done == ({"a": 1}, {"a": 5})
    trail, values = back(trail, {"a": 5})
    assert changed(trail, values, drag).undone == ()


def test_a_trail_forgets_the_oldest():
    trail = Trail()
    for step in range(MOST + 3):
        trail = changed(trail, {"a": step})
    assert (len(trail.done), trail.done[0]) == (MOST, {"a": 3})


def test_keys_that_follow_each_other_are_one_gesture():
    now = iter([10.0, 10.4, 10.9, 13.0, 13.1])
    pauses = Pauses(clock=lambda: next(now))
    first, second, third, later = (pauses.gesture("extract_width") for _ in range(4))
    assert first is second is third
    assert later is not third
    assert pauses.gesture("xstart") is not later


def test_every_change_of_the_state_can_be_undone(start):
    wide = put(start, extract_width=12.0)
    wrong = put(wide, extract_width=-1)
    assert start.trail.done == ()
    assert next_state(wrong, travel=back).values == wide.values
    assert next_state(wrong, travel=back).plan is wide.plan  # nothing is extracted again
    first = next_state(next_state(wrong, travel=back), travel=back)
    assert first.values == start.values
    assert next_state(first, travel=forth).values == wide.values
    assert next_state(first, travel=back).values == start.values
    assert put(start).trail == start.trail  # no change


def test_a_drag_is_undone_at_once(start):
    state, drag = start, object()
    for offset in (0.1, 0.2, 0.3):
        state = put(state, gesture=drag, position_offset=offset)
    assert next_state(state, travel=back).values == start.values


def test_a_reset_is_a_change_too(start):
    edited = put(start, extract_width=12.0, bkg_order=1)
    assert edited.edited == ("extract_width", "bkg_order")
    reset = next_state(edited, parameters=start.references.parameters)
    assert reset.edited == ()
    assert next_state(reset, travel=back).values == edited.values


def test_another_reference_file_keeps_what_was_changed(start):
    edited = put(start, extract_width=12.0)
    given = start.references.parameters.with_({"bkg_order": 1, "extract_width": 6.0})
    other = replace(start.references, parameters=given)
    state = next_state(edited, choice=Choice(start.source.data, "bare"), problem="searching")
    state = next_state(state, found=(start.source, other, None))
    assert (state.values["extract_width"], state.values["bkg_order"]) == (12.0, 1)
    assert state.edited == ("extract_width",)
    assert next_state(state, travel=back).values == edited.values


def test_another_reference_file_keeps_what_was_typed_wrong(start):
    wrong = put(put(start, bkg_order=1), extract_width="six")
    given = start.references.parameters.with_({"extract_width": 6.0, "smoothing_length": 3})
    state = next_state(wrong, choice=Choice(start.source.data, "bare"), problem="searching")
    state = put(state, position_offset=0.5)  # while the file is looked for
    state = next_state(state, found=(start.source, replace(start.references, parameters=given), None))
    typed = {"bkg_order": 1, "extract_width": "six", "position_offset": 0.5, "smoothing_length": 3}
    assert {name: state.values[name] for name in typed} == typed
    assert state.problem.startswith("extract_width")


def test_what_was_drawn_stays_while_something_is_wrong(start):
    wrong = put(start, extract_width=-1)
    assert (wrong.stale.layout, wrong.stale.spectrum) == (start.layout, start.spectrum)
    worse = put(wrong, extract_width=-12)
    assert worse.stale is wrong.stale
    assert put(worse, extract_width=8.0).stale is None
    assert next_state(worse, choice=Choice()).stale is None
