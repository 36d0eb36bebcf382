"""Whether two spectra were extracted alike, and in what they were not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jdaviz_lrs.fluxcal.manner import CALIBRATED, Manner

__all__ = ["differing", "hardly_differing", "older"]

#: What has a number that rises with every delivery.
DELIVERED = ("photom file", "context")

MOST = 4
"""Differences that are named; more are counted."""


def differing(star: Manner, target: Manner) -> str:
    """Name what matters and is not alike, with both values; empty where all is."""
    return _named(star.matters, target.matters, set())


def hardly_differing(star: Manner, target: Manner) -> str:
    """Name what matters little and is not alike."""
    return _named(star.noted, target.noted, {CALIBRATED, *DELIVERED})


def older(star: Manner, target: Manner) -> str:
    """Name the reference files that are not those of the star any more."""
    known = [name for name in DELIVERED if star.noted.get(name) and target.noted.get(name)]
    then, now = ({name: one.noted[name] for name in known} for one in (star, target))
    return _named(then, now, set())


def _named(star: Mapping[str, Any], target: Mapping[str, Any], ignored: set[str]) -> str:
    names = [n for n in {**star, **target} if n not in ignored and star.get(n) != target.get(n)]
    told = [f"{name} {_word(star.get(name))} and {_word(target.get(name))}" for name in names[:MOST]]
    more = [f"{len(names) - MOST} more"] if len(names) > MOST else []
    return ", ".join([*told, *more])


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ("+".join(map(_word, value))) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
