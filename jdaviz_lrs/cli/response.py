"""``jdaviz-lrs response``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.options import check_absent
from jdaviz_lrs.errors import LRSError

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
    one = commands.add_parser(
        "response",
        help="find the response from a standard star that was extracted as the targets are",
        description="Divide the model of a standard star by its extracted spectrum, for extract --response.",
    )
    one.add_argument(
        "star", metavar="STAR_x1d.fits", nargs="+", help="the star, extracted by jdaviz-lrs (x1d or x1dints)"
    )
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
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Find the response, and write it."""
    from jdaviz_lrs.fluxcal.apcorr import export_apcorr
    from jdaviz_lrs.fluxcal.standard_star import response

    for path, suffix in ((arguments.output, ".ecsv"), (arguments.apcorr, ".fits")):
        if path is None:
            continue
        if path.suffix != suffix:
            raise LRSError(f"{path}: let the name end with {suffix}.")
        check_absent(path, arguments.overwrite)
    valid = None if arguments.range is None else tuple(arguments.range)
    found = response(arguments.star, arguments.model, wavelength_range=valid, masked=arguments.mask)
    known = found.wavelength[found.factor > 0]
    print(f"response   {found.name}, {known.min():.2f} to {known.max():.2f} um")
    print("\n".join(f"note       {note}" for note in found.notes))
    if arguments.apcorr is not None:
        written = export_apcorr(found, arguments.apcorr, arguments.override_apcorr, arguments.overwrite)
        print(f"wrote      {written}")
    print(f"wrote      {found.write(arguments.output, arguments.overwrite)}")
