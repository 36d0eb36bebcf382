"""From a changed width to the updated marks: our panel and jdaviz's own, in the kernel and on the screen."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import median

from jdaviz import App as Jdaviz
from playwright.sync_api import Error, Locator, sync_playwright

from jdaviz_lrs.simulate import Scene, write_observation
from tests.benchmarks.timing import medians, verdict
from tests.browser import servers
from tests.browser.app import App
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.panel import open_section, show_tab

Call = Callable[[], object]

#: Other widths in turn, so that there is something to do.
WIDTHS = (9, 10, 11, 12, 6, 7, 8)

#: Of Inspect, that follow every change.
SECTIONS = ("Verdict", "Cross-dispersion profile", "Best width")

BACKGROUND = [[18.5], [24.5], [36.5], [42.5]]


def ours(s2d: Path, **parameters):
    """Return our panel, active on a file."""
    panel = _loaded(s2d, "JWST LRS").plugins["LRS Extraction"]
    for name, value in parameters.items():
        setattr(panel, name, value)
    panel.keep_active = True
    return panel


def theirs(s2d: Path):
    """Return jdaviz's panel, active on the same file; a boxcar along its fitted trace."""
    panel = _loaded(s2d, "2D Spectrum").plugins["2D Spectral Extraction"]
    panel.ext_type = "Boxcar"
    panel.keep_active = True
    return panel


def _loaded(s2d: Path, form: str) -> Jdaviz:
    app = Jdaviz()
    app.load(str(s2d), format=form)
    return app


def changing(panel, name: str, values=WIDTHS) -> Call:
    """Give a parameter of a panel another value, call by call."""
    values = cycle(values)
    return lambda: setattr(panel, name, next(values))


def painted(s2d: Path) -> dict[str, float] | None:
    """Return the seconds from a typed width to the first frame with other marks; None without a browser."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        shutil.copy(s2d, folder / "s2d.fits")
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        except Error:
            return None
        with servers.jdaviz(folder, folder / "server.log") as server:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(server.url)
            app = App(page, folder)
            app.launch()
            app.load("s2d.fits")
            panel = app.open_panel("LRS Extraction")
            field = panel.get_by_label("Width (pixels)", exact=True)
            app.settle()
            for viewer in (0, 1):
                app.delay_of(field, str(13 + viewer), viewer)
            times = _delays(app, field)
            for title in SECTIONS:
                open_section(panel, title)
            app.settle()
            show_tab(panel, "Set up")
            app.delay_of(field, "13", 1)
            times |= {f"{what}, Inspect open": delay for what, delay in _delays(app, field).items()}
            browser.close()
            return times


def _delays(app: App, field: Locator) -> dict[str, float]:
    return {
        what: 1e-3 * median(app.delay_of(field, str(width), viewer) for width in WIDTHS * 3)
        for viewer, what in ((0, "aperture"), (1, "spectrum"))
    }


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        files = write_observation(folder, Scene())
        box = ours(files["nod1_nobsub_s2d"], bkg_coeff=BACKGROUND)
        optimal = ours(files["nod1_cal"], extraction_type="optimal")
        cases = {
            "box": changing(box, "extract_width"),
            "optimal": changing(optimal, "position_offset", (0.1, 0.2, 0.3, 0.0)),
            "jdaviz": changing(theirs(files["nod1_nobsub_s2d"]), "ext_width"),
        }
        times = medians(cases, runs=50)
        screen = painted(files["nod1_nobsub_s2d"])
    report({name: 1e3 * seconds for name, seconds in times.items()})
    if screen is None:
        print("to the screen: not measured, there is no Chromium")
    else:
        for what, seconds in screen.items():
            row(f"typed width to the painted {what}", 1e3 * seconds, 250)


def report(ms: dict[str, float]) -> None:
    """Print the times in the kernel; milliseconds in."""
    print("From a change in the panel to the updated marks, medians, ms")
    row("box with a background: another width", ms["box"], 15)
    row("optimal on a nod-subtracted cal: another place", ms["optimal"], 80)
    print(f"{'  jdaviz 2D Spectral Extraction, boxcar: another width':58}{ms['jdaviz']:>8.1f}")


def row(label: str, ms: float, limit: float) -> None:
    """Print a time and whether it is short enough."""
    print(f"{label:58}{ms:>8.1f}   <= {limit:g} ms {verdict(ms, limit)}")


if __name__ == "__main__":
    main()
