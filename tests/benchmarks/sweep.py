"""Every odd scene, product, PSF and extraction against the truth: thousands, so not part of `make bench`.

`python -m tests.benchmarks.sweep --kinds clean,bent --seeds 1,2 --out sweep.ecsv`. The scenes are those of
`tests.benchmarks.scenes`; a result is right, wrong, silent or accused as `tests.benchmarks.elsewhere` has it.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from astropy.stats import mad_std
from astropy.table import Table
from numpy.typing import NDArray

from jdaviz_lrs import LRSError, extract
from jdaviz_lrs.analysis.compare import SCATTER_ERROR
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.parameters import REFINEMENTS
from tests.benchmarks.elsewhere import (
    ABOUT_THE_FLUX,
    BANDS,
    BUILT_IN,
    PSFS,
    SHARED,
    Found,
    Seen,
    changes_of,
    compare,
    is_accused,
    print_row,
    references_of,
)
from tests.benchmarks.scenes import KINDS, PRODUCTS, Kind, products

CLEANED = "cleaned"
"""A box, with outliers left out."""
CLEANED_KINDS = ("clean", "cosmic")

MAY_BE_OFF = re.compile("may be off by|more may lie outside|which tell the flux to")
"""In further notes that speak of the flux: elsewhere has no scenes that they are about."""

LENT = "is given the wings of the built-in model"
SAID_OF = {"no wings": LENT, BUILT_IN: "by the built-in PSF may be off by"}
"""What is true of a PSF."""

NEEDED = re.compile("was dropped: without (\\w+) it leads away")
"""What else is to be chosen."""

NOT_THE_PROFILE = re.compile("the profile is not (that of the source|the source's)")
"""True of a wrong PSF."""

NO_CHANCE = 5.0
"""Errors; by more no wavelength is off by chance, so that something is wrong with a pixel."""

NO_SKY, HIGHEST_SKY = 2.5, 44.5
"""Columns of the slit where background may be taken."""
BELOW, ABOVE, LEAST_SKY = 12.7, 10.3, 10.0
"""Pixels from the outermost sources to the background; column to which it reaches at least."""
FIRST_TRACE = 30.2
"""Column of the first nod's trace in the slit."""


@dataclass(frozen=True)
class Row:
    """One extraction, what it was of and how it fared; `problem` is what it was refused with, if it was.

    Attributes
    ----------
    seed, kind, product, psf, extraction
        What was extracted, and how.
    found : Found or None
        How it compares with the truth.
    pull_all : float
        Width of the pulls of all bands together.
    pulls : tuple of float
        The same band by band.
    numbers : tuple of int
        Wavelengths in each band.
    hit : int
        Wavelengths, beyond the bands too, that are off by more than chance would have it.
    accused : bool
        Whether it is right and said to be wrong; naming what is there is no accusation.
    notes : str
        Every note, with a bar between.
    seconds : float
    problem : str
    """

    seed: int
    kind: str
    product: str
    psf: str
    extraction: str
    found: Found | None = None
    pull_all: float = np.nan
    pulls: tuple[float, ...] = (np.nan,) * len(BANDS)
    numbers: tuple[int, ...] = (0,) * len(BANDS)
    hit: int = 0
    accused: bool = False
    notes: str = ""
    seconds: float = 0.0
    problem: str = ""

    @property
    def family(self) -> str:
        """Of the product: detector pixels, or rectified ones."""
        return self.product.partition("-")[0]

    @property
    def worst(self) -> float:
        """Size of the largest bias, in percent."""
        return max(abs(bias) for bias in self.found.bias)

    @property
    def is_silent(self) -> bool:
        """Whether it is wrong and does not say so."""
        return self.found.is_wrong and not self.found.speaks


@dataclass(frozen=True)
class Task:
    """What one worker does: a scene, and what is to be made of it."""

    kind: str
    seed: int
    products: tuple[str, ...]
    singles: bool
    exact_variance: bool


def pulls_of(spectrum: ExtractedSpectrum, seen: Seen) -> NDArray[np.float64]:
    """Deviations from the truth over their errors; NaN where either is not known."""
    true = np.interp(spectrum.wavelength, seen.wavelength, seen.flux, left=np.nan, right=np.nan)
    return (spectrum.flux - true) / np.where(spectrum.flux_error > 0, spectrum.flux_error, np.nan)


