"""Any number of profiles and a polynomial background, fitted at once at every wavelength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

__all__ = ["ProfileFit", "fit_profiles", "invert_rows", "polynomial_basis", "solve_rows"]

Image = NDArray[np.float64]

#: Beyond this condition number a matrix counts as singular: the pipeline's limit.
SINGULAR = 1e10

RIDGE = 1e-10


@dataclass(frozen=True, eq=False)
class ProfileFit:
    """What the fit of profiles and background gives, in the image's units.

    Attributes
    ----------
    flux : ndarray, (n_source, [n_int,] n_disp)
        Amplitude of every profile: the light of the source, summed over pixels.
    flux_var : ndarray, (n_source, 3, [n_int,] n_disp)
        Its variance from each of the given variances.
    background : ndarray, (n_source, [n_int,] n_disp)
        Background in the light of the source: what an extraction with the profile alone would have added.
    background_var : ndarray, (n_source, 3, [n_int,] n_disp)
        By how much fitting it raised the variance of the flux.
    npixels : ndarray, (n_source, [n_int,] n_disp)
        Effective number of pixels: the profile summed over good pixels, over the sum of its square.
    coefficients : ndarray, (n_bkg, [n_int,] n_disp)
        Of the background's Legendre polynomials, in the coordinate that was given.
    background_image, scene : ndarray, ([n_int,] n_disp, n_xdisp)
        The background, and all that was fitted.
    singular : ndarray of bool, ([n_int,] n_disp)
        Where the wavelength has no solution.
    """

    flux: Image
    flux_var: Image
    background: Image
    background_var: Image
    npixels: Image
    coefficients: Image
    background_image: Image
    scene: Image
    singular: NDArray[np.bool_]


def polynomial_basis(coordinate: Image, order: int) -> Image:
    """Legendre polynomials up to `order`, shape (n_xdisp, order + 1); none for order -1.

    They span what the powers do, and stay apart at high order.
    """
    return legendre.legvander(coordinate, order) if order >= 0 else np.empty((coordinate.size, 0))


def fit_profiles(
    data: Image,
    variances: Image,
    weights: Image,
    profiles: Image,
    coordinate: Image,
    order: int = -1,
    scaled: bool = True,
) -> ProfileFit:
    """Fit profiles and a background at every wavelength.

    Parameters
    ----------
    data : ndarray, ([n_int,] n_disp, n_xdisp)
        Finite everywhere; what it holds where the weight is zero does not matter.
    variances : ndarray, (3, [n_int,] n_disp, n_xdisp)
        Finite everywhere; each is propagated by itself.
    weights : ndarray, ([n_int,] n_disp, n_xdisp)
        Inverse variances or, as in the pipeline, 1 for every good pixel; 0 for what is not to be used.
    profiles : ndarray, (n_source, n_disp, n_xdisp)
        Negative for a source that was subtracted.
    coordinate : ndarray, (n_xdisp,)
        Variable of the background polynomial.
    order : int
        Of that polynomial; -1 for no background.
    scaled : bool
        Judge by the correlations alone whether a matrix is singular, instead of by the matrix in its units.

    Returns
    -------
    ProfileFit
        NaN flux where the fit is singular.

    Notes
    -----
    Weighted linear least squares: with design A, weights W and data d, c = (A'WA)^-1 A'W d; with one profile
    and no background this is Horne (1986, PASP 98, 609), eq. 8. The errors follow from the weight of every
    pixel in c, so that they hold for any W.
    """
    n_bkg, shape = order + 1, profiles.shape[1:]
    basis = np.broadcast_to(polynomial_basis(coordinate, order), (*shape, n_bkg))
    design = np.concatenate([basis, np.moveaxis(profiles, 0, -1)], axis=-1)
    weighted = design * weights[..., None]
    normal = np.swapaxes(weighted, -1, -2) @ design
    covariance, singular = solve_rows(normal, scaled)
    coefficients = covariance @ (np.swapaxes(weighted, -1, -2) @ data[..., None])

    pixel_weights = weighted @ covariance[..., n_bkg:]
    flux = np.moveaxis(coefficients[..., n_bkg:, 0], -1, 0)
    flux_var = np.moveaxis(_propagate(pixel_weights, variances), -1, 0)
    background_image = (basis @ coefficients[..., :n_bkg, :])[..., 0]

    profile_power = np.swapaxes(weighted * design, -1, -2).sum(axis=-1)[..., n_bkg:]
    alone = _divide(weighted[..., n_bkg:], profile_power[..., None, :])
    background = np.moveaxis((alone * background_image[..., None]).sum(axis=-2), -1, 0)
    background_var = np.zeros_like(flux_var)
    if n_bkg:
        background_var = flux_var - np.moveaxis(_propagate(alone, variances), -1, 0)
    used = (profiles * (weights > 0)[..., None, :, :]).sum(axis=-1)
    return ProfileFit(
        flux=np.where(singular, np.nan, flux),
        flux_var=flux_var,
        background=background,
        background_var=np.where(background_var > 0, background_var, 0.0),
        npixels=np.moveaxis(_divide(used, (profiles**2).sum(axis=-1)), -2, 0),
        coefficients=np.moveaxis(coefficients[..., :n_bkg, 0], -1, 0),
        background_image=background_image,
        scene=(design @ coefficients)[..., 0],
        singular=singular,
    )


def invert_rows(normal: Image) -> Image:
    """Invert a stack of normal matrices (..., n, n) that may be singular, fast.

    Scaled to a unit diagonal, and with a trifle (1e-10) added to it, so that what is singular comes out large
    rather than not at all: for use inside iterations, never for results.
    """
    diagonal = np.einsum("...ii->...i", normal)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    outer = scale[..., :, None] * scale[..., None, :]
    empty = np.where(diagonal > 0, RIDGE, 1.0)
    return np.linalg.inv(normal * outer + empty[..., None] * np.eye(normal.shape[-1])) * outer


def solve_rows(normal: Image, scaled: bool = True) -> tuple[Image, NDArray[np.bool_]]:
    """Invert a stack of normal matrices.

    Parameters
    ----------
    normal : ndarray, (..., n, n)
    scaled : bool
        Test the matrices for singularity after scaling them to a unit diagonal.

    Returns
    -------
    inverse : ndarray, (..., n, n)
        Zero where singular.
    singular : ndarray of bool, (...)
    """
    diagonal = np.einsum("...ii->...i", normal)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    outer = scale[..., :, None] * scale[..., None, :]
    unit = normal * outer
    spread = np.abs(np.linalg.eigvalsh(unit if scaled else normal))
    singular = ~(spread.max(axis=-1) < SINGULAR * spread.min(axis=-1))
    unit = np.where(singular[..., None, None], np.eye(normal.shape[-1]), unit)
    inverse = np.linalg.inv(unit) * outer
    return np.where(singular[..., None, None], 0.0, inverse), singular


def _propagate(pixel_weights: Image, variances: Image) -> Image:
    """Variances of sums over pixels, shape (3, [n_int,] n_disp, n_source)."""
    return (np.swapaxes(pixel_weights**2, -1, -2) @ variances[..., None])[..., 0]


def _divide(numerator: Image, denominator: Image) -> Image:
    """Quotient, zero where the denominator is."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator != 0)
