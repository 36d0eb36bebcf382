"""How wide the source is, from the data: its full width at half maximum against wavelength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.fourier_modes import WINDOW, fit_modes, modes_at

__all__ = ["MeasuredWidth", "full_width", "measure_fwhm"]

Row = NDArray[np.float64]
Image = NDArray[np.float64]

FAR = 1.1
"""Widths from the top beyond which the profile falls with the square of the distance, as diffraction does."""

SYSTEMATIC = 0.01
"""Of the width: that wings are so. In simulated scenes it is within that, with a PSF 15 % wider, too."""

REACH = 2.0
"""Pixels; how far from the trace the profile's top may be."""

STEP = 0.01
"""Pixels; of the samples in which the half maximum is looked for."""

START_WIDTH = 3.3
"""Pixels; with which the search for the zero begins."""

LEAST_SNR = 10.0
"""Of the peak: where it is less, the width is not given."""


@dataclass(frozen=True, eq=False)
class MeasuredWidth:
    """The width of a source in some intervals of wavelength.

    Attributes
    ----------
    wavelength : ndarray, (n_bins,)
        Micron, mean of the interval, rising.
    fwhm, error : ndarray, (n_bins,)
        Pixels; NaN where the source is too faint.
    """

    wavelength: Row
    fwhm: Row
    error: Row


def measure_fwhm(
    data: Image,
    variance: Image,
    good: NDArray[np.bool_],
    trace: Row,
    columns: Row,
    wavelength: Row,
    n_bins: int = 12,
) -> MeasuredWidth:
    """Measure the full width at half maximum of the profile across the dispersion.

    Parameters
    ----------
    data, variance : ndarray, (n_disp, n_xdisp)
        With or without background, with or without the negative trace of another nod.
    good : ndarray of bool, (n_disp, n_xdisp)
    trace : ndarray, (n_disp,)
        Where the source lies, in columns, to a pixel or two; NaN where it is not.
    columns : ndarray, (n_xdisp,)
    wavelength : ndarray, (n_disp,)
        Of the rows, in micron.
    n_bins : int
        Number of intervals, of equally many rows.

    Returns
    -------
    MeasuredWidth
        Of the profile as it is on the detector: optics, jitter, the pixel, and any resampling included, not
        corrected for anything.

    Notes
    -----
    In each interval the pixels are a brightness and a background of each row and one profile about the trace,
    all fitted together. The profile is a sum of Fourier modes up to Nyquist's frequency. Diffraction (no
    contrast beyond D / wavelength) and the pixel leave next to nothing above that, so pixels determine it
    even when the trace is straight and all rows sample it at the same places. Its zero is where its wings,
    which fall with the square of the distance (a slit's view of the Airy pattern), tend to. Errors are those
    of the variances through the fit, and `SYSTEMATIC`.
    """
    rows = np.flatnonzero(np.isfinite(trace) & np.isfinite(wavelength) & good.any(axis=1))
    rows = rows[np.argsort(wavelength[rows])]
    parts = [part for part in np.array_split(rows, n_bins) if part.size]
    found = []
    for part in parts:
        offset = columns - trace[part, None]
        near = (np.abs(offset) <= WINDOW + REACH).any(axis=0)
        found.append(
            _measure(data[part][:, near], variance[part][:, near], good[part][:, near], offset[:, near])
        )
    fwhm, error = np.array(found, float).reshape(-1, 2).T
    return MeasuredWidth(np.array([wavelength[part].mean() for part in parts]), fwhm, error)


def full_width(offset: Row, profile: Row) -> tuple[float, float, float]:
    """Return where a sampled profile crosses half its maximum, left and right of it, and the maximum's place.

    Parameters
    ----------
    offset, profile : ndarray, (n_samples,)

    Returns
    -------
    left, right, top : float
        NaN where it does not come down to the half.
    """
    top = int(np.argmax(profile))
    low = profile < 0.5 * profile[top]
    left, right = np.flatnonzero(low[:top]), np.flatnonzero(low[top:])
    if left.size == 0 or right.size == 0 or not profile[top] > 0:
        return np.nan, np.nan, offset[top]
    crossings = []
    for below, above in ((left[-1], left[-1] + 1), (top + right[0], top + right[0] - 1)):
        step = (0.5 * profile[top] - profile[below]) / (profile[above] - profile[below])
        crossings.append(offset[below] + step * (offset[above] - offset[below]))
    return crossings[0], crossings[1], offset[top]


def _measure(data: Image, variance: Image, good: NDArray[np.bool_], offset: Image) -> tuple[float, float]:
    """Width and its error in one interval."""
    place = np.arange(-WINDOW, WINDOW + STEP / 2, STEP)
    modes = modes_at(place)
    for _ in range(2):  # once about the trace, once about where the profile has its top
        seen = good & (np.abs(offset) <= WINDOW + 0.5) & (variance > 0)
        if not seen.any():
            return np.nan, np.nan
        sigma = np.sqrt(np.where(seen, variance, np.inf))
        coefficients, covariance = fit_modes(np.where(seen, data, 0.0), sigma, seen, offset)
        top = place[np.argmax(modes @ coefficients)]
        offset = offset - np.clip(top, -REACH, REACH)
    width = START_WIDTH
    for _ in range(3):
        base = _level(place - top, width) @ modes
        profile = (modes - base) @ coefficients
        left, right, top = full_width(place, profile)
        width = right - left
        if not np.isfinite(width):
            return np.nan, np.nan
    at_top, peak = modes_at(np.array(top)), profile.max()
    gradient = np.zeros(base.size)
    for crossing, sign in ((left, -1.0), (right, 1.0)):
        slope = np.interp(crossing, place, np.gradient(profile, STEP))
        gradient += sign * (0.5 * (at_top + base) - modes_at(np.array(crossing))) / slope
    if peak < LEAST_SNR * np.sqrt((at_top - base) @ covariance @ (at_top - base)):
        return np.nan, np.nan
    return width, float(np.hypot(np.sqrt(gradient @ covariance @ gradient), SYSTEMATIC * width))


def _level(distance: Row, width: float) -> Row:
    """Weights of samples that give the constant that they tend to far out, beside wings."""
    far = np.abs(distance) > min(FAR * width, WINDOW - 2.0)
    weights = np.zeros(distance.size)
    weights[far] = np.linalg.pinv(np.stack([np.ones(far.sum()), distance[far] ** -2.0], axis=1))[0]
    return weights
