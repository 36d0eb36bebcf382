"""``jdaviz-lrs along-slit``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.options import check_absent, parse_settings
from jdaviz_lrs.products.files import fits_path, output_path

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
    one = commands.add_parser(
        "along-slit",
        help="extract an extended source: a spectrum for every few pixels along the slit",
        description="Extract a spectrum in MJy/sr from every few pixels along the slit of an s2d file, and "
        "write them as an s2d file whose pixels are these stretches.",
    )
    one.add_argument("input", metavar="INPUT", help="the s2d file")
    one.add_argument(
        "-o", "--output", type=Path, help="the 2-D product (default: INPUT_along_slit.fits, here)"
    )
    one.add_argument("--width", type=int, required=True, metavar="PIXELS", help="of a stretch")
    one.add_argument("--start", type=int, metavar="COLUMN", help="first column (default: of the lit slit)")
    one.add_argument("--stop", type=int, metavar="COLUMN", help="last column (default: of the lit slit)")
    one.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter of the background (bkg_coeff, bkg_fit ...) or bad_pixels; may be repeated",
    )
    one.add_argument("--overwrite", action="store_true", help="replace an existing output")
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Extract along the slit, write, and say where the stretches are."""
    from jdaviz_lrs.parameters import ExtractionParameters

    settings = parse_settings(arguments.set)
    ExtractionParameters().with_(settings)  # a wrong name or value is said before any file is read
    output = fits_path(arguments.output or Path(output_path(arguments.input, "along_slit").name))
    check_absent(output, arguments.overwrite)

    from jdaviz_lrs.analysis.along_slit import along_slit

    spectra = along_slit(arguments.input, arguments.width, arguments.start, arguments.stop, **settings)
    written = spectra.write(output, arguments.overwrite)
    first, last = spectra.columns[0], spectra.columns[-1]
    print(f"extracted  {spectra.columns.size} stretches of {arguments.width} px, {first:.1f} to {last:.1f}")
    print("".join(f"note       {note}\n" for note in spectra.notes), end="")
    print(f"wrote      {written}")
