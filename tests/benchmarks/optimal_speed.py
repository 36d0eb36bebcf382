"""Optimal extraction of one cal image in memory: ours, refined or not, and the pipeline's step."""

from __future__ import annotations

import logging
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.benchmarks.timing import medians, verdict
from tests.draws import MISFIT
from tests.extract1d_step import pipeline_x1d


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    psf = simulated_psf()
    plain = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
    refined = replace(plain, refinements=("all",))
    model = to_model(simulate(Scene(bad_pixels=25, noisy_variance=True), "cal"))
    image = from_datamodel(model)
    busy = Scene(noisy_variance=True, companion_ratio=0.5, companion_offset=-7.0, cosmic_rays=40, **MISFIT)
    crowded = from_datamodel(to_model(simulate(busy, "cal")))
    with tempfile.TemporaryDirectory() as folder:
        files = (
            BUILT_IN_EXTRACT1D.write(Path(folder, "e.json")),
            None,
            write_psf(psf, Path(folder, "psf.fits")),
        )
        fast = {
            "ours": lambda: extract_optimal(image, plain, psf),
            "as the pipeline": lambda: extract_optimal(image, replace(plain, pipeline_compatible=True), psf),
            "all": lambda: extract_optimal(image, refined, psf),
            "all, companion": lambda: extract_optimal(crowded, refined, psf),
        }
        choice = {"extraction_type": "optimal", "use_source_posn": True}
        slow = {"pipeline": lambda: pipeline_x1d(model, *files, **choice)}
        times = medians(fast, runs=20) | medians(slow, runs=3)
    ms = {name: 1e3 * seconds for name, seconds in times.items()}
    print("Optimal extraction of one cal (387 x 44) with nod and optimised location, in memory, medians, ms")
    rows = (
        ("no refinement", "ours", 60),
        ("  pipeline_compatible", "as the pipeline", 60),
        ("  the pipeline's step", "pipeline", None),
        ("all refinements", "all", 250),
        ("  with a companion and 40 cosmic rays", "all, companion", 250),
    )
    for label, name, limit in rows:
        target = (
            f"<= {limit} ms {verdict(ms[name], limit)}" if limit else f"{ms[name] / ms['ours']:.0f} x ours"
        )
        print(f"{label:45}{ms[name]:8.1f}   {target}")


if __name__ == "__main__":
    main()