def in_bands(wavelength: NDArray[np.float64], pull: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return what is known in each band."""
    bands = [(wavelength >= a) & (wavelength < b) for a, b in BANDS]
    return tuple(pull[band & np.isfinite(pull)] for band in bands)


def sky_regions(kind: Kind) -> list[list[float]]:
    """Return background regions as a user would: on both sides of all sources, where there is room."""
    places = [FIRST_TRACE + offset for offset in (0.0, *(at for at, _ in kind.companions))]
    regions = [[NO_SKY], [max(min(places) - BELOW, LEAST_SKY)]]
    # regions move with the source, and what they must not leave, the slit, then moves the other way
    start, end = max(places) + ABOVE, HIGHEST_SKY - kind.nod_shift
    return regions + ([[start], [end]] if start < end - 1 else [])


def changes(seen: Seen, kind: Kind, extraction: str) -> dict[str, object]:
    """Return the parameters of an extraction."""
    if extraction in REFINEMENTS:
        return changes_of(seen.image, "none") | {"refinements": (extraction,)}
    if extraction not in ("box", CLEANED):
        return changes_of(seen.image, extraction)
    given = changes_of(seen.image, "box")
    given |= {"bkg_coeff": sky_regions(kind)} if "bkg_coeff" in given else {}
    return given | ({"refinements": ("outliers",)} if extraction == CLEANED else {})


def combinations(kind: Kind, seen: Seen, singles: bool) -> Iterator[tuple[str, str]]:
    """Kinds of PSF and of extraction."""
    yield "right", "box"
    if kind.name in CLEANED_KINDS:
        yield "right", CLEANED
    has_sky = seen.image.observation.bkg_subtract != "COMPLETE"
    alone = [name for name in REFINEMENTS if has_sky or name != "background"] if singles else []
    for psf in PSFS:
        for extraction in ("none", "all", *alone):
            yield psf, extraction


def extract_one(task: Task, product: str, seen: Seen, psf: str, extraction: str) -> Row:
    """Extract once, and compare with the truth."""
    kind, began = KINDS[task.kind], perf_counter()
    of = {"seed": task.seed, "kind": task.kind, "product": product, "psf": psf, "extraction": extraction}
    try:
        spectrum = extract(seen.image, references=references_of(seen, psf), **changes(seen, kind, extraction))
    except LRSError as error:
        return Row(**of, problem=str(error), seconds=perf_counter() - began)
    seconds = perf_counter() - began
    told = about_the_flux(spectrum.notes)
    there = seen.present | ({"width"} if psf != "right" else set())
    expected = [note for note in told if SAID_OF.get(psf, "\n") in note]
    expected += [note for note in told if note.startswith(kind.expected) or names_what_is(note, there)]
    surprising = set(told) - set(expected)
    found, every = replace(compare(spectrum, seen), notes=len(told)), pulls_of(spectrum, seen)
    pulls, hit = in_bands(spectrum.wavelength, every), int((np.abs(every) > NO_CHANCE).sum())
    present = seen.present | ({"outliers"} if hit else set())
    return Row(
        **of,
        found=found,
        pull_all=float(mad_std(np.concatenate(pulls))),
        pulls=tuple(float(mad_std(pull)) for pull in pulls),
        numbers=tuple(pull.size for pull in pulls),
        hit=hit,
        accused=found.is_right and is_accused(psf, replace(found, notes=len(surprising)), present),
        notes=" | ".join(spectrum.notes),
        seconds=seconds,
    )


def about_the_flux(notes: Iterable[str]) -> list[str]:
    """Return the notes that say something is wrong with the flux."""
    return [note for note in notes if ABOUT_THE_FLUX.search(note) or MAY_BE_OFF.search(note)]


def names_what_is(note: str, there: Collection[str]) -> bool:
    """Whether a note names what is there: a refinement that is needed, or a profile that is another."""
    if NOT_THE_PROFILE.search(note):
        return "width" in there
    needed = NEEDED.search(note)
    return needed is not None and needed[1] in there


def work(task: Task) -> list[Row]:
    """Draw a scene and extract it in every way."""
    quiet()
    kind, rows = KINDS[task.kind], []
    for name, seen in products(kind, task.seed, task.products, noisy_variance=not task.exact_variance):
        ways = combinations(kind, seen, task.singles)
        rows += [extract_one(task, name, seen, *way) for way in ways]
    return rows


def quiet() -> None:
    """Let neither the pipeline nor numpy talk."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")


