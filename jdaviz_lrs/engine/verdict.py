"""How far an extraction agrees with the plain sum of its pixels, and what it leaves of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.optimal import invert_rows
from jdaviz_lrs.engine.order_statistics import MEDIAN_ERROR, median, quartiles, scatter

__all__ = [
    "NEAR",
    "Agreement",
    "FittedBackground",
    "Judged",
    "compare_with_sum",
    "fit_weights",
    "left_unexplained",
    "lost_light",
    "sky_left",
]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEADY_ROWS = 25
"""Rows over which a spectrum is smoothed to weigh its rows by, so that no row weighs by its own noise."""

LEAST_SHARE = 0.5
"""Of the light in the aperture that must have been seen at a wavelength for it to be compared."""

OUTLYING = 5.0
"""Sigma: rows further off are counted in the scatter, but do not tell how the rest agrees."""

LEAST_ROWS = 10
"""In a band, to say anything about it."""

NEAR = 6.0
"""Pixels from the trace within which what is left matters for the flux."""

LEAST_SKY = 50
"""Pixels of a band on one side of the source, to tell the sky by."""

LEAST_INDEPENDENT = 0.01
"""Of the sum's variance: so that a sum compared with itself has a scatter."""


@dataclass(frozen=True, eq=False)
class FittedBackground:
    """A background that was fitted together with a flux.

    Attributes
    ----------
    basis : ndarray, (n_disp, n_xdisp, n_background)
        Its polynomials.
    weights : ndarray, (n_disp, n_xdisp)
        Of the pixels in the fit.
    """

    basis: Image
    weights: Image

    def taken_off(self, profile: Image) -> Image:
        """Return what no background can mimic of a profile, (n_disp, n_xdisp)."""
        weighted = np.swapaxes(self.basis * self.weights[..., None], 1, 2)
        share = invert_rows(weighted @ self.basis) @ (weighted @ profile[..., None])
        return profile - (self.basis @ share)[..., 0]

    def told_outside(self, aperture: Image, outside: Mask) -> Image:
        """Weights by which pixels outside an aperture tell the background in it, all (n_disp, n_xdisp)."""
        inside = np.swapaxes(self.basis, 1, 2) @ aperture[..., None]
        away = self.basis * outside[..., None]
        return (away @ (invert_rows(np.swapaxes(away, 1, 2) @ away) @ inside))[..., 0]


@dataclass(frozen=True, eq=False)
class Judged:
    """An extraction as its judge sees it, in the image's units.

    Columns far from the source that no weight is given to may be left out.

    Attributes
    ----------
    data : ndarray, (n_disp, n_xdisp)
        The image without background and all other sources.
    variance : ndarray, same shape
    good : ndarray of bool, same shape
        Pixels that were used.
    profile : ndarray, same shape
        Share of the source's light per pixel.
    offset : ndarray, same shape
        Pixels from the trace.
    flux : ndarray, (n_disp,)
        All light of the source.
    flux_weights : ndarray, (n_disp, n_xdisp)
        Weight of every pixel in that flux.
    enclosed : ndarray, (n_disp,)
        Share of it in the calibration aperture.
    width : float
        Of that aperture, in pixels.
    background : FittedBackground or None
        None where none was fitted together with the flux.
    """

    data: Image
    variance: Image
    good: Mask
    profile: Image
    offset: Image
    flux: Image
    flux_weights: Image
    enclosed: Image
    width: float
    background: FittedBackground | None = None

    @cached_property
    def weights(self) -> Image:
        """Part of every pixel that lies in the calibration aperture, same shape as the data."""
        return np.fmin(np.fmax(self.width / 2 + 0.5 - np.abs(self.offset), 0.0), 1.0)  # zero without a trace

    @cached_property
    def light(self) -> Image:
        """Share of the source's light per pixel that falls in the calibration aperture, same shape."""
        return self.weights * self.profile

    @cached_property
    def seen(self) -> Image:
        """Share of the light in the calibration aperture that fell on pixels that were used, (n_disp,)."""
        total = self.light.sum(axis=1)
        return np.divide(np.vecdot(self.light, self.good), total, out=np.zeros_like(total), where=total > 0)


@dataclass(frozen=True)
class Agreement:
    """How an extraction agrees with the plain corrected sum in a band.

    Attributes
    ----------
    ratio, error : float
        Flux over the sum.
    scatter : float
        How many times its errors the flux scatters.
    """

    ratio: float
    error: float
    scatter: float


UNKNOWN = Agreement(np.nan, np.nan, np.nan)


