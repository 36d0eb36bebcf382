"""How much of the light lies in the calibration aperture: what PSF, correction and data say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Enclosed", "weigh_witnesses"]

Row = NDArray[np.float64]
Rows = NDArray[np.float64]

AGREE = 0.004
"""Of the light: references closer than this agree; the pipeline's correction files claim no better."""

HEALED = 0.5
"""Part of the disagreement that a stretch may leave where it is the PSF's width that was wrong."""


@dataclass(frozen=True, eq=False)
class Enclosed:
    """Share of a source's light in the calibration aperture.

    Attributes
    ----------
    due : ndarray, (n_disp,)
        What was followed.
    followed : {'psf', 'apcorr', 'both'}
        The witness that was followed.
    disagreement : float
        How far the two are apart at the worst, as a share of the light: with its sign, correction minus PSF.
    """

    due: Row
    followed: str
    disagreement: float


def weigh_witnesses(widened: Rows, tabulated: Row | None, used: NDArray[np.bool_]) -> Enclosed:
    """Choose among the witnesses.

    Parameters
    ----------
    widened : ndarray, (n_step, n_disp)
        By the PSF reference: as it is, and on the way from there to the width that the data show, which comes
        last; its wings go along.
    tabulated : ndarray, (n_disp,), or None
        By the aperture correction; NaN where it has nothing to say.
    used : ndarray of bool, (n_disp,)
        Rows that count.

    Returns
    -------
    Enclosed

    Notes
    -----
    A stretched PSF changes the light inside an aperture by as much as PSF and correction files may disagree.
    Where they agree on the source that both were made for, a stretch is what the data have and neither of
    them: both are stretched. Where they do not, and on the way to the data's width the PSF comes by the
    correction, it was the PSF's width that was wrong, and the stretched PSF is right: what the data ask for
    beyond the correction is the source's own, which the correction does not know. Else the PSF lacks
    something, as its wings, and the correction is followed: it was measured on stars for the very aperture.
    """
    reference, stretched = widened[0], widened[-1]
    if tabulated is None:
        return Enclosed(stretched, "psf", 0.0)
    known = used & np.isfinite(tabulated) & (reference > 0)
    if not known.any():
        return Enclosed(stretched, "psf", 0.0)
    tabulated = np.where(np.isfinite(tabulated), tabulated, reference)
    apart, *left = (np.sqrt(np.mean((tabulated - one)[known] ** 2)) for one in widened)
    worst = (tabulated - reference)[known]
    disagreement = float(worst[np.abs(worst).argmax()])
    if apart < AGREE:
        growth = np.divide(stretched, reference, out=np.ones_like(stretched), where=reference > 0)
        return Enclosed(tabulated * growth, "both", disagreement)
    if min(left) < HEALED * apart:
        return Enclosed(stretched, "psf", disagreement)
    return Enclosed(tabulated, "apcorr", disagreement)
