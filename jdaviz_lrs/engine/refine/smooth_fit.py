"""The final fit with a background that is smooth along the dispersion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.optimal import ProfileFit, fit_profiles, polynomial_basis
from jdaviz_lrs.engine.refine.background import smooth_background
from jdaviz_lrs.engine.refine.scene_model import linear_fit

__all__ = ["fit_with_smooth_background"]

Image = NDArray[np.float64]


def fit_with_smooth_background(
    data: Image,
    variances: Image,
    weights: Image,
    profiles: Image,
    coordinate: Image,
    order: int,
    length: int,
) -> ProfileFit:
    """Fit fluxes and background, smooth the background, and fit the fluxes again.

    Parameters
    ----------
    data, weights : ndarray, ([n_int,] n_disp, n_xdisp)
    variances : ndarray, (3, [n_int,] n_disp, n_xdisp)
    profiles : ndarray, (n_source, n_disp, n_xdisp)
    coordinate : ndarray, (n_xdisp,)
    order : int
        Of the background, not negative.
    length : int
        Rows.

    Returns
    -------
    ProfileFit
        As from `fit_profiles`; the errors follow every pixel's way into the flux, through the smoothed
        background too.
    """
    free = fit_profiles(data, variances, weights, profiles, coordinate, order)
    basis = np.broadcast_to(polynomial_basis(coordinate, order), (*data.shape[-2:], order + 1))
    full = linear_fit(profiles, basis, data, weights)
    into_background = full.weighted @ full.covariance[..., : order + 1]
    smooth = smooth_background(
        full.coefficients[..., : order + 1], into_background, variances, coordinate, ~free.singular, length
    )
    fixed = fit_profiles(data - smooth.image, variances, weights, profiles, coordinate)
    alone = linear_fit(profiles, basis[..., :0], data, weights)
    into_flux = alone.weighted @ alone.covariance
    leaning = np.swapaxes(into_flux, -1, -2) @ basis
    own = into_flux - smooth.own_weights @ np.swapaxes(leaning, -1, -2)
    flux_var = np.einsum("...rxs,v...rx->sv...r", own**2, variances)
    flux_var += np.einsum("...rsa,v...rab,...rsb->sv...r", leaning, smooth.variance_of, leaning)
    spread = np.maximum(flux_var - fixed.flux_var, 0.0)
    return replace(
        fixed,
        flux_var=flux_var,
        background=(np.moveaxis(into_flux, -1, 0) * smooth.image).sum(axis=-1),
        background_var=spread,
        background_image=smooth.image,
        scene=fixed.scene + smooth.image,
        singular=fixed.singular | free.singular,
        flux=np.where(free.singular, np.nan, fixed.flux),
    )
