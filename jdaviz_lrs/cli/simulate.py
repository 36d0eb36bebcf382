"""``jdaviz-lrs simulate``."""

from __future__ import annotations

import argparse
from pathlib import Path

from jdaviz_lrs.cli.options import parse_settings
from jdaviz_lrs.errors import LRSError

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
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
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Simulate, and print the names of the files."""
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
