"""``jdaviz-lrs verify``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.options import check_absent, of_extraction, take_extraction
from jdaviz_lrs.cli.progress import Progress
from jdaviz_lrs.parameters.listing import help_text

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
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
    take_extraction(one)
    one.add_argument("--overwrite", action="store_true", help="replace an existing report")
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> int:
    """Verify, say how it went, and write the report."""
    given, output = of_extraction(arguments), arguments.output
    check_absent(output, arguments.overwrite)

    from jdaviz_lrs.pipeline.verify import verify

    with Progress() as progress:
        report = verify(arguments.input, progress=progress.say, **given)
    print("\n".join([report.sentence, *(f"note       {note}" for note in report.notes)]))
    if output is not None:
        print(f"wrote      {report.write(output, arguments.overwrite)}")
    return 0 if report.equal else 1
