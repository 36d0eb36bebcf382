"""Light lost to pixels that are not good: what share of it the others have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_LEFT", "light_left"]

Image = NDArray[np.float64]

LEAST_LEFT = 0.5
"""Of the light: with less on good pixels than that, what is lost is not made up for."""


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
