"""Optimal extraction of simulated detector images against the truth: ours and the pipeline's."""

from __future__ import annotations

import logging
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from jdaviz_lrs.engine.optimal import fit_profiles
from jdaviz_lrs.engine.profile import profile_grid
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.extraction.traces import place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate import simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.benchmarks.timing import verdict
from tests.draws import SCENES, accuracy
from tests.extract1d_step import pipeline_x1d

PSF = simulated_psf()
NONE = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
CHOICES = {
    "pipeline": replace(NONE, pipeline_compatible=True),
    "none": NONE,
    "all": replace(NONE, refinements=("all",)),
}
NUMBER, NUMBER_FAINT = 12, 2400
"""Draws, so that a bias is known to a third of its limit; a faint source needs many."""


def bias_limit(name: str) -> float:
    """Largest bias, in percent, that `all` may leave."""
    return 0.5 if "companion" in name or "wider" in name else 0.3


def cramer_rao(name: str) -> np.ndarray:
    """Least standard deviation of the flux over the flux, (n_disp,): from the noise-free variances."""
    observation = simulate(replace(SCENES[name], noisy_variance=False), "cal")
    image = from_datamodel(to_model(observation))
    traces = place_traces(image, NONE)
    grid = profile_grid(
        PSF.data, PSF.wavelength, PSF.subpix, PSF.center_col, image.wavelength, image.xdisp_index
    )
    profiles = np.stack([grid.place(t).value for t in (traces.source, *traces.nods)])
    weights = np.divide(1.0, image.variance, out=np.zeros(image.shape), where=image.good)
    fit = fit_profiles(image.filled, image.variances, weights, profiles, np.linspace(-1, 1, image.n_xdisp))
    return (
        np.sqrt(fit.flux_var[0].sum(axis=0))
        / np.interp(-image.row_wavelength, -observation.truth.wavelength, observation.truth.flux)
        * (image.pixel_area * 1e6)
    )


def check_the_pipeline() -> float:
    """Largest relative difference of `pipeline_compatible` from the step itself, on one image."""
    with tempfile.TemporaryDirectory() as folder:
        psf, extract1d = (
            write_psf(PSF, Path(folder, "psf.fits")),
            BUILT_IN_EXTRACT1D.write(Path(folder, "e.json")),
        )
        model = to_model(simulate(SCENES["clean"], "cal"))
        image = from_datamodel(model)
        theirs = pipeline_x1d(model, extract1d, None, psf, extraction_type="optimal", use_source_posn=True)
    mine = extract_optimal(image, CHOICES["pipeline"], PSF)
    flux = mine.flux[np.isfinite(mine.wavelength)] * image.pixel_area * 1e6
    return float(np.nanmax(np.abs(flux / theirs["FLUX"] - 1)))


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    print(
        "Optimal extraction of simulated cal images: median bias in %, scatter in % and over the Cramer-Rao"
    )
    print("bound, width of the pulls, points beyond 10 sigma per spectrum. 'pipeline': its algorithm, by")
    print(f"pipeline_compatible (from the step itself it differs by at most {check_the_pipeline():.1e}).")
    heads = ("scene", "", "5-8", "8-11", "11-13.5", "+-", "scatter", "/bound", "pulls", ">10")
    print(("{:38}{:10}" + 8 * "{:>8}").format(*heads))
    for name, scene in SCENES.items():
        number = NUMBER_FAINT if "S/N" in name else NUMBER
        results = {kind: accuracy(scene, p, PSF, number) for kind, p in CHOICES.items()}
        bound = cramer_rao(name)
        for kind, found in results.items():
            ratio = found.flux.std(axis=0, ddof=1) / bound
            ratio = float(np.sqrt(np.nanmean(ratio[np.isfinite(ratio)][20:-20] ** 2)))
            numbers = (*found.bias, found.bias_error, found.scatter, ratio, found.pull_width, found.beyond)
            label = name if kind == "pipeline" else ""
            print(f"{label:38}{kind:10}" + "".join(f"{n:8.2f}" for n in numbers))
        ours = results["all"]
        worst, limit = max(abs(b) for b in ours.bias), bias_limit(name)
        print(
            f"{'':38}bias <= {limit} % {verdict(worst, limit)}; pulls 0.95-1.05 "
            f"{verdict(abs(ours.pull_width - 1), 0.05)}; beyond 10 sigma <= 1 {verdict(ours.beyond, 1)}; "
            f"scatter {verdict(ours.scatter, 1.02 * results['pipeline'].scatter)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
