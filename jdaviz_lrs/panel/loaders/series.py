"""The loader ``JWST LRS series``: the segments of a time series, shown as the mean of their integrations."""

from __future__ import annotations

import glob
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from astropy.io import fits
from jdaviz.core.registries import loader_importer_registry
from jdaviz.core.user_api import ImporterUserApi
from traitlets import observe

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import MODES
from jdaviz_lrs.panel.loaders.image import SERIES_FORMAT, SERIES_KEY, LRSImporter, harmless
from jdaviz_lrs.panel.loaders.unread import (
    ask_first,
    is_time_series,
    keep_others_off,
    keep_specutils_off,
)
from jdaviz_lrs.products.series import Series, read_series

__all__ = ["SeriesImporter"]

SEGMENT = re.compile(r"-seg\d+(?=_)")
"""In the names of the segments of an exposure."""


@loader_importer_registry(SERIES_FORMAT)
class SeriesImporter(LRSImporter):
    """Load a time series (calints, crfints): its mean image; the integrations stay in their files.

    Given are a segment, to which those of the same name beside it belong, or a list or pattern of segments.
    Only the following attributes and methods are available through the public API:

    * ``data_label``, ``viewer``
    * ``segments``: names or a pattern, with commas between, in the folder of the file that was given.
    * ``auto_extract``: extract a 1-D spectrum of the mean with the default parameters as well.
    * ``ext_data_label``: label of that spectrum.
    """

    template_file = LRSImporter.template_file

    def __init__(self, app, resolver, parser, input, **kwargs):
        keep_others_off(resolver, isinstance(input, fits.HDUList) and is_time_series(input))
        super().__init__(app, resolver, parser, input, **kwargs)
        if self.series is not None:
            name = SEGMENT.sub("", self.series.segments[0].path.name.removesuffix(".fits"))
            self.data_label.default = harmless(name)

    @staticmethod
    def check_kind(input) -> None:
        """Refuse what is not of this format; jdaviz lists the error as the reason why it does not apply.

        Raises
        ------
        LRSError
            With that reason.
        """
        if isinstance(input, fits.HDUList):
            if not is_time_series(input):
                raise LRSError(f"not a stack of integrations with an EXP_TYPE of {', '.join(MODES)}")
        elif not (_is_list_of_files(input) or isinstance(input, Series)):
            raise LRSError("neither a FITS file nor the names of several")

    @property
    def user_api(self):
        """What scripts may set."""
        return ImporterUserApi(self, ["auto_extract", "ext_data_label", "segments"])

    def describe(self) -> None:
        """Say in the dialogue what the files hold."""
        path = self._path
        if path is not None and not self.pattern_wanted:
            self.folder, self.segments = str(path.parent), _beside(path)
            self.pattern_wanted = True
        series = self.series
        if series is None:
            self.description, self.notes = "", []
            return
        number = len(series.segments)
        files = f"{number} segments" if number > 1 else "one file"
        self.description = (
            f"MIRI LRS time series of {files}, {series.n_int} integrations of {series.image.n_disp} x "
            f"{series.image.n_xdisp} pixels, {series.image.unit}; their mean is shown."
        )
        self.notes = list(series.notes)

    @property
    def _path(self) -> Path | None:
        """The file that was given, if it was one."""
        path = getattr(self._parser, "input", None)
        one = isinstance(self.input, fits.HDUList) and isinstance(path, str)
        return Path(path).absolute() if one else None

    @cached_property
    def series(self) -> Series | None:
        """What is known of the series; None where it is refused."""
        self.refusal = ""
        try:
            return self.input if isinstance(self.input, Series) else read_series(self._files())
        except LRSError as error:
            self.refusal = str(error)
            return None

    def _files(self) -> Any:
        if self._path is None:
            return self.input
        # jdaviz asks for the output before there is anything in the dialogue
        given = self.segments if self.pattern_wanted else _beside(self._path)
        names = [name.strip() for name in given.split(",") if name.strip()]
        # the folder is no pattern, whatever its name
        folder = self._path.parent
        exact = [folder / name if (folder / name).exists() else None for name in names]
        patterns = [str(Path(glob.escape(str(folder))) / name) for name in names]
        return [one or pattern for one, pattern in zip(exact, patterns, strict=True)]

    @cached_property
    def image(self) -> SpectralImage | None:
        """The mean image; None where the series is refused."""
        return None if self.series is None else self.series.image

    @cached_property
    def output(self):
        """What goes to the viewer, with the series attached; None where it is refused."""
        if self.series is None:
            return None
        spectrum = self.as_shown()
        spectrum.meta[SERIES_KEY] = self.series
        return spectrum

    @observe("segments")
    def _on_segments(self, change: dict) -> None:
        if self.pattern_wanted:
            self._clear_cache("series", "image", "output")
            self.describe()

    def __call__(self):
        """Add the mean, and the spectrum that the pipeline's defaults give of it."""
        super().__call__()
        self._clear_cache("series")


def _beside(path: Path) -> str:
    """Return the pattern of the names of all segments of an exposure."""
    return SEGMENT.sub("-seg*", glob.escape(path.name))


def _is_list_of_files(given: Any) -> bool:
    if isinstance(given, str):
        return glob.has_magic(given) and given.endswith((".fits", "*"))
    is_list = isinstance(given, list | tuple) and bool(given)
    return is_list and all(isinstance(one, str | Path) for one in given)


ask_first(SERIES_FORMAT)
keep_specutils_off()