def all_rows(tasks: list[Task], jobs: int) -> Iterator[list[Row]]:
    """Do the tasks, in their order with one process, as they are ready with several."""
    if jobs == 1:
        yield from map(work, tasks)
        return
    # started afresh, as threads of the libraries do not survive a fork; each reads these when it starts
    os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, task) for task in tasks]):
            yield future.result()


def print_rows(rows: list[Row]) -> None:
    """Print how the extractions of one scene fared."""
    label = ""
    for row in rows:
        name = f"{row.kind} {row.seed}: {row.product}"
        if row.found is None:
            print(f"{name:32}{row.psf:17}{row.extraction:10}  {row.problem}", flush=True)
        else:
            print_row("" if name == label else name, row.psf, row.extraction, row.found)
        label = name


def table_of(rows: list[Row]) -> Table:
    """Put everything into a table, one extraction a row, for whatever is to be asked later."""
    return Table(rows=[flat(row) for row in rows])


def flat(row: Row) -> dict[str, object]:
    """Return what is to be told of an extraction, numbers of a band in columns of their own."""
    nothing = (np.nan,) * len(BANDS)
    found, columns = row.found, asdict(row)
    for name in ("found", "pulls", "numbers"):
        del columns[name]
    for band, (low, high) in enumerate(BANDS):
        number, name = row.numbers[band], f"{low:g}_{high:g}"
        columns[f"bias_{name}"] = (found.bias if found else nothing)[band]
        columns[f"bias_error_{name}"] = (found.bias_error if found else nothing)[band]
        columns[f"pull_{name}"] = row.pulls[band]
        columns[f"number_{name}"] = number
        columns[f"pull_error_{name}"] = SCATTER_ERROR / np.sqrt(number) if number else np.nan
    columns["pull_all_error"] = SCATTER_ERROR / np.sqrt(sum(row.numbers)) if sum(row.numbers) else np.nan
    columns |= {
        "beyond": found.beyond if found else -1,
        "advice": ", ".join(found.advice) if found else "",
        "notes_about_flux": found.notes if found else -1,
        "wrong": found is not None and found.is_wrong,
        "silent": found is not None and row.is_silent,
        "right": found is not None and found.is_right,
    }
    return columns


def print_biases(rows: list[Row]) -> None:
    """Print the worst and the median bias of `all`, kind by kind, for each PSF and family of products."""
    print("\nSize of the bias of 'all' in %, over bands, products and seeds: median / worst")
    for family in ("cal", "s2d"):
        of = [row for row in rows if row.family == family and row.extraction == "all"]
        if not of:
            continue
        print(f"{family:16}" + "".join(f"{psf:>18}" for psf in PSFS))
        for kind in _in_order(row.kind for row in of):
            cells = [_sizes(row for row in of if (row.kind, row.psf) == (kind, psf)) for psf in PSFS]
            print(f"{kind:16}" + "".join(f"{cell:>18}" for cell in cells))


def _sizes(rows: Iterable[Row]) -> str:
    sizes = np.array([np.abs(row.found.bias) for row in rows])
    return f"{np.median(sizes):.2f} / {sizes.max():.2f}" if sizes.size else ""


def _in_order(names: Iterable[str]) -> list[str]:
    """Return each name once, as they are listed in `KINDS`."""
    there = set(names)
    return [name for name in KINDS if name in there]


def print_judgements(rows: list[Row]) -> None:
    """Print how many were wrong, and silent of these; how many right, and accused of these."""
    print(f"\n{'':14}{'number':>8}{'wrong':>8}{'silent':>8}{'right':>8}{'accused':>9}")
    names = dict.fromkeys(row.extraction for row in rows)
    for name in (*names, ""):
        of = [row for row in rows if name in ("", row.extraction)]
        wrong, silent = sum(row.found.is_wrong for row in of), sum(row.is_silent for row in of)
        right, accused = sum(row.found.is_right for row in of), sum(row.accused for row in of)
        print(f"{name or 'all of them':14}{len(of):8}{wrong:8}{silent:8}{right:8}{accused:9}")
    _list("Wrong and silent", rows, lambda row: row.is_silent)
    _list("Right and accused", rows, lambda row: row.accused)


def _list(head: str, rows: list[Row], chosen: Callable[[Row], bool]) -> None:
    """Print which extractions are meant."""
    for row in filter(chosen, rows):
        where = f"{row.kind} {row.seed}, {PRODUCTS[row.product]}, {row.psf} PSF, {row.extraction}"
        numbers = ", ".join(f"{bias:.2f}" for bias in row.found.bias)
        said = ", ".join(row.found.advice) or "no advice"
        numbers = f"{numbers} %, pulls {row.found.pull_width:.2f}"
        print(f"{head}: {where}: {numbers}; {said}; {row.notes or 'no note'}")


