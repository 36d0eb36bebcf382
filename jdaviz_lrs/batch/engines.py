"""Where work is done: in this process, or on the workers of a dask cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from jdaviz_lrs.errors import LRSError

__all__ = ["client_of", "results", "workers"]

ANSWER = "10s"
"""For which a scheduler is waited."""

ENVIRONMENT = "distributed.nanny.pre-spawn-environ"
"""Of workers to be started."""

UNWATCHED = {"distributed.worker.profile.enabled": False}
"""A worker need not look a hundred times a second at what it is doing: there is no dashboard to show it."""

MEMORY = {"MALLOC_ARENA_MAX": 1, "MALLOC_MMAP_THRESHOLD_": 2**25, "MALLOC_TRIM_THRESHOLD_": 2**29}
"""Settings of their glibc. Chunks make and forget the same arrays all the time; where each is given back
to the system, as dask would have it, a quarter of the time goes into asking for it again."""

NOT_INSTALLED = (
    "Workers need the package distributed, which is not installed; install it with: pip install "
    "'jdaviz-lrs[distributed]'."
)


@contextmanager
def client_of(client: Any) -> Iterator[Any]:
    """Give a dask client: the one given, or one of the scheduler at an address; None stays None.

    Raises
    ------
    LRSError
        When `distributed` is not installed, the scheduler does not answer, or has no worker.
    """
    if client is not None and not isinstance(client, str) and not hasattr(client, "submit"):
        raise LRSError(f"client = {client!r}: give a dask client, or the address of a scheduler.")
    if not isinstance(client, str):
        yield client
        return
    try:
        from distributed import Client
    except ImportError:
        raise LRSError(NOT_INSTALLED) from None
    try:
        with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop that runs
            thread.submit(asyncio.run, _greet(client)).result()
        own = Client(client, timeout=ANSWER)
    except (OSError, ValueError, TimeoutError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:80]
        raise LRSError(
            f"{client or 'an empty address'}: the scheduler does not answer ({reason}); start it, or give "
            "another address."
        ) from error
    with own:
        try:
            own.wait_for_workers(1, timeout=ANSWER)
        except TimeoutError as error:
            raise LRSError(
                f"{client}: the scheduler has no workers; start some (dask worker {client})."
            ) from error
        yield own


async def _greet(address: str) -> None:
    """Connect to a scheduler in the time that is given: `Client` waits for ever for one that is silent."""
    from dask.utils import parse_timedelta
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    async with asyncio.timeout(parse_timedelta(ANSWER)):
        comm = await connect(address, timeout=ANSWER, **arguments)
        await comm.close()


@contextmanager
def workers(number: int) -> Iterator[Any]:
    """Give a client of so many processes on this machine.

    Raises
    ------
    LRSError
        When `distributed` is not installed, or the number is not positive.
    """
    if number < 1:
        raise LRSError(f"workers = {number}: at least one is needed.")
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError:
        raise LRSError(NOT_INSTALLED) from None
    environment = {**dask.config.get(ENVIRONMENT), **MEMORY}
    settings = {
        "dashboard_address": None,
        "host": "127.0.0.1",
        "threads_per_worker": 1,
        "silence_logs": logging.CRITICAL,  # a worker that ends logs a traceback; errors of the work come back
    }
    with (
        dask.config.set({ENVIRONMENT: environment, **UNWATCHED}),
        LocalCluster(n_workers=number, **settings) as cluster,
        Client(cluster) as client,
    ):
        yield client


def results(
    function: Callable[[Any, Any], Any], items: Sequence[Any], common: Any, client: Any = None
) -> Iterator[tuple[Any, Any]]:
    """Call ``function(item, common)`` for every item, and give item and result as they come.

    On workers what is common travels once, as the result of a task: a worker that is lost takes nothing with
    it that could not be made again, and its items are done again elsewhere.

    Raises
    ------
    LRSError
        That of the function; or when workers were lost again and again.
    """
    if client is None:
        for item in items:
            yield item, function(item, common)
        return
    from distributed import CancelledError, KilledWorker, as_completed, wait

    shared = client.submit(_same, common, pure=False)
    wait(shared)
    client.replicate(shared)  # work goes where its arguments are
    futures = {client.submit(function, item, shared, pure=False): item for item in items}
    try:
        for future in as_completed(futures):
            item = futures[future]
            try:
                result = future.result()
            except (KilledWorker, CancelledError, OSError) as error:
                raise LRSError(
                    f"{item}: the workers were lost that did it ({type(error).__name__}); see their logs, "
                    "whether their memory was enough."
                ) from error
            except ImportError as error:
                raise LRSError(
                    f"{item}: the workers lack a package ({error}); install jdaviz-lrs where they run."
                ) from error
            yield item, result
            future.release()
    finally:
        client.cancel([*futures, shared])


def _same(thing: Any) -> Any:
    return thing
