"""Which of several measurements of a wavelength are off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.combine.local_fit import predict_well
from jdaviz_lrs.engine.combine.smoothness import predict_smooth, running_spread
from jdaviz_lrs.engine.combine.spikes import find_spikes

__all__ = ["FLOOR", "THRESHOLD", "Judged", "judge_inputs", "median_of"]

Table = NDArray[np.float64]
Mask = NDArray[np.bool_]

THRESHOLD = 3.5
"""Errors beyond which a measurement is off."""

QUESTIONED = 2.5
"""Errors beyond which a wavelength is looked at at all."""

FLOOR = 0.002
"""Least error of a measurement, as a part of the flux, when it is judged: profiles differ between nods."""

USUAL_ROWS = 101
"""Wavelengths from which is told how far the inputs usually differ."""

LEVELS_APART = 5.0
"""Errors by which an input's level must differ from that of all to count."""

MOST_STARTS = 16
"""Inputs up to which each may be the one that is right."""

FEW = 3
"""Inputs below which all of a wavelength may be hit, and none tells."""

PASSES = 4

KEPT = 1e-2
"""Weight of the distance from the prediction where all else is equal."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What may be used.

    Attributes
    ----------
    used : ndarray of bool, (n_input, n_wavelength)
    doubt : ndarray, (n_wavelength,)
        Variance to add where inputs contradict each other, no majority tells which is right, and what is left
        contradicts the neighbouring wavelengths too; and where one or two make a spike in one wavelength
        alone, which no spectrograph makes of a line: all may be hit.
    """

    used: Mask
    doubt: Table


