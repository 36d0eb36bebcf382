"""A time series from files to x1dints: CPU and memory at two lengths, beside the step, and on two workers."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from stdatamodels.jwst.datamodels import MirLrsApcorrModel

from jdaviz_lrs import extract
from jdaviz_lrs.batch.engines import workers
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.simulate.references import write_apcorr
from tests.benchmarks.timing import verdict
from tests.slitless import integrations, number

SEGMENT = 500
SHORT, LONG = 1_000, 10_000
SAMPLE = 10
"""Integrations that the step is given."""

RUNS = 3

OPTIMAL = {
    "extraction_type": "optimal",
    "subtract_background": True,
    "bkg_order": 0,
    "refinements": ["trace", "width", "outliers", "variance"],
}
CASES = {
    "box": {},
    "box, outliers": {"refinements": ["outliers"]},
    "optimal, drift": {**OPTIMAL, "refinements": ["trace", "width", "variance"]},
    "optimal, drift, outliers": OPTIMAL,
}


def write_long_series(folder: Path, total: int, size: int = SEGMENT) -> list[Path]:
    """Write segments that differ in their numbers and times alone."""
    model = integrations(size)
    paths = []
    for segment in range(total // size):
        number(model, 1 + segment * size, total, segment + 1)
        path = folder / f"jw00001001001_03101_00001-seg{segment + 1:03d}_mirimage_calints.fits"
        model.save(path)
        paths.append(path)
    return paths


def slitless_apcorr(folder: Path) -> Path:
    """Write the correction of the slit as one for the subarray."""
    with MirLrsApcorrModel(write_apcorr(built_in_psf(), folder / "apcorr.fits")) as model:
        table = np.array(model.apcorr_table)
        table["subarray"] = "SLITLESSPRISM"
        with MirLrsApcorrModel(apcorr_table=table) as other:
            other.update(model)
            other.save(folder / "apcorr_slitless.fits")
    return folder / "apcorr_slitless.fits"


def alone(paths: list[Path], keywords: dict) -> tuple[float, float]:
    """Extract and write in a process of its own; seconds of CPU and GB at its peak."""
    job = json.dumps([[str(path) for path in paths], keywords])
    command = [sys.executable, "-m", "tests.benchmarks.series_speed", job]
    seconds, memory = subprocess.check_output(command, text=True).splitlines()[-1].split()
    return float(seconds), float(memory)


def extract_and_tell(paths: list[str], keywords: dict) -> None:
    """Say what an extraction, and writing it, costs; imports are none of it."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        extract(paths, **keywords).write(Path(folder) / "a_x1dints.fits")
    after = resource.getrusage(resource.RUSAGE_SELF)
    taken = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(taken, after.ru_maxrss / 1e6)


def step(path: Path, apcorr: Path, folder: Path) -> float:
    """Seconds of CPU that the pipeline's step takes for an integration."""
    from tests.extract1d_step import pipeline_spec

    aperture = {"id": "MIR_LRS-SLITLESS", "region_type": "target", "dispaxis": 2, "xstart": 31, "xstop": 42}
    reference = folder / "extract1d.json"
    reference.write_text(json.dumps({"apertures": [aperture]}))
    taken = []
    for _ in range(2):  # the first finishes imports
        start = time.process_time()
        pipeline_spec(str(path), reference, apcorr, use_source_posn=False)
        taken.append((time.process_time() - start) / SAMPLE)
    return taken[-1]


def two_workers(paths: list[Path], keywords: dict) -> float:
    """How much faster two workers are than this process, with results that are the same."""
    here: list[float] = []
    there: list[float] = []
    with workers(2) as client:
        for _ in range(RUNS + 1):
            found = []
            for engine, seconds in ((client, there), (None, here)):
                start = time.perf_counter()
                found.append(extract(paths, client=engine, **keywords))
                seconds.append(time.perf_counter() - start)
            one, other = found
            assert all(
                np.array_equal(one.table[name], other.table[name], equal_nan=True) for name in one.table
            )
    return median(here[1:]) / median(there[1:])  # the first fills caches and finishes imports


def main() -> int:
    """Print the table, and whether what was asked for is met."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        apcorr, sample = slitless_apcorr(folder), folder / "sample_calints.fits"
        corrected = {"override_apcorr": str(apcorr)}
        paths = write_long_series(folder, LONG)
        integrations(SAMPLE).save(sample)
        theirs = step(sample, apcorr, folder)
        print(f"load {os.getloadavg()[0]:.1f}; the step takes {theirs * 1e3:.0f} ms of CPU an integration")
        print(f"{'integrations':26}{SHORT:>7} s{LONG:>7} s{'ms each':>9}{SHORT:>8} GB{LONG:>7} GB")
        for case, parameters in CASES.items():
            box = case.startswith("box")
            keywords = parameters | corrected if box else parameters
            (few, small), (many, large) = (alone(paths[: n // SEGMENT], keywords) for n in (SHORT, LONG))
            each = (many - few) / (LONG - SHORT)
            speed = f"60 s {verdict(many, 60)}, " + (
                f"{theirs / each:.0f} times the step, 150 {verdict(theirs / each, 150, at_least=True)}"
                if box
                else f"3 ms {verdict(each * 1e3, 3)}"
            )
            print(f"{case:26}{few:9.1f}{many:9.1f}{each * 1e3:9.2f}{small:11.2f}{large:10.2f}  {speed}")
        for case in ("box", "optimal, drift, outliers"):
            ratio = two_workers(paths, CASES[case])
            told = verdict(ratio, 1.7, at_least=True)
            print(
                f"two workers, {case}: {ratio:.2f} times as fast, 1.7 {told}; load {os.getloadavg()[0]:.1f}"
            )
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        extract_and_tell(*json.loads(sys.argv[1]))
    else:
        raise SystemExit(main())
