"""``jdaviz-lrs demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command; returns its parser."""
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
    one.set_defaults(command=run)
    return one


def run(arguments: argparse.Namespace) -> None:
    """Simulate, extract, and serve until Ctrl-C."""
    from jdaviz_lrs.app.demo import run as run_demo

    run_demo(arguments.directory, port=arguments.port, browser=not arguments.no_browser, host=arguments.host)
