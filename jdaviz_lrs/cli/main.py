"""The command line as a whole: its parser, and how a command ends."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import warnings
from collections.abc import Sequence

from jdaviz_lrs.cli import (
    along_slit,
    combine,
    demo,
    extract,
    light_curves,
    repeat,
    response,
    simulate,
    verify,
)
from jdaviz_lrs.cli.progress import log_to_stderr
from jdaviz_lrs.errors import LRSError

__all__ = ["main", "parser"]

COMMANDS = (extract, repeat, response, verify, combine, along_slit, light_curves, demo, simulate)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, or 2 after an error of the user's."""
    arguments = parser().parse_args(argv)
    warnings.simplefilter("ignore")  # what matters to the user is in the result's notes
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
    try:
        with log_to_stderr(arguments.verbose):
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
    _take_verbose(top, default=False)
    commands = top.add_subparsers(dest="name", metavar="COMMAND", required=True)
    for module in COMMANDS:
        _take_verbose(module.add_to(commands), default=argparse.SUPPRESS)
    return top


def _take_verbose(one: argparse.ArgumentParser, default: object) -> None:
    """Let `-v` stand before and after the command's name."""
    one.add_argument(
        "-v", "--verbose", action="store_true", default=default, help="log on standard error what is done"
    )


class _Version(argparse.Action):
    """Print the version; the package's metadata is read only when it is asked for."""

    def __call__(self, *_: object) -> None:
        from jdaviz_lrs import __version__

        print(f"jdaviz-lrs {__version__}")
        raise SystemExit(0)
