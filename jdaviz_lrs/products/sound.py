"""What cannot be, in the header or table of a file: taken as unknown, before it is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import numpy as np
from astropy.io.fits import Header
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE

__all__ = ["keep_sound", "sound_cards", "sound_columns"]

NEVER_NEGATIVE = (
    "_error",
    "_var_poisson",
    "_var_rnoise",
    "_var_flat",
    "npixels",
    "weight",
    "n_input",
    "chi_square",
)
"""How the names of such columns end."""


def _is_sound(value: object) -> bool:
    """Whether a header can be given a value: a damaged one may hold 1E400, and bytes that are no letters."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable()
    return not isinstance(value, float) or isfinite(value)


def keep_sound(metadata: dict | list) -> None:
    """Leave out of a data model's tree what no header can be given."""
    places = [*metadata] if isinstance(metadata, dict) else [*range(len(metadata))][::-1]
    for place in places:
        value = metadata[place]
        if not _is_sound(value) or (_is_card(value) and not all(map(_is_sound, value))):
            del metadata[place]
        elif isinstance(value, dict | list):
            keep_sound(value)


def _is_card(value: object) -> bool:
    """Whether this is a card that no schema knows: [keyword, value, comment]."""
    return isinstance(value, list) and len(value) == 3 and not any(isinstance(one, list) for one in value)


def sound_cards(header: Header) -> Header:
    """Leave out what no header can be given."""
    kept = header.copy()
    for card in header.cards:
        if not _is_sound(card.value):
            kept.remove(card.keyword, ignore_missing=True, remove_all=True)
    return kept


def sound_columns(columns: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], tuple[str, ...]]:
    """Take infinite numbers, and negative errors and counts, as unknown; flag where there is no flux.

    Parameters
    ----------
    columns : mapping of str to ndarray, ([n_int,] n_wavelength)
        Of a spectrum by their names here; ``dq`` as whole numbers.

    Returns
    -------
    columns : dict of str to ndarray, ([n_int,] n_wavelength)
        With NaN for what cannot be, and DO_NOT_USE in ``dq`` wherever the flux is NaN.
    notes : tuple of str
    """
    sound, told = dict(columns), {}
    for name, column in columns.items():
        if name in ("wavelength", "dq"):
            continue
        wrong = np.isinf(column)
        if name.endswith(NEVER_NEGATIVE):
            wrong |= column < 0
        if wrong.any():
            sound[name] = np.where(wrong, np.nan, column)
            told[name.upper()] = int(wrong.sum())
    lost = np.isnan(sound["flux"])
    sound["dq"] = np.where(lost, columns["dq"] | np.uint32(DO_NOT_USE), columns["dq"])
    if not told:
        return sound, ()
    names, number = [*told], sum(told.values())
    more = f" and {len(names) - 3} more" if names[3:] else ""
    return sound, (
        f"{number} numbers of the file cannot be (negative or infinite: {', '.join(names[:3])}{more}); they "
        "are taken as unknown (NaN).",
    )
