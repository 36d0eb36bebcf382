"""The section Verify: the installed pipeline on the same file, beside what the panel gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traitlets import Bool, List, Unicode

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.reference_search import OVERRIDES
from jdaviz_lrs.panel.sections.result_file import SavingResult
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.tasks import CancelledError, Work, browser_loop, outcome_of
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.pipeline.columns import ColumnComparison
from jdaviz_lrs.pipeline.verification import Verification
from jdaviz_lrs.pipeline.verify import verify
from jdaviz_lrs.products.files import output_path

__all__ = ["VerifySection"]

CANCELLED = "The verification was cancelled."


class VerifySection(SavingResult):
    """A button, what it found, and the report of it.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "verify.vue"
    endings = (".md",)
    none_yet = "Nothing was verified yet; press Verify."

    possible = Bool(False).tag(sync=True)
    work_line = Unicode().tag(sync=True)
    sentence = Unicode().tag(sync=True)
    equal = Bool(False).tag(sync=True)
    stale = Bool(False).tag(sync=True)  # of other parameters than those in the panel
    rows = List().tag(sync=True)
    differences = List().tag(sync=True)
    notes = List().tag(sync=True)

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._work: Work[Verification] | None = None

    def show(self, state: PanelState) -> None:
        """Say whether there is something to verify, and whether what is shown is of these parameters."""
        # the mean of a series is in no file that the pipeline could be given
        single = state.source is not None and state.source.series is None
        self.possible = state.layout is not None and state.problem == "" and single
        report = self.result
        if report is not None and state.source is not None:
            alike = _file(state) == report.file and _named(state) == _shared(report.parameters)
            self.stale = not alike

    def verify(self, progress: Callable[[str], None] | None = None) -> Verification:
        """Have the pipeline extract with the parameters in the panel, and compare.

        Raises
        ------
        LRSError
            When the pipeline is not installed or fails, or nothing can be extracted.
        """
        report = self._asked()(progress)
        self._take(report)
        return report

    def _asked(self) -> Callable[[Any], Verification]:
        """Return the verification that the state asks for now, as a function of what is told its progress."""
        state = self.panel.state
        image = state.ready.image
        overrides = {name: state.choice.overrides.get(name) or None for name in OVERRIDES}
        parameters = state.parameters.asdict()
        return lambda progress: verify(image, **overrides, progress=progress, **parameters)

    def _take(self, report: Verification) -> None:
        self.keep(report, f"{output_path(report.file, 'verified').stem}.md")
        self.sentence, self.equal, self.notes = report.sentence, report.equal, list(report.notes)
        ours = {column.name: column for column in report.default}
        self.rows = [
            {"name": one.name, "compatible": _size(one), "default": _size(ours.get(one.name))}
            for one in report.compatible
        ]
        self.differences = [
            f"{one.what}: the pipeline {one.pipeline}; here {one.here}." for one in report.differences
        ]
        self.show(self.panel.state)

    # ---- answers to the buttons

    def vue_verify(self, _=None) -> None:
        """Verify, while the browser goes on; a second press is not heard."""
        if self._work is not None:
            return
        self.problem = ""
        try:
            do = self._asked()
        except LRSError as error:
            self.problem = str(error)
            return
        loop = browser_loop()
        if loop is None:
            self._arrive(outcome_of(do))
            return
        self.work_line = "Starting the pipeline"
        self._work = Work("The verification", do, self._tell, loop)
        self._work.then(self._arrive)
        self._work.start()

    def vue_cancel(self, _=None) -> None:
        """End it; the pipeline's process ends with it."""
        if self._work is not None:
            self._work.end_with(CancelledError(CANCELLED))

    def _tell(self, line: str) -> None:
        self.work_line = line

    def _arrive(self, outcome: Verification | LRSError) -> None:
        self._work, self.work_line = None, ""
        if isinstance(outcome, LRSError):
            self.problem = str(outcome)
        else:
            self._take(outcome)


def _file(state: PanelState) -> str:
    return state.source.image.file_name


def _named(state: PanelState) -> dict[str, Any] | None:
    try:
        return _shared(state.parameters)
    except LRSError:
        return None


def _shared(parameters: ExtractionParameters) -> dict[str, Any]:
    """Return what tells one verification from another."""
    return {
        name: value for name, value in parameters.asdict().items()
        if name != "pipeline_compatible" and not name.startswith("save_")
    }  # fmt: skip


def _size(column: ColumnComparison | None) -> str:
    if column is None:
        return ""
    if column.largest == float("inf"):
        return "one has no number"
    return f"{column.largest:.0e}" if column.largest else "0"
