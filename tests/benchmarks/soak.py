"""Hours of work in one process: apps opened, used and closed. Memory, threads and descriptors must stay.

``python -m tests.benchmarks.soak --minutes 60`` prints a line a minute, and at the end whether all held.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

import psutil
from ipywidgets import Widget

from tests.whole_app import WholeApp

#: Apps alive at a time.
APPS = 2

#: Part of the time after which everything that is kept once is there, such as jdaviz's own caches.
WARM = 0.25

#: By how much memory may have grown since then.
LIMIT = 0.05

#: What is set, one after the other, in the panel.
CHANGES = (
    {"extract_width": 6.0},
    {"bkg_coeff": [[3.5], [9.5]]},
    {"bkg_fit": "median"},
    {"bkg_coeff": None, "bkg_fit": None},
    {"refinements": ["outliers"]},
    {"refinements": []},
    {"extraction_type": "optimal"},
    {"refinements": ["trace", "outliers"]},
    {"refinements": []},
    {"extraction_type": "box", "extract_width": None},
)


def use(path: Path) -> int:
    """Open a dataset in a new app, and extract from it; return how often."""
    from jdaviz import App

    app = App()
    app.load(str(path), format="JWST LRS")
    panel = app.plugins["LRS Extraction"]
    panel.keep_active = True
    for section in panel._obj.sections.values():
        section.opened = 0
    for changes in CHANGES:
        for name, value in changes.items():
            setattr(panel, name, value)
        panel.extract()
    return len(CHANGES)


def datasets(folder: Path, number: int) -> list[Path]:
    """Write exposures, s2d and cal in turn."""
    from jdaviz_lrs.simulate import Scene, simulate, write_exposure

    paths = []
    for seed in range(number):
        product = ("s2d", "cal")[seed % 2]
        paths.append(folder / f"exposure{seed}_{product}.fits")
        write_exposure(simulate(Scene(seed=seed), product, 1), paths[-1])
    return paths


@dataclass(frozen=True)
class Reading:
    """What the process holds, after collecting garbage."""

    memory: float
    threads: int
    descriptors: int
    widgets: int

    @classmethod
    def now(cls) -> Reading:
        """Read it."""
        gc.collect()
        process = psutil.Process()
        memory = process.memory_full_info().uss / 2**20
        return cls(memory, process.num_threads(), process.num_fds(), len(Widget.widgets))


def soak(minutes: float, say: Callable[[str], None] = print) -> list[Reading]:
    """Open, use and close apps for so long; return what the process held after each of them."""
    readings, extractions, told = [], 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        paths = cycle(datasets(Path(folder), 8))
        alive: deque[WholeApp] = deque()
        end = time.monotonic() + 60.0 * minutes
        while time.monotonic() < end or len(readings) < 8:
            alive.append(WholeApp())
            with alive[-1].at_work():
                extractions += use(next(paths))
            if len(alive) == APPS:
                alive.popleft().close()
            readings.append(Reading.now())
            if time.monotonic() > told + 60.0:
                told = time.monotonic()
                say(f"{len(readings)} apps, {extractions} extractions: {readings[-1]}")
        for app in alive:
            app.close()
    say(f"{len(readings)} apps, {extractions} extractions: {readings[-1]}")
    return readings


def problems(readings: list[Reading]) -> list[str]:
    """Say what did not stay, from the end of warming up to the last tenth."""
    first = int(WARM * len(readings))
    span = max(len(readings) // 10, 2)

    def at(start: int, name: str) -> float:
        return median(getattr(one, name) for one in readings[start : start + span])

    found = []
    for name in ("memory", "threads", "descriptors", "widgets"):
        before, after = at(first, name), at(len(readings) - span, name)
        limit = before * (1.0 + LIMIT) if name == "memory" else before
        if after > limit:
            found.append(f"{name} went from {before:g} to {after:g}")
    return found


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    os.environ["CRDS_PATH"] = tempfile.mkdtemp(prefix="crds-")
    os.environ["CRDS_SERVER_URL"] = "https://crds.invalid"
    warnings.simplefilter("ignore")
    found = problems(soak(minutes, lambda line: print(line, flush=True)))
    print("; ".join(found) or "Memory, threads, descriptors and widgets stayed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
