"""The section Series: the integrations of a time series, one by one on the screen, and all extracted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from traitlets import Bool, Float, Int, List, Unicode

from jdaviz_lrs.batch.extract import extract_series
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.sections.result_file import SavingResult, working_folder
from jdaviz_lrs.panel.sections.scene_layer import SceneLayer
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.tasks import CancelledError, Work, browser_loop, outcome_of
from jdaviz_lrs.products.files import output_path
from jdaviz_lrs.products.series import Series, read_integrations

__all__ = ["SeriesSection"]

CANCELLED = "The extraction was cancelled; what is finished is kept, and Extract series goes on from there."

NO_SERIES = "The dataset is one image; load the segments of a time series (calints) as JWST LRS series."


@dataclass(frozen=True)
class Progress:
    """How far an extraction is.

    Attributes
    ----------
    line : str
    share : float
        Of the integrations that are done, in per cent.
    """

    line: str
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Begun:
    """An extraction that was begun, to which one of the same parameters comes back.

    Attributes
    ----------
    source : Input
    plan : ExtractionPlan
    folder : TemporaryDirectory
        Of the chunks that are finished.
    """

    source: Input
    plan: ExtractionPlan
    folder: tempfile.TemporaryDirectory

    def goes_on_as(self, source: Input, plan: ExtractionPlan) -> bool:
        """Whether its chunks are those of another plan as well."""
        alike = self.plan.parameters == plan.parameters and self.plan.references is plan.references
        return source.data is self.source.data and alike


class SeriesSection(SavingResult):
    """A slider through the integrations, and the extraction of all of them.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "series.vue"
    none_yet = "No series was extracted yet; press Extract series."

    present = Bool(False).tag(sync=True)  # whether the dataset is a series
    possible = Bool(False).tag(sync=True)
    last = Int(0).tag(sync=True)  # how many integrations there are
    integration = Int(0).tag(sync=True)  # that is shown, counted from 1; 0 is the mean
    caption = Unicode().tag(sync=True)
    resume = Unicode().tag(sync=True)  # folder of the finished chunks, for another day
    work_line = Unicode().tag(sync=True)
    share = Float(0.0).tag(sync=True)
    sentence = Unicode().tag(sync=True)
    stale = Bool(False).tag(sync=True)  # of other parameters than those in the panel
    notes = List().tag(sync=True)

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._work: Work[ExtractedSeries] | None = None
        self._begun: Begun | None = None
        self._source: Input | None = None

    def show(self, state: PanelState) -> None:
        """Appear with a series, and go with it."""
        source = state.source if state.source is not None and state.source.series is not None else None
        if source is not self._source:
            self._take_source(source)
        if self._begun is not None and self._begun.source.data not in self._app.data_collection:
            self._begun = None
        self.possible = state.layout is not None and state.problem == ""
        if state.time_series is not self.result:
            self._take(state.time_series)
        if self.result is not None:
            self.stale = dict(self.result.parameters) != _named(state)

    def _take_source(self, source: Input | None) -> None:
        """Take another series, or none: images are not kept here."""
        series = None if source is None else source.series
        if self._source is not None:
            self._show_mean()
        self._source = source
        self.present, self.problem = series is not None, ""
        self.last = 0 if series is None else series.n_int
        if self.present:
            self.opened, self.caption = 0, self._mean(series)

    # ---- one integration

    @cached_property
    def layer(self) -> SceneLayer:
        """The integration above the mean."""
        return SceneLayer(self._app, self.panel._plugin_name)

    def show_integration(self, number: int) -> None:
        """Show an integration, counted from 1, in place of the mean, which is 0.

        Raises
        ------
        LRSError
            When there is no such integration, or it cannot be read.
        """
        source = self._series_of(self.panel.state)
        if not 0 <= number <= self.last:
            raise LRSError(f"There is no integration {number}; they are counted from 1 to {self.last}.")
        if number == 0:
            self._show_mean()
            return
        series = source.series
        inside = number - 1
        for segment in series.segments:
            if inside < segment.size:
                break
            inside -= segment.size
        image = read_integrations(segment.path, inside, inside + 1, source.image)
        spectrum = source.display.spectrum(image.data[0], source.image.unit)
        self.layer.show(source, spectrum, "integration", self.panel.image_viewers)
        self.caption = f"Integration {segment.first + inside} of segment {segment.number}"
        self.integration = number

    def _show_mean(self) -> None:
        if "layer" in vars(self):
            self.layer.forget()
        self.integration = 0
        if self._source is not None:
            self.caption = self._mean(self._source.series)

    def _mean(self, series: Series) -> str:
        return f"Mean of {series.number.max()} of {series.n_int} integrations"

    def vue_slide(self, number: int) -> None:
        """Answer to the slider and to the button that plays."""
        try:
            self.show_integration(number)
        except LRSError as error:
            self.problem = str(error)

    # ---- all of them

    def extract(self, resume: str | Path | None = None) -> ExtractedSeries:
        """Extract all integrations with the parameters in the panel, and wait for them.

        Raises
        ------
        LRSError
            When the dataset is no series, or it cannot be extracted.
        """
        source = self._series_of(self.panel.state)
        self.panel.compute()
        series = self.asked(source, resume or self.resume)(None)
        self._arrive(source, series)
        return series

    def _series_of(self, state: PanelState) -> Input:
        if state.source is None or state.source.series is None:
            raise LRSError(NO_SERIES)
        return state.source

    def asked(self, source: Input, resume: str | Path) -> Callable[[Any], ExtractedSeries]:
        """Return the extraction that the state asks for now, as a function of what is told its progress.

        One of the same parameters as the last goes on where that ended, whatever it ended with.

        Parameters
        ----------
        source : Input
        resume : path-like
            Folder of the finished chunks; of an empty one they are kept as long as the section.

        Raises
        ------
        LRSError
            When the parameters do not fit the image.
        """
        plan = self.panel.state.ready
        if resume:
            folder: Any = working_folder() / Path(resume).expanduser()
        else:
            if self._begun is None or not self._begun.goes_on_as(source, plan):
                folder = tempfile.TemporaryDirectory(prefix="jdaviz-lrs-", ignore_cleanup_errors=True)
                self._begun = Begun(source, plan, folder)
            folder = self._begun.folder

        def do(tell: Callable[[Progress], None] | None) -> ExtractedSeries:
            told = (lambda _: None) if tell is None else tell
            clock = Clock()
            return extract_series(
                source.series,
                plan,
                resume=folder,
                progress=lambda line: told(Progress(line)),
                done=lambda number, total: told(clock.progress(number, total)),
            )

        return do

    def vue_extract(self, _=None) -> None:
        """Answer to the button; a second press is not heard."""
        if self._work is None:
            self.problem = ""
            self.panel.when_computed("extract series", self._begin)

    def _begin(self) -> None:
        try:
            source = self._series_of(self.panel.state)
            do = self.asked(source, self.resume)
        except LRSError as error:
            self.problem = str(error)
            return
        loop = browser_loop()
        if loop is None:
            self._arrive(source, outcome_of(do))
            return
        self.work_line, self.share = "Looking at the mean image", 0.0
        self._work = Work("The extraction of the series", do, self._tell, loop)
        self._work.then(lambda outcome: self._arrive(source, outcome))
        self._work.start()

    def vue_cancel(self, _=None) -> None:
        """End it with the chunk that is under way."""
        if self._work is not None:
            self._work.end_with(CancelledError(CANCELLED))

    def _tell(self, progress: Progress) -> None:
        self.work_line, self.share = progress.line, progress.share

    def _arrive(self, source: Input, outcome: ExtractedSeries | LRSError) -> None:
        self._work, self.work_line = None, ""
        if isinstance(outcome, LRSError):
            self.problem = str(outcome)
            return
        kept = self.panel.state.extracted_series
        self.panel.update(extracted_series={**kept, source.data.uuid: outcome})

    def _take(self, series: ExtractedSeries | None) -> None:
        if series is None:
            self.result, self.sentence, self.notes = None, "", []
            return
        self.keep(series, output_path(self._source.label + ".fits", "x1dints").name)
        self.sentence = f"{len(series)} integrations, {series.wavelength.size} wavelengths each."
        self.notes = list(series.notes)


class Clock:
    """Tells from what is done how long the rest takes."""

    def __init__(self) -> None:
        self._begun: tuple[float, int] | None = None

    def progress(self, number: int, total: int) -> Progress:
        """Take notice that so many are done; the first call sets the clock."""
        now = time.monotonic()
        line = f"{number} of {total} integrations"
        if self._begun is None:
            self._begun = now, number
        elif number > self._begun[1]:
            start, before = self._begun
            left = (now - start) / (number - before) * (total - number)
            line += f", {_duration(left)} left"
        return Progress(line, 100 * number / total)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _named(state: PanelState) -> dict[str, Any] | None:
    try:
        return dict(state.parameters.asdict())
    except LRSError:
        return None
