"""The responses of several stars or epochs as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.differing import differing
from jdaviz_lrs.fluxcal.response import Response

__all__ = ["mean_response"]


def mean_response(responses: Sequence[Response]) -> Response:
    """Average responses, weighted by their errors.

    The scatter of the responses beyond their errors is a systematic error of the mean, not averaged down: by
    so much the next star may differ.

    Parameters
    ----------
    responses : sequence of Response
        Of stars extracted in the same manner.

    Returns
    -------
    Response
        On the wavelengths of the first; where any of them is known.

    Raises
    ------
    LRSError
        When the stars were extracted differently.
    """
    first = responses[0]
    for other in responses[1:]:
        if apart := differing(first.manner, other.manner):
            raise LRSError(
                f"The stars {first.stars[0]} and {other.stars[0]} were extracted differently: {apart}; "
                "extract them alike."
            )

    def on_first(values, one):
        return np.interp(first.wavelength, one.wavelength, values, left=np.nan, right=np.nan)

    factors, errors, systematics = (
        np.array([on_first(getattr(one, name), one) for one in responses])
        for name in ("factor", "error", "systematic")
    )
    known = np.isfinite(factors)
    number = known.sum(axis=0)
    weights = np.where(known, 1.0 / np.where(known, errors, 1.0) ** 2, 0.0)
    total = weights.sum(axis=0)
    some = total > 0
    total = np.where(some, total, 1.0)
    mean = np.where(some, (weights * np.nan_to_num(factors)).sum(axis=0) / total, np.nan)
    deviations = np.where(known, (factors - mean) ** 2, 0.0).sum(axis=0) / np.maximum(number - 1, 1)
    noise = np.where(known, errors**2, 0.0).sum(axis=0) / np.maximum(number, 1)
    scatter = np.maximum(deviations - noise, 0.0)
    own = (weights * np.nan_to_num(systematics)).sum(axis=0) / total
    several = {
        name: tuple(item for one in responses for item in getattr(one, name))
        for name in ("stars", "models", "epochs", "inputs")
    }
    typical = np.sqrt(np.nanmedian(np.where(number > 1, scatter, np.nan) / mean**2))
    notes = (f"{len(responses)} stars or epochs scatter by {typical:.2%} beyond their errors.",)
    return replace(
        first,
        factor=mean,
        error=np.where(some, np.sqrt(1.0 / total), np.nan),
        systematic=np.where(some, np.sqrt(scatter + own**2), np.nan),
        **several,
        chi_square=float(np.mean([one.chi_square for one in responses])),
        stand_in=any(one.stand_in for one in responses),
        notes=(*notes, *dict.fromkeys(note for one in responses for note in one.notes)),
    )
