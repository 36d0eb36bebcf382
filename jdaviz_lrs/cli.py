"""The command ``jdaviz-lrs``: extract a spectrum, verify it, run the demonstration, simulate an observation.

Every mistake a user can make ends in one sentence on standard error and exit code 2. What is slow to import
is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.verdict_words import Row, band_words, rows_of
from jdaviz_lrs.parameters.listing import help_text
from jdaviz_lrs.products.files import output_path

if TYPE_CHECKING:
    from jdaviz_lrs.batch.files import Job
    from jdaviz_lrs.data.combined import CombinedSpectrum
    from jdaviz_lrs.data.series import ExtractedSeries
    from jdaviz_lrs.data.spectrum import ExtractedSpectrum
    from jdaviz_lrs.fluxcal.response import Response

__all__ = ["main", "output_name"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, or 2 after an error of the user's."""
    arguments = parser().parse_args(argv)
    warnings.simplefilter("ignore")  # what matters to the user is in the result's notes
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
    try:
        return arguments.command(arguments) or 0
    except LRSError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        told = f"{error.filename or arguments.name}: {error.strerror or error}; give another path."
        print(LRSError(told), file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        told = (
            f"{arguments.name}: {type(error).__name__} ({error}), which was not foreseen; please report it."
        )
        print(LRSError(told), file=sys.stderr)
    return 2


def _end(*_: object) -> None:
    """End as by Ctrl-C, so that nothing half-written stays, with the code that shells give."""
    raise SystemExit(128 + signal.SIGTERM)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="jdaviz-lrs", description="Extract JWST MIRI LRS slit spectra.")
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = top.add_subparsers(dest="name", metavar="COMMAND", required=True)

    one = commands.add_parser(
        "extract",
        help="extract spectra from 2-D products and time series",
        description="Extract a spectrum from an s2d or cal file and write it in the pipeline's x1d format, "
        "or a time series from the segments (calints) of an exposure as x1dints. Of several files each is "
        "extracted, and a table tells what became of them.",
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
    _take_extraction(one)
    one.add_argument("--response", metavar="ECSV", help="calibrate with the response of a standard star")
    one.add_argument("--overwrite", action="store_true", help="replace an existing output")
    where = one.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes to divide the work among")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of the dask cluster that does the work")
    one.add_argument(
        "--resume",
        type=Path,
        metavar="FOLDER",
        help="keep finished parts of a time series here, and go on from them",
    )
    one.set_defaults(command=_extract)

    one = commands.add_parser(
        "response",
        help="find the response from a standard star that was extracted as the targets are",
        description="Divide the model of a standard star by its extracted spectrum, for extract --response.",
    )
    one.add_argument("star", metavar="STAR_x1d.fits", nargs="+", help="the star, extracted by jdaviz-lrs")
    one.add_argument(
        "model",
        metavar="MODEL",
        help="a CALSPEC FITS file, a table with units such as ECSV, or the star's name in CALSPEC; for a "
        "first look a stand-in scaled at 10 um: rayleigh-jeans:JANSKY or engelke:KELVIN:JANSKY",
    )
    one.add_argument("-o", "--output", type=Path, required=True, metavar="ECSV", help="the response")
    one.add_argument(
        "--range", nargs=2, type=float, metavar="UM", help="where it is to be valid (default: 5 to 13.5)"
    )
    one.add_argument(
        "--mask",
        nargs=2,
        type=float,
        metavar="UM",
        action="append",
        default=[],
        help="a range to leave out; may be repeated",
    )
    one.add_argument(
        "--apcorr", metavar="FITS", type=Path, help="write it as an apcorr file of the pipeline, too"
    )
    one.add_argument("--override-apcorr", metavar="FITS", help="apcorr file that the star was extracted with")
    one.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    one.set_defaults(command=_response)

    one = commands.add_parser(
        "verify",
        help="compare an extraction with that of the installed JWST pipeline",
        description="Run the installed pipeline's extract_1d step on the same file with the same parameters "
        "and compare the spectra column by column. Exit code 0: equal with pipeline_compatible; 1: not.",
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("-o", "--output", type=Path, help="write the report there, as Markdown")
    one.add_argument("input", metavar="INPUT", help="the s2d or cal file")
    _take_extraction(one)
    one.add_argument("--overwrite", action="store_true", help="replace an existing report")
    one.set_defaults(command=_verify)

    one = commands.add_parser(
        "combine",
        help="combine extracted spectra of one source into one",
        description="Combine x1d files of nods, exposures or integrations and write a c1d file.",
    )
    one.add_argument("inputs", metavar="INPUT", nargs="+", help="the x1d files, two or more")
    one.add_argument("-o", "--output", type=Path, help="the c1d file (default: the pipeline's name, here)")
    one.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="exptime_key (inverse_variance, exposure_time, integration_time, unit_weight), sigma_clip "
        "(number or null), error_floor, fit_scales (true); may be repeated",
    )
    one.add_argument("--overwrite", action="store_true", help="replace an existing output")
    one.set_defaults(command=_combine)

    one = commands.add_parser(
        "demo",
        help="simulate, extract, and open the result in jdaviz",
        description="Simulate an observation, extract it, compare it with the truth and open it in jdaviz.",
    )
    one.add_argument("directory", metavar="DIR", nargs="?", type=Path, default=Path("demo"))
    one.add_argument("--port", type=int, default=0, help="port of the server (default: any free one)")
    one.add_argument(
        "--host", default="localhost", help="name of the server; others than localhost ask for a token"
    )
    one.add_argument("--no-browser", action="store_true", help="serve, but open no browser")
    one.set_defaults(command=_demo)

    one = commands.add_parser(
        "simulate",
        help="write an observation whose truth is known",
        description="Write a nodded MIRI LRS slit observation with known truth, in the pipeline's formats.",
    )
    one.add_argument("directory", metavar="DIR", type=Path)
    one.add_argument("--seed", type=int, default=1, help="of the noise; the same seed gives the same files")
    one.add_argument("--no-cal", action="store_true", help="leave out the detector images (30 MB each)")
    one.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a setting of the scene: brightness, slope, background, psf_stretch, trace_shift, trace_bend, "
        "companion_ratio, cosmic_rays, bad_pixels, noise ...; of a series integrations, segments, depth, "
        "drift, ramp ...; may be repeated",
    )
    one.add_argument("--series", action="store_true", help="simulate a transit without the slit instead")
    one.set_defaults(command=_simulate)
    return top


