"""What an extracted spectrum can be written as; known as soon as a product is read."""

from importlib import import_module

from jdaviz_lrs.data.spectrum import FORMATS, ExtractedSpectrum

#: Format of a spectrum to the function that makes it, which is imported when it is first used.
WRITERS = {
    "x1d": ("jdaviz_lrs.products.x1d", "write_x1d"),
    "specutils": ("jdaviz_lrs.products.specutils_spectrum", "to_spectrum"),
}


def _writer(module: str, function: str):
    def write(spectrum: ExtractedSpectrum, *args, **keywords):
        return getattr(import_module(module), function)(spectrum, *args, **keywords)

    return write


for _format, _place in WRITERS.items():
    FORMATS.register_writer(_format, ExtractedSpectrum, _writer(*_place))
