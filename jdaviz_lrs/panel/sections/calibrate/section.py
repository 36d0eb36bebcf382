"""The section Calibrate: the response of a standard star, and its use."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from traitlets import Any as AnyTrait
from traitlets import List, Unicode

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.calibrate import calibrate
from jdaviz_lrs.fluxcal.response import Response, read_response
from jdaviz_lrs.fluxcal.standard_star import response
from jdaviz_lrs.fluxcal.star_model import engelke, rayleigh_jeans
from jdaviz_lrs.panel.reference_search import PathText
from jdaviz_lrs.panel.sections.calibrate.chart import ResponseChart
from jdaviz_lrs.panel.sections.history.record import Record, record_of
from jdaviz_lrs.panel.sections.result_file import SavingResult, working_folder
from jdaviz_lrs.panel.state import PanelState

__all__ = ["CalibrateSection"]

FILE, HOT, COOL = "file", "Rayleigh-Jeans law", "Engelke function"


class CalibrateSection(SavingResult):
    """A response from a star of the history or from a file, and the target that it is applied to.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "calibrate.vue"
    endings = (".ecsv",)
    none_yet = "There is no response; make one from a standard star, or read its file."

    items = List().tag(sync=True)
    star = Unicode().tag(sync=True)
    target = Unicode().tag(sync=True)
    model_kinds = List([FILE, HOT, COOL]).tag(sync=True)
    model_kind = Unicode(FILE).tag(sync=True)
    model_path = PathText().tag(sync=True)
    model_flux = AnyTrait("").tag(sync=True)
    model_wavelength = AnyTrait(10.0).tag(sync=True)
    model_temperature = AnyTrait("").tag(sync=True)
    response_path = PathText().tag(sync=True)
    response_name = Unicode().tag(sync=True)
    notes = List().tag(sync=True)
    plot_widget = Unicode().tag(sync=True)

    def __init__(self, panel, app):
        super().__init__(panel, app)
        self._records: tuple[Record, ...] = ()

    @cached_property
    def chart(self) -> ResponseChart:
        """The plot of the response."""
        return ResponseChart(self.panel)

    def show(self, state: PanelState) -> None:
        """Offer the extractions of the history; the last one is the target."""
        if state.records is self._records:
            return
        added = len(state.records) > len(self._records)
        self._records = state.records
        self.items = [one.label for one in state.records]
        if added or self.target not in self.items:
            self.target = self.items[-1] if self.items else ""
        if self.star not in self.items:
            self.star = self.items[0] if self.items else ""

    def make_response(self, star: str = "", model: Any = None) -> Response:
        """Find the response from a star of the history, and show it.

        Parameters
        ----------
        star : str
            Label of its extraction; the one chosen in the section, without it.
        model : optional
            See `jdaviz_lrs.response`; what the section has, without it.

        Raises
        ------
        LRSError
            When there is no such extraction or model, or they give no response.
        """
        found = response(
            record_of(self._records, star or self.star).spectrum, self._model() if model is None else model
        )
        self._take(found)
        return found

    def read(self, path: str | Path = "") -> Response:
        """Read a response from its file, and show it.

        Raises
        ------
        LRSError
            When the file is none.
        """
        name = str(path or self.response_path).strip()
        if not name:
            raise LRSError("Give the path of a response (ECSV), or make one from a standard star.")
        found = read_response(working_folder() / Path(name).expanduser())
        self._take(found)
        return found

    def calibrate(self, label: str = "") -> ExtractedSpectrum:
        """Apply the response to an extraction of the history, and add the result to viewer and history.

        Raises
        ------
        LRSError
            When there is no response or extraction, or star and target were extracted differently.
        """
        response, label = self.made(), label or self.target
        calibrated = calibrate(record_of(self._records, label).spectrum, response)
        self.panel.results.add(calibrated, f"{label} calibrated", of=label)
        return calibrated

    def _model(self) -> Any:
        if self.model_kind == FILE:
            if not self.model_path.strip():
                raise LRSError("Give the path of the star's model: CALSPEC FITS, ECSV, or text with units.")
            return str(working_folder() / Path(self.model_path.strip()).expanduser())
        flux, at = _number(self.model_flux), _number(self.model_wavelength)
        if self.model_kind == HOT:
            return rayleigh_jeans(flux, at)
        return engelke(_number(self.model_temperature), flux, at)

    def _take(self, found: Response) -> None:
        self.keep(found, f"{Path(found.stars[0]).stem or 'star'}_response.ecsv")
        self.response_name, self.notes = found.name, list(found.notes)
        self.chart.show(found)
        self.plot_widget = self.chart.widget

    # ---- answers to the buttons

    def vue_make(self, _=None) -> None:
        """Make the response."""
        self._try(self.make_response)

    def vue_read(self, _=None) -> None:
        """Read it."""
        self._try(self.read)

    def vue_apply(self, _=None) -> None:
        """Calibrate the target."""
        self._try(self.calibrate)

    def _try(self, act: Any) -> None:
        self.problem = ""
        try:
            act()
        except LRSError as error:
            self.problem = str(error)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
