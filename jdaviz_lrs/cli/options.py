"""What several commands take: parameters, references, settings, outputs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.files import output_path

__all__ = ["check_absent", "of_extraction", "output_name", "parse_settings", "take_extraction"]


def take_extraction(one: argparse.ArgumentParser) -> None:
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


def of_extraction(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return references and parameters as Python takes them."""
    from jdaviz_lrs.parameters import ExtractionParameters

    changes = parse_settings(arguments.set)
    ExtractionParameters().with_(changes)  # a wrong name or value is said before any file is read
    if arguments.pipeline_compatible:
        changes["pipeline_compatible"] = True
    kinds = ("extract1d", "apcorr", "psf")
    return changes | {f"override_{kind}": getattr(arguments, f"override_{kind}") for kind in kinds}


def check_absent(output: Path | None, overwrite: bool) -> None:
    """Refuse a file that is there, before anything is computed."""
    if output is not None and output.exists() and not output.is_dir() and not overwrite:
        raise LRSError(f"{output}: exists already; give another name with -o, or --overwrite to replace it.")
