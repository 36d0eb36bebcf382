"""The panel LRS Extraction."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from jdaviz.core.events import GlobalDisplayUnitChanged, SnackbarMessage
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import (
    AddResultsMixin,
    DatasetSelect,
    DatasetSelectMixin,
    PluginTemplateMixin,
    with_spinner,
)
from jdaviz.core.user_api import PluginUserApi
from traitlets import Bool, Dict, List, Unicode, observe

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction import extract
from jdaviz_lrs.panel.fields import describe
from jdaviz_lrs.panel.inputs import Input, is_2d_spectrum
from jdaviz_lrs.panel.marks import PreviewMarks
from jdaviz_lrs.panel.parameter_traits import ParameterTraits
from jdaviz_lrs.panel.regions import free_region
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.placement import Placement, place
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.products.spectrum import ExtractedSpectrum
from jdaviz_lrs.references.extract1d import read_extract1d
from jdaviz_lrs.references.find import References, find_references

__all__ = ["LRSExtraction"]

HERE = Path(__file__).parent

OVERRIDES = ("override_extract1d", "override_apcorr", "override_psf")


@tray_registry("lrs-extraction", label="LRS Extraction", category="data:reduction")
class LRSExtraction(PluginTemplateMixin, DatasetSelectMixin, AddResultsMixin, ParameterTraits):
    """Extract a spectrum from a JWST MIRI LRS slit image, as the pipeline's ``extract_1d`` step does.

    Every parameter of the extraction is an attribute under the pipeline's own name (``xstart``,
    ``extract_width``, ``bkg_coeff``, ``use_source_posn`` ...; see
    `jdaviz_lrs.parameters.ExtractionParameters`). Besides, the public API has:

    * ``dataset`` (:class:`~jdaviz.core.template_mixin.DatasetSelect`): the 2-D spectrum.
    * ``override_extract1d``, ``override_apcorr``, ``override_psf``: paths of reference files.
    * ``add_results`` (:class:`~jdaviz.core.template_mixin.AddResults`): label and viewer of the result.
    * ``live_preview``: whether the spectrum is extracted at every change.
    * :meth:`extract`, :meth:`import_extract1d`, :meth:`export_extract1d`
    """

    template_file = __file__, "lrs_extraction.vue"
    uses_active_status = Bool(True).tag(sync=True)
    components = Dict({"lrs-field": (HERE / "lrs_field.vue").read_text()}).tag(
        sync=True, **PluginTemplateMixin.class_component_serialization
    )

    override_extract1d = Unicode().tag(sync=True)
    override_apcorr = Unicode().tag(sync=True)
    override_psf = Unicode().tag(sync=True)
    live_preview = Bool(True).tag(sync=True)

    fields = List().tag(sync=True)
    problem = Unicode().tag(sync=True)
    missing = Unicode().tag(sync=True)
    notes = List().tag(sync=True)
    references_used = List().tag(sync=True)
    reported = Unicode().tag(sync=True)
    json_path = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._plugin_description = "Extract spectra from MIRI LRS slit data."
        self._input: Input | None = None
        self._references: References | None = None
        self._placement: Placement | None = None
        self._remembered: dict[str, ExtractionParameters] = {}
        self.dataset = DatasetSelect(self, "dataset_items", "dataset_selected", filters=[is_2d_spectrum])
        self.dataset.add_filter("not_from_this_plugin")
        self.observe(self.on_parameters, ExtractionParameters.names())
        self.hub.subscribe(self, GlobalDisplayUnitChanged, handler=lambda _: self._draw())
        self.add_results.viewer._default_mode = _first_viewer
        self.fields = describe(self.values)
        self._on_dataset()

    @staticmethod
    def _get_supported_viewers():
        return [{"label": "1D Spectrum", "reference": "spectrum-1d-viewer"}]

    @property
    def user_api(self):
        """What scripts see: every parameter under its own name, and the actions."""
        return PluginUserApi(
            self,
            expose=(
                "dataset",
                *OVERRIDES,
                *ExtractionParameters.names(),
                "live_preview",
                "add_results",
                "extract",
                "import_extract1d",
                "export_extract1d",
            ),
        )

    # ---- what goes in

    @observe("dataset_selected", *OVERRIDES)
    def _on_dataset(self, change=None):
        """Take another dataset or other references; parameters set earlier for this dataset come back."""
        if not hasattr(self, "dataset"):  # while jdaviz is still making the panel
            return
        by_reference = (change or {}).get("name") in OVERRIDES
        self._marks.clear()
        self._input = self._references = self._placement = None
        self.disabled_msg = (
            "" if self.dataset_items else "Load a MIRI LRS spectrum (s2d or cal) to extract from."
        )
        data = self.dataset.selected_dc_item
        if data is None:
            return
        try:
            self._input = Input.of(data)
            self._references = find_references(
                self._input.image, *(getattr(self, name) or None for name in OVERRIDES)
            )
        except LRSError as error:
            self.problem = str(error)
            return
        self.missing = _missing(self._input.image)
        self.references_used = [{"kind": k, "name": n} for k, n in self._references.names.items()]
        self.results_label_default = self._app.return_unique_name(f"{data.label} LRS")
        if by_reference:
            self._remembered.pop(data.label, None)
        self.fill(self._remembered.get(data.label, self._references.parameters))

    def on_parameters(self, change=None):
        """Check the parameters, lay out the aperture, and show both."""
        if self._filling or self._input is None:
            return
        self.fields = describe(self.values)
        self._placement = None
        try:
            parameters = self.parameters
            self._placement = place(self._input.image, parameters)
        except LRSError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self._remembered[self._input.label] = parameters
            self.reported = _reported(self._placement)
        self._draw()

    # ---- what is shown before anything is added

    @cached_property
    def _marks(self) -> PreviewMarks:
        return PreviewMarks()

    @observe("is_active", "live_preview", "add_to_viewer_selected")
    def _draw(self, change=None):
        """Bring the marks in all viewers up to date, or take them away."""
        if not self._tray_instance:
            return
        if not self.is_active or self._placement is None:
            self._marks.clear()
            return
        display, placement = self._input.display, self._placement
        viewers = self.dataset.viewers_with_selected_visible
        self._marks.outlines("aperture", placement.edges, display, viewers)
        self._marks.outlines("background", placement.background_edges, display, viewers)
        traces = [] if placement.trace is None else [placement.trace]
        self._marks.lines("trace", traces, display, viewers)
        if not self.live_preview:
            self._marks.clear("spectrum")
            return
        try:
            result = extract(self._input.image, self.parameters, self._references)
        except LRSError as error:
            self.problem = str(error)
            self._marks.clear("spectrum")
        else:
            self.notes = list(result.notes)
            self._marks.spectrum(result, self.add_results.results_viewers)

    def vue_add_region(self, _=None):
        """Add a background region where there is room for one."""
        if self._placement is None:
            return
        edges, regions = self._placement.edges, self._placement.background_edges
        taken = [*edges, *(() if regions is None else regions)]
        bounds = [(float(np.nanmin(lower)), float(np.nanmax(upper))) for lower, upper in taken]
        columns = self._input.image.xdisp_index
        new = free_region(bounds, columns[0] - 0.5, columns[-1] + 0.5)
        self.bkg_coeff = [*(self.values["bkg_coeff"] or []), *new]

    # ---- what comes out

    @with_spinner()
    def extract(self, add_data: bool = True) -> ExtractedSpectrum:
        """Extract with the parameters in the panel.

        Parameters
        ----------
        add_data : bool
            Whether to add the spectrum to the app, and to the viewer chosen in the panel.

        Returns
        -------
        ExtractedSpectrum

        Raises
        ------
        LRSError
            When it cannot be done; the sentence that the panel shows.
        """
        if self._input is None:
            raise LRSError(self.problem or self.disabled_msg)
        result = extract(self._input.image, self.parameters, self._references)
        self.notes = list(result.notes)
        if add_data:
            self._add(result)
        return result

    def _add(self, result: ExtractedSpectrum) -> None:
        viewer = self.add_results.viewer
        if viewer.selected == "None" and len(viewer.choices) == 1 and viewer.create_new.choices:
            viewer.create_new.selected = viewer.create_new.choices[0]
        self.add_results.add_results_from_plugin(result.to_spectrum(), format="1D Spectrum", replace=False)
        self.results_label_default = self._app.return_unique_name(f"{self._input.label} LRS")

    def extract_default(self, dataset: str, label: str) -> None:
        """Extract from a dataset with the default parameters, for the loader; the panel stays as it is."""
        image = Input.of(self._app.data_collection[dataset]).image
        spectrum = extract(image).to_spectrum()
        spectrum.meta["plugin"] = self._plugin_name
        self._app._jdaviz_helper.load(spectrum, loader="object", format="1D Spectrum", data_label=label)

    def vue_extract(self, _=None):
        """Answer to the button."""
        try:
            self.extract()
        except LRSError as error:
            self.problem = str(error)
        except Exception as error:
            text = f"The extraction failed unexpectedly: {error}"
            self.hub.broadcast(SnackbarMessage(text, sender=self, color="error", traceback=error))

    # ---- extract1d files

    def import_extract1d(self, path: str | Path) -> None:
        """Take the parameters of an extract1d reference file.

        Raises
        ------
        LRSError
            When the file is no extract1d file or has no aperture for this exposure.
        """
        seen = self._image.observation
        parameters = read_extract1d(path).parameters(seen.slit_name, seen.spectral_order)
        self.fill(parameters)

    def export_extract1d(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write an extract1d reference file that makes the pipeline give our spectrum.

        Raises
        ------
        LRSError
            When a parameter is wrong, or the file exists and `overwrite` is false.
        """
        seen = self._image.observation
        reference = self._references.extract1d.with_parameters(
            self.parameters, seen.slit_name, seen.spectral_order
        )
        return reference.write(path, overwrite=overwrite)

    @property
    def _image(self):
        if self._input is None:
            raise LRSError(self.problem or self.disabled_msg)
        return self._input.image

    def vue_import_json(self, _=None):
        """Answer to the button."""
        self._with_file(self.import_extract1d, "Parameters taken from")

    def vue_export_json(self, _=None):
        """Answer to the button."""
        self._with_file(self.export_extract1d, "Parameters written to")

    def _with_file(self, action, done: str) -> None:
        try:
            action(self.json_path)
        except LRSError as error:
            self.hub.broadcast(SnackbarMessage(str(error), sender=self, color="error"))
        else:
            self.hub.broadcast(SnackbarMessage(f"{done} {self.json_path}", sender=self, color="success"))


def _first_viewer(component, is_valid: bool) -> str:
    """Show results in the first spectrum viewer there is, unless another was chosen."""
    if is_valid and component.selected != "None":
        return component.selected
    return component.labels[1] if len(component.labels) > 1 else "None"


def _missing(image: SpectralImage) -> str:
    if not image.missing:
        return ""
    return f"This dataset lacks {', '.join(image.missing)}. Loaded as JWST LRS, a file keeps all it has."


def _reported(placement: Placement) -> str:
    limits = placement.limits
    across = f"columns {limits.xdisp_start + 1:.6g} to {limits.xdisp_stop + 1:.6g}"
    along = f"rows {limits.disp_start + 1} to {limits.disp_stop + 1}"
    return f"{across}, {along}"
