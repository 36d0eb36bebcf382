"""The panel LRS Extraction: its parts put together, and the extraction itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jdaviz.core.events import SnackbarMessage
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import AddResultsMixin, PluginTemplateMixin, with_spinner
from jdaviz.core.user_api import PluginUserApi
from specutils import Spectrum
from traitlets import Bool, Dict

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract
from jdaviz_lrs.panel.advice import AdviceList
from jdaviz_lrs.panel.edits import add_region
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.metadata import list_in_metadata_panel
from jdaviz_lrs.panel.presence import Presence
from jdaviz_lrs.panel.reference_search import OVERRIDES
from jdaviz_lrs.panel.regions import free_region
from jdaviz_lrs.panel.results import RESULTS_API, Results
from jdaviz_lrs.panel.scene_images import SceneImages
from jdaviz_lrs.panel.subset import FromSubset
from jdaviz_lrs.panel.views import VIEWS_API, Views
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["LRSExtraction"]

HERE = Path(__file__).parent

#: The template's own components: tag to file.
COMPONENTS = {"lrs-field": "lrs_field.vue"}


@tray_registry("lrs-extraction", label="LRS Extraction", category="data:reduction")
class LRSExtraction(
    Presence, PluginTemplateMixin, AddResultsMixin, Views, Results, SceneImages, FromSubset, AdviceList
):
    """Extract a spectrum from a JWST MIRI LRS slit image, as the pipeline's ``extract_1d`` step does.

    Every parameter of the extraction is an attribute under the pipeline's own name (``xstart``,
    ``extract_width``, ``bkg_coeff``, ``use_source_posn`` ...; see
    `jdaviz_lrs.parameters.ExtractionParameters`). Besides, the public API has:

    * ``dataset`` (:class:`~jdaviz.core.template_mixin.DatasetSelect`): the 2-D spectrum.
    * ``override_extract1d``, ``override_apcorr``, ``override_psf``: paths of reference files.
    * ``add_results`` (:class:`~jdaviz.core.template_mixin.AddResults`): label and viewer of the result.
    * ``live_preview``: whether the spectrum is extracted at every change.
    * ``profile_view``: the cut across the dispersion (see `jdaviz_lrs.panel.profile_view.ProfileView`).
    * ``width_view``: growth curve and best width (see `jdaviz_lrs.panel.width_view.WidthView`).
    * ``compare_with``, ``compare_ranges``: the reference of :meth:`compare`, and the ranges of its medians.
    * ``history``: the table of the extractions made so far; :meth:`restore` brings one back.
    * :meth:`extract`, :meth:`import_extract1d`, :meth:`export_extract1d`, :meth:`save_x1d`,
      :meth:`to_python`, :meth:`show_scene`, :meth:`aperture_from_subset`,
      :meth:`inspect`
    """

    template_file = __file__, "lrs_extraction.vue"
    uses_active_status = Bool(True).tag(sync=True)
    components = Dict({tag: (HERE / name).read_text() for tag, name in COMPONENTS.items()}).tag(
        sync=True, **PluginTemplateMixin.class_component_serialization
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._plugin_description = "Extract spectra from MIRI LRS slit data."
        self.add_results.viewer._default_mode = _first_viewer
        self.on_data()

    @staticmethod
    def _get_supported_viewers():
        return [{"label": "1D Spectrum", "reference": "spectrum-1d-viewer"}]

    @property
    def user_api(self):
        """What scripts see: every parameter under its own name, and the actions."""
        actions = ("extract", *RESULTS_API, "show_scene", "aperture_from_subset", "inspect")
        settings = ("dataset", *OVERRIDES, "live_preview", "add_results")
        return PluginUserApi(self, expose=(*settings, *ExtractionParameters.names(), *VIEWS_API, *actions))

    def on_input(self) -> None:
        """Name the result after the dataset."""
        super().on_input()
        if self._input is not None:
            self.results_label_default = self._app.return_unique_name(f"{self._input.label} LRS")

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
        result = self.compute()
        self.inspect()
        if add_data:
            self._add(result)
        self.present(result)  # while it was added, jdaviz knew no viewer to draw it in
        return result

    def _add(self, result: ExtractedSpectrum) -> None:
        viewer, label = self.add_results.viewer, self.add_results.label
        if viewer.selected == "None" and len(viewer.choices) == 1 and viewer.create_new.choices:
            viewer.create_new.selected = viewer.create_new.choices[0]
        self.add_results.add_results_from_plugin(_for_jdaviz(result), format="1D Spectrum", replace=False)
        list_in_metadata_panel(self._app, self._plugin_name)
        self.record(result, label, self._input.label)
        self.results_label_default = self._app.return_unique_name(f"{self._input.label} LRS")

    def extract_default(self, dataset: str, label: str) -> None:
        """Extract from a dataset with the default parameters, for the loader; the panel stays as it is."""
        source = Input.of(self._app.data_collection[dataset])
        self.find_references(source.image, lambda found: self._add_default(source, found, label), given=False)

    def _add_default(self, source: Input, found: References | LRSError, label: str) -> None:
        if source.label not in self._app.data_collection:  # removed while the files were looked for
            return
        try:
            if isinstance(found, LRSError):
                raise found
            result = extract(source.image, references=found)
        except LRSError as error:
            text = f"No spectrum was extracted by default: {error}"
            self.hub.broadcast(SnackbarMessage(text, sender=self, color="warning"))
            return
        spectrum = _for_jdaviz(result)
        spectrum.meta["plugin"] = self._plugin_name
        self._app._jdaviz_helper.load(spectrum, loader="object", format="1D Spectrum", data_label=label)
        list_in_metadata_panel(self._app, self._plugin_name)
        self.record(result, label, source.label, overrides={})

    def vue_extract(self, _=None):
        """Answer to the button."""
        if self.spinner:
            return
        self.once_computed("extract", self._extract_at_last)

    def on_waiting(self) -> None:
        """Show on the button that the spectrum is on its way."""
        super().on_waiting()
        self.spinner = "extract" in self._waiting

    def _extract_at_last(self) -> None:
        try:
            self.extract()  # at once: the spectrum is there
        except Exception as error:
            text = f"The extraction failed unexpectedly: {error}"
            self.hub.broadcast(SnackbarMessage(text, sender=self, color="error", traceback=error))

    def vue_add_region(self, _=None):
        """Add a background region where there is room for one."""
        if self._layout is None or self._layout.edges is None:
            return
        regions = self._layout.background_edges
        taken = [*self._layout.edges, *(() if regions is None else regions)]
        bounds = [(float(np.nanmin(lower)), float(np.nanmax(upper))) for lower, upper in taken]
        columns = self.image.xdisp_index
        new = free_region(bounds, columns[0] - 0.5, columns[-1] + 0.5)
        self.fill(self.parameters.with_(add_region(self.parameters, self._layout, *new)))


def _for_jdaviz(result: ExtractedSpectrum) -> Spectrum:
    spectrum = result.to_spectrum()
    if result.image is not None:
        # for jdaviz's conversion between flux and surface brightness
        spectrum.meta["PIXAR_SR"] = result.image.pixel_area
    return spectrum


def _first_viewer(component, is_valid: bool) -> str:
    """Show results in the first spectrum viewer there is, unless another was chosen."""
    if is_valid and component.selected != "None":
        return component.selected
    return component.labels[1] if len(component.labels) > 1 else "None"
