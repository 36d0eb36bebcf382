"""The section Figure: image, spectrum and residual of the extraction as one picture, to keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jdaviz_lrs.analysis.figure import FORMATS, write_figure
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.panel.sections.result_file import SavingResult, working_folder
from jdaviz_lrs.panel.sections.scene import WITH_IMAGES
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.products.files import output_path

__all__ = ["FigureSection"]


@dataclass(frozen=True, eq=False)
class Drawing:
    """An extraction that is written as a figure.

    Attributes
    ----------
    spectrum : ExtractedSpectrum
    """

    spectrum: ExtractedSpectrum

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Draw it into a file; see `jdaviz_lrs.analysis.figure.write_figure`."""
        return write_figure(self.spectrum, path, overwrite)


class FigureSection(SavingResult):
    """A name and a button.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "figure.vue"
    endings = FORMATS

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._values: object = None
        self._dataset: str | None = None  # its image is not kept here

    def show(self, state: PanelState) -> None:
        """Propose a name after the dataset; what was written is forgotten with the parameters."""
        self.problem = state.problem
        if state.values is not self._values:
            self._values, self.written, self.in_the_way = state.values, "", False
        if state.source is not None and state.source.data.uuid != self._dataset:
            self._dataset, self.folder = state.source.data.uuid, str(working_folder())
            name = state.source.image.file_name or f"{state.source.label.replace(' ', '_')}.fits"
            self.filename = output_path(Path(name).name, "figure").with_suffix(FORMATS[0]).name

    def made(self) -> Drawing:
        """Extract with the panel's parameters, with the images of the fit."""
        return Drawing(self.panel.compute(**WITH_IMAGES))

    def vue_save(self, _=None) -> None:
        """Answer to the button, as soon as the spectrum is there; a second press overwrites."""
        self.panel.when_computed("figure", super().vue_save, **WITH_IMAGES)
