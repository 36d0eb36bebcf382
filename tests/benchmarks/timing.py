"""Timing of several ways to do one thing, in turn, so that a busy machine is busy for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def medians(cases: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Call every case in turn, `runs` times; returns the median seconds of each."""
    for call in cases.values():
        call()  # fills caches and finishes imports
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, call in cases.items():
            start = perf_counter()
            call()
            seconds[name].append(perf_counter() - start)
    return {name: median(taken) for name, taken in seconds.items()}


def verdict(value: float, limit: float, at_least: bool = False) -> str:
    """Say whether a target is met."""
    met = value >= limit if at_least else value <= limit
    return "met" if met else "MISSED"
