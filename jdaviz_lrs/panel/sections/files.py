"""Parameters from a file: an extract1d reference file, a preset, or a spectrum that tells how it was made."""

from __future__ import annotations

import warnings
from pathlib import Path

from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.panel.parameter_traits import as_meant
from jdaviz_lrs.panel.presets import read_preset
from jdaviz_lrs.panel.state import Changes, PanelState
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.x1d import read_x1d
from jdaviz_lrs.references.extract1d import read_extract1d

__all__ = ["parameters_of_file", "told_of"]


def parameters_of_file(state: PanelState, path: str | Path) -> Changes:
    """Take the parameters of an extract1d reference file, of a preset, or of a spectrum of ours (x1d).

    Raises
    ------
    LRSError
        When the file is none of these, or has no aperture for this exposure.
    """
    if Path(path).name.endswith((".fits", ".fits.gz")):
        return {"parameters": _parameters_of_spectrum(path)}
    if Path(path).is_file() and (preset := read_preset(path)) is not None:
        return {"plan": preset.plan(state.afresh)}
    seen = state.source.image.observation
    return {"parameters": read_extract1d(path).parameters(seen.slit_name, seen.spectral_order)}


def _parameters_of_spectrum(path: str | Path) -> ExtractionParameters:
    told = {name.lower(): value for name, value in read_x1d(path).parameters.items()}
    if told.get("program") != "jdaviz-lrs":
        raise LRSError(f"{path}: the pipeline's files do not tell their parameters; give an x1d of ours.")
    names = [name for name in ExtractionParameters.names() if name in told]
    return ExtractionParameters(**{name: as_meant(name, told[name]) for name in names})


def told_of(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return the sentences of our warnings."""
    return [str(one.message) for one in caught if issubclass(one.category, LRSWarning)]
