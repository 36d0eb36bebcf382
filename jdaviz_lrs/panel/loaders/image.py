"""The loader ``JWST LRS``: a 2-D LRS spectrum with all its planes, wavelength increasing to the right."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

from astropy.io import fits
from jdaviz.core.loaders.importers import BaseImporterToDataCollection
from jdaviz.core.loaders.importers.spectrum2d import Spectrum2DImporter
from jdaviz.core.registries import loader_importer_registry
from jdaviz.core.user_api import ImporterUserApi
from jdaviz.utils import PRIHDR_KEY, standardize_metadata
from specutils import Spectrum
from stdatamodels.jwst.datamodels import JwstDataModel
from traitlets import Bool, List, Unicode, observe

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import MODES
from jdaviz_lrs.panel.viewer.display import Display
from jdaviz_lrs.panel.vuetify import adapt_template
from jdaviz_lrs.products.read import read

__all__ = [
    "FORMAT",
    "IMAGE_KEY",
    "SERIES_FORMAT",
    "SERIES_KEY",
    "X1D_FORMAT",
    "LRSImporter",
    "RefusingImporter",
    "forget_pixels",
    "harmless",
    "is_stack",
    "prefer_ours",
]

FORMAT, SERIES_FORMAT, X1D_FORMAT = "JWST LRS", "JWST LRS series", "JWST LRS x1d"

#: Where the meta of loaded data keeps the image, and the series that it is the mean of; the underscore hides
#: them from jdaviz's Metadata panel.
IMAGE_KEY, SERIES_KEY = "_lrs_image", "_lrs_series"


def is_lrs(hdus: fits.HDUList) -> bool:
    """Whether the header is that of a 2-D spectrum of a mode that is known."""
    header = hdus[0].header
    mode = MODES.get(header.get("EXP_TYPE"))
    return mode is not None and header.get("DATAMODL") in mode.products


def is_stack(hdus: fits.HDUList) -> bool:
    """Whether there are several integrations, of which nothing is read yet."""
    return "SCI" in hdus and hdus["SCI"].header.get("NAXIS") == 3


def forget_pixels(data) -> None:
    """Let the pixels of a dataset go: layers of jdaviz may keep the data."""
    for key in (IMAGE_KEY, SERIES_KEY):
        data.meta.pop(key, None)


def harmless(label: str) -> str:
    """Take out of a file's name what jdaviz's tooltips, which render HTML, would take for a tag."""
    return label.translate({ord("<"): "_", ord(">"): "_"})


def prefer_ours(change: dict) -> None:
    """Let an LRS file resolve to our loader among all that could open it.

    Without a format jdaviz takes a file only if a single one fits. The import dialogue keeps the others,
    after ours.
    """
    resolver, items = change["owner"], change["new"]
    ours = [item for item in items if item["label"] in (FORMAT, SERIES_FORMAT, X1D_FORMAT)]
    in_dialogue = getattr(resolver, "open_callback", None) is not None
    wanted = ours + [item for item in items if item not in ours] if in_dialogue else ours
    if ours and wanted != items:
        resolver.format_items = wanted


class RefusingImporter(BaseImporterToDataCollection):
    """An importer of files that may turn out damaged: jdaviz says why, and offers no other loader for them.

    jdaviz looks at every property while it makes an importer, and forgets one that raises an error then.
    """

    refusal = Unicode()

    @observe("refusal", "data_label_invalid_msg", "viewer_label_invalid_msg")
    def _set_import_disabled(self, change=None):
        reasons = (self.refusal, self.data_label_invalid_msg, self.viewer_label_invalid_msg)
        self.import_disabled_msg = next((reason for reason in reasons if reason), "")


@loader_importer_registry(FORMAT)
class LRSImporter(RefusingImporter):
    """Load a MIRI LRS slit spectrum (s2d, cal) with its variances, flags, WCS and header.

    Only the following attributes and methods are available through the public API:

    * ``data_label``, ``viewer``
    * ``auto_extract``: extract a 1-D spectrum with the default parameters as well.
    * ``ext_data_label``: label of that spectrum.
    """

    template_file = __file__, "image.vue"
    _adapt_template = adapt_template
    parser_preference = ["fits"]  # noqa: RUF012 - jdaviz's way of declaring it

    auto_extract = Bool(True).tag(sync=True)
    ext_data_label = Unicode().tag(sync=True)
    description = Unicode().tag(sync=True)
    notes = List().tag(sync=True)
    pattern_wanted = Bool(False).tag(sync=True)  # of the names of the segments of a series
    segments = Unicode().tag(sync=True)
    folder = Unicode().tag(sync=True)

    def __init__(self, app, resolver, parser, input, **kwargs):
        self.check_kind(input)
        super().__init__(app, resolver, parser, input, **kwargs)
        self.data_label.default = harmless(self.default_data_label_from_resolver or "LRS spectrum")
        resolver.observe(prefer_ours, "format_items")
        self.describe()

    @staticmethod
    def check_kind(input) -> None:
        """Refuse what is not of this format; jdaviz lists the error as the reason why it does not apply.

        Raises
        ------
        LRSError
            With that reason.
        """
        if isinstance(input, fits.HDUList):
            if not is_lrs(input):
                raise LRSError(f"not a 2-D spectrum (s2d or cal) with an EXP_TYPE of {', '.join(MODES)}")
            if is_stack(input):
                raise LRSError(f"a stack of integrations, which the format {SERIES_FORMAT} is for")
        elif not isinstance(input, SpectralImage | JwstDataModel):
            raise LRSError("neither a FITS file nor a data model")

    def describe(self) -> None:
        """Say in the dialogue what the file holds."""
        if (image := self.image) is not None:
            kind = "rectified (s2d)" if image.resampled else "detector image (cal)"
            size = f"{image.n_disp} x {image.n_xdisp} pixels, {image.unit}"
            self.description = f"MIRI LRS slit spectrum, {kind}, {size}."

    @staticmethod
    def _get_supported_viewers():
        return [{"label": "2D Spectrum", "reference": "spectrum-2d-viewer"}]

    @property
    def user_api(self):
        """What scripts may set."""
        return ImporterUserApi(self, ["auto_extract", "ext_data_label"])

    @property
    def is_valid(self) -> bool:
        """Whether this app has 2-D spectrum viewers; the input itself was judged at the door."""
        return self._app.config in ("deconfigged", "specviz2d")

    @cached_property
    def image(self) -> SpectralImage | None:
        """The file, every plane of it; None where it is refused."""
        path = getattr(self._parser, "input", None) if isinstance(self.input, fits.HDUList) else None
        try:
            image = read(path if isinstance(path, str) else self.input)
            if image.data.ndim > 2:
                raise LRSError(
                    f"{image.file_name}: it holds {len(image.data)} integrations, and the viewer shows one "
                    f"image; load its file as {SERIES_FORMAT}."
                )
        except LRSError as error:
            self.refusal = str(error)
            return None
        return image

    @cached_property
    def output(self) -> Spectrum | None:
        """What goes to the viewer, with the image attached; None where the file is refused."""
        return None if self.image is None else self.as_shown()

    def as_shown(self) -> Spectrum:
        """Return the image as the viewer shows it, with all that the panel needs in its meta."""
        spectrum = Display.of(self.image).spectrum()
        spectrum.meta.update(self._header())
        spectrum.meta[IMAGE_KEY] = self.image
        return spectrum

    def _header(self) -> dict:
        if isinstance(self.input, fits.HDUList):
            header = standardize_metadata(self.input["SCI"].header)
            header[PRIHDR_KEY] = standardize_metadata(self.input[0].header)
        else:
            header = {k: v for k, v in asdict(self.image.observation).items() if v is not None}
        # jdaviz's unit conversion looks for it here
        return header | {"PIXAR_SR": self.image.pixel_area}

    assign_component_type = Spectrum2DImporter.assign_component_type

    def _plugin(self, label: str):
        return self._app._jdaviz_helper.plugins.get(label)

    def __call__(self):
        """Add the image, and the spectrum that the pipeline's defaults give."""
        label, spectrum_label = self.data_label_value, self.ext_data_label
        units = self._plugin("Unit Conversion")
        first = units is None or not units.flux_unit.selected
        super().__call__()
        units = self._plugin("Unit Conversion")
        if first and units is not None and units.flux_unit.selected == "MJy":
            # jdaviz would show all spectra in MJy, for the image's MJy / sr
            units.flux_unit = "Jy"
        panel = self._plugin("LRS Extraction")
        if self.auto_extract and panel is not None:
            panel._obj.results.extract_default(label, spectrum_label or f"{label} (auto-ext)")
        # jdaviz keeps the dialogue; the image goes with the dataset
        self._clear_cache("image", "output")
