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
    basis = np.moveaxis(polynomial_basis(coordinate, order), -1, 0)[:, None]
    design = [*np.broadcast_to(basis, (n_bkg, *shape)), *profiles]
    covariance, singular = solve_rows(_normal(weights, design), scaled)
    right = np.stack([np.vecdot(weights * data, one) for one in design], axis=-1)
    coefficients = (covariance @ right[..., None])[..., 0]
    background_image = _model(coefficients[..., :n_bkg], design[:n_bkg], data.shape)

    each: dict[str, list[Image]] = {"flux_var": [], "background": [], "background_var": [], "npixels": []}
    for k, profile in enumerate(profiles, start=n_bkg):
        flux_var = _propagate(weights * _model(covariance[..., k], design, data.shape), variances)
        # what an extraction with the profile alone would have added, and how uncertain it would have been
        alone = weights * profile
        power = np.vecdot(alone, profile)[..., None]
        alone = np.divide(alone, power, out=np.zeros(data.shape), where=power != 0)
        raised = flux_var - _propagate(alone, variances) if n_bkg else np.zeros_like(flux_var)
        used = np.vecdot((weights > 0).astype(float), profile)
        each["flux_var"].append(flux_var)
        each["background"].append(np.vecdot(alone, background_image))
        each["background_var"].append(np.where(raised > 0, raised, 0.0))
        each["npixels"].append(_divide(used, (profile**2).sum(axis=-1)))
    flux = np.moveaxis(coefficients[..., n_bkg:], -1, 0)
    return ProfileFit(
        flux=np.where(singular, np.nan, flux),
        **{name: np.stack(values) for name, values in each.items()},
        coefficients=np.moveaxis(coefficients[..., :n_bkg], -1, 0),
        background_image=background_image,
        scene=background_image + _model(coefficients[..., n_bkg:], design[n_bkg:], data.shape),
        singular=singular,
    )


def _normal(weights: Image, design: list[Image]) -> Image:
    """Return the normal matrices, ([n_int,] n_disp, n_term, n_term)."""
    normal = np.empty((*weights.shape[:-1], len(design), len(design)))
    for i, one in enumerate(design):
        for j, other in enumerate(design[: i + 1]):
            normal[..., i, j] = normal[..., j, i] = np.vecdot(weights, one * other)
    return normal


def _model(coefficients: Image, design: list[Image], shape: tuple[int, ...]) -> Image:
    """Sum of the terms, each with its coefficient at every wavelength."""
    if not design:
        return np.zeros(shape)
    total = coefficients[..., 0, None] * design[0]
    for k, term in enumerate(design[1:], start=1):
        total += coefficients[..., k, None] * term
    return total


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
    """Variances of sums over pixels, shape (3, [n_int,] n_disp)."""
    return np.vecdot(variances, pixel_weights**2)


def _divide(numerator: Image, denominator: Image) -> Image:
    """Quotient, zero where the denominator is."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator != 0)
