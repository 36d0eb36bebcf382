"""What the uncertainty of the fitted shape adds to that of the fluxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.refine.scene_model import SceneModel, linear_fit
from jdaviz_lrs.engine.refine.shape import shape_response

__all__ = ["shape_variance"]

Image = NDArray[np.float64]


def shape_variance(scene: SceneModel, data: Image, weights: Image) -> Image:
    """Variance of the fluxes from the shape of the profile, which was fitted to the same data.

    Parameters
    ----------
    scene : SceneModel
        With its shape fitted.
    data, weights : ndarray, (n_disp, n_xdisp)

    Returns
    -------
    ndarray, (n_source, n_disp)
        Zero where no shape was fitted. It is shared by neighbouring wavelengths, unlike noise.

    Notes
    -----
    Linear propagation of the covariance of the shares, prior included: with the design A, weights W and the
    change R of the image with the shares, fluxes change by -(A'WA)^-1 A'W R. For a source alone it is small,
    as a shape without light hardly changes its flux; where sources overlap the wing of one is light of the
    other.
    """
    shape = scene.shape
    if shape is None:
        return np.zeros(scene.traces.shape)
    fit = linear_fit(scene.profiles(), scene.basis, data, weights)
    amplitude = fit.steady_flux * scene.scales
    response = shape_response(replace(scene, shape=None), amplitude)
    into_flux = (fit.covariance @ (np.swapaxes(fit.weighted, -1, -2) @ response))[:, fit.n_background :]
    # the profile's light in the calibration aperture stays the same
    leaning = amplitude.T[..., None] * scene.light_of_knots() - into_flux
    return np.vecdot(leaning @ shape.covariance_by_row(), leaning).T
