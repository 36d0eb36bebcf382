"""Numbers that cannot be, in the header or table of a spectrum's file: taken as unknown, and told of."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import numpy as np
from astropy.io.fits import Header
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE

__all__ = ["finite_cards", "leave_out_infinite", "sound_columns"]

NEVER_NEGATIVE = ("_error", "_var_poisson", "_var_rnoise", "_var_flat", "npixels", "weight", "n_input")
"""How the names of such columns end."""


def leave_out_infinite(metadata: dict | list) -> None:
    """Leave numbers out of a data model's tree that a file may hold (1E400) and none can be given."""
    places = [*metadata] if isinstance(metadata, dict) else [*range(len(metadata))][::-1]
    for place in places:
        value = metadata[place]
        # what the schema does not know is listed as [keyword, value, comment]
        inside = value[1] if isinstance(value, list) and len(value) == 3 else value
        if isinstance(inside, float) and not isfinite(inside):
            del metadata[place]
        elif isinstance(value, dict | list):
            leave_out_infinite(value)


def finite_cards(header: Header) -> Header:
    """Leave out numbers that a file may hold (1E400) and none can be given."""
    kept = header.copy()
    for card in header.cards:
        if isinstance(card.value, float) and not isfinite(card.value):
            kept.remove(card.keyword, ignore_missing=True, remove_all=True)
    return kept


def sound_columns(columns: Mapping[str, NDArray]) -> tuple[dict[str, NDArray], tuple[str, ...]]:
    """Take infinite numbers, and negative errors and counts, as unknown; flag where there is no flux.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Of a spectrum by their names here; ``dq`` as whole numbers.

    Returns
    -------
    columns : dict of str to ndarray
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