def print_pulls(rows: list[Row]) -> None:
    """Print the pulls of `all` with the right PSF on cal, and what noise alone does to them."""
    of = [row for row in rows if (row.family, row.psf, row.extraction) == ("cal", "right", "all")]
    if not of:
        return
    print("\nPulls of 'all' on cal with the right PSF: lowest to highest of products and seeds")
    names = [f"{a:g}-{b:g}" for a, b in BANDS]
    print(f"{'':16}" + "".join(f"{name:>14}" for name in names) + f"{'together':>14}")
    for kind in _in_order(row.kind for row in of):
        pulls = np.array([(*row.pulls, row.pull_all) for row in of if row.kind == kind])
        ranges = zip(pulls.min(axis=0), pulls.max(axis=0), strict=True)
        print(f"{kind:16}" + "".join(f"{f'{low:.2f} to {high:.2f}':>14}" for low, high in ranges))
    numbers = np.median([(*row.numbers, sum(row.numbers)) for row in of], axis=0)
    noise = "".join(f"{f'+- {SCATTER_ERROR / np.sqrt(number):.2f}':>14}" for number in numbers)
    print(f"{'noise alone':16}{noise}")


def print_outliers(rows: list[Row]) -> None:
    """Print how many points are beyond 10 sigma with the right PSF, at worst."""
    of = [row for row in rows if row.psf == "right"]
    ways = [way for way in ("box", CLEANED, "none", "all") if any(row.extraction == way for row in of)]
    print("\nPoints beyond 10 sigma with the right PSF, most of any product and seed: cal, s2d")
    print(f"{'':16}" + "".join(f"{way:>16}" for way in ways))
    for kind in _in_order(row.kind for row in of):
        cells = [
            ", ".join(
                str(max((row.found.beyond for row in of if _is(row, kind, way, family)), default="-"))
                for family in ("cal", "s2d")
            )
            for way in ways
        ]
        print(f"{kind:16}" + "".join(f"{cell:>16}" for cell in cells))


def _is(row: Row, kind: str, extraction: str, family: str) -> bool:
    return (row.kind, row.extraction, row.family) == (kind, extraction, family)


def listed(allowed: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Make a reader of names with commas between."""
    names = tuple(allowed)

    def reader(text: str) -> tuple[str, ...]:
        chosen = tuple(part.strip() for part in text.split(","))
        if unknown := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(names)}")
        return chosen

    return reader


def numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between."""
    return tuple(int(part) for part in text.split(","))


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", type=listed(KINDS), default=tuple(KINDS), help=", ".join(KINDS))
    parser.add_argument(
        "--products", type=listed(PRODUCTS), default=tuple(PRODUCTS), help=", ".join(PRODUCTS)
    )
    parser.add_argument("--seeds", type=numbers, default=(1,), help="each is another draw: 1,2,3")
    parser.add_argument("--singles", action="store_true", help="each refinement alone, too")
    parser.add_argument("--exact-variance", action="store_true", help="not from the noisy pixels")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="ECSV table to write")
    return parser.parse_args(given)


def main() -> None:
    """Measure, print, and keep."""
    asked = arguments()
    quiet()
    if not SHARED.is_dir():
        print("The shared scene is not beside the repository, and without it there are none of these.")
        return
    tasks = [
        Task(kind, seed, asked.products, asked.singles, asked.exact_variance)
        for kind in asked.kinds
        for seed in asked.seeds
    ]
    print(
        "Median bias in %, width of the pulls (of the worst band), points beyond 10 sigma, and what it says"
    )
    heads = ("5-8", "8-11", "11-13.5", "+-", "pulls", ">10")
    print(f"{'image':32}{'PSF':17}{'':10}" + "".join(f"{head:>8}" for head in heads) + "  says")
    rows: list[Row] = []
    for some in all_rows(tasks, asked.jobs):
        rows += some
        print_rows(some)
        if asked.out:  # after each scene, so that little is lost where the rest is not waited for
            table_of(rows).write(asked.out, format="ascii.ecsv", overwrite=True)
    done = [row for row in rows if row.found is not None]
    if refused := len(rows) - len(done):
        print(f"\n{refused} were refused.")
    for show in (print_biases, print_judgements, print_pulls, print_outliers):
        show(done)


if __name__ == "__main__":
    main()
