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


KEPT = (0.0, 0.5, 0.75), (0.0, 0.5, 1.0)
"""Part of a stretch's effect on the light outside that the shape leaves, and that is believed: where a source
is wider than both references, shapes have been seen to put back up to a third, beside a subtracted nod."""


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


def weigh_witnesses(
    widened: Rows, tabulated: Row | None, used: NDArray[np.bool_], shaped: Row | None = None
) -> Enclosed:
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
    shaped : ndarray, (n_disp,), optional
        By the profile that the data have: with that width, and the shape that was fitted beyond it.

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

    A stretch takes the wings along, but may be the core's alone, as where the PSF leans: the shape then puts
    the wings back to where they were. What it puts back is no width of the source's.
    """
    reference, stretched = widened[0], widened[-1]
    growth = np.divide(stretched, reference, out=np.ones_like(stretched), where=reference > 0)
    if shaped is not None:
        growth = 1.0 + (growth - 1.0) * _part_kept(growth, shaped, reference, used)
    by_psf = np.where(reference > 0, reference * growth, stretched)
    if tabulated is None:
        return Enclosed(by_psf, "psf", 0.0)
    known = used & np.isfinite(tabulated) & (reference > 0)
    if not known.any():
        return Enclosed(by_psf, "psf", 0.0)
    tabulated = np.where(np.isfinite(tabulated), tabulated, reference)
    apart, *left = (np.sqrt(np.mean((tabulated - one)[known] ** 2)) for one in widened)
    worst = (tabulated - reference)[known]
    disagreement = float(worst[np.abs(worst).argmax()])
    if apart < AGREE:
        return Enclosed(tabulated * growth, "both", disagreement)
    if min(left) < HEALED * apart:
        return Enclosed(stretched, "psf", disagreement)
    return Enclosed(tabulated, "apcorr", disagreement)


def _part_kept(growth: Row, shaped: Row, reference: Row, used: NDArray[np.bool_]) -> float:
    """Part of the light's growth by a stretch that the shape leaves, from none to all of it."""
    rows = used & (reference > 0)
    change, seen = growth[rows] - 1.0, shaped[rows] / reference[rows] - 1.0
    power = change @ change
    return float(np.interp(change @ seen / power, *KEPT)) if power > 0 else 1.0
