"""What an extracted spectrum or series can be written as; known as soon as a product is read."""

from importlib import import_module

from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import FORMATS, ExtractedSpectrum

#: Format and what is written in it to the function that makes it, which is imported when it is first used.
WRITERS = {
    ("x1d", ExtractedSpectrum): ("jdaviz_lrs.products.x1d", "write_x1d"),
    ("specutils", ExtractedSpectrum): ("jdaviz_lrs.products.specutils_spectrum", "to_spectrum"),
    ("x1dints", ExtractedSeries): ("jdaviz_lrs.products.x1dints", "write_x1dints"),
}


def _writer(module: str, function: str):
    def write(spectrum: ExtractedSpectrum | ExtractedSeries, *args, **keywords):
        return getattr(import_module(module), function)(spectrum, *args, **keywords)

    return write


for (_format, _class), _place in WRITERS.items():
    FORMATS.register_writer(_format, _class, _writer(*_place))
