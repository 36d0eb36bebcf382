"""The part of the panel that says what is extracted from: the dataset and its reference files."""

from __future__ import annotations

from jdaviz.core.template_mixin import DatasetSelect, DatasetSelectMixin
from traitlets import List, Unicode, observe

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.inputs import Input, is_2d_spectrum
from jdaviz_lrs.panel.parameter_traits import ParameterTraits
from jdaviz_lrs.panel.progress import progress
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.references.find import References, find_references

__all__ = ["OVERRIDES", "DataSource"]

OVERRIDES = ("override_extract1d", "override_apcorr", "override_psf")

NO_DATA = "Load a MIRI LRS spectrum (s2d or cal) to extract from."


class DataSource(DatasetSelectMixin, ParameterTraits):
    """Dataset, references, and the parameters that they bring along."""

    override_extract1d = Unicode().tag(sync=True)
    override_apcorr = Unicode().tag(sync=True)
    override_psf = Unicode().tag(sync=True)
    references_used = List().tag(sync=True)
    missing = Unicode().tag(sync=True)
    problem = Unicode().tag(sync=True)

    _input: Input | None = None
    _references: References | None = None
    _default_references: tuple[SpectralImage | None, References | None] = (None, None)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._remembered: dict[str, ExtractionParameters] = {}
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
            raise LRSError(self.problem or NO_DATA)
        return self._input.image

    @observe("dataset_items", "dataset_selected", *OVERRIDES)
    def on_data(self, change=None):
        """Take another dataset or other references; parameters set earlier for a dataset come back."""
        if not hasattr(self, "_remembered"):  # while jdaviz is still making the panel
            return
        name = (change or {}).get("name")
        self.disabled_msg = "" if self.dataset_items else NO_DATA
        data = self.dataset.selected_dc_item
        if name == "dataset_items" and (self._input is None) == (data is None):
            return
        self._input = self._references = None
        self.on_input()
        if data is None:
            return
        try:
            source = Input.of(data)
            self._references = self.find_references(source.image)
        except LRSError as error:
            self.problem = str(error)
            return
        self._input = source
        self.missing = _missing(source.image)
        self.references_used = [{"kind": k, "name": n} for k, n in self._references.names.items()]
        if name in OVERRIDES:
            self._remembered.pop(data.label, None)
        self.on_input()
        self.fill(self._remembered.get(data.label, self._references.parameters))

    def find_references(self, image: SpectralImage, given: bool = True) -> References:
        """Collect the reference files for an image, telling what is downloaded.

        Parameters
        ----------
        image : SpectralImage
        given : bool
            Whether those given in the panel win.

        Raises
        ------
        LRSError
            For a file that does not do.
        """
        overrides = [getattr(self, name) or None for name in OVERRIDES] if given else [None] * len(OVERRIDES)
        if not any(overrides) and self._default_references[0] is image:
            return self._default_references[1]
        with progress(self, "The reference files are there.") as tell:
            references = find_references(image, *overrides, progress=tell)
        if not any(overrides):
            self._default_references = image, references
        return references

    def on_input(self) -> None:
        """React to another dataset, or to none; for the other parts of the panel to extend."""


def _missing(image: SpectralImage) -> str:
    if not image.missing:
        return ""
    return f"This dataset lacks {', '.join(image.missing)}. Loaded as JWST LRS, a file keeps all it has."
