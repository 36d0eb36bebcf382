"""The section Save: files named as the pipeline names them, and the call that repeats the extraction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jdaviz.core.template_mixin import AutoTextField
from traitlets import Bool, Dict, List, Unicode, observe

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.result_file import FileInTheWayError, check_free, file_path, working_folder
from jdaviz_lrs.panel.sections.saving.as_python import as_python
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.pipeline.export import Export, export_extract1d
from jdaviz_lrs.pipeline.step_call import StepCall
from jdaviz_lrs.products.files import output_path
from jdaviz_lrs.products.images import PRODUCTS
from jdaviz_lrs.products.saving import products_of, write_products

__all__ = ["SavingSection"]

NO_FILE = "The dataset was not read from a file by the loader JWST LRS, so that no call can name it."


class SavingSection(Section):
    """Buttons and names for the x1d, the images beside it, and the extract1d file.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "saving.vue"

    remote = Bool(False).tag(sync=True)  # files of the server are none of the user's
    folder = Unicode().tag(sync=True)

    filename_value = Unicode().tag(sync=True)
    filename_default = Unicode().tag(sync=True)
    filename_auto = Bool(True).tag(sync=True)
    filename_invalid_msg = Unicode().tag(sync=True)
    json_value = Unicode().tag(sync=True)
    json_default = Unicode().tag(sync=True)
    json_auto = Bool(True).tag(sync=True)
    json_invalid_msg = Unicode().tag(sync=True)

    save_profile = Bool().tag(sync=True)
    save_scene_model = Bool().tag(sync=True)
    save_residual_image = Bool().tag(sync=True)
    beside = Dict().tag(sync=True)  # the parameter that asks for an image to the name of its file

    export_notes = List().tag(sync=True)
    calls = List().tag(sync=True)  # of the pipeline with that file: in which language, and the text
    code = Unicode().tag(sync=True)
    code_problem = Unicode().tag(sync=True)
    written = Unicode().tag(sync=True)
    overwrite_warn = Unicode().tag(sync=True)  # what waits for leave to overwrite: save, export or nothing

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self.remote = bool(self._app.state.settings.get("server_is_remote", False))
        self.filename = AutoTextField(
            self, "filename_value", "filename_default", "filename_auto", "filename_invalid_msg"
        )
        self.json_name = AutoTextField(self, "json_value", "json_default", "json_auto", "json_invalid_msg")
        self.observe(self._on_images, list(PRODUCTS))

    # ---- what the section shows

    @observe("opened")
    def _on_opened(self, change: dict) -> None:
        self.show(self.panel.state)

    def show(self, state: PanelState) -> None:
        """Propose names for the dataset; while the section is open, bring notes and code up to date."""
        self.problem = state.problem
        for name in PRODUCTS:
            setattr(self, name, state.values[name] is True)
        if state.source is None:
            self.code = ""
            return
        self.folder = str(working_folder())
        name = self._origin().name
        self.filename_default = output_path(name).name
        self.json_default = f"{output_path(name, 'extract1d').stem}.json"
        if self.opened is None or self.problem:
            return
        try:
            self._describe(self._export(), self.json_value)
            self.code, self.code_problem = self.to_python(), ""
        except LRSError as error:
            self.code, self.code_problem = "", str(error)

    def _on_images(self, change: dict) -> None:
        values = self.panel.state.values
        if change["new"] != (values[change["name"]] is True):
            self.panel.update(values={**values, change["name"]: change["new"]})

    @observe("filename_value")
    def _on_name(self, change=None) -> None:
        self.overwrite_warn = ""
        self.filename_invalid_msg = "" if self.filename_value.strip() else "Give the file a name."
        name = Path(self.filename_value.strip()).name or "spectrum.fits"
        self.beside = {
            parameter: output_path(name, suffix).name for parameter, (_, suffix) in PRODUCTS.items()
        }

    @observe("json_value")
    def _on_json_name(self, change=None) -> None:
        self.overwrite_warn = ""
        self.json_invalid_msg = "" if self.json_value.strip() else "Give the file a name."
        self.show(self.panel.state)

    def _describe(self, export: Export, path: str | Path) -> None:
        self.export_notes = list(export.notes)
        try:
            call = self.pipeline_call(export, path)
        except LRSError:  # no name for the file yet; Export says so
            self.calls = []
        else:
            self.calls = [
                {"language": "Python", "text": call.python},
                {"language": "shell", "text": call.strun},
            ]

    def _origin(self) -> Path:
        """Return the dataset's file, or how it would be called."""
        source = self.panel.state.source
        image = source.image
        return image.path or Path(image.file_name or f"{source.label.replace(' ', '_')}.fits")

    # ---- what it does

    def save_x1d(self, path: str | Path | None = None, overwrite: bool = False) -> list[Path]:
        """Write the spectrum of the panel's parameters and, beside it, the images they ask for."""
        path = file_path(self.filename_value if path is None else path, ".fits", ".fits.gz")
        result = self.panel.compute()
        if not overwrite:
            check_free(*products_of(result, path))
        return write_products(result, path, overwrite)

    def _references(self) -> list[str]:
        """Return the files that were given for references."""
        return [*self.panel.state.choice.overrides.values()]

    def export(self, path: str | Path | None = None, overwrite: bool = False) -> tuple[Path, Export]:
        """Write the extract1d file with which the pipeline gives this spectrum."""
        path = file_path(self.json_value if path is None else path, ".json")
        export = self._export()
        if not overwrite:
            check_free(path)
        self._describe(export, path)
        inputs = (self._origin(), *self._references())
        return export.reference.write(path, overwrite, inputs), export

    def _export(self) -> Export:
        plan = self.panel.state.plan
        if plan is None:  # something is wrong with the parameters; they say what
            plan = self.panel.state.plan_of(self.panel.state.parameters)
        references = plan.references
        placement = None if self.panel.state.optimal else plan.placement
        return export_extract1d(
            plan.image, plan.parameters, references.extract1d, references.stand_ins, placement
        )

    def pipeline_call(self, export: Export, path: str | Path) -> StepCall:
        """Return the call of the pipeline's step with an exported file."""
        return export.call(self._origin(), file_path(path, ".json"), self.panel.state.choice.overrides)

    def to_python(self) -> str:
        """Return the call that repeats the extraction."""
        state = self.panel.state
        if state.source.image.path is None:
            raise LRSError(NO_FILE)
        series = state.source.series
        paths = [state.source.image.path] if series is None else [one.path for one in series.segments]
        return as_python(
            paths, state.choice.overrides, state.parameters, state.references.parameters, series is not None
        )

    # ---- answers to the buttons

    def vue_write_x1d(self, _=None):
        """Save, or ask whether to overwrite."""
        self.panel.when_computed("save", self.write_x1d)

    def write_x1d(self) -> None:
        """Write the spectrum, which is there, or ask whether to overwrite."""
        self._write("save", lambda overwrite: self.save_x1d(overwrite=overwrite))

    def vue_export_json(self, _=None):
        """Export, or ask whether to overwrite."""
        self._write("export", lambda overwrite: self.export(overwrite=overwrite)[:1])

    def vue_write_over(self, _=None):
        """Do it all the same."""
        {"save": self.vue_write_x1d, "export": self.vue_export_json}[self.overwrite_warn]()

    def _write(self, what: str, action: Callable[[bool], list[Path] | tuple[Path, ...]]) -> None:
        allowed, self.overwrite_warn, self.written = self.overwrite_warn == what, "", ""
        try:
            paths = action(allowed)
        except FileInTheWayError:
            self.overwrite_warn = what
        except LRSError as error:
            self.panel.say(str(error), "error")
        else:
            self.written = f"Written to {paths[0].parent}: {', '.join(path.name for path in paths)}"
            self.panel.say(self.written, "success")
