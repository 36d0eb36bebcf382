"""One flux a wavelength, fitted to the pixels of several images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from jdaviz_lrs.engine.optimal import solve_rows

__all__ = ["JointFit", "JointImage", "fit_jointly", "own_sky", "shared_sky", "wide_design"]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class JointImage:
    """One of several images of a source; shapes (n_disp, n_xdisp) unless told.

    Attributes
    ----------
    data : ndarray
        Finite everywhere.
    variances : ndarray, (3, n_disp, n_xdisp)
        Poisson, read noise, flat; finite everywhere.
    good : ndarray of bool
    profile : ndarray
        Of the source.
    others : ndarray, (n_other, n_disp, n_xdisp)
        Of what else has a flux of its own in this image: traces of other nods, companions.
    pixels : int
        Images of one number lie on the same detector pixels, with the same error of the flat field.
    """

    data: Image
    variances: Image
    good: Mask
    profile: Image
    others: Image
    pixels: int = 0


@dataclass(frozen=True, eq=False)
class JointFit:
    """What the fit gives, in the images' unit.

    Attributes
    ----------
    flux : ndarray, (n_disp,)
        NaN where there is no solution.
    flux_var : ndarray, (3, n_disp)
        From each of the variances.
    background : ndarray, (n_disp,)
        In the light of the source.
    npixels : ndarray, (n_disp,)
        Effective number of pixels, of one image.
    scenes : tuple of ndarray, (n_disp, n_xdisp)
        All that was fitted to each image.
    shares : ndarray, (n_image, n_disp)
        Part of the flux that each image tells.
    weights : tuple of ndarray, (n_disp, n_xdisp)
        Of each image's pixels: inverse variances, zero for what is not used.
    shape_var : ndarray, (n_disp,), or None
        Of the flux, from shapes of the profile that were fitted before.
    """

    flux: Image
    flux_var: Image
    background: Image
    npixels: Image
    scenes: tuple[Image, ...]
    shares: Image
    weights: tuple[Image, ...]
    shape_var: Image | None = None


def own_sky(bases: Sequence[Image]) -> Image:
    """Design of a sky that each image has by itself.

    Parameters
    ----------
    bases : sequence of ndarray, (n_xdisp, n_term)

    Returns
    -------
    ndarray, (n_pixel, n_term of all)
        Where n_pixel counts the columns of all images, side by side.
    """
    return block_diag(*bases)


def shared_sky(bases: Sequence[Image]) -> Image:
    """Design of a sky that all images have in common.

    Parameters
    ----------
    bases : sequence of ndarray, (n_xdisp, n_term)
        Polynomials; or the unit matrix, for a sky that is free at every pixel, and told by the images in
        which the source lies elsewhere.

    Returns
    -------
    ndarray, (n_pixel, n_term)
    """
    return np.concatenate([*bases])


def wide_design(images: Sequence[JointImage]) -> Image:
    """Profiles of all images side by side: that of the source, then each of the others in its image alone.

    Parameters
    ----------
    images : sequence of JointImage

    Returns
    -------
    ndarray, (1 + n_other of all, n_disp, n_pixel)
    """
    widths = [one.data.shape[1] for one in images]
    ends = np.cumsum([0, *widths])
    rows = [np.concatenate([one.profile for one in images], axis=1)]
    for place, one in enumerate(images):
        for other in one.others:
            row = np.zeros_like(rows[0])
            row[:, ends[place] : ends[place + 1]] = other
            rows.append(row)
    return np.stack(rows)


def fit_jointly(images: Sequence[JointImage], sky: Image) -> JointFit:
    """Fit one flux a wavelength to several images.

    Parameters
    ----------
    images : sequence of JointImage
    sky : ndarray, (n_pixel, n_term)
        See `own_sky` and `shared_sky`.

    Returns
    -------
    JointFit

    Notes
    -----
    Weighted linear least squares with inverse variances, the best unbiased estimate from all pixels (Gauss
    and Markov). Photon and read noise are independent from pixel to pixel; the flat's error is one for all
    images of a detector pixel, and adds before it is squared, with the sign of the light that it scales.
    """
    profiles = wide_design(images)
    data = np.concatenate([one.data for one in images], axis=1)
    variances = np.concatenate([one.variances for one in images], axis=2)
    good = np.concatenate([one.good for one in images], axis=1)
    total = variances.sum(axis=0)
    weights = np.divide(1.0, total, out=np.zeros_like(total), where=good & (total > 0))

    design = np.concatenate(
        [np.broadcast_to(sky, (*data.shape, sky.shape[1])), np.moveaxis(profiles, 0, -1)], axis=-1
    )
    first = sky.shape[1]
    weighted = design * weights[..., None]
    transposed = np.swapaxes(weighted, -1, -2)
    normal = transposed @ design
    # what no pixel tells of, a sky where all are bad or a trace beyond the slit, is left out
    unseen = np.einsum("rii->ri", normal) <= 0
    normal = normal + unseen[..., None] * np.eye(normal.shape[-1])
    covariance, singular = solve_rows(normal)
    singular = singular | unseen[:, first]
    coefficients = covariance @ (transposed @ data[..., None])

    # with others of its kind, weights may be many: this is one column of the whole
    pixel_weights = (weighted @ covariance[..., first, None])[..., 0]
    model = (design @ coefficients)[..., 0]
    background = (design[..., :first] @ coefficients[:, :first])[..., 0]
    profile = profiles[0]
    power = np.vecdot(weights * profile, profile)
    in_light = _divided(np.vecdot(weights * profile, background), power)
    ends = np.cumsum([one.data.shape[1] for one in images])[:-1]

    def each(wide: Image) -> list[Image]:
        return np.split(wide, ends, axis=-1)

    flux_var = np.stack([np.vecdot(pixel_weights**2, plane) for plane in variances])
    flux_var[2] = _flat_variance(
        [one.pixels for one in images], each(pixel_weights * np.sqrt(variances[2]) * np.sign(model))
    )
    used = np.vecdot(profile, (weights > 0).astype(float))
    return JointFit(
        flux=np.where(singular, np.nan, coefficients[:, first, 0]),
        flux_var=flux_var,
        background=in_light,
        npixels=_divided(used, np.vecdot(profile, profile)),
        scenes=tuple(each(np.where(singular[:, None], 0.0, model))),
        shares=np.stack([one.sum(axis=1) for one in each(pixel_weights * profile)]),
        weights=tuple(each(weights)),
    )


def _flat_variance(pixels: Sequence[int], errors: Sequence[Image]) -> Image:
    """Variance of the flux from signed errors, (n_disp, n_xdisp) an image, common to those of one number."""
    total = np.zeros(errors[0].shape[0])
    for number in set(pixels):
        alike = [error for place, error in zip(pixels, errors, strict=True) if place == number]
        total += (sum(alike) ** 2).sum(axis=1)
    return total


def _divided(one: Image, other: Image) -> Image:
    return np.divide(one, other, out=np.zeros_like(one), where=other > 0)
