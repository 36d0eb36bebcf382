"""Working with CRDS without waiting for a server that is out of reach, and without its messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import lru_cache
from io import StringIO
from threading import Lock, Thread
from time import monotonic

__all__ = ["crds_session"]

NO_SERVER = "https://crds-serverless-mode.stsci.edu"
"""CRDS's own name for working without a server: it then uses nothing but its cache."""

CONNECT_S = 15.0
"""How long the server may take for its first answer; without the limit CRDS waits for an hour."""

ANSWER_S = 30
"""How long it may take for each of the later ones."""

RETRY_S = 300.0
"""How long a server that did not answer is left alone."""

_ONE_AT_A_TIME = Lock()  # CRDS has one server and one logger for all threads


@contextmanager
def crds_session(server: str, progress: Callable[[str], None] | None = None) -> Iterator[None]:
    """Limit how long CRDS waits for the network, and keep it from printing.

    Parameters
    ----------
    server : str
        Its address. When it does not answer within `CONNECT_S`, the session goes on without it, and so do
        those of the next `RETRY_S`.
    progress : callable, optional
        Is told what CRDS would print about its progress.
    """
    with _ONE_AT_A_TIME:
        yield from _session(server, progress)


def _session(server: str, progress: Callable[[str], None] | None) -> Iterator[None]:
    from crds.client import set_crds_server
    from crds.core.config import CLIENT_TIMEOUT

    limit = CLIENT_TIMEOUT.get()
    CLIENT_TIMEOUT.set(min(limit, ANSWER_S))
    try:
        with _quiet(progress):
            set_crds_server(server)  # CRDS itself read the environment when it was imported
            if "serverless" not in server and not _answers(server, monotonic() // RETRY_S):
                set_crds_server(NO_SERVER)
            yield
    finally:
        CLIENT_TIMEOUT.set(limit)
        with _quiet(None):  # it remarks on addresses without https
            set_crds_server(server)


@lru_cache(maxsize=4)
def _answers(server: str, _period: float) -> bool:
    """Whether the server answers; in a thread, since looking up a name cannot be limited in time."""
    from crds.client import api

    answers = []

    def ask() -> None:
        try:
            answers.append(api.get_server_info())  # which CRDS keeps
        except Exception:
            return

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_S)
    return bool(answers)


@contextmanager
def _quiet(progress: Callable[[str], None] | None) -> Iterator[None]:
    """Keep CRDS from printing: what matters is returned; its messages go to `progress`."""
    logger = logging.getLogger("CRDS")
    handlers, level = logger.handlers, logger.level
    logger.handlers, logger.level = [_Teller(progress)], logging.INFO
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logger.handlers, logger.level = handlers, level


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None] | None) -> None:
        super().__init__(logging.INFO)
        self.tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if self.tell is not None and record.levelno == logging.INFO:
            self.tell(record.getMessage())
