"""The loader ``JWST LRS x1d``: an extracted spectrum as the pipeline, or this package, wrote it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from astropy.io import fits
from jdaviz.core.loaders import importers
from jdaviz.core.loaders.importers.spectrum1d import SpectrumImporter
from jdaviz.core.registries import loader_importer_registry
from jdaviz.utils import PRIHDR_KEY, standardize_metadata
from specutils import Spectrum

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT
from jdaviz_lrs.panel.loaders.image import X1D_FORMAT, RefusingImporter, harmless, prefer_ours
from jdaviz_lrs.panel.viewer.display import in_order
from jdaviz_lrs.products.x1d import read_x1d

__all__ = ["X1DImporter"]


@loader_importer_registry(X1D_FORMAT)
class X1DImporter(RefusingImporter):
    """Load an x1d file of MIRI LRS with a single spectrum; jdaviz's own loader takes those with several."""

    template_file = importers.__file__, "to_dc_with_label.vue"
    parser_preference = ["fits"]  # noqa: RUF012 - jdaviz's way of declaring it

    def __init__(self, app, resolver, parser, input, **kwargs):
        if not isinstance(input, fits.HDUList) or not isinstance(parser.input, str):
            raise LRSError("not a FITS file")
        lrs = str(input[0].header.get("EXP_TYPE", "")).startswith(DEFAULT.instrument)
        if not lrs or [hdu.name for hdu in input].count("EXTRACT1D") != 1:
            raise LRSError("not an x1d file of MIRI LRS with one spectrum")
        super().__init__(app, resolver, parser, input, **kwargs)
        self.data_label.default = harmless(self.default_data_label_from_resolver or Path(parser.input).stem)
        resolver.observe(prefer_ours, "format_items")

    @staticmethod
    def _get_supported_viewers():
        return [{"label": "1D Spectrum", "reference": "spectrum-1d-viewer"}]

    @property
    def is_valid(self) -> bool:
        """Whether this app has spectrum viewers; the input itself was judged at the door."""
        return self._app.config in ("deconfigged", "specviz", "specviz2d")

    @cached_property
    def output(self) -> Spectrum | None:
        """The spectrum, its wavelengths rising; None where the file is refused."""
        try:
            spectrum = in_order(read_x1d(self._parser.input).to_spectrum())
        except LRSError as error:
            self.refusal = str(error)
            return None
        header = standardize_metadata(self.input["EXTRACT1D"].header)
        header[PRIHDR_KEY] = standardize_metadata(self.input[0].header)
        spectrum.meta = {**header, **spectrum.meta}
        return spectrum

    assign_component_type = SpectrumImporter.assign_component_type
