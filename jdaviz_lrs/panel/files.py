"""The part of the panel that reads and writes files."""

from __future__ import annotations

from pathlib import Path

from jdaviz.core.events import SnackbarMessage
from traitlets import Bool, Unicode

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.data_source import OVERRIDES
from jdaviz_lrs.panel.preview import Preview
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.export import export_extract1d
from jdaviz_lrs.references.extract1d import read_extract1d

__all__ = ["Files", "as_python"]


class Files(Preview):
    """Extract1d files in and out, x1d files out, and the call that repeats an extraction."""

    json_path = Unicode().tag(sync=True)
    x1d_path = Unicode().tag(sync=True)
    overwrite = Bool(False).tag(sync=True)
    python_code = Unicode().tag(sync=True)

    def import_extract1d(self, path: str | Path) -> None:
        """Take the parameters of an extract1d reference file.

        Raises
        ------
        LRSError
            When the file is no extract1d file or has no aperture for this exposure.
        """
        seen = self.image.observation
        self.fill(read_extract1d(path).parameters(seen.slit_name, seen.spectral_order))

    def export_extract1d(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write an extract1d reference file with which the pipeline gives our spectrum.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the file exists and `overwrite` is false.
        """
        export = export_extract1d(self.image, self.parameters, self._references.extract1d)
        written = export.reference.write(path, overwrite=overwrite)
        self._say(" ".join(export.notes), "warning")
        if export.step_parameters:
            given = ", ".join(f"{name} = {value!r}" for name, value in export.step_parameters.items())
            self._say(f"Give the pipeline's step these as well: {given}", "info")
        return written

    def save_x1d(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the spectrum as an x1d file in the pipeline's format.

        Raises
        ------
        LRSError
            When it cannot be extracted, or the file exists and `overwrite` is false.
        """
        return self.compute().write(path, overwrite=overwrite)

    def to_python(self) -> str:
        """Return the call that repeats this extraction in Python.

        Raises
        ------
        LRSError
            When a parameter is wrong.
        """
        overrides = {name: getattr(self, name) for name in OVERRIDES if getattr(self, name)}
        path = self.image.path or self.image.file_name or self._input.label
        return as_python(str(path), overrides, self.parameters, self._references.parameters)

    def on_parameters(self, change=None):
        """Keep the Python call up to date."""
        super().on_parameters(change)
        if not self._filling:
            self.python_code = "" if self._layout is None else self.to_python()

    def vue_import_json(self, _=None):
        """Answer to the button."""
        self._try(lambda: self.import_extract1d(self.json_path), f"Parameters taken from {self.json_path}")

    def vue_export_json(self, _=None):
        """Answer to the button."""
        self._try(
            lambda: self.export_extract1d(self.json_path, self.overwrite),
            f"Parameters written to {self.json_path}",
        )

    def vue_save_x1d(self, _=None):
        """Answer to the button."""
        self._try(
            lambda: self.save_x1d(self.x1d_path, self.overwrite), f"Spectrum written to {self.x1d_path}"
        )

    def _try(self, action, done: str) -> None:
        try:
            action()
        except LRSError as error:
            self._say(str(error), "error")
        else:
            self._say(done, "success")

    def _say(self, text: str, color: str) -> None:
        if text:
            self.hub.broadcast(SnackbarMessage(text, sender=self, color=color))


def as_python(
    path: str, overrides: dict[str, str], parameters: ExtractionParameters, defaults: ExtractionParameters
) -> str:
    """Write the call of `jdaviz_lrs.extract` that repeats an extraction: what differs from the defaults."""
    given = parameters.asdict()
    changed = {name: given[name] for name, value in defaults.asdict().items() if given[name] != value}
    arguments = [repr(path), *(f"{name}={value!r}" for name, value in (overrides | changed).items())]
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"from jdaviz_lrs import extract\n\nspectrum = extract(\n{lines})\n"
