"""Extraction of whatever is given: an image, or the segments of a time series."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.batch.chunks import BOX_CHUNK, OPTIMAL_CHUNK, chunks_of
from jdaviz_lrs.batch.engines import client_of, results
from jdaviz_lrs.batch.store import ChunkStore, extract_into
from jdaviz_lrs.combine.joint import extract_jointly
from jdaviz_lrs.data.flags import DO_NOT_USE, FLUX_ESTIMATED, OUTLIER
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.series import DRIFT_COLUMNS, ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract as extract_image
from jdaviz_lrs.extraction.extract import plan_of
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.series import plan_series
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.images import PRODUCTS
from jdaviz_lrs.products.series import Series, is_series, listed, read_series
from jdaviz_lrs.references.find import References

__all__ = ["extract", "extract_series"]

MANY_OUTLYING = 0.1
"""Pixels in an integration, on average: more of them are worth telling."""


def extract(
    image: SpectralImage | str | Path | Iterable[str | Path],
    parameters: ExtractionParameters | None = None,
    references: References | None = None,
    *,
    client: Any = None,
    chunk_size: int | None = None,
    resume: str | Path | None = None,
    done: Callable[[int, int], None] | None = None,
    **keywords: Any,
) -> ExtractedSpectrum | ExtractedSeries:
    """Extract a spectrum, one spectrum from several images, or the spectra of a time series.

    Parameters
    ----------
    image : SpectralImage or path-like, or list of path-like, or pattern
        An s2d or cal file, or the image already read. In a list or as a pattern of names: several such, such
        as nods, to which one spectrum is fitted (see `jdaviz_lrs.extract_jointly`), or the segments of a time
        series (calints, crfints).
    parameters : ExtractionParameters, optional
        Without it, those of the extract1d reference file.
    references : References, optional
        Without it, found for the image with `find_references`.
    client : distributed.Client or str, optional
        Of a series: where chunks of it are extracted, or the address of a scheduler; in this process without
        it. The result is the same.
    chunk_size : int, optional
        Of a series: integrations that are read and extracted at a time; 256 of a box, 128 of an optimal
        extraction without it.
    resume : path-like, optional
        Of a series: folder in which finished chunks stay, and from which an extraction that was broken off
        goes on.
    done : callable, optional
        Of a series: is told after each chunk how many integrations are done, and of how many. What it raises
        ends the extraction.
    **keywords
        ``override_extract1d``, ``override_apcorr``, ``override_psf``: reference files, as in the pipeline;
        ``progress``: is told, in a few words, what is under way; and any parameter by the pipeline's name.
        See `jdaviz_lrs.extraction.extract.extract`.

    Returns
    -------
    ExtractedSpectrum
        Of an image, or of several.
    ExtractedSeries
        Of segments.

    Raises
    ------
    LRSError
        With one sentence that names the file or parameter and what to do.
    """
    if not _are_several(image):
        given = {"client": client, "resume": resume, "done": done}
        if wrong := [name for name, value in given.items() if value is not None]:
            raise LRSError(
                f"{' and '.join(wrong)} can be given for time series alone; give their files in a list."
            )
        return extract_image(image, parameters, references, **keywords)
    if not isinstance(image, Series) and _are_images(image):
        return extract_jointly(image, parameters, references, **keywords)
    series = image if isinstance(image, Series) else read_series(image)
    kinds = ("extract1d", "apcorr", "psf")
    overrides = {kind: keywords.pop(f"override_{kind}", None) for kind in kinds}
    progress = keywords.pop("progress", None)
    plan = plan_of(series.image, parameters, references, overrides, progress, keywords)
    return extract_series(series, plan, client, chunk_size, resume, progress, done)


def _are_several(image: Any) -> bool:
    if isinstance(image, str):
        return glob.has_magic(image) and not Path(image).exists()
    return isinstance(image, list | tuple | set | Series)


def _are_images(given: Any) -> bool:
    """Whether a list or pattern has images of one source in it rather than segments of a series."""
    some = [given] if isinstance(given, str) else [*given]
    if any(isinstance(one, SpectralImage) for one in some):
        return True
    paths = listed(some)
    return len(paths) > 1 and not any(map(is_series, paths))


def extract_series(
    series: Series,
    plan: ExtractionPlan,
    client: Any = None,
    chunk_size: int | None = None,
    resume: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    done: Callable[[int, int], None] | None = None,
) -> ExtractedSeries:
    """Extract a series that was read, by the plan of its mean image; see `extract`.

    Raises
    ------
    LRSError
        When it cannot be done; it names the file and the integrations.
    """
    how, mean = plan_series(plan, series.number, progress)
    if chunk_size is None:
        chunk_size = BOX_CHUNK if how.fixed is None else OPTIMAL_CHUNK
    chunks = chunks_of(series.segments, chunk_size, how.halo)
    store = ChunkStore(chunks, how.wavelength.size, resume, _job(series, mean, chunk_size))
    left = [chunk for chunk in chunks if chunk not in store]
    finished = series.n_int - sum(chunk.size for chunk in left)
    with client_of(client) as engine, store.open_to(how) as common:
        for chunk, columns in results(extract_into, left, common, engine):
            if columns is not None:
                store[chunk] = columns
            finished += chunk.size
            if done is not None:
                done(finished, series.n_int)
    paths, table = [segment.path for segment in series.segments], store.table()
    found = table.columns(("dq", *DRIFT_COLUMNS))
    dq = found.pop("dq")
    return ExtractedSeries(
        wavelength=how.wavelength,
        table=table,
        drift=found,
        int_num=series.int_num,
        segment_num=series.segment_num,
        int_times=series.int_times,
        mean=replace(mean, inputs=(*mean.inputs, *paths)),
        file_name=paths[0].name,
        parameters=mean.parameters,
        references=mean.references,
        inputs=(*mean.inputs, *paths),
        notes=(
            *series.notes,
            *mean.notes,
            *_flagged(dq),
            *_outlying(found["outlying"], mean),
            *_left_out(mean),
        ),
        report={**mean.report, "segments": [path.name for path in paths]},
        verdict=mean.verdict,
    )


def _left_out(mean: ExtractedSpectrum) -> tuple[str, ...]:
    """Say what is made of single images alone."""
    notes = []
    if asked := [name for name in PRODUCTS if mean.parameters.get(name)]:
        notes.append(f"{' and '.join(asked)}: no such images are made of a time series.")
    if mean.companions:
        notes.append("Further sources are extracted from the mean image alone.")
    return tuple(notes)


def _outlying(number: NDArray, mean: ExtractedSpectrum) -> tuple[str, ...]:
    """Say that pixels stick out which are not left out."""
    known = number[np.isfinite(number)]
    if "outliers" in mean.parameters["refinements"] or not known.size or known.mean() < MANY_OUTLYING:
        return ()
    return (
        f"In an integration {known.mean():.1f} pixels stick out of the mean image, as cosmic rays do; the "
        "refinement 'outliers' leaves such pixels out.",
    )


def _flagged(dq: NDArray[np.uint32]) -> tuple[str, ...]:
    """Count what became of single integrations, of which the notes of their mean know nothing."""
    told = {
        "no flux (NaN, flagged DO_NOT_USE)": DO_NOT_USE,
        "light of bad pixels made up for (FLUX_ESTIMATED)": FLUX_ESTIMATED,
        "pixels left out as outliers (OUTLIER)": OUTLIER,
    }
    counts = {what: int(((dq & flag) != 0).sum()) for what, flag in told.items()}
    return tuple(
        f"Of the {dq.size} points of all integrations, {number} have {what}."
        for what, number in counts.items()
        if number
    )


def _job(series: Series, mean: ExtractedSpectrum, chunk_size: int) -> dict[str, Any]:
    """Tell this extraction from any other."""
    files = [(segment.path.resolve(), segment.path.stat()) for segment in series.segments]
    used = [Path(path) for path in mean.inputs if Path(path).is_file()]
    return {
        "version": version("jdaviz-lrs"),
        "segments": [[str(path), stat.st_size, stat.st_mtime_ns] for path, stat in files],
        "reference files": [[str(path.resolve()), path.stat().st_mtime_ns] for path in used],
        "chunk_size": chunk_size,
        "drift": [*DRIFT_COLUMNS],
        **dict(mean.parameters),
        **{f"reference {kind}": name for kind, name in mean.references.items()},
    }
