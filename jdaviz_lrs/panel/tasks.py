"""Work that takes long, as extractions may: a script waits for it, the browser goes on and can cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from typing import Any, Generic, TypeVar

from IPython import get_ipython

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan

__all__ = ["CANCELLED", "CancelledError", "Extractions", "Outcome", "Work", "browser_loop", "outcome_of"]

CANCELLED = "The extraction was cancelled; press Extract, or change a parameter, to begin anew."

#: Seconds of silence before work under way is told of: what is quicker must not flicker.
SILENCE = 0.4

Outcome = ExtractedSpectrum | LRSError

T = TypeVar("T")


class CancelledError(LRSError):
    """The user did not want to wait, or has changed a parameter meanwhile."""


class Cancelled(BaseException):
    """Ends work from inside; not an `Exception`, from which CRDS would recover."""


def browser_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that serves the browser; None where a cell or a script asks, and can wait."""
    kernel = getattr(get_ipython(), "kernel", None)
    asked_by = kernel.get_parent("shell") if kernel is not None else {}
    if asked_by.get("header", {}).get("msg_type") != "comm_msg":
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # in a thread of jdaviz
        return None


def outcome_of(do: Callable[[Any], T]) -> T | LRSError:
    """Do at once what `Work` would do in a thread, and return what it would tell: the error, too."""
    try:
        return do(None)
    except LRSError as error:
        return error


class Work(Generic[T]):
    """One piece of work, in a thread of its own; all that is told of it is told in the loop's thread.

    Parameters
    ----------
    name : str
        What it is, for the sentence on an unexpected failure.
    do : callable
        Takes a function for news of its progress, and returns what the work is for or raises `LRSError`.
    tell : callable
        Is told that news: lines, as a rule.
    loop : AbstractEventLoop
    """

    def __init__(
        self,
        name: str,
        do: Callable[[Callable[[Any], None]], T],
        tell: Callable[[Any], None],
        loop: asyncio.AbstractEventLoop,
    ):
        self._name, self._do, self._tell, self._loop = name, do, tell, loop
        self._then: list[Callable[[T | LRSError], None]] = []
        self._outcome: T | LRSError | None = None
        self._over = False
        # not of a pool: one of `concurrent.futures` lets Python end only when cancelled work has ended
        self._thread = Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def then(self, act: Callable[[T | LRSError], None]) -> None:
        """Have something done with the outcome, which is an error where it failed."""
        self._then.append(act)

    def wait(self) -> T | LRSError:
        """Wait for the outcome; for a script that cannot go on without."""
        self._thread.join()
        self._finish()
        return self._outcome

    def end_with(self, outcome: T | LRSError) -> None:
        """Cancel: go on with this; the thread ends where it next tells of its progress."""
        if not self._over:
            self._outcome = outcome
            self._finish()

    def _work(self) -> None:
        try:
            outcome: T | LRSError = self._do(self._progress)
        except Cancelled:
            return
        except LRSError as error:
            outcome = error
        except Exception as error:
            outcome = LRSError(f"{self._name} failed unexpectedly: {error!r}.")
            outcome.__cause__ = error
        if not self._over:
            self._outcome = outcome
            self._loop.call_soon_threadsafe(self._finish)

    def _progress(self, news: Any) -> None:
        if self._over:
            raise Cancelled
        self._loop.call_soon_threadsafe(self._say, news)

    def _say(self, news: Any) -> None:
        if not self._over:
            self._tell(news)

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        with ExitStack() as stack:  # every one of them acts, also where another fails
            for act in reversed(self._then):
                stack.callback(act, self._outcome)


def takes_long(plan: ExtractionPlan) -> bool:
    """Whether an extraction may take more than a moment."""
    refined = plan.parameters.refinements or plan.parameters.sources
    return plan.parameters.extraction_type == "optimal" and bool(refined) and not plan.extracted


class Extractions:
    """Has plans extracted: at once, or, where it takes long, in a thread, while the browser goes on.

    Parameters
    ----------
    tell : callable
        Is told, in a few words, what is under way; an empty text when nothing is.
    on_begin, on_late : callable
        Are told the plan of which the work begins, and that of which it will take a while yet.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        on_begin: Callable[[ExtractionPlan], None],
        on_late: Callable[[ExtractionPlan], None],
    ):
        self._tell, self._on_begin, self._on_late = tell, on_begin, on_late
        self._works: dict[ExtractionPlan, Work[ExtractedSpectrum]] = {}
        self._waiting: set[str] = set()
        self._step, self._telling = "", False

    @property
    def under_way(self) -> bool:
        """Whether anything is being extracted."""
        return bool(self._works)

    def waits(self, what: str) -> bool:
        """Whether what has this name waits for its spectrum."""
        return what in self._waiting

    def now(self, plan: ExtractionPlan) -> ExtractedSpectrum:
        """Extract a plan, and wait for it.

        Raises
        ------
        LRSError
            When it cannot be done.
        """
        if plan in self._works and isinstance(outcome := self._works[plan].wait(), LRSError):
            raise outcome
        return plan.extract()

    def ask(self, what: str, plan: ExtractionPlan, act: Callable[[Outcome], None]) -> None:
        """Extract a plan, and do something with the outcome: now, or when it is there.

        When `cancel` ends it, the outcome is a `CancelledError`.

        Parameters
        ----------
        what : str
            The name of what is to be done: what waits already, as after a double click, is not asked for
            twice.
        plan : ExtractionPlan
        act : callable
        """
        if what in self._waiting:
            return
        self._waiting.add(what)

        def arrive(outcome: Outcome) -> None:
            self._waiting.discard(what)
            act(outcome)

        loop = browser_loop() if takes_long(plan) else None
        if loop is None:
            arrive(self._outcome(plan))
            return
        if plan not in self._works:
            self._begin(plan, loop)
        self._works[plan].then(arrive)

    def cancel(self) -> None:
        """End what is under way."""
        for work in tuple(self._works.values()):
            work.end_with(CancelledError(CANCELLED))

    def _outcome(self, plan: ExtractionPlan) -> Outcome:
        try:
            return self.now(plan)
        except LRSError as error:
            return error
        except Exception as error:  # a bug of ours must not leave another spectrum's preview behind
            return LRSError(f"The extraction failed unexpectedly: {error!r}.")

    def _begin(self, plan: ExtractionPlan, loop: asyncio.AbstractEventLoop) -> None:
        work = self._works[plan] = Work("The extraction", plan.extract, self._on_step, loop)
        work.then(lambda _: self._end(plan))
        self._step = "Extracting"
        self._on_begin(plan)
        loop.call_later(SILENCE, self._say_late, plan, work)
        work.start()

    def _end(self, plan: ExtractionPlan) -> None:
        del self._works[plan]
        self._telling = self._telling and bool(self._works)
        self._tell(self._step if self._telling else "")

    def _on_step(self, step: str) -> None:
        self._step = step
        if self._telling:
            self._tell(step)

    def _say_late(self, plan: ExtractionPlan, work: Work) -> None:
        if self._works.get(plan) is work:
            self._telling = True
            self._tell(self._step)
            self._on_late(plan)