def _take_extraction(one: argparse.ArgumentParser) -> None:
    """Let a command take the parameters and the references of an extraction."""
    for kind, form in (("extract1d", "JSON"), ("apcorr", "FITS"), ("psf", "FITS")):
        one.add_argument(f"--override-{kind}", metavar=form, help=f"{kind} reference file to use")
    one.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter by the pipeline's name, its value as in JSON; may be repeated",
    )
    one.add_argument("--pipeline-compatible", action="store_true", help="do exactly as the pipeline does")


def output_name(path: str | Path) -> Path:
    """Name an extraction as the pipeline does: ``a_s2d.fits`` becomes ``a_extract1dstep.fits``, here."""
    return Path(output_path(path).name)


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Turn ``NAME=VALUE`` into names and values; a value that is no JSON is a plain word."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise LRSError(f"--set {setting}: give a name and its value as NAME=VALUE.")
        try:
            values[name.strip()] = json.loads(value)
        except (ValueError, RecursionError):  # no JSON, too long a number, too deep a list
            values[name.strip()] = value.strip()
    return values


def _of_extraction(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return references and parameters as Python takes them."""
    from jdaviz_lrs.parameters import ExtractionParameters

    changes = parse_settings(arguments.set)
    ExtractionParameters().with_(changes)  # a wrong name or value is said before any file is read
    if arguments.pipeline_compatible:
        changes["pipeline_compatible"] = True
    kinds = ("extract1d", "apcorr", "psf")
    return changes | {f"override_{kind}": getattr(arguments, f"override_{kind}") for kind in kinds}


def _verify(arguments: argparse.Namespace) -> int:
    given, output = _of_extraction(arguments), arguments.output
    if output is not None and output.exists() and not arguments.overwrite:
        raise LRSError(f"{output}: exists already; give another name with -o, or --overwrite to replace it.")

    from jdaviz_lrs.pipeline.verify import verify

    report = verify(arguments.input, **given)
    print("\n".join([report.sentence, *(f"note       {note}" for note in report.notes)]))
    if output is not None:
        print(f"wrote      {report.write(output, arguments.overwrite)}")
    return 0 if report.equal else 1


def _extract(arguments: argparse.Namespace) -> int:
    changes = _of_extraction(arguments)

    from jdaviz_lrs.products.door import local_file

    if len(arguments.input) == 1 and not has_magic(arguments.input[0]):
        local_file(arguments.input[0])  # a folder gives no name to an output
        _check_absent(arguments.output or output_name(arguments.input[0]), arguments.overwrite)

    from jdaviz_lrs.batch.files import jobs_of
    from jdaviz_lrs.fluxcal.response import read_response
    from jdaviz_lrs.products.series import listed

    response = None if arguments.response is None else read_response(arguments.response)
    paths = listed(arguments.input)
    output = arguments.output
    jobs = jobs_of(paths, output if output and output.is_dir() else Path())
    if len(jobs) > 1:
        if output and not output.is_dir():
            raise LRSError(f"{output}: {len(jobs)} spectra are extracted; give a folder that exists with -o.")
        return _extract_many(arguments, jobs, changes | {"response": response})
    (job,) = jobs
    return _extract_one(
        arguments, job, output if output and not output.is_dir() else job.output, response, changes
    )


def _check_absent(output: Path, overwrite: bool) -> None:
    if output.exists() and not output.is_dir() and not overwrite:
        raise LRSError(f"{output}: exists already; give another name with -o, or --overwrite to replace it.")


@contextmanager
def _client(arguments: argparse.Namespace) -> Iterator[Any]:
    """Give the workers asked for, or None."""
    from jdaviz_lrs.batch.engines import client_of, workers

    with (
        workers(arguments.workers) if arguments.workers is not None else client_of(arguments.scheduler) as it
    ):
        yield it


def _extract_one(
    arguments: argparse.Namespace,
    job: Job,
    output: Path,
    response: Response | None,
    changes: dict[str, Any],
) -> int:
    """Extract an image or a series, and say what was used."""
    from jdaviz_lrs.batch.extract import extract
    from jdaviz_lrs.fluxcal.calibrate import calibrate
    from jdaviz_lrs.products.saving import write_products

    _check_absent(output, arguments.overwrite)
    if job.series and response is not None:
        raise LRSError(f"{job}: a response calibrates single spectra, not yet time series; leave it out.")
    if not job.series:
        spectrum = extract(job.inputs[0], **changes)
        if response is not None:
            spectrum = calibrate(spectrum, response)
        written = write_products(spectrum, output, arguments.overwrite)
    else:
        with _client(arguments) as client:
            spectrum = extract(
                [*job.inputs], client=client, resume=arguments.resume, done=_say_done, **changes
            )
        written = [spectrum.write(output, arguments.overwrite)]
    print("\n".join(describe(spectrum)))
    print("\n".join(f"wrote      {path}" for path in written))
    return 0


def _extract_many(arguments: argparse.Namespace, jobs: Sequence[Job], changes: dict[str, Any]) -> int:
    """Extract each; one that fails does not stop the others."""
    from jdaviz_lrs.batch.engines import results
    from jdaviz_lrs.batch.files import SUMMARY, extract_job, write_summary

    if arguments.resume:
        raise LRSError("--resume is for one time series; extract them one by one.")
    summary = jobs[0].output.with_name(SUMMARY)
    _check_absent(summary, arguments.overwrite)
    settings = {"overwrite": arguments.overwrite, **changes}
    outcomes = {}
    with _client(arguments) as client:
        for job, outcome in results(extract_job, jobs, settings, client):
            outcomes[job] = outcome
            if outcome.error:
                print(outcome.error, file=sys.stderr)
            else:
                print(f"wrote      {outcome.output}")
    write_summary([outcomes[job] for job in jobs], summary, arguments.overwrite)
    failed = sum(bool(outcome.error) for outcome in outcomes.values())
    print(f"extracted  {len(jobs) - failed} of {len(jobs)}; see {summary}")
    return 2 if failed else 0


def _say_done(done: int, total: int) -> None:
    """Say how far a series is, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r{done} of {total} integrations", end="\n" if done == total else "", file=sys.stderr)


def _response(arguments: argparse.Namespace) -> None:
    from jdaviz_lrs.fluxcal.apcorr import export_apcorr
    from jdaviz_lrs.fluxcal.standard_star import response

    for path, suffix in ((arguments.output, ".ecsv"), (arguments.apcorr, ".fits")):
        if path is None:
            continue
        if path.suffix != suffix:
            raise LRSError(f"{path}: let the name end with {suffix}.")
        if path.exists() and not arguments.overwrite:
            raise LRSError(f"{path}: exists already; give another name, or --overwrite to replace it.")
    valid = None if arguments.range is None else tuple(arguments.range)
    found = response(arguments.star, arguments.model, wavelength_range=valid, masked=arguments.mask)
    known = found.wavelength[found.factor > 0]
    print(f"response   {found.name}, {known.min():.2f} to {known.max():.2f} um")
    print("\n".join(f"note       {note}" for note in found.notes))
    if arguments.apcorr is not None:
        written = export_apcorr(found, arguments.apcorr, arguments.override_apcorr, arguments.overwrite)
        print(f"wrote      {written}")
    print(f"wrote      {found.write(arguments.output, arguments.overwrite)}")


def describe(spectrum: ExtractedSpectrum | ExtractedSeries) -> list[str]:
    """Say what an extraction used, a line each: type, aperture, references, verdict, notes, advice."""
    kind = spectrum.parameters.get("extraction_type", "box")
    lines = [f"extracted  {kind}, {spectrum.wavelength.size} wavelengths"]
    if spectrum.flux.ndim == 2:
        lines[0] += f", {len(spectrum.flux)} integrations"
    if (limits := getattr(spectrum, "mean", spectrum).limits) is not None:
        width = limits.xdisp_stop - limits.xdisp_start + 1
        lines.append(
            f"aperture   {limits.xdisp_start:.2f} to {limits.xdisp_stop:.2f} px ({width:.2f} px wide)"
        )
    lines += [f"{name:<10} {file}" for name, file in spectrum.references.items()]
    if spectrum.verdict is not None:
        told = _verdict_lines(spectrum.verdict)
        lines += [f"{'' if number else 'verdict':<10} {line}" for number, line in enumerate(told)]
    lines += [f"note       {note}" for note in spectrum.notes]
    return lines + [f"advice     {one.sentence} ({one.refinement})" for one in spectrum.advice]


def _verdict_lines(verdict: Verdict) -> list[str]:
    """Return what can be told, two rows of its table to a line; the first says which bands there are."""
    rows = rows_of(verdict)
    lines = ["; ".join(_in_line(row) for row in rows[n : n + 2] if row.cells) for n in range(0, len(rows), 2)]
    lines = [line for line in lines if line]
    if any(len(row.cells) == len(verdict.bands) for row in rows):
        lines[0] += f" ({', '.join(band_words(verdict))} um)"
    return lines


def _in_line(row: Row) -> str:
    numbers = (f"{cell.value} +- {cell.error}" if cell.error else cell.value for cell in row.cells)
    return f"{row.label} {', '.join(numbers)} {row.unit}".rstrip()


COMBINE_SETTINGS = ("exptime_key", "sigma_clip", "error_floor", "fit_scales")


def _combine(arguments: argparse.Namespace) -> None:
    settings = parse_settings(arguments.set)
    for name in settings:
        if name not in COMBINE_SETTINGS:
            raise LRSError(f"'{name}' is no setting of combine; there are {', '.join(COMBINE_SETTINGS)}.")
    output = arguments.output or Path(output_path(arguments.inputs[0], "combine1dstep").name)
    if output.exists() and not arguments.overwrite:
        raise LRSError(f"{output}: exists already; give another name with -o, or --overwrite to replace it.")

    from jdaviz_lrs.combine.spectra import combine

    combined = combine(arguments.inputs, **settings)
    combined.write(output, arguments.overwrite)
    print("\n".join(describe_combined(combined)))
    print(f"wrote      {output}")


def describe_combined(spectrum: CombinedSpectrum) -> list[str]:
    """Say what was combined, a line each: the inputs, how far they agree, scales, notes."""
    report, number = spectrum.report, len(spectrum.input_names)
    lines = [f"combined   {number} spectra, {spectrum.wavelength.size} wavelengths"]
    for place, name in enumerate(spectrum.input_names):
        scale = f", times {spectrum.scales[place]:.4f}" if "scales" in report else ""
        lines.append(
            f"input      {name}: used at {report['inputs_used'][place]} wavelengths, left out at "
            f"{report['inputs_left_out'][place]}{scale}"
        )
    lines.append(f"agreement  chi square {report['chi_square']:.2f} per degree of freedom")
    return lines + [f"note       {note}" for note in spectrum.notes]


def _demo(arguments: argparse.Namespace) -> None:
    from jdaviz_lrs.app.demo import run

    run(arguments.directory, port=arguments.port, browser=not arguments.no_browser, host=arguments.host)


def _simulate(arguments: argparse.Namespace) -> None:
    from jdaviz_lrs.simulate import Scene, SeriesScene, write_observation, write_series

    kind = SeriesScene if arguments.series else Scene
    settings = {"seed": arguments.seed} | parse_settings(arguments.set)
    for name, value in settings.items():
        if name not in kind.__dataclass_fields__:
            raise LRSError(
                f"'{name}' is not a setting of the scene; see the fields of "
                f"jdaviz_lrs.simulate.{kind.__name__}."
            )
        if not isinstance(value, int | float):
            raise LRSError(f"{name} = {value!r} is not a number.")
    scene = kind(**settings)
    if arguments.series:
        written = write_series(arguments.directory, scene)
    else:
        written = write_observation(arguments.directory, scene, cal=not arguments.no_cal)
    print(*written.values(), sep="\n")


class _Version(argparse.Action):
    """Print the version; the package's metadata is read only when it is asked for."""

    def __call__(self, *_: object) -> None:
        from jdaviz_lrs import __version__

        print(f"jdaviz-lrs {__version__}")
        raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
