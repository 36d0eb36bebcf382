"""Results: spectra of the panel on their way into the app, its viewer of spectra and the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specutils import Spectrum

from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.leftovers import without_leftovers
from jdaviz_lrs.panel.metadata import list_in_metadata_panel
from jdaviz_lrs.panel.sections.history.record import Record
from jdaviz_lrs.panel.viewer.display import in_order
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["Results"]


class Results:
    """Adds spectra to the app, and writes down how each was made.

    Parameters
    ----------
    panel : LRSExtraction
    app : jdaviz application
    plugin_name : str
        The panel's name among jdaviz's plugins.
    """

    def __init__(self, panel: Any, app: Any, plugin_name: str):
        self._panel, self._app, self._plugin_name = panel, app, plugin_name
        panel.add_results.viewer._default_mode = _first_viewer

    def name_next(self) -> None:
        """Propose a label that is free, after the dataset."""
        panel = self._panel
        panel.results_label_default = self._app.return_unique_name(f"{panel.state.source.label} LRS")

    def add_chosen(self, spectrum: ExtractedSpectrum) -> None:
        """Add the panel's spectrum under the label, and to the viewer, that are chosen in the panel."""
        panel = self._panel
        results, label, source = panel.add_results, panel.add_results.label, panel.state.source
        viewer = results.viewer
        if viewer.selected == "None" and len(viewer.choices) == 1 and viewer.create_new.choices:
            viewer.create_new.selected = viewer.create_new.choices[0]
        with without_leftovers(self._app):
            results.add_results_from_plugin(_for_jdaviz(spectrum), format="1D Spectrum", replace=False)
        self._record(spectrum, label, source.label, panel.state.choice.overrides)
        self.name_next()

    def add(self, spectrum: ExtractedSpectrum | CombinedSpectrum, label: str, of: str = "") -> str:
        """Add a spectrum that was made of extractions to the app, and to the viewer of spectra.

        Parameters
        ----------
        spectrum : ExtractedSpectrum or CombinedSpectrum
        label : str
            What it is to be called, where that is free.
        of : str
            The label of the extraction of which it takes dataset and reference files, for the history.

        Returns
        -------
        str
            Its label.
        """
        label = self._app.return_unique_name(label)
        self._load(spectrum, label)
        if of:
            record = self._panel.sections["history"].record(of)
            self._record(spectrum, label, record.dataset, record.overrides)
        return label

    def extract_alike(self, datasets: Sequence[str]) -> list[str]:
        """Extract from datasets, which keep the panel's parameters; see `LRSExtraction.apply_to`.

        Raises
        ------
        LRSError
            For a label that is not known, and when a parameter is wrong.
        """
        panel = self._panel
        unknown = [label for label in datasets if label not in panel.dataset.choices]
        if unknown:
            raise LRSError(f"{unknown[0]!r} is no 2-D spectrum in the app; load it first.")
        parameters, remembered, labels = panel.parameters, dict(panel.state.remembered), []
        for dataset in datasets:
            labels.append(self._app.return_unique_name(f"{dataset} LRS"))
            self.extract_default(dataset, labels[-1], parameters)
            remembered[self._app.data_collection[dataset].uuid] = parameters
        panel.update(remembered=remembered)
        return labels

    def extract_default(
        self,
        dataset: str,
        label: str,
        parameters: ExtractionParameters | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        """Extract from a dataset with parameters that are given, or the default ones, as the loader does.

        The panel stays as it is.
        """
        source, given = Input.of(self._app.data_collection[dataset]), overrides or {}

        def add(found: References | LRSError) -> None:
            self._add_default(source, found, label, parameters, given)

        self._panel.search.find(source.image, add, given)

    def _add_default(
        self,
        source: Input,
        found: References | LRSError,
        label: str,
        parameters: ExtractionParameters | None,
        overrides: Mapping[str, str],
    ) -> None:
        if source.label not in self._app.data_collection:  # removed while the files were looked for
            return
        try:
            if isinstance(found, LRSError):
                raise found
            wanted = found.parameters if parameters is None else parameters
            spectrum = ExtractionPlan(source.image, wanted, found).extract()
        except LRSError as error:
            self._panel.say(f"No spectrum was extracted from {source.label}: {error}", "warning")
            return
        self._load(spectrum, label)
        self._record(spectrum, label, source.label, overrides)

    def _load(self, spectrum: ExtractedSpectrum | CombinedSpectrum, label: str) -> None:
        made = _for_jdaviz(spectrum)
        made.meta["plugin"] = self._plugin_name
        with without_leftovers(self._app):
            self._app._jdaviz_helper.load(made, loader="object", format="1D Spectrum", data_label=label)

    def _record(
        self,
        spectrum: ExtractedSpectrum | CombinedSpectrum,
        label: str,
        dataset: str,
        overrides: Mapping[str, str],
    ) -> None:
        list_in_metadata_panel(self._app, self._plugin_name)
        record = Record.of(spectrum, label, dataset, overrides)
        self._panel.update(**self._panel.sections["history"].with_record(record))


def _first_viewer(component: Any, is_valid: bool) -> str:
    """Show results in the first spectrum viewer there is, unless another was chosen."""
    if is_valid and component.selected != "None":
        return component.selected
    return component.labels[1] if len(component.labels) > 1 else "None"


def _for_jdaviz(result: ExtractedSpectrum | CombinedSpectrum) -> Spectrum:
    spectrum = in_order(result.to_spectrum())
    if result.image is not None:
        # for jdaviz's conversion between flux and surface brightness
        spectrum.meta["PIXAR_SR"] = result.image.pixel_area
    return spectrum
