"""``jdaviz-lrs extract``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdaviz_lrs.cli.describe import describe
from jdaviz_lrs.cli.options import check_absent, of_extraction, output_name, take_extraction
from jdaviz_lrs.cli.progress import Progress
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.parameters.listing import help_text

if TYPE_CHECKING:
    from jdaviz_lrs.batch.files import Job

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
    one = commands.add_parser(
        "extract",
        help="extract spectra from 2-D products and time series",
        description="Extract a spectrum from an s2d or cal file and write it in the pipeline's x1d format, "
        "or a time series from the segments (calints) of an exposure as x1dints. Of several files each is "
        "extracted, and a table tells what became of them; with --joint they give one spectrum.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("input", metavar="INPUT", nargs="+", help="s2d, cal or calints files, or patterns")
    one.add_argument(
        "-o",
        "--output",
        type=Path,
        help="the x1d or x1dints file (default: the pipeline's name, here); of several the folder",
    )
    take_extraction(one)
    one.add_argument("--response", metavar="ECSV", help="calibrate with the response of a standard star")
    one.add_argument(
        "--joint",
        action="store_true",
        help="fit one spectrum to the pixels of all images (nods, repeats, further positions of one source)",
    )
    one.add_argument(
        "--sky",
        choices=("own", "shared", "positions"),
        help="of a joint extraction: a polynomial for each image, one for all, or a sky told at every pixel "
        "by the images in which the source lies elsewhere",
    )
    one.add_argument(
        "--correct-nods",
        action="store_true",
        help="give back what the subtraction of the other nod took from the aperture, by the PSF",
    )
    one.add_argument(
        "--figure",
        type=Path,
        metavar="FILE",
        help="draw image, spectrum and residual (pdf, png, svg); of several inputs the names go before "
        "that of FILE",
    )
    one.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    where = one.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes to divide the work among")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of the dask cluster that does the work")
    one.add_argument(
        "--resume",
        type=Path,
        metavar="FOLDER",
        help="keep finished parts of a time series here, and go on from them",
    )
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> int:
    """Extract, write, and say what was used."""
    changes = of_extraction(arguments)

    from jdaviz_lrs.products.door import local_file

    if arguments.figure is not None:
        from jdaviz_lrs.analysis.figure import figure_path

        figure_path(arguments.figure)  # another ending is said before anything is read
    if len(arguments.input) == 1 and not has_magic(arguments.input[0]):
        local_file(arguments.input[0])  # a folder gives no name to an output
        check_absent(arguments.output or output_name(arguments.input[0]), arguments.overwrite)

    from jdaviz_lrs.batch.files import Job, jobs_of
    from jdaviz_lrs.fluxcal.response import read_response
    from jdaviz_lrs.products.series import listed

    response = None if arguments.response is None else read_response(arguments.response)
    output, figure = arguments.output, arguments.figure
    folder = output if output and output.is_dir() else Path()
    paths = listed(arguments.input)
    if arguments.joint:
        jobs = [Job(tuple(paths), folder / output_name(paths[0]), series=False, figure=figure, joint=True)]
        changes |= {"sky": arguments.sky or "own"}
    elif arguments.sky:
        raise LRSError(f"--sky {arguments.sky} is for a joint extraction; give --joint, too.")
    else:
        jobs = jobs_of(paths, folder, figure)
    settings = {
        "overwrite": arguments.overwrite,
        "correct_nods": arguments.correct_nods,
        "response": response,
        **changes,
    }
    if len(jobs) > 1:
        if output and not output.is_dir():
            raise LRSError(f"{output}: {len(jobs)} spectra are extracted; give a folder that exists with -o.")
        return _extract_many(arguments, jobs, settings)
    (job,) = jobs
    if output and not output.is_dir():
        job = replace(job, output=output)
    return _extract_one(arguments, job, settings)


@contextmanager
def _client(arguments: argparse.Namespace) -> Iterator[Any]:
    """Give the workers asked for, or None."""
    from jdaviz_lrs.batch.engines import client_of, workers

    with (
        workers(arguments.workers) if arguments.workers is not None else client_of(arguments.scheduler) as it
    ):
        yield it


def _check_outputs(jobs: Sequence[Job], overwrite: bool) -> None:
    """Refuse what is there already, before anything is computed."""
    for job in jobs:
        check_absent(job.output, overwrite)
        if job.figure is not None:
            check_absent(job.figure, overwrite)


def _extract_one(arguments: argparse.Namespace, job: Job, settings: dict[str, Any]) -> int:
    """Extract an image or a series, and say what was used."""
    from jdaviz_lrs.batch.files import extract_and_write

    _check_outputs([job], arguments.overwrite)
    with Progress("integrations") as progress:
        settings["progress"] = progress.say
        if not job.series:
            spectrum, written = extract_and_write(job, settings)
        else:
            with _client(arguments) as client:
                settings |= {"client": client, "resume": arguments.resume, "done": progress.count}
                spectrum, written = extract_and_write(job, settings)
    print("\n".join(describe(spectrum)))
    print("\n".join(f"wrote      {path}" for path in written))
    return 0


def _extract_many(arguments: argparse.Namespace, jobs: Sequence[Job], settings: dict[str, Any]) -> int:
    """Extract each; one that fails does not stop the others."""
    from jdaviz_lrs.batch.engines import results
    from jdaviz_lrs.batch.files import SUMMARY, extract_job, write_summary

    if arguments.resume:
        raise LRSError("--resume is for one time series; extract them one by one.")
    summary = jobs[0].output.with_name(SUMMARY)
    check_absent(summary, arguments.overwrite)
    outcomes = {}
    with _client(arguments) as client, Progress("extractions") as progress:
        progress.count(0, len(jobs))
        for job, outcome in results(extract_job, jobs, settings, client):
            outcomes[job] = outcome
            progress.clear()
            if outcome.error:
                print(outcome.error, file=sys.stderr)
            else:
                print(f"wrote      {outcome.output}", flush=True)
            progress.count(len(outcomes), len(jobs))
    write_summary([outcomes[job] for job in jobs], summary, arguments.overwrite)
    failed = sum(bool(outcome.error) for outcome in outcomes.values())
    print(f"extracted  {len(jobs) - failed} of {len(jobs)}; see {summary}")
    return 2 if failed else 0
