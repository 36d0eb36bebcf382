"""The part of the panel that extracts: at once, or, where it takes long, while the browser goes on."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable

from jdaviz.core.events import SnackbarMessage
from traitlets import List, Unicode

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract
from jdaviz_lrs.panel.data_source import DataSource
from jdaviz_lrs.panel.work import Work, browser_loop
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["CancelledError", "Computing"]

CANCELLED = "The extraction was cancelled; press Extract, or change a parameter, to begin anew."

#: Seconds of silence before work under way is told of: what is quicker must not flicker.
SILENCE = 0.4

#: How many spectra are kept: that on the screen, and the same with its images.
KEPT = 2

Outcome = ExtractedSpectrum | LRSError


class CancelledError(LRSError):
    """The user did not want to wait, or has changed a parameter meanwhile."""


def takes_long(parameters: ExtractionParameters) -> bool:
    """Whether an extraction may take more than a moment."""
    return parameters.extraction_type == "optimal" and bool(parameters.refinements or parameters.sources)


class Computing(DataSource):
    """Extracts with the parameters in the panel; nothing is extracted twice in a row."""

    notes = List().tag(sync=True)
    work_line = Unicode().tag(sync=True)

    _step = ""
    _given_up: ExtractionParameters | None = None

    def __init__(self, *args, **kwargs):
        self._results: dict[ExtractionParameters, ExtractedSpectrum] = {}
        self._works: dict[ExtractionParameters, Work[ExtractedSpectrum]] = {}
        self._waiting: set[str] = set()
        super().__init__(*args, **kwargs)

    def on_input(self) -> None:
        """Forget all that belongs to another dataset."""
        super().on_input()
        self.cancel_work()
        self._given_up = None
        self._results.clear()
        self.notes = []

    def compute(self, **changes) -> ExtractedSpectrum:
        """Extract, and wait for it; at once when nothing has changed since the last time.

        Parameters
        ----------
        **changes
            Parameters that are to differ from those in the panel.

        Raises
        ------
        LRSError
            When it cannot be done.
        """
        image, parameters = self.image, self.parameters.with_(changes)
        if parameters in self._works:
            outcome = self._works[parameters].wait()
            if isinstance(outcome, LRSError):
                raise outcome
        if parameters not in self._results:
            self._keep(parameters, extract(image, parameters, self._references))
        result = self._results[parameters]
        self.notes = list(result.notes)
        return result

    def compute_then(self, act: Callable[[Outcome], None], **changes) -> None:
        """Extract, and do something with the outcome: now, or, where it takes long, when it is there.

        What the browser asks for is computed in a thread, so that the viewers go on working; when another
        parameter or `vue_cancel_work` cancels it, the outcome is a `CancelledError`.
        """
        try:
            image, parameters = self.image, self.parameters.with_(changes)
        except LRSError as error:
            act(error)
            return
        loop = browser_loop() if takes_long(parameters) and parameters not in self._results else None
        if loop is None:
            act(self._outcome(**changes))
            return
        if parameters not in self._works:
            references = self._references
            self._begin(parameters, lambda tell: extract(image, parameters, references, progress=tell), loop)
        self._works[parameters].then(act)

    def once_computed(self, what: str, act: Callable[[], None], **changes) -> None:
        """Do something that needs the spectrum as soon as it is there, or say why it is not.

        Parameters
        ----------
        what : str
            Its name: what waits already, as after a double click, is not asked for twice.
        act : callable
        **changes
            See `compute`.
        """
        if what in self._waiting:
            return
        self._waiting.add(what)
        self.on_waiting()

        def act_on(outcome: Outcome) -> None:
            self._waiting.discard(what)
            self.on_waiting()
            if isinstance(outcome, LRSError):
                color = "warning" if isinstance(outcome, CancelledError) else "error"
                self.hub.broadcast(SnackbarMessage(str(outcome), sender=self, color=color))
            else:
                act()

        self.compute_then(act_on, **changes)

    def cancel_work(self) -> None:
        """End what is under way."""
        for work in tuple(self._works.values()):
            work.end_with(CancelledError(CANCELLED))

    def vue_cancel_work(self, _=None) -> None:
        """Answer to the button."""
        if self._works:
            self._given_up = self.parameters
        self.cancel_work()

    @property
    def given_up(self) -> bool:
        """Whether the user has cancelled the extraction with the parameters in the panel."""
        wanted = self._given_up
        return wanted is not None and wanted == self.parameters and wanted not in self._results

    def on_waiting(self) -> None:
        """React to something that begins or ends to wait for the spectrum."""

    def on_long_work(self) -> None:
        """React to work that will take a while yet; for the other parts of the panel to extend."""

    def _outcome(self, **changes) -> Outcome:
        try:
            return self.compute(**changes)
        except LRSError as error:
            return error
        except Exception as error:  # a bug of ours must not leave another spectrum's preview behind
            return LRSError(f"The extraction failed unexpectedly: {error!r}.")

    def _begin(self, parameters: ExtractionParameters, do: Callable, loop: AbstractEventLoop) -> None:
        work = self._works[parameters] = Work("The extraction", do, self._on_step, loop)
        work.then(lambda outcome: self._end(parameters, outcome))
        self._given_up, self._step = None, "Extracting"
        self.notes = []
        loop.call_later(SILENCE, self._show_step, parameters, work)
        work.start()

    def _end(self, parameters: ExtractionParameters, outcome: Outcome) -> None:
        del self._works[parameters]
        self.work_line = self._step if self._works and self.work_line else ""
        if not isinstance(outcome, LRSError):
            self._keep(parameters, outcome)
            self.notes = list(outcome.notes)

    def _keep(self, parameters: ExtractionParameters, result: ExtractedSpectrum) -> None:
        self._results[parameters] = result
        for old in tuple(self._results)[:-KEPT]:
            del self._results[old]

    def _on_step(self, step: str) -> None:
        self._step = step
        if self.work_line:
            self.work_line = step

    def _show_step(self, parameters: ExtractionParameters, work: Work) -> None:
        if self._works.get(parameters) is work:
            self.work_line = self._step
            if parameters == self.parameters:  # not the same with its images, of which the spectrum is there
                self.on_long_work()
