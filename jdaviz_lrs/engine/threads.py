"""How many threads BLAS uses: one, while our matrices are small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

__all__ = ["single_thread"]

_lock = Lock()
_inside = 0
_limit = None


@contextmanager
def single_thread() -> Iterator[None]:
    """Let BLAS use one thread in this block.

    An optimal extraction solves hundreds of small systems, and several threads of BLAS wait for each other
    at every one of them: it takes three times as long on two cores. Blocks of several Python threads may
    overlap.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _limit
    with _lock:
        if _inside == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
            _limit.__enter__()
        _inside += 1


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside == 0:
            _limit.__exit__(None, None, None)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
