"""``jdaviz-lrs repeat``."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from jdaviz_lrs.cli.options import check_absent
from jdaviz_lrs.cli.progress import Progress
from jdaviz_lrs.errors import LRSError

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
    one = commands.add_parser(
        "repeat",
        help="make the extractions of a session again",
        description="Extract again what is in the history of a session that the panel saved, each with its "
        "parameters and reference files, and write the x1d files.",
    )
    one.add_argument("session", metavar="SESSION", help="the session's file (JSON)")
    one.add_argument("-o", "--output", type=Path, default=Path(), help="the folder (default: this one)")
    one.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> int:
    """Extract and write; one that fails does not stop the others."""
    from jdaviz_lrs.batch.session import read_session
    from jdaviz_lrs.products.saving import write_products

    session = read_session(arguments.session)
    session.check_files()
    if not session.history:
        raise LRSError(f"{arguments.session}: nothing was extracted in this session.")
    if not arguments.output.is_dir():
        raise LRSError(f"{arguments.output}: there is no such folder; give one that exists with -o.")
    outputs = {_file_name(one.label): one for one in session.history}
    if len(outputs) < len(session.history):
        raise LRSError(f"{arguments.session}: two extractions would have one name; rename one in jdaviz.")
    for name in outputs:
        check_absent(arguments.output / name, arguments.overwrite)
    failed = 0
    with Progress("extractions") as progress:
        for number, (name, one) in enumerate(outputs.items(), 1):
            try:
                written = write_products(one.extract(), arguments.output / name, arguments.overwrite)
            except LRSError as error:
                failed += 1
                progress.clear()
                print(LRSError(f"{one.label}: {error}"), file=sys.stderr)
            else:
                progress.clear()
                print("\n".join(f"wrote      {path}" for path in written), flush=True)
            progress.count(number, len(outputs))
    return 2 if failed else 0


def _file_name(label: str) -> str:
    """Name a file after a spectrum, without what a shell or a folder would stumble over."""
    name = re.sub(r"[^\w.+-]+", "_", label).strip("_.") or "spectrum"
    return f"{name}_x1d.fits"
