"""The part of the panel for what comes after: judge a spectrum, compare it, have one back, save it."""

from __future__ import annotations

import warnings
from pathlib import Path

from traitlets import List, Unicode

from jdaviz_lrs.analysis.compare import Comparison
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.panel.compare_view import CompareView
from jdaviz_lrs.panel.files import Files
from jdaviz_lrs.panel.history import History, Record
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.reference_search import OVERRIDES
from jdaviz_lrs.panel.saving import Saving
from jdaviz_lrs.panel.verdict_view import VerdictView
from jdaviz_lrs.parameters import APERTURE_NAMES
from jdaviz_lrs.references.find import References

__all__ = ["RESULTS_API", "Results"]

#: What this part adds to the panel's API.
RESULTS_API = (
    "compare_with", "compare_ranges", "compare", "history", "restore", "filename", "save_x1d",
    "import_extract1d", "export_extract1d", "to_python",
)  # fmt: skip


class Results(Files):
    """Adds the sections Verdict, Compare, History and Save; each is a small widget of its own."""

    verdict_widget = Unicode().tag(sync=True)
    result_widgets = List().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._verdict = VerdictView(app=self._app)
        self._comparison = CompareView(self, app=self._app)
        self._history = History(
            self, self._comparison.against, lambda: self._comparison.reference_selected, app=self._app
        )
        self._saving = Saving(self, app=self._app)
        self._comparison.on_reference(self._history.refresh)
        self.verdict_widget = f"IPY_MODEL_{self._verdict.model_id}"
        sections = self._comparison, self._history, self._saving
        self.result_widgets = [f"IPY_MODEL_{section.model_id}" for section in sections]

    # ---- what the sections are told

    def on_input(self) -> None:
        """Another dataset: nothing to compare until it is extracted."""
        super().on_input()
        if self.result_widgets:
            self._verdict.show(None)
            self._comparison.show(None)
            self._saving.refresh()

    def on_parameters(self, change=None) -> None:
        """Other parameters: another spectrum to compare, if any, and another call that repeats it."""
        if not self.result_widgets or self._filling:
            super().on_parameters(change)
            return
        self._comparison.forget()
        super().on_parameters(change)
        if not self._comparison.has_spectrum:
            self._comparison.refresh()
        self._saving.refresh()

    def on_result(self, result: ExtractedSpectrum | None) -> None:
        """Another spectrum on the screen; that of a closed panel stays in the comparison."""
        super().on_result(result)
        if not self.result_widgets:
            return
        self._verdict.show(None if result is None else result.verdict)
        if result is not None:
            self._comparison.show(result)

    def record(self, result: ExtractedSpectrum, label: str, dataset: str, overrides=None) -> None:
        """Take notice of a spectrum added to the app."""
        self._history.add(
            Record.of(result, label, dataset, self.overrides if overrides is None else overrides)
        )

    # ---- what the sections ask

    @property
    def source(self) -> Input | None:
        """The dataset, or None."""
        return self._input

    @property
    def references(self) -> References | None:
        """Its reference files."""
        return self._references

    @property
    def overrides(self) -> dict[str, str]:
        """The reference files given in the panel, by the name of their input."""
        return {name: getattr(self, name) for name in OVERRIDES}

    # ---- what scripts use

    @property
    def compare_with(self):
        """The 1-D spectrum to compare with."""
        return self._comparison.reference

    @property
    def compare_ranges(self) -> str:
        """Wavelength ranges in micron: ``5-8, 8-11``, or pairs of numbers."""
        return self._comparison.ranges

    @compare_ranges.setter
    def compare_ranges(self, ranges) -> None:
        self._comparison.ranges = ranges

    def compare(self) -> Comparison:
        """Compare the spectrum that the panel's parameters give with `compare_with`.

        Raises
        ------
        LRSError
            When there is no spectrum, or no reference that fits.
        """
        self._comparison.show(self.compute())
        return self._comparison.against()

    @property
    def history(self):
        """The table of the extractions made so far."""
        return self._history.table

    def restore(self, label: str = "") -> None:
        """Take dataset, reference files and parameters of an earlier extraction.

        Parameters
        ----------
        label : str
            The label of its spectrum; without one, that of the row selected in the table.

        Raises
        ------
        LRSError
            When there is no such extraction, or its dataset is gone.
        """
        record = self._history[label]
        if record.dataset not in self.dataset.choices:
            raise LRSError(f"The dataset {record.dataset!r} is not in the app any more; load it again.")
        self.take(record.dataset, record.overrides, record.parameters)

    @property
    def filename(self):
        """Name of the x1d file to save."""
        return self._saving.filename

    def save_x1d(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the spectrum that the panel's parameters give, in the pipeline's format.

        The images that ``save_profile``, ``save_scene_model`` and ``save_residual_image`` ask for are written
        beside it, under the pipeline's names.

        Parameters
        ----------
        path : path-like, optional
            Without it, `filename`.
        overwrite : bool

        Raises
        ------
        LRSError
            When it cannot be extracted, or a file exists and `overwrite` is false.
        """
        return self._saving.save_x1d(path, overwrite)[0]

    def export_extract1d(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write an extract1d reference file with which the pipeline gives our spectrum.

        How to run the pipeline with it is printed, in Python and for the command line, with every argument of
        its step that differs from the default. What the pipeline cannot do is warned about.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the file exists and `overwrite` is false.
        """
        written, export = self._saving.export(path, overwrite)
        for note in export.notes:
            warnings.warn(note, LRSWarning, stacklevel=2)
        needed = {name: value for name, value in export.step_parameters.items() if name not in APERTURE_NAMES}
        if needed:
            spelled = ", ".join(f"{name}={value!r}" for name, value in needed.items())
            warnings.warn(f"The pipeline's step needs {spelled} as well.", LRSWarning, stacklevel=2)
        call = self._saving.pipeline_call(export, written)
        print(call.python, call.strun, sep="\n\n")
        return written

    def to_python(self) -> str:
        """Return the call of `jdaviz_lrs.extract` that repeats the extraction.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the dataset did not come from a file.
        """
        return self._saving.to_python()
