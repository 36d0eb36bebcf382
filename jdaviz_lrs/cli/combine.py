"""``jdaviz-lrs combine``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.describe import describe_combined
from jdaviz_lrs.cli.options import check_absent, parse_settings
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.files import output_path

__all__ = ["add_to"]

SETTINGS = ("exptime_key", "sigma_clip", "error_floor", "fit_scales")


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
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
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Combine, write, and say what was combined."""
    settings = parse_settings(arguments.set)
    for name in settings:
        if name not in SETTINGS:
            raise LRSError(f"'{name}' is no setting of combine; there are {', '.join(SETTINGS)}.")
    output = arguments.output or Path(output_path(arguments.inputs[0], "combine1dstep").name)
    check_absent(output, arguments.overwrite)

    from jdaviz_lrs.combine.spectra import combine

    combined = combine(arguments.inputs, **settings)
    combined.write(output, arguments.overwrite)
    print("\n".join(describe_combined(combined)))
    print(f"wrote      {output}")
