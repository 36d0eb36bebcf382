"""``jdaviz-lrs light-curves``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.options import check_absent
from jdaviz_lrs.errors import LRSError

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
    one = commands.add_parser(
        "light-curves",
        help="make light curves of an extracted time series",
        description="Make light curves of an x1dints file: in white light and in bins of wavelength.",
    )
    one.add_argument("input", metavar="INPUT", help="the x1dints file")
    one.add_argument("-o", "--output", type=Path, required=True, metavar="ECSV", help="the light curves")
    bins = one.add_mutually_exclusive_group()
    bins.add_argument("--edges", nargs="+", type=float, metavar="UM", help="of the bins")
    bins.add_argument("--width", type=float, metavar="UM", help="of every bin")
    bins.add_argument("--resolving-power", type=float, metavar="R", help="wavelength over width of a bin")
    bins.add_argument("--number", type=int, metavar="N", help="of bins of equal width (default: one)")
    one.add_argument("--range", nargs=2, type=float, metavar="UM", help="of all bins (default: 5 to 13.5)")
    one.add_argument("--combination", choices=("sum", "inverse_variance"), default="sum")
    one.add_argument("--not-normalised", action="store_true", help="in Jy, not over the median in time")
    one.add_argument("--overwrite", action="store_true", help="replace an existing output")
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Make the light curves, write them, and say how far they scatter."""
    output = arguments.output
    if output.suffix != ".ecsv":
        raise LRSError(f"{output}: light curves are written as ECSV; let the name end with .ecsv.")
    check_absent(output, arguments.overwrite)

    from jdaviz_lrs.analysis.lightcurve import light_curves
    from jdaviz_lrs.products.x1dints import read_x1dints

    series = read_x1dints(arguments.input)
    curves = light_curves(
        series,
        edges=arguments.edges,
        width=arguments.width,
        resolving_power=arguments.resolving_power,
        number=arguments.number,
        wavelength_range=None if arguments.range is None else tuple(arguments.range),
        combination=arguments.combination,
        normalised=not arguments.not_normalised,
    )
    curves.write(output, arguments.overwrite)
    print(f"light      {len(series)} integrations, {curves.wavelength.size} bins")
    ratio = ", ".join(f"{one:.2f}" for one in curves.noise_ratio)
    print(f"scatter    {ratio} of what the errors tell, from one integration to the next")
    print(f"wrote      {output}")
