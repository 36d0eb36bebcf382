"""What a script or a button has the panel do with its parameters and its spectra."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jdaviz_lrs.analysis.compare import Comparison
from jdaviz_lrs.analysis.lightcurve import LightCurves
from jdaviz_lrs.batch.session import Session
from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.fluxcal.response import Response
from jdaviz_lrs.panel.free_region import add_free_region
from jdaviz_lrs.panel.presets import preset_names, preset_of, write_preset
from jdaviz_lrs.panel.sections.advice import refine
from jdaviz_lrs.panel.sections.compare.section import curve_of
from jdaviz_lrs.panel.sections.files import parameters_of_file, told_of
from jdaviz_lrs.panel.sections.profile.section import ProfileSection
from jdaviz_lrs.panel.sections.result_file import folders_of, working_folder
from jdaviz_lrs.panel.sections.scene import WITH_IMAGES
from jdaviz_lrs.panel.sections.subset import aperture_of_subset
from jdaviz_lrs.panel.sections.width.section import WidthSection
from jdaviz_lrs.panel.undo import back, forth
from jdaviz_lrs.parameters import APERTURE_NAMES
from jdaviz_lrs.pipeline.verification import Verification

__all__ = ["ACTIONS", "Actions"]


class Actions:
    """The panel's public methods, each of which computes, changes the state or asks a section.

    A part of `jdaviz_lrs.panel.plugin.LRSExtraction`, as jdaviz looks for a plugin's public names on the
    plugin itself. It keeps nothing: what it needs is the panel's ``state``, ``update``, ``compute``,
    ``when_computed``, ``sections``, ``results``, ``image_switch`` and ``say``.
    """

    @contextmanager
    def _saying_why_not(self, color: str = "error") -> Iterator[None]:
        """Say what keeps the answer to a button from being given, instead of raising it."""
        try:
            yield
        except LRSError as error:
            self.say(str(error), color)

    # ---- what acts on the parameters

    def undo(self) -> None:
        """Take the last change of the dataset's parameters back; without one, nothing happens."""
        self.update(travel=back)

    def redo(self) -> None:
        """Make the change again that was taken back last; without one, nothing happens."""
        self.update(travel=forth)

    def reset(self) -> None:
        """Take the parameters of the dataset's reference file; that can be undone.

        Raises
        ------
        LRSError
            Without a dataset.
        """
        _ = self.image
        self.update(parameters=self.state.references.parameters)

    def vue_undo(self, _=None) -> None:
        """Answer to the button and the keys."""
        self.undo()

    def vue_redo(self, _=None) -> None:
        """Answer to the button and the keys."""
        self.redo()

    def vue_reset(self, _=None) -> None:
        """Answer to the button."""
        if self.state.references is not None:
            self.reset()

    def vue_refine(self, refinement: str) -> None:
        """Answer to a button beside a sentence, or to the one for all."""
        self.update(**refine(self.state, refinement))

    def vue_add_region(self, _=None) -> None:
        """Add a background region where there is room for one."""
        plan, layout = self.state.plan, self.state.layout
        if layout is not None and layout.edges is not None:
            with self._saying_why_not("warning"):
                added = add_free_region(plan.image, plan.parameters, layout)
                self.update(parameters=plan.parameters.with_(added))

    def aperture_from_subset(self, subset: str | None = None) -> None:
        """Move the edges of the aperture to those of a subset across the dispersion.

        Parameters
        ----------
        subset : str, optional
            Its label; the one selected in the panel by default.

        Raises
        ------
        LRSError
            When the subset has no pixel on the image, or a parameter is wrong.
        """
        _ = self.image
        self.update(**aperture_of_subset(self.state, self.subset_selected if subset is None else subset))

    def vue_aperture_from_subset(self, _=None) -> None:
        """Answer to the button."""
        with self._saying_why_not():
            self.aperture_from_subset()

    def import_extract1d(self, path: str | Path) -> None:
        """Take the parameters of an extract1d reference file, of a preset, or of a spectrum of ours (x1d).

        Raises
        ------
        LRSError
            When the file is none of these, or has no aperture for this exposure.
        """
        _ = self.image
        self.update(**parameters_of_file(self.state, path))

    def vue_import_json(self, _=None) -> None:
        """Answer to the button."""
        with self._saying_why_not(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LRSWarning)
            self.import_extract1d(self.json_path)
            told = told_of(caught)
            text = " ".join([f"Parameters taken from {self.json_path}.", *told])
            self.say(text, "warning" if told else "success")

    @property
    def presets(self) -> tuple[str, ...]:
        """Names that `apply_preset` takes: the examples, and presets beside the data or in the folder."""
        return preset_names(*folders_of(self.state))

    def apply_preset(self, name: str) -> None:
        """Take the parameters of a preset, on top of those of the reference file; that can be undone.

        Raises
        ------
        LRSError
            For a name that is not known, and where the preset does not go with the dataset.
        """
        _ = self.image
        preset = preset_of(name, *folders_of(self.state))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LRSWarning)  # the notes below the spectrum tell it again
            self.update(plan=preset.plan(self.state.afresh))

    def vue_apply_preset(self, name: str) -> None:
        """Answer to the list."""
        with self._saying_why_not():
            self.apply_preset(name)

    def save_preset(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the panel's parameters as a preset, to be used again and given to others.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the file exists and `overwrite` is false.
        """
        written = write_preset(working_folder() / Path(path).expanduser(), self.parameters, overwrite)
        self.preset_items = list(self.presets)
        return written

    def vue_save_preset(self, name: str) -> None:
        """Answer to the button."""
        with self._saying_why_not():
            self.say(f"Written to {self.save_preset(name)}.", "success")

    def apply_to(self, *datasets: str) -> list[str]:
        """Extract from other datasets with the panel's parameters, and add their spectra.

        Parameters
        ----------
        *datasets : str
            Labels of 2-D spectra in the app, such as that of the other nod; they keep the parameters.

        Returns
        -------
        list of str
            The labels of the spectra.

        Raises
        ------
        LRSError
            For a label that is not known, and when a parameter is wrong.
        """
        return self.results.extract_alike(datasets)

    def vue_apply_to(self, dataset: str) -> None:
        """Answer to the button."""
        with self._saying_why_not():
            self.say(f"Extracted in the same way: {', '.join(self.apply_to(dataset))}.", "success")

    # ---- what comes after

    def show_scene(self, kind: str = "scene model") -> str:
        """Add the scene model or a residual to the viewer that shows the image.

        Parameters
        ----------
        kind : {'scene model', 'residual', 'residual in sigma'}

        Returns
        -------
        str
            The label of the new data.

        Raises
        ------
        LRSError
            When it cannot be extracted, or there are no errors to divide by.
        """
        return self.image_switch.keep(kind)

    def vue_show_scene(self, kind: str) -> None:
        """Answer to the buttons."""

        def show() -> None:
            with self._saying_why_not():
                self.show_scene(kind)

        self.when_computed(kind, show, **WITH_IMAGES)

    @property
    def profile_view(self) -> ProfileSection:
        """The cut across the dispersion."""
        return self.sections["profile"]

    @property
    def width_view(self) -> WidthSection:
        """Growth curve and best width."""
        return self.sections["width"]

    @property
    def compare_with(self):
        """The 1-D spectrum to compare with."""
        return self.sections["compare"].reference

    @property
    def compare_ranges(self) -> str:
        """Wavelength ranges in micron: ``5-8, 8-11``, or pairs of numbers."""
        return self.sections["compare"].ranges

    @compare_ranges.setter
    def compare_ranges(self, ranges) -> None:
        self.sections["compare"].ranges = ranges

    def compare(self) -> Comparison:
        """Compare the spectrum that the panel's parameters give with `compare_with`.

        Raises
        ------
        LRSError
            When there is no spectrum, or no reference that fits.
        """
        return self.sections["compare"].compare(curve_of(self.compute()))

    @property
    def history(self):
        """The table of the extractions made so far."""
        return self.sections["history"].table

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
        self.sections["history"].restore(label)

    # ---- time series

    def extract_series(self, resume: str | Path | None = None) -> ExtractedSeries:
        """Extract all integrations of the time series with the panel's parameters, and wait for them.

        Parameters
        ----------
        resume : path-like, optional
            Folder in which finished chunks stay, and from which an extraction goes on.

        Raises
        ------
        LRSError
            When the dataset is no time series, or it cannot be extracted.
        """
        return self.sections["series"].extract(resume)

    def save_x1dints(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the series that was extracted last, in the pipeline's format.

        Raises
        ------
        LRSError
            When there is none, or the file exists and `overwrite` is false.
        """
        return self.sections["series"].save(path, overwrite)

    def light_curves(self, **settings: Any) -> LightCurves:
        """Make light curves of the series that was extracted last.

        Parameters
        ----------
        **settings
            See `jdaviz_lrs.light_curves`; those of the section, without any.

        Raises
        ------
        LRSError
            When no series was extracted, or bins cannot be made of what is given.
        """
        return self.sections["light_curves"].make(**settings)

    def save_light_curves(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the light curves that were made last, as ECSV.

        Raises
        ------
        LRSError
            When there are none, or the file exists and `overwrite` is false.
        """
        return self.sections["light_curves"].save(path, overwrite)

    # ---- from spectra to one that is calibrated and verified

    def combine(self, labels: Sequence[str] | None = None, **settings: Any) -> CombinedSpectrum:
        """Combine extractions of the history into one spectrum, and add it to the viewer.

        Parameters
        ----------
        labels : sequence of str, optional
            Of their spectra; without it, those chosen in the section.
        **settings
            See `jdaviz_lrs.combine`.

        Raises
        ------
        LRSError
            For fewer than two, for one that is not in the history, or such as do not go together.
        """
        return self.sections["combine"].combine(labels, **settings)

    def save_c1d(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the spectrum that was combined last, in the pipeline's format.

        Raises
        ------
        LRSError
            When there is none, or the file exists and `overwrite` is false.
        """
        return self.sections["combine"].save(path, overwrite)

    def verify(self) -> Verification:
        """Run the installed pipeline with the panel's parameters, and compare; see `jdaviz_lrs.verify`.

        Raises
        ------
        LRSError
            When the pipeline is not installed or fails, or nothing can be extracted.
        """
        return self.sections["verify"].verify()

    def save_report(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the report of the last verification as Markdown.

        Raises
        ------
        LRSError
            When there is none, or the file exists and `overwrite` is false.
        """
        return self.sections["verify"].save(path, overwrite)

    def make_response(self, star: str = "", model: Any = None) -> Response:
        """Find the response from a standard star in the history; see `jdaviz_lrs.response`.

        Parameters
        ----------
        star : str
            Label of its extraction; the one chosen in the section, without it.
        model : optional
            A path, a spectrum or a model; what the section has, without it.

        Raises
        ------
        LRSError
            When there is no such extraction or model, or they give no response.
        """
        return self.sections["calibrate"].make_response(star, model)

    def read_response(self, path: str | Path) -> Response:
        """Take a response from its file.

        Raises
        ------
        LRSError
            When the file is none.
        """
        return self.sections["calibrate"].read(path)

    def save_response(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write the response as ECSV.

        Raises
        ------
        LRSError
            When there is none, or the file exists and `overwrite` is false.
        """
        return self.sections["calibrate"].save(path, overwrite)

    def calibrate(self, label: str = "") -> ExtractedSpectrum:
        """Apply the response to an extraction of the history, and add the result to viewer and history.

        Parameters
        ----------
        label : str
            Of the extraction; the one chosen in the section, without it.

        Raises
        ------
        LRSError
            When there is no response or extraction, or star and target were extracted differently.
        """
        return self.sections["calibrate"].calibrate(label)

    # ---- files

    @property
    def filename(self):
        """Name of the x1d file to save."""
        return self.sections["saving"].filename

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
        return self.sections["saving"].save_x1d(path, overwrite)[0]

    def save_figure(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Draw image, spectrum and residual into a file (pdf, png, svg); see `jdaviz_lrs.analysis.figure`.

        Parameters
        ----------
        path : path-like, optional
            Without it, the name in the section Figure.
        overwrite : bool

        Raises
        ------
        LRSError
            When it cannot be extracted, or the file exists and `overwrite` is false.
        """
        return self.sections["figure"].save(path, overwrite)

    def save_session(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write what is set for every dataset, the reference files and the history to one file.

        Parameters
        ----------
        path : path-like, optional
            Without it, the name in the section Session.
        overwrite : bool

        Raises
        ------
        LRSError
            When a parameter is wrong, there is nothing to save, or the file exists and `overwrite` is false.
        """
        return self.sections["session"].save(path, overwrite)

    def load_session(self, path: str | Path) -> Session:
        """Load what `save_session` wrote: the data that are not in the app, parameters, and the history anew.

        What is in the app stays there, and the extractions of its history are not made twice.

        Raises
        ------
        LRSError
            When the file is no session, or files of it are missing or damaged; then nothing is changed.
        """
        return self.sections["session"].load(path)

    def export_extract1d(self, path: str | Path | None = None, overwrite: bool = False) -> Path:
        """Write an extract1d reference file with which the pipeline gives our spectrum.

        How to run the pipeline with it is printed, in Python and for the command line, with every argument of
        its step that differs from the default. What the pipeline cannot do is warned about.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the file exists and `overwrite` is false.
        """
        _ = self.image
        written, export = self.sections["saving"].export(path, overwrite)
        for note in export.notes:
            warnings.warn(note, LRSWarning, stacklevel=2)
        needed = {name: value for name, value in export.step_parameters.items() if name not in APERTURE_NAMES}
        if needed:
            spelled = ", ".join(f"{name}={value!r}" for name, value in needed.items())
            warnings.warn(f"The pipeline's step needs {spelled} as well.", LRSWarning, stacklevel=2)
        call = self.sections["saving"].pipeline_call(export, written)
        print(call.python, call.strun, sep="\n\n")
        return written

    def to_python(self) -> str:
        """Return the call of `jdaviz_lrs.extract` that repeats the extraction.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the dataset did not come from a file.
        """
        _ = self.image
        return self.sections["saving"].to_python()

    def inspect(self) -> list[dict]:
        """Look at the residual of an unrefined extraction.

        Returns
        -------
        list of dict
            ``sentence`` and ``refinement``; empty where refinements are on, or where nothing is worth one.

        Raises
        ------
        LRSError
            When it cannot be extracted.
        """
        self.update(advice=tuple(self.compute().advice))
        return self.advice


#: What of the panel scripts see beside its settings.
ACTIONS = tuple(name for name in vars(Actions) if not name.startswith(("_", "vue_")))
