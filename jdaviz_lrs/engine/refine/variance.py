"""The noise that the scene should have: variances without the noise of the data they were derived from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from jdaviz_lrs.engine.refine.scene_model import SceneModel, linear_fit

__all__ = ["model_variances"]

Image = NDArray[np.float64]

SMOOTHING = 9
"""Rows; more than a resolution element, so that a row's own noise does not set its weights."""

FLOOR = 0.5
"""Least variance, in units of the row's background, that a model may give to a pixel."""


def model_variances(scene: SceneModel, variances: Image, good: NDArray[np.bool_]) -> Image:
    """Model the variances of an image.

    Parameters
    ----------
    scene : SceneModel
    variances : ndarray, (3, n_disp, n_xdisp)
        Poisson, read noise, flat.
    good : ndarray of bool, (n_disp, n_xdisp)

    Returns
    -------
    ndarray, (3, n_disp, n_xdisp)
        Positive wherever the given sum is.

    Notes
    -----
    VAR_POISSON follows the noisy pixel: weights from it favour pixels that came out low, which lowers the
    flux (Horne 1986, PASP 98, 609, models the variance for this reason). The photon noise of a scene is
    linear in its light, the flat's is quadratic. So each plane is fitted by a straight sky, profiles and,
    for the flat, their squares, at every wavelength, and the coefficients are smoothed over 9 rows. Read
    noise does not follow the data and is taken as it is.
    """
    profiles = np.abs(scene.profiles())
    slit = np.broadcast_to(np.vander(scene.coordinate, 2, increasing=True), (*good.shape, 2))
    weights = good.astype(float)
    poisson = _smooth_fit(profiles, slit, variances[0], weights)
    flat = _smooth_fit(np.concatenate([profiles, profiles**2]), slit, variances[2], weights)
    return np.stack([poisson, variances[1], flat])


def _smooth_fit(shapes: Image, slit: Image, plane: Image, weights: Image) -> Image:
    if not plane.any():
        return plane
    fit = linear_fit(shapes, slit, plane, weights)
    usable = weights.any(axis=-1).astype(float)[:, None]
    number = uniform_filter1d(usable, SMOOTHING, axis=0, mode="constant")
    total = uniform_filter1d(fit.coefficients * usable, SMOOTHING, axis=0, mode="constant")
    coefficients = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    model = (fit.design @ coefficients[..., None])[..., 0]
    typical = (plane * weights).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1.0)
    sky = np.minimum(np.abs(coefficients[:, 0]), typical)[:, None]
    # within a gap that is wider than the smoothing nothing was fitted
    return np.where(number > 0, np.maximum(model, FLOOR * sky), plane)
