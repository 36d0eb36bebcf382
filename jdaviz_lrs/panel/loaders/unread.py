"""Keep jdaviz from reading time series whole, which it does to see what could take them."""

from __future__ import annotations

from typing import Any

from astropy.io import fits
from jdaviz.core.loaders.parsers.specutils import SpecutilsSpectrumListParser, SpecutilsSpectrumParser
from jdaviz.core.registries import loader_importer_registry, loader_parser_registry

from jdaviz_lrs.modes import MODES
from jdaviz_lrs.panel.loaders.image import SERIES_FORMAT, is_stack

__all__ = ["ask_first", "is_time_series", "keep_others_off", "keep_specutils_off"]

ALONE = [SERIES_FORMAT]
"""What is offered for a time series; by this very list it is known that no user named it."""


def is_time_series(hdus: fits.HDUList) -> bool:
    """Whether the header is that of a stack of integrations of a mode that is known."""
    return is_stack(hdus) and hdus[0].header.get("EXP_TYPE") in MODES


def ask_first(name: str) -> None:
    """Let an importer be the first that jdaviz makes."""
    members = loader_importer_registry.members
    others = {other: members.pop(other) for other in [*members] if other != name}
    members.update(others)


def keep_others_off(resolver: Any, mine: bool) -> None:
    """Have jdaviz make no other importer than that of series, if a file is one.

    It makes all, one after the other, and those of images and cubes read every integration: 1.4 GB for a
    file of 0.4 GB (jdaviz 5.0). Where the user names a format, it is that format's.
    """
    if mine and resolver._restrict_to_formats is None:
        resolver._restrict_to_formats = ALONE
    elif not mine and resolver._restrict_to_formats is ALONE:
        resolver._restrict_to_formats = None


def keep_specutils_off() -> None:
    """Have specutils not read time series, which it takes for cubes, before any importer is asked."""
    for parser in (SpecutilsSpectrumParser, SpecutilsSpectrumListParser):
        name = parser._registry_label
        loader_parser_registry.add(name, type(parser.__name__, (_NoSeries, parser), {}), overwrite=True)


class _NoSeries:
    """A parser that leaves time series alone."""

    @property
    def is_valid(self) -> bool:
        return not _is_file_of_series(self.input) and super().is_valid


def _is_file_of_series(given: Any) -> bool:
    if not isinstance(given, str):
        return False
    try:
        with fits.open(given) as hdus:
            return is_time_series(hdus)
    except Exception:  # whatever else it is, and whatever is wrong with it
        return False
