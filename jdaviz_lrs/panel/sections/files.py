"""Parameters from an extract1d file."""

from __future__ import annotations

import warnings
from pathlib import Path

from jdaviz_lrs.errors import LRSWarning
from jdaviz_lrs.panel.state import Changes, PanelState
from jdaviz_lrs.references.extract1d import read_extract1d

__all__ = ["parameters_of_file", "told_of"]


def parameters_of_file(state: PanelState, path: str | Path) -> Changes:
    """Take the parameters of an extract1d reference file.

    Raises
    ------
    LRSError
        When the file is no extract1d file or has no aperture for this exposure.
    """
    seen = state.source.image.observation
    return {"parameters": read_extract1d(path).parameters(seen.slit_name, seen.spectral_order)}


def told_of(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return the sentences of our warnings."""
    return [str(one.message) for one in caught if issubclass(one.category, LRSWarning)]
