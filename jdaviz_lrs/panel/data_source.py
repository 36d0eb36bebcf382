"""The part of the panel that says what is extracted from: the dataset and its reference files."""

from __future__ import annotations

from collections.abc import Mapping

from jdaviz.core.template_mixin import DatasetSelect, DatasetSelectMixin
from traitlets import List, Unicode, observe

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.inputs import Input, is_2d_spectrum
from jdaviz_lrs.panel.parameter_traits import ParameterTraits
from jdaviz_lrs.panel.reference_search import CANCELLED, OVERRIDES, ReferenceSearch
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["DataSource"]

NO_DATA = "Load a MIRI LRS spectrum (s2d or cal) to extract from."
SEARCHING = "The reference files are being looked for in CRDS."


class DataSource(DatasetSelectMixin, ReferenceSearch, ParameterTraits):
    """Dataset, references, and the parameters that they bring along."""

    references_used = List().tag(sync=True)
    missing = Unicode().tag(sync=True)
    problem = Unicode().tag(sync=True)

    _input: Input | None = None
    _references: References | None = None
    _awaited: Input | None = None
    _taking = False
    _wanted: ExtractionParameters | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # by the uuid of the data: what was set in the panel, and the files that it began with
        self._remembered: dict[str, ExtractionParameters] = {}
        self._begun_with: dict[str, References] = {}
        self.dataset = DatasetSelect(self, "dataset_items", "dataset_selected", filters=[is_2d_spectrum])
        self.dataset.add_filter("not_from_this_plugin")

    @property
    def image(self) -> SpectralImage:
        """The image that is extracted from.

        Raises
        ------
        LRSError
            When there is none.
        """
        if self._input is None:
            self.wait_for_search()
        if self._input is None:
            raise LRSError(self.problem or NO_DATA)
        return self._input.image

    @observe("dataset_items", "dataset_selected", *OVERRIDES)
    def on_data(self, change=None):
        """Take another dataset or other references; parameters set earlier for a dataset come back."""
        if not hasattr(self, "_remembered") or self._taking:  # while jdaviz is still making the panel
            return
        name = (change or {}).get("name")
        self.disabled_msg = "" if self.dataset_items else NO_DATA
        data = self.dataset.selected_dc_item
        if name == "dataset_items" and ((self._input or self._awaited) is None) == (data is None):
            return
        if change is not None:
            self._wanted = None
        self._input = self._references = self._awaited = None
        self.search_cancelled = False
        self.on_input()
        if data is None:
            return
        try:
            source = self._awaited = Input.of(data)
        except LRSError as error:
            self.problem = str(error)
            return
        self.problem = SEARCHING
        self.find_references(source.image, lambda found: self._take(source, found))

    def _take(self, source: Input, found: References | LRSError) -> None:
        """Show a dataset whose reference files are there, unless it is another by now."""
        if source is not self._awaited:
            return
        self._awaited = None
        if isinstance(found, LRSError):
            self._wanted = None
            self.problem = str(found)
            return
        self._input, self._references = source, found
        self.missing = _missing(source.image)
        self.search_cancelled = CANCELLED in found.stand_ins.values()
        self.references_used = [{"kind": k, "name": n} for k, n in found.names.items()]
        self.on_input()
        self.fill(self._parameters_for(source.data.uuid, found))

    def _parameters_for(self, uuid: str, found: References) -> ExtractionParameters:
        """Choose between what was set for a dataset and what its extract1d file has."""
        wanted, self._wanted = self._wanted, None
        kept, before = self._remembered.get(uuid), self._begun_with.get(uuid)
        self._begun_with[uuid] = found
        if wanted is not None:
            return wanted
        if kept is None or before is None or kept == before.parameters:
            return found.parameters
        another_given = bool(self.override_extract1d) and found.extract1d != before.extract1d
        return found.parameters if another_given else kept

    def take(self, dataset: str, overrides: Mapping[str, str], parameters: ExtractionParameters) -> None:
        """Take a dataset, reference files and parameters together."""
        self._taking = True
        try:
            for name, path in overrides.items():
                setattr(self, name, path)
            self.dataset.selected = dataset
        finally:
            self._taking = False
        self._wanted = parameters
        self.on_data()

    def on_search_again(self) -> None:
        """Look again; where nobody has changed the parameters, those of the file that is found come in."""
        super().on_search_again()
        self.on_data()

    def on_input(self) -> None:
        """React to another dataset, or to none; for the other parts of the panel to extend."""


def _missing(image: SpectralImage) -> str:
    if not image.missing:
        return ""
    return f"This dataset lacks {', '.join(image.missing)}. Loaded as JWST LRS, a file keeps all it has."
