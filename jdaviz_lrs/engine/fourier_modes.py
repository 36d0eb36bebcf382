"""A profile as a sum of Fourier modes up to the highest that pixels can tell, fitted to many rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["WINDOW", "fit_modes", "modes_at"]

Row = NDArray[np.float64]
Image = NDArray[np.float64]

WINDOW = 9.0
"""Pixels on either side of the trace that are looked at: the other nod's negative trace is 15 px away."""

START_SIGMA = 1.4
"""Pixels; of the Gaussian that the rows' brightness is first measured with."""

N_ROUND = 3
REJECT = 6.0
"""Standard deviations beyond which a pixel is left out, as hit by a cosmic ray."""


def fit_modes(data: Image, sigma: Image, seen: NDArray[np.bool_], offset: Image) -> tuple[Row, Image]:
    """Fit brightness and background of each row, and the profile they share.

    Parameters
    ----------
    data : ndarray, (n_rows, n_xdisp)
        Zero where not seen.
    sigma : ndarray, (n_rows, n_xdisp)
        Standard deviations.
    seen : ndarray of bool, (n_rows, n_xdisp)
        Pixels to fit; those hit by a cosmic ray are found and left out.
    offset : ndarray, (n_rows, n_xdisp)
        Pixels from the trace.

    Returns
    -------
    coefficients : ndarray, (n_modes,)
        Of the profile in the `modes_at` any offset.
    covariance : ndarray, (n_modes, n_modes)
        From the standard deviations, and as much larger as the residuals are than they.

    Notes
    -----
    Brightness and profile are fitted in turn. Each row's mean is left out: the background takes it up.
    """
    modes = modes_at(offset)
    profile, used = np.exp(-0.5 * (offset / START_SIGMA) ** 2), seen
    weight = 1.0 / np.sqrt(np.mean(np.where(seen, sigma, 0.0) ** 2, axis=1, keepdims=True))
    for _ in range(N_ROUND):
        light = _about_mean(profile, used)
        power = (light**2).sum(axis=1)
        brightness = np.divide((light * data).sum(axis=1), power, out=np.zeros_like(power), where=power > 0)
        # without the mean of each row, which the row's background takes up
        design = _about_mean(modes * brightness[:, None, None], used[..., None]) * weight[..., None]
        wanted = _about_mean(data, used) * weight
        fitted, known = used, design[used]
        influence = np.linalg.pinv(known.T @ known, rcond=1e-10, hermitian=True) @ known.T
        coefficients = influence @ wanted[used]
        profile = modes @ coefficients
        residual = data - brightness[:, None] * profile
        residual = (residual - _mean(residual, used)) / sigma
        misfit = max(1.0, 1.48 * float(np.median(np.abs(residual[seen]))))
        used = seen & (np.abs(residual) < REJECT * misfit)
    noise = misfit * (weight * np.where(seen, sigma, 0.0))[fitted]
    return coefficients, (influence * noise**2) @ influence.T


def modes_at(offset: NDArray) -> NDArray[np.float64]:
    """Return the Fourier modes to Nyquist's frequency, without the constant, (*offset.shape, n_modes)."""
    length = 2.0 * WINDOW + 1.0
    angle = 2.0 * np.pi / length * np.arange(1, int(length / 2.0) + 1) * offset[..., None]
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)


def _mean(values: Image, used: NDArray[np.bool_]) -> Image:
    """Mean of the used pixels in each row."""
    number = np.maximum(used.sum(axis=1, keepdims=True), 1)
    return np.where(used, values, 0.0).sum(axis=1, keepdims=True) / number


def _about_mean(values: Image, used: NDArray[np.bool_]) -> Image:
    """Values of the used pixels about their mean in each row; zero elsewhere."""
    return np.where(used, values - _mean(values, used), 0.0)
