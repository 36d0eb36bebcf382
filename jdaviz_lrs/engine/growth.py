"""Growth of flux and noise with the width of an aperture, at all widths at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.enclosed_fraction import enclosed, enclosed_variance

__all__ = ["Apertures", "Growth", "growth", "measure_apertures"]

Image = NDArray[np.float64]
Row = NDArray[np.float64]

#: Widths whose signal-to-noise ratio is this close to the best one are as good.
AS_GOOD = 0.99


@dataclass(frozen=True, eq=False)
class Apertures:
    """Sums over apertures of different widths, at every wavelength.

    Attributes
    ----------
    widths : ndarray, (n_width,)
        Full widths in pixels.
    flux, noise : ndarray, (n_disp, n_width)
        Background subtracted; in the unit of the data.
    share : ndarray, (n_disp, n_width)
        Of the source's light, from the PSF; NaN where it tells nothing.
    """

    widths: Row
    flux: Image
    noise: Image
    share: Image


@dataclass(frozen=True, eq=False)
class Growth:
    """What apertures of different widths would give.

    Attributes
    ----------
    widths : ndarray, (n_width,)
        Full widths in pixels.
    measured : ndarray, (n_width,)
        Flux over the whole light of the source, from the data.
    expected : ndarray, (n_width,)
        The same from the PSF; NaN without one.
    snr : ndarray, (n_width,)
        Median signal-to-noise ratio per wavelength, from the data.
    expected_snr : ndarray, (n_width,)
        The same with the signal that the PSF lets expect; NaN without a PSF.
    best : float
        The width with the largest ratio: the expected one, whose curve is smooth, or the measured one
        without a PSF.
    good : tuple of float
        The widths about it whose ratio is within 1 % of the largest.
    offset : float
        Of the place that the apertures lie about, in pixels from where the aperture was put.
    """

    widths: Row
    measured: Row
    expected: Row
    snr: Row
    expected_snr: Row
    best: float
    good: tuple[float, float]
    offset: float = 0.0

    @property
    def smooth_snr(self) -> Row:
        """The curve that the best width is read from."""
        return self.expected_snr if np.isfinite(self.expected_snr).any() else self.snr

    @property
    def best_snr(self) -> float:
        """The ratio at the best width."""
        return float(np.interp(self.best, self.widths, self.smooth_snr))


def measure_apertures(
    data: Image,
    variance: Image,
    shape: Image,
    center: Row,
    first: float,
    widths: Row,
    extra_variance: Image | None = None,
) -> Apertures:
    """Sum over apertures of many widths about one trace.

    Parameters
    ----------
    data, variance : ndarray, (n_disp, n_xdisp)
        Background subtracted; zero where pixels are not good.
    shape : ndarray, (n_disp, n_xdisp)
        Share of the source's light in every pixel, from the PSF; NaN where it tells nothing, zero where
        pixels are not good.
    center : ndarray, (n_disp,)
        Of the apertures, in columns.
    first : float
        The first column's number.
    widths : ndarray, (n_width,)
        Full widths in pixels, rising.
    extra_variance : ndarray, (n_width, n_disp), optional
        Of the background subtracted.

    Returns
    -------
    Apertures
        Without the rows where something is not known.
    """
    extra = 0.0 if extra_variance is None else np.nan_to_num(extra_variance).T
    flux = enclosed(data, center, first, widths)
    noise = np.sqrt(enclosed_variance(variance, center, first, widths) + extra)
    used = np.isfinite(flux).all(axis=1) & (noise > 0).all(axis=1)
    share = enclosed(shape, center, first, widths)
    return Apertures(widths, flux[used], noise[used], share[used])


def growth(apertures: Apertures, width: float) -> Growth:
    """Make curves of sums.

    Parameters
    ----------
    apertures : Apertures
    width : float
        Where measured and expected curve are made to meet.

    Returns
    -------
    Growth

    Notes
    -----
    The whole light is, at each wavelength, the flux inside `width` over the share that the PSF has there: the
    flux with its aperture correction. With a PSF that is right, both curves agree at all widths. Without a
    PSF it is the flux in the widest aperture.
    """
    widths, flux, noise, share = apertures.widths, apertures.flux, apertures.noise, apertures.share
    snr = _median(flux / noise)
    here, share_here = (_at(curves, widths, width) for curves in (flux, share))
    known = share_here > 0
    if known.any():
        light = here[known] / share_here[known]
        measured = flux[known].sum(axis=0) / light.sum()
        expected = light @ share[known] / light.sum()
        expected_snr = _median(light[:, None] * share[known] / noise[known])
    else:
        measured = flux.sum(axis=0)
        measured = measured / measured[-1]
        expected = expected_snr = np.full(widths.size, np.nan)
    best, good = _largest(widths, expected_snr if known.any() else snr)
    return Growth(widths, measured, expected, snr, expected_snr, best, good)


def _at(curves: Image, widths: Row, width: float) -> Row:
    """Value of every row's curve at one width, linear between those known."""
    index = int(np.clip(np.searchsorted(widths, width) - 1, 0, widths.size - 2))
    part = np.clip((width - widths[index]) / (widths[index + 1] - widths[index]), 0.0, 1.0)
    return (1.0 - part) * curves[:, index] + part * curves[:, index + 1]


def _median(ratio: Image) -> Row:
    return np.median(ratio, axis=0) if len(ratio) else np.full(ratio.shape[1], np.nan)


def _largest(widths: Row, curve: Row) -> tuple[float, tuple[float, float]]:
    """Return where a curve is largest, and the widths about it that are as good."""
    if not np.isfinite(curve).any():
        return np.nan, (np.nan, np.nan)
    top = int(np.nanargmax(curve))
    worse = np.flatnonzero(~(curve >= AS_GOOD * curve[top]))
    first, last = worse[worse < top].max(initial=-1) + 1, worse[worse > top].min(initial=widths.size) - 1
    best = float(widths[top])
    if 0 < top < widths.size - 1:  # the top of the parabola through it and its neighbours
        left, middle, right = curve[top - 1 : top + 2]
        bend = left - 2.0 * middle + right
        best += 0.25 * (widths[top + 1] - widths[top - 1]) * (left - right) / bend if bend < 0 else 0.0
    return best, (float(widths[first]), float(widths[last]))