def median_of(values: Table, good: Mask) -> Table:
    """Median over the inputs of what is good.

    Parameters
    ----------
    values : ndarray, (n_input, n_wavelength)
    good : ndarray of bool, same shape

    Returns
    -------
    ndarray, (n_wavelength,)
        NaN where nothing is good.
    """
    ranked = np.sort(np.where(good, values, np.inf), axis=0)
    number = good.sum(axis=0)
    rank = np.maximum(np.stack([(number - 1) // 2, number // 2]), 0)
    middle = np.take_along_axis(ranked, rank, axis=0)
    return np.where(number > 0, 0.5 * np.where(number > 0, middle, 0.0).sum(axis=0), np.nan)


def judge_inputs(
    flux: Table, variance: Table, good: Mask, threshold: float = THRESHOLD, floor: float = FLOOR
) -> Judged:
    """Tell at every wavelength which inputs go together.

    Parameters
    ----------
    flux, variance : ndarray, (n_input, n_wavelength)
        The variance of what is not common to the inputs.
    good : ndarray of bool, same shape
    threshold : float
        Errors beyond which an input is off.
    floor : float
        Least error, as a part of the flux.

    Returns
    -------
    Judged
        At least one input is used wherever one is good.

    Notes
    -----
    Where all inputs are within 2.5 errors of their median, all are used. Elsewhere the flux is sought with
    the least sum of min(deviation^2, threshold^2), deviations in units of the errors: every outlier costs the
    threshold, whatever its height (truncated least squares; Huber & Ronchetti 2009, *Robust Statistics*,
    sec. 4.8). The search begins at the median and at every input. What the neighbouring wavelengths predict
    takes part like one input more, so that two inputs are told apart as well. Inputs whose levels differ are
    judged at one level. Errors are raised by what the inputs usually differ by over 101 wavelengths: those
    that differ throughout are no outliers.
    """
    factor = _levels(flux, variance, good)[:, None]
    flux, variance = flux * factor, variance * factor**2
    centre = median_of(flux, good)
    number = good.sum(axis=0)
    least = (floor * np.nan_to_num(np.abs(centre))) ** 2
    spread = np.where(good, variance + least, 1.0)
    # of the difference from a median that the input itself is part of
    own = np.sqrt(np.maximum(1.0 - 1.0 / np.maximum(number, 1), 0.25))
    deviation = np.abs(np.where(good, flux - centre, np.nan)) / (np.sqrt(spread) * own)
    usual = running_spread(np.where(number > 1, median_of(deviation, good), np.nan), USUAL_ROWS)
    # by chance it is a little more than one
    excess = np.maximum(1.0, usual - 2.0 * 1.2 / np.sqrt(min(USUAL_ROWS, flux.shape[1])))
    spread = spread * excess**2
    worst = np.max(np.where(good, np.nan_to_num(deviation), 0.0), axis=0) / excess
    questioned = (number > 1) & (worst > QUESTIONED)
    used, doubt = good.copy(), np.zeros(flux.shape[1])
    if questioned.any():
        centre = np.nan_to_num(centre)
        doubtful = questioned & (number < FEW)
        usable = (number > 0) & ~doubtful
        error = np.sqrt(np.where(good, spread, 0.0).sum(axis=0)) / np.maximum(number, 1)
        smooth = predict_smooth(centre, usable)
        smooth = predict_well(centre, error, usable, np.flatnonzero(doubtful), smooth)
        values = np.vstack([flux, smooth.flux])[:, questioned]
        spreads = np.vstack([spread, smooth.variance])[:, questioned]
        known = np.vstack([good, np.isfinite(smooth.variance) & (smooth.variance > 0)])[:, questioned]
        used[:, questioned], doubt[questioned] = _agreeing(
            values, spreads, known, centre[questioned], threshold
        )
    few = (number > 0) & (used.sum(axis=0) < FEW)
    if few.any():
        weights = np.where(used, 1.0 / spread, 0.0)
        total = np.where(number > 0, weights.sum(axis=0), 1.0)
        mean = (weights * np.where(used, flux, 0.0)).sum(axis=0) / total
        spikes = find_spikes(mean, total**-0.5, number > 0, few)
        doubt = np.maximum(doubt, spikes**2)
    return Judged(used, doubt)


def _levels(flux: Table, variance: Table, good: Mask) -> Table:
    """Find factors that bring the inputs to one level, (n_input,), where they differ beyond doubt."""
    centre = median_of(flux, good)
    bright = good & (centre > 0)
    ratio = np.where(bright, flux / np.where(centre > 0, centre, 1.0), 1.0)
    noise = np.where(bright, np.sqrt(variance) / np.where(centre > 0, centre, 1.0), np.inf)
    level = np.median(ratio, axis=1)
    # a median is known 1.25 times worse than a mean
    error = 1.25 * np.median(noise, axis=1) / np.sqrt(np.maximum(bright.sum(axis=1), 1))
    apart = (np.abs(level - 1.0) > LEVELS_APART * error) & (level > 0)
    return np.where(apart, 1.0 / np.where(apart, level, 1.0), 1.0)


def _agreeing(
    values: Table, spreads: Table, known: Mask, centre: Table, threshold: float
) -> tuple[Mask, Table]:
    """Find the inputs that agree, of values (n_input + 1, n) of which the last is the prediction."""
    weights = np.where(known, 1.0 / np.where(known, spreads, 1.0), 0.0)
    values = np.where(known, values, 0.0)
    starts = values if len(values) <= MOST_STARTS else values[-1:]
    known_starts = known if len(values) <= MOST_STARTS else known[-1:]
    flux = np.concatenate([np.where(known_starts, starts, centre), centre[None]])
    for _ in range(PASSES):
        within = _within(values, weights, flux, threshold)
        total = (within * weights).sum(axis=1)
        mean = np.divide((within * weights * values).sum(axis=1), total, out=flux.copy(), where=total > 0)
        flux = mean
    within = _within(values, weights, flux, threshold)
    squares = np.minimum((values - flux[:, None]) ** 2 * weights, threshold**2)
    cost = squares.sum(axis=1) + KEPT * np.minimum((flux - values[-1]) ** 2 * weights[-1], 1e3)
    chosen = known[:-1] & within[:, :-1]
    cost = np.where(chosen.any(axis=1), cost, np.inf)
    best = cost.argmin(axis=0)
    column = np.arange(best.size)
    used, fits = chosen[best, :, column].T, within[best, -1, column]
    alone = ~used.any(axis=0)  # nothing agrees with anything, and not with itself: none is better
    used = np.where(alone, known[:-1], used)
    rejected = (known[:-1] & ~used).sum(axis=0)
    split = (rejected >= used.sum(axis=0)) & (rejected > 0) & known[-1] & ~fits
    return used, np.where(split, (flux[best, column] - values[-1]) ** 2, 0.0)


def _within(values: Table, weights: Table, flux: Table, threshold: float) -> Mask:
    """Whether values are within the threshold of each flux, (n_start, n_input, n)."""
    return (weights > 0) & ((values - flux[:, None]) ** 2 * weights < threshold**2)