def compare_with_sum(judged: Judged, bands: Sequence[Mask]) -> list[Agreement]:
    """Compare the flux with the sum over the calibration aperture, corrected for the light outside.

    Parameters
    ----------
    judged : Judged
    bands : sequence of ndarray of bool, (n_disp,)

    Returns
    -------
    list of Agreement
        One per band; NaN where too few rows can be compared.

    Notes
    -----
    The sum needs no profile within the aperture, so that a wrong one shows. Both are of the same pixels: the
    variance of the difference follows from the difference of their weights.

    A background that was fitted with the flux gives way where the profile is wrong, and draws the sum along:
    to tell how much the flux scatters, the sum has one of its own, from the pixels outside the aperture.
    """
    seen = judged.seen
    usable = (seen > LEAST_SHARE) & np.isfinite(judged.flux) & (judged.enclosed > 0)
    scale = np.where(usable, judged.enclosed * seen, 1.0)
    weights, flux_weights = judged.weights * judged.good, judged.flux_weights * judged.good
    plain = np.vecdot(weights, judged.data) / scale
    variance = np.vecdot(weights**2, judged.variance) / scale**2
    usable &= variance > 0
    flux = np.where(usable, judged.flux, 0.0)
    steady = running_median(flux, STEADY_ROWS)
    difference = flux_weights - weights / scale[:, None]
    apart = np.maximum(np.vecdot(difference**2, judged.variance), LEAST_INDEPENDENT * variance)
    off, free = flux - plain, apart
    if (background := judged.background) is not None:
        outside = judged.good & (np.abs(judged.offset) > judged.width / 2 + 0.5)
        told = background.told_outside(weights, outside)
        residual = judged.data - flux[:, None] * judged.profile
        flux_weights = fit_weights(background.taken_off(judged.profile), background.weights)
        difference = flux_weights - (weights - told) / scale[:, None]
        off = off + np.vecdot(told, residual) / scale
        free = np.maximum(np.vecdot(difference**2, judged.variance), LEAST_INDEPENDENT * variance)
    pull = np.divide(off, np.sqrt(free), out=np.zeros_like(off), where=usable)
    own = np.vecdot(flux_weights**2, judged.variance)
    share = np.divide(free, own, out=np.zeros_like(free), where=own > 0)
    return [_agreement(flux, plain, steady, variance, apart, pull, share, band & usable) for band in bands]


def fit_weights(profile: Image, weights: Image) -> Image:
    """Weight of every pixel in the flux of a profile fitted with weights of the pixels, (n_disp, n_xdisp)."""
    weighted = weights * profile
    power = (weighted * profile).sum(axis=1, keepdims=True)
    return np.divide(weighted, power, out=np.zeros_like(weighted), where=power > 0)


def _agreement(flux, plain, steady, variance, apart, pull, share, rows) -> Agreement:
    if rows.sum() < LEAST_ROWS:
        return UNKNOWN
    seen = pull[rows]
    middle, spread = median(seen), scatter(seen)
    rows = rows & (np.abs(pull - middle) < OUTLYING * max(spread, 1.0))
    weight = np.abs(steady[rows]) / variance[rows]  # a negative flux must not look like a positive sum
    total = weight @ plain[rows]
    if total <= 0:
        return UNKNOWN
    error = np.sqrt(weight**2 @ apart[rows]) / total
    # what exceeds the noise of the difference, in units of that of the flux
    beyond = max(spread**2 - 1.0, 0.0) * median(share[rows])
    return Agreement(float(weight @ flux[rows] / total), float(error), float(np.sqrt(1.0 + beyond)))


def left_unexplained(judged: Judged, bands: Sequence[Mask]) -> list[float]:
    """Mean squared residual over the variance near the source, one per band, (n_disp,); NaN where none is."""
    residual = judged.data - np.nan_to_num(judged.flux)[:, None] * judged.profile
    near = judged.good & (np.abs(judged.offset) < NEAR) & (judged.variance > 0)
    near &= np.isfinite(judged.flux)[:, None]
    squares = np.divide(residual**2, judged.variance, out=np.zeros_like(residual), where=near).sum(axis=1)
    freedom = np.maximum(near.sum(axis=1) - 1, 0)
    return [float(squares[b].sum() / n) if (n := freedom[b].sum()) else np.nan for b in bands]


def lost_light(judged: Judged, bands: Sequence[Mask]) -> list[float]:
    """Share of the light in the calibration aperture on pixels not used, the mean of each band, (n_disp,)."""
    lit = judged.light.any(axis=1)
    lost = np.where(lit, 1.0 - judged.seen, 0.0)
    return [float(lost[b].sum() / n) if (n := np.count_nonzero(lit[b])) else np.nan for b in bands]


def sky_left(
    data: Image,
    seen: Mask,
    offset: Image,
    width: float,
    flux: Image,
    weight: Image,
    bands: Sequence[Mask],
) -> list[tuple[float, float]]:
    """Tell which share of a flux is sky that nobody has subtracted.

    Parameters
    ----------
    data : ndarray, (n_disp, n_xdisp)
        As it was summed.
    seen : ndarray of bool, (n_disp, n_xdisp)
        Good pixels.
    offset : ndarray, (n_disp, n_xdisp)
        Pixels from the trace; NaN where there is none.
    width : float
        Pixels from it within which light is the source's.
    flux : ndarray, (n_disp,)
    weight : ndarray, (n_disp,)
        What a sky of one adds to it.
    bands : sequence of ndarray of bool, (n_disp,)

    Returns
    -------
    list of tuple of float
        Share and standard error in each band; NaN where there is no sky to be seen.

    Notes
    -----
    The sky is the median of the pixels on that side of the source where it is lower: on the other there may
    be a neighbour. The negative trace of another nod makes it low, too, but never high.
    """
    sides = (offset < -width) & seen, (offset > width) & seen
    found = []
    for band in bands:
        light = flux[band]
        light = median(light[~np.isnan(light)])
        added = data[band] * weight[band, None]
        shares = [(np.nan, np.nan)]
        for side in sides:
            sky = added[side[band]]
            if sky.size >= LEAST_SKY and light > 0:
                low, middle, high = quartiles(sky)
                error = MEDIAN_ERROR * (high - low) / 1.349 / np.sqrt(sky.size)
                shares.append((float(middle / light), float(error / light)))
        found.append(min(shares[1:], default=shares[0]))
    return found
