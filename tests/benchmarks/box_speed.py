"""Box extraction of one s2d in memory: ours, the pipeline's step and specreduce, side by side."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy import units
from astropy.nddata import NDData, VarianceUncertainty
from specreduce.extract import BoxcarExtract
from specreduce.tracing import FlatTrace
from stdatamodels.jwst.datamodels import SlitModel

from jdaviz_lrs import extract, read
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.verdict import judge_box
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, write_observation
from tests.benchmarks.timing import medians, verdict
from tests.extract1d_step import pipeline_spec

Call = Callable[[], object]

JUDGED = {"plain": "verdict", "fitted": "fitted verdict"}

BACKGROUND = {
    "bkg_coeff": [[18.5], [24.5], [36.5], [42.5]],
    "bkg_fit": "poly",
    "bkg_order": 1,
    "smoothing_length": 21,
    "use_source_posn": True,
}


def ours(s2d: Path, extract1d: Path, apcorr: Path) -> tuple[Call, Call]:
    """Everything from an image in memory to the spectrum with its errors and notes; its verdict alone."""
    image = read(s2d)
    references = find_references(image, extract1d, apcorr)
    plan = ExtractionPlan(image, references.parameters, references)
    spectrum, good = plan.extract(), plan.seen.good
    subtracted = None if plan.background is None else plan.background.image

    def judge() -> object:
        return judge_box(image, references, plan.placement, subtracted, spectrum, good)

    return lambda: extract(image, references=references), judge


def pipeline(s2d: Path, extract1d: Path, apcorr: Path) -> Call:
    """Extract1dStep.process; it reads its reference files every time."""
    model = SlitModel(s2d)
    return lambda: pipeline_spec(model, extract1d, apcorr)


def specreduce(s2d: Path) -> Call:
    """A boxcar of the same width, with its uncertainty; no correction and no surface brightness."""
    with SlitModel(s2d) as model:
        data, variance = np.array(model.data).T, np.array(model.err).T ** 2
    image = NDData(
        np.nan_to_num(data) * units.MJy / units.sr,
        uncertainty=VarianceUncertainty(np.nan_to_num(variance)),
        mask=np.isnan(data),
    )
    trace = FlatTrace(image, 30.5)
    return lambda: BoxcarExtract(image, trace, width=8).spectrum


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        files = write_observation(folder, Scene(), cal=False)
        reference = json.loads(files["extract1d"].read_text())
        reference["apertures"][0] |= BACKGROUND
        files["background"] = Path(folder, "background.json")
        files["background"].write_text(json.dumps(reference))
        plain = files["nod1_nobsub_s2d"], files["extract1d"], files["apcorr"]
        fitted = files["nod1_nobsub_s2d"], files["background"], files["apcorr"]
        fast = {"boxcar": specreduce(plain[0])}
        fast["plain"], fast["verdict"] = ours(*plain)
        fast["fitted"], fast["fitted verdict"] = ours(*fitted)
        slow = {"pipeline": pipeline(*plain), "pipeline fitted": pipeline(*fitted)}
        times = medians(fast, runs=200) | medians(slow, runs=7)
    report({name: 1e3 * seconds for name, seconds in times.items()})


def report(ms: dict[str, float]) -> None:
    """Print the table; milliseconds in, ratios to ours without its verdict beside them."""
    plain, fitted = (ms[name] - ms[judged] for name, judged in JUDGED.items())
    boxcar, pipeline = ms["boxcar"] / plain, ms["pipeline"] / plain
    rows = [
        ("Box extraction of one s2d (387 x 46) in memory, medians", "ms", "x ours", ""),
        ("8 px aperture, errors, correction, verdict", *_limited(ms["plain"], 5)),
        ("  without the verdict", *_limited(plain, 1.5)),
        ("  specreduce", f"{ms['boxcar']:.2f}", f"{boxcar:.1f}", f">= 5 {verdict(boxcar, 5, True)}"),
        ("  pipeline", f"{ms['pipeline']:.1f}", f"{pipeline:.0f}", f">= 200 {verdict(pipeline, 200, True)}"),
        ("source position, background, smoothing, verdict", f"{ms['fitted']:.2f}", "", ""),
        ("  without the verdict", *_limited(fitted, 4)),
        ("  pipeline", f"{ms['pipeline fitted']:.1f}", f"{ms['pipeline fitted'] / fitted:.0f}", ""),
    ]
    for label, time, ratio, target in rows:
        print(f"{label:58}{time:>8}{ratio:>8}   {target}")


def _limited(time: float, limit: float) -> tuple[str, str, str]:
    return f"{time:.2f}", "", f"<= {limit:g} ms {verdict(time, limit)}"


if __name__ == "__main__":
    main()
