"""Hours of work in one process: does memory stay, and do threads and descriptors go?

``python -m tests.benchmarks.soak`` works in two apps that stay open, from one dataset to the next,
then opens and closes apps: half of them with nothing done, half with every kind of extraction.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

import psutil
import solara.comm
from ipywidgets import Widget

from tests.whole_app import WholeApp

#: How much memory may grow, from the first quarter on: the caches are full by then.
LIMIT, WARM = 0.05, 0.25

#: What is set in the panel, one after the other; an extraction follows each.
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


@dataclass(frozen=True)
class Reading:
    """What the process holds when garbage is collected.

    Attributes
    ----------
    memory : float
        MB that are its own: what is mapped of files (libraries) counts as shared one minute and not the next,
        by what other processes of the machine use.
    threads, descriptors, widgets : int
    """

    memory: float
    threads: int
    descriptors: int
    widgets: int

    @classmethod
    def now(cls) -> Reading:
        solara.comm.orphan_comm_stacks.clear()  # what solara notes of widgets outside of a page
        gc.collect()
        process = psutil.Process()
        held = process.memory_info()
        memory = (held.rss - held.shared) / 2**20
        return cls(memory, threading.active_count(), process.num_fds(), len(Widget.widgets))


def datasets(folder: Path, number: int) -> list[Path]:
    """Write exposures, s2d and cal in turn."""
    from jdaviz_lrs.simulate import Scene, simulate, write_exposure

    paths = []
    for seed in range(number):
        product = ("s2d", "cal")[seed % 2]
        paths.append(folder / f"exposure{seed}_{product}.fits")
        write_exposure(simulate(Scene(seed=seed), product, 1), paths[-1])
    return paths


def opened(*paths: Path):
    """Return an app with datasets, and its panel with every section open."""
    from jdaviz import App

    app = App()
    for path in paths:
        app.load(str(path), format="JWST LRS", auto_extract=False)
    panel = app.plugins["LRS Extraction"]
    panel.keep_active = True
    for section in panel._obj.sections.values():
        section.opened = 0
    return app, panel


def work(panel) -> int:
    """Extract with one set of parameters after the other; return how often."""
    for changes in CHANGES:
        for name, value in changes.items():
            setattr(panel, name, value)
        panel.add_results.label = "soaked"  # one spectrum, each taking the place of the last
        panel.extract()
    return len(CHANGES)


def stay(paths: list[Path], minutes: float, least: int, say: Callable[[str], None]) -> list[Reading]:
    """Work in two apps that stay open; return what the process held after every round."""
    panels = [opened(*paths)[1] for _ in range(2)]
    labels = [cycle(panel.dataset.choices) for panel in panels]
    readings, extractions, end = [], 0, time.monotonic() + 60.0 * minutes
    while time.monotonic() < end or extractions < least:
        for panel, names in zip(panels, labels, strict=True):
            panel.dataset = next(names)
            extractions += work(panel)
        readings.append(Reading.now())
        say(f"{extractions} extractions: {readings[-1]}")
    return readings


def close(paths: list[Path], number: int, used: bool, say: Callable[[str], None]) -> list[Reading]:
    """Open an app with a dataset and close it again, so often; return what the process held after each."""
    readings = []
    for turn in range(number):
        whole = WholeApp()
        with whole.at_work():
            app, panel = opened(paths[turn % len(paths)])
            if used:
                work(panel)
        whole.close()
        del app, panel
        readings.append(Reading.now())
        if turn % 10 == 9:
            say(f"{turn + 1} apps {'used' if used else 'opened'} and closed: {readings[-1]}")
    return readings


def grown(readings: list[Reading], when: str) -> list[str]:
    """Say what has grown."""
    first, span = int(WARM * len(readings)), max(len(readings) // 10, 1)
    parts = readings[first : first + span], readings[-span:]
    found = []
    for name, limit in (("memory", 1.0 + LIMIT), ("threads", 1.0), ("descriptors", 1.0), ("widgets", 1.0)):
        before, after = (median(getattr(one, name) for one in part) for part in parts)
        if after > limit * before:
            found.append(f"{name} went from {before:.4g} to {after:.4g} while {when}")
    return found


def soak(minutes: float, extractions: int, closings: int, say: Callable[[str], None] = print) -> list[str]:
    """Return what did not stay; each sentence has its numbers."""
    with tempfile.TemporaryDirectory() as folder:
        paths = datasets(Path(folder), 8)
        found = grown(stay(paths, 0.5 * minutes, extractions, say), "apps stayed open")
        for used, done in ((False, "opened"), (True, "worked in")):
            found += grown(close(paths, closings // 2, used, say), f"apps were {done} and closed")
    return found


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="half of them in apps that stay open")
    parser.add_argument("--extractions", type=int, default=2000, help="at least, in apps that stay open")
    parser.add_argument("--closings", type=int, default=200, help="half of them after work in the app")
    asked = parser.parse_args()
    os.environ["CRDS_PATH"] = tempfile.mkdtemp(prefix="crds-")
    os.environ["CRDS_SERVER_URL"] = "https://crds.invalid"
    warnings.simplefilter("ignore")
    found = soak(asked.minutes, asked.extractions, asked.closings, lambda line: print(line, flush=True))
    print("; ".join(found) or "Memory, threads, descriptors and widgets stayed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
