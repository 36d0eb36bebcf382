"""Many files: which belong together, each extracted and written, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from jdaviz_lrs.analysis.figure import figure_path, save_figure
from jdaviz_lrs.batch.extract import extract
from jdaviz_lrs.combine.joint import extract_jointly
from jdaviz_lrs.combine.nods import correct_nods
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError, on_one_line
from jdaviz_lrs.fluxcal.calibrate import calibrate
from jdaviz_lrs.products.door import one_sentence
from jdaviz_lrs.products.files import output_path, whole_file
from jdaviz_lrs.products.saving import write_products
from jdaviz_lrs.products.series import exposure_of, is_series

__all__ = ["SUMMARY", "Job", "Outcome", "extract_and_write", "extract_job", "jobs_of", "write_summary"]

SUMMARY = "extraction_summary.ecsv"
"""The table of what became of many files."""

SEGMENT = re.compile(r"-seg\d+(?=_)")
"""In the names of the segments of an exposure."""


@dataclass(frozen=True)
class Job:
    """What is extracted at once: a file, or the segments of a series.

    Attributes
    ----------
    inputs : tuple of Path
    output : Path
    series : bool
        Whether they are stacks of integrations.
    figure : Path or None
        Where the extraction is drawn.
    joint : bool
        Whether one spectrum is fitted to several images.
    """

    inputs: tuple[Path, ...]
    output: Path
    series: bool
    figure: Path | None = None
    joint: bool = False

    def __str__(self) -> str:
        more = f" and {len(self.inputs) - 1} more" if len(self.inputs) > 1 else ""
        return f"{self.inputs[0]}{more}"


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    input : str
        The files, named as they were given.
    output : str
        The file written, or nothing.
    extraction_type : str
    integrations, wavelengths : int
    flux, flux_error : float
        Jy: median over all wavelengths (and integrations).
    without_flux : float
        Share of wavelengths that have none.
    notes : int
        How many sentences the file has to say.
    error : str
        Why there is no spectrum.
    """

    input: str
    output: str = ""
    extraction_type: str = ""
    integrations: int = 0
    wavelengths: int = 0
    flux: float = np.nan
    flux_error: float = np.nan
    without_flux: float = np.nan
    notes: int = 0
    error: str = ""


def jobs_of(paths: Iterable[Path], folder: Path, figure: Path | None = None) -> list[Job]:
    """Put the segments of an exposure together, and name what each job writes.

    Segments of one name go together, whatever their headers say, and so does one that cannot be read: no
    series lacks a segment without a word.

    Parameters
    ----------
    paths : iterable of Path
    folder : Path
        Where the outputs go.
    figure : Path, optional
        Of one job the figure; of several each one's has the name of its input before this.

    Returns
    -------
    list of Job

    Raises
    ------
    LRSError
        When two outputs would have one name.
    """
    keys: dict[Path, object] = {}
    for path in paths:
        try:
            keys[path] = exposure_of(path) if is_series(path) else path
        except LRSError:
            keys[path] = None
    by_name: dict[str, object] = {}
    for path, key in keys.items():
        if isinstance(key, tuple):
            by_name.setdefault(SEGMENT.sub("", path.name), key)
    groups: dict[object, list[Path]] = {}
    for path, key in keys.items():
        if key is None or SEGMENT.search(path.name):
            key = by_name.get(SEGMENT.sub("", path.name), key or path)
        groups.setdefault(key, []).append(path)
    jobs = []
    for key, members in groups.items():
        series = isinstance(key, tuple)
        name = output_path(members[0].name, "x1dints" if series else "extract1dstep").name
        name = SEGMENT.sub("", name) if series else name
        drawn = figure
        if figure is not None and len(groups) > 1:
            drawn = figure.with_name(f"{name.rpartition('_')[0]}_{figure.name}")
        jobs.append(Job(tuple(members), folder / name, series, drawn))
    names = [job.output for job in jobs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise LRSError(f"{twice}: two extractions would have this name; extract them one by one, with -o.")
    return jobs


def extract_and_write(
    job: Job, settings: Mapping[str, Any]
) -> tuple[ExtractedSpectrum | ExtractedSeries, list[Path]]:
    """Extract, calibrate, and write all files or none.

    Parameters
    ----------
    job : Job
    settings : mapping
        ``overwrite``; ``correct_nods``, whether to give back what other nods took; a ``response`` to
        calibrate with; and what `jdaviz_lrs.extract` takes.

    Returns
    -------
    result : ExtractedSpectrum or ExtractedSeries
    written : list of Path

    Raises
    ------
    LRSError
        When it cannot be done; then nothing is written.
    """
    settings = dict(settings)
    overwrite, response = settings.pop("overwrite", False), settings.pop("response", None)
    nods = settings.pop("correct_nods", False)
    if job.series and nods:
        raise LRSError(f"{job}: a time series stays at one place, so that no nod took its light.")
    if job.joint:
        result = extract_jointly(job.inputs, **settings)
    else:
        result = extract([*job.inputs] if job.series else job.inputs[0], **settings)
    if nods:
        result = correct_nods(result, settings.get("override_psf"))
    if response is not None:
        result = calibrate(result, response)
    figure = {} if job.figure is None else {figure_path(job.figure): partial(save_figure, result)}
    return result, write_products(result, job.output, overwrite, figure)


def extract_job(job: Job, settings: Mapping[str, Any]) -> Outcome:
    """Extract and write; what goes wrong is told in the outcome. See `extract_and_write`."""
    told = ", ".join(map(str, job.inputs))
    try:
        with one_sentence(str(job), "cannot be extracted"):
            result, _ = extract_and_write(job, settings)
            return _outcome(told, job.output, result)
    except LRSError as error:
        return Outcome(told, error=str(error))


def _outcome(told: str, output: Path, result: Any) -> Outcome:
    flux, error = result.flux, result.flux_error
    known = np.isfinite(flux)
    return Outcome(
        told,
        str(output),
        str(result.parameters.get("extraction_type", "")),
        integrations=len(flux) if flux.ndim == 2 else 1,
        wavelengths=flux.shape[-1],
        flux=float(np.median(flux[known])) if known.any() else np.nan,
        flux_error=float(np.nanmedian(error[known])) if known.any() else np.nan,
        without_flux=float(1.0 - known.mean()),
        notes=len(result.notes),
    )


def write_summary(outcomes: Sequence[Outcome], path: Path, overwrite: bool = False) -> Path:
    """Write a table of outcomes, a row each, as ECSV.

    Raises
    ------
    LRSError
        When it exists, or cannot be written.
    """

    def plain(value: Any) -> Any:
        return on_one_line(value) if isinstance(value, str) else value

    rows = [{name: plain(value) for name, value in vars(outcome).items()} for outcome in outcomes]
    table = Table(rows, names=[*Outcome.__dataclass_fields__])
    for name in ("flux", "flux_error"):
        table[name].unit = "Jy"
    with whole_file(path, overwrite) as temporary:
        table.write(temporary, format="ascii.ecsv")
    return path
