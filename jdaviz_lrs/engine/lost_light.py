"""Light lost to pixels that are not good: what share of it the others have."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_LEFT", "fits_profile", "light_left"]

Image = NDArray[np.float64]

LEAST_LEFT = 0.5
"""Of the light: with less on good pixels than that, what is lost is not made up for."""

AGREEMENT, SIGMA = 0.1, 4.0
"""Of the flux, and in standard deviations: two estimates of it that differ by more than both do not agree."""


def light_left(profile: Image, weights: Image, good: NDArray[np.bool_]) -> Image:
    """Return the share of the light in an aperture that its good pixels have.

    Parameters
    ----------
    profile : ndarray, ([n_int,] n_disp, n_xdisp)
        How the light is spread over the pixels, on any scale; what is negative counts as none.
    weights : ndarray, (n_disp, n_xdisp)
        Of the pixels, good or not.
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)

    Returns
    -------
    ndarray, ([n_int,] n_disp)
        The sum of profile times weight over the good pixels, by that over all; that of the weights alone
        where the profile has no light, or is not known (NaN), in the aperture; 0 where there is no weight.
    """
    whole = np.vecdot(np.maximum(profile, 0.0), weights)
    light = np.where((whole > 0)[..., None], np.maximum(profile, 0.0), 1.0) * weights
    total = light.sum(axis=-1)
    left = np.where(good, light, 0.0).sum(axis=-1)
    return np.divide(left, total, out=np.zeros(left.shape), where=total > 0)


def fits_profile(
    data: Image,
    variance: Image,
    profile: Image,
    weights: Image,
    good: NDArray[np.bool_],
    agreement: float = AGREEMENT,
) -> NDArray[np.bool_]:
    """Say at which wavelengths the pixels that are left have the profile with which the others are made up.

    Parameters
    ----------
    data, variance : ndarray, ([n_int,] n_disp, n_xdisp)
        Without background.
    profile, weights : ndarray, (n_disp, n_xdisp)
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)
    agreement : float
        Part of the flux that the two estimates may differ by.

    Returns
    -------
    ndarray of bool, ([n_int,] n_disp)

    Notes
    -----
    Where the flux from the sum over the pixels left and that from a plain least-squares fit of the profile to
    them, which the core decides, agree as they do at the other wavelengths of the image, in the median. In an
    image that was resampled after its pixels were lost they do not: what is left of it beside the gap has
    taken its light from farther out.
    """
    inside, seen = (weights > 0).astype(float), good.astype(float)
    data, variance = np.where(good, data, 0.0), np.where(good, variance, 0.0)
    fitted = profile * inside
    share, information = np.vecdot(seen, profile * weights), np.vecdot(seen, fitted**2)
    known = (share > 0) & (information > 0)
    share, information = np.where(known, share, 1.0), np.where(known, information, 1.0)
    sum_flux, fit_flux = np.vecdot(data, weights) / share, np.vecdot(data, fitted) / information
    of_sum, of_both, of_fit = (
        np.vecdot(variance, product) / scale
        for product, scale in (
            (weights**2 * inside, share**2),
            (weights * fitted, share * information),
            (fitted**2, information**2),
        )
    )
    whole = known & (np.vecdot(seen, inside) == inside.sum(axis=-1)) & (sum_flux > SIGMA * np.sqrt(of_sum))
    ratio = np.divide(fit_flux, sum_flux, out=np.full(known.shape, np.nan), where=whole)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # none may be whole
        usual = np.nanmedian(ratio, axis=-1, keepdims=True)
    usual = np.where(np.isfinite(usual), usual, 1.0)
    off = np.abs(fit_flux / usual - sum_flux)
    error = np.sqrt(np.maximum(of_fit / usual**2 - 2.0 * of_both / usual + of_sum, 0.0))
    return ~(known & (off > agreement * np.abs(sum_flux)) & (off > SIGMA * error))
