"""Extraction of JWST MIRI LRS slit spectra, in Python and as a panel of jdaviz.

The names below are imported when they are first used: ``import jdaviz_lrs`` costs nothing and
does not import jdaviz.
"""

from importlib import import_module
from importlib.metadata import version

__version__ = version("jdaviz-lrs")

_HOMES = {
    "combine": "jdaviz_lrs.combine.spectra",
    "correct_nods": "jdaviz_lrs.combine.nods",
    "extract": "jdaviz_lrs.batch.extract",
    "extract_jointly": "jdaviz_lrs.combine.joint",
    "read": "jdaviz_lrs.products.read",
    "read_c1d": "jdaviz_lrs.products.c1d",
    "read_series": "jdaviz_lrs.products.series",
    "read_session": "jdaviz_lrs.batch.session",
    "read_x1d": "jdaviz_lrs.products.x1d",
    "read_x1dints": "jdaviz_lrs.products.x1dints",
    "along_slit": "jdaviz_lrs.analysis.along_slit",
    "light_curves": "jdaviz_lrs.analysis.lightcurve",
    "calibrate": "jdaviz_lrs.fluxcal.calibrate",
    "response": "jdaviz_lrs.fluxcal.standard_star",
    "tapered_aperture": "jdaviz_lrs.analysis.taper",
    "verify": "jdaviz_lrs.pipeline.verify",
    "ExtractionParameters": "jdaviz_lrs.parameters",
    "LRSError": "jdaviz_lrs.errors",
    "LRSWarning": "jdaviz_lrs.errors",
}

__all__ = ["__version__", "setup", *_HOMES]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def setup() -> None:
    """Register the panel and the loader with jdaviz; glue calls this while any app is being made."""
    import_module("jdaviz_lrs.panel.registration")
