"""Trail: the values that the panel's parameters had, to go back to and forward again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MOST", "Pauses", "Trail", "back", "changed", "forth"]

Values = Mapping[str, Any]

#: How many changes can be undone.
MOST = 100

#: Seconds without a key after which the next one begins another change.
PAUSE = 1.0


@dataclass(frozen=True)
class Trail:
    """What was changed in the parameters of one dataset.

    Attributes
    ----------
    done : tuple of Mapping
        The values before each change, the oldest first.
    undone : tuple of Mapping
        The values after each change that was taken back, the one that comes next last.
    gesture : object
        What the last change was a part of, such as one drag of the mouse; None for a change by itself.
    """

    done: tuple[Values, ...] = ()
    undone: tuple[Values, ...] = ()
    gesture: object = None


def changed(trail: Trail, before: Values, gesture: object = None) -> Trail:
    """Take notice of a change; several of the same gesture are one.

    Parameters
    ----------
    trail : Trail
    before : Mapping
        The values that are no more.
    gesture : object, optional
        What the change is a part of, told by identity.

    Returns
    -------
    Trail
    """
    if gesture is not None and gesture is trail.gesture and trail.done:
        return Trail(trail.done, (), gesture)
    return Trail((*trail.done, before)[-MOST:], (), gesture)


def back(trail: Trail, now: Values) -> tuple[Trail, Values]:
    """Take the last change back; without one the values stay.

    Returns
    -------
    trail : Trail
    values : Mapping
    """
    if not trail.done:
        return trail, now
    return Trail(trail.done[:-1], (*trail.undone, now)), trail.done[-1]


def forth(trail: Trail, now: Values) -> tuple[Trail, Values]:
    """Make the change again that was taken back last; without one the values stay.

    Returns
    -------
    trail : Trail
    values : Mapping
    """
    if not trail.undone:
        return trail, now
    return Trail((*trail.done, now), trail.undone[:-1]), trail.undone[-1]


class Pauses:
    """Tells the keys that follow each other in one field from those that come after a pause.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._name, self._at, self._gesture = "", -PAUSE, object()

    def gesture(self, name: str) -> object:
        """Return the gesture that a change of this field is a part of."""
        now = self._clock()
        if name != self._name or now - self._at > PAUSE:
            self._gesture = object()
        self._name, self._at = name, now
        return self._gesture
