"""What an extracted spectrum can be written as; known as soon as a product is read."""

from importlib import import_module

from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import FORMATS, ExtractedSpectrum

#: Kind of spectrum and format to the function that makes it, which is imported when it is first used.
WRITERS = {
    (ExtractedSpectrum, "x1d"): ("jdaviz_lrs.products.x1d", "write_x1d"),
    (ExtractedSpectrum, "specutils"): ("jdaviz_lrs.products.specutils_spectrum", "to_spectrum"),
    (ExtractedSeries, "specutils"): ("jdaviz_lrs.products.specutils_spectrum", "to_spectrum"),
    (ExtractedSeries, "x1dints"): ("jdaviz_lrs.products.x1dints", "write_x1dints"),
    (CombinedSpectrum, "c1d"): ("jdaviz_lrs.products.c1d", "write_c1d"),
    (CombinedSpectrum, "specutils"): ("jdaviz_lrs.products.specutils_spectrum", "to_spectrum"),
}


def _writer(module: str, function: str):
    def write(spectrum: ExtractedSpectrum | ExtractedSeries | CombinedSpectrum, *args, **keywords):
        return getattr(import_module(module), function)(spectrum, *args, **keywords)

    return write


for (_kind, _format), _place in WRITERS.items():
    FORMATS.register_writer(_format, _kind, _writer(*_place))
