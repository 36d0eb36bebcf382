"""The background of a box extraction: fitted in its regions, at each wavelength or as one surface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy.stats import mad_std, sigma_clip
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

__all__ = ["Background", "fit_background", "smooth"]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Of the median against the mean: the pipeline's figure, near sqrt(pi / 2) for the ten or so pixels at hand.
MEDIAN_ERROR = 1.2

#: Beyond this a fit's matrix counts as singular.
MAX_CONDITION = 1e10


@dataclass(frozen=True)
class Background:
    """A background fitted to an image.

    Attributes
    ----------
    image : ndarray, ([n_int,] n_disp, n_xdisp) or broadcastable to it
        In the unit of the data; NaN at wavelengths that could not be fitted.
    variances : ndarray, (3, [n_int,] n_disp)
        Of its sum over the aperture: Poisson, read noise, flat field.
    used : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        The pixels that it was fitted to.
    """

    image: Image
    variances: Image
    used: Mask


def fit_background(
    data: Image,
    variances: Image,
    good: Mask,
    region: Mask,
    aperture: Image,
    bkg_fit: str = "poly",
    bkg_order: int = 0,
    smoothing_length: int = 0,
    bkg_sigma_clip: float | None = None,
    bkg_disp_order: int | None = None,
    basis: Image | None = None,
    propagate_smoothing: bool = True,
) -> Background:
    """Fit the background in its regions.

    Parameters
    ----------
    data : ndarray, ([n_int,] n_disp, n_xdisp)
        Finite everywhere.
    variances : ndarray, (3, [n_int,] n_disp, n_xdisp)
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)
    region : ndarray of bool, (n_disp, n_xdisp)
    aperture : ndarray, ([n_int,] n_disp, n_xdisp)
        The weights with which the source is summed.
    bkg_fit : {'poly', 'mean', 'median'}
    bkg_order : int
        Of the polynomial across the dispersion.
    smoothing_length : int
        Odd number of rows to average before the fit; bad pixels are filled from their neighbours in that
        average, beyond the ends the last row counts again (the pipeline's convention).
    bkg_sigma_clip : float, optional
        Leave out pixels that many (robust) standard deviations off the fit.
    bkg_disp_order : int, optional
        Fit one surface, with this polynomial order along the dispersion.
    basis : ndarray, (n_xdisp,), optional
        Coordinates for plain powers, where the conditioning of the pipeline's fit is to be had; without it
        Legendre polynomials over the regions.
    propagate_smoothing : bool
        Let the smoothing average the noise down, as it does; False for the pipeline's variances.

    Returns
    -------
    Background

    Notes
    -----
    Unweighted linear least squares; the variances follow from the linear map of pixels to background.
    """
    if bkg_fit == "mean":
        bkg_fit, bkg_order = "poly", 0
    if smoothing_length > 1:
        data, filled, smoothed_variances = smooth(data, variances, good, smoothing_length)
        if propagate_smoothing:
            variances = smoothed_variances
    else:
        filled = good
    used = region & good if bkg_fit == "poly" else region & filled
    powers = _powers(region, bkg_order, data.shape[-1]) if basis is None else np.vander(
        basis, bkg_order + 1, increasing=True
    )  # fmt: skip

    def fit(used: Mask) -> Background:
        if bkg_fit == "median":
            return _median(data, variances, used, region & good, aperture)
        if bkg_disp_order is not None:
            return _surface(data, variances, used, aperture, powers, bkg_disp_order)
        return _polynomial(data, variances, used, aperture, powers)

    background = fit(used)
    if bkg_sigma_clip is not None:
        for _ in range(3):
            kept = _clip(data - background.image, used, bkg_sigma_clip)
            if np.array_equal(kept, background.used):
                break
            background = fit(kept)
    return background


def smooth(data: Image, variances: Image, good: Mask, length: int) -> tuple[Image, Mask, Image]:
    """Average over rows; return data, where it has a value, and variances of the averages."""
    kernel = _boxcar(data.shape[-2], length)
    number = kernel @ good
    some = number > 0
    number = np.where(some, number, 1.0)
    return (
        kernel @ np.where(good, data, 0.0) / number,
        some,
        kernel**2 @ np.where(good, variances, 0.0) / number**2,
    )


@cache
def _boxcar(n_disp: int, length: int) -> Image:
    """How often each row counts in each row's average, shape (n_disp, n_disp)."""
    reach = np.arange(n_disp)[:, None] + np.arange(length) - length // 2
    counts = np.zeros((n_disp, n_disp))
    np.add.at(counts, (np.arange(n_disp)[:, None], np.clip(reach, 0, n_disp - 1)), 1.0)
    return counts


def _powers(region: Mask, order: int, n_xdisp: int) -> Image:
    columns = np.flatnonzero(region.any(axis=0))
    first, last = (columns[0], columns[-1]) if columns.size else (0, n_xdisp - 1)
    return legvander(2.0 * (np.arange(n_xdisp) - first) / max(last - first, 1) - 1.0, order)


def _invert(matrix: Image) -> Image:
    """Invert a stack of matrices; NaN where they are singular."""
    regular = np.linalg.cond(matrix) < MAX_CONDITION
    inverse = np.full_like(matrix, np.nan)
    inverse[regular] = np.linalg.inv(matrix[regular])
    return inverse


def _polynomial(data: Image, variances: Image, used: Mask, aperture: Image, powers: Image) -> Background:
    n_terms = powers.shape[-1]
    products = (powers[:, :, None] * powers[:, None, :]).reshape(-1, n_terms**2)
    matrix = (used @ products).reshape(*used.shape[:-1], n_terms, n_terms)
    inverse = _invert(matrix)
    coefficients = np.matvec(inverse, np.where(used, data, 0.0) @ powers)
    share = np.matvec(inverse, aperture @ powers) @ powers.T
    return Background(
        image=coefficients @ powers.T,
        variances=np.vecdot(np.where(used, variances, 0.0), share**2),
        used=used,
    )


def _median(data: Image, variances: Image, used: Mask, measured: Mask, aperture: Image) -> Background:
    number = used.sum(axis=-1, keepdims=True)
    ranked = np.sort(np.where(used, data, np.inf), axis=-1)
    middle = [np.take_along_axis(ranked, np.maximum(n, 0), axis=-1) for n in ((number - 1) // 2, number // 2)]
    image = np.where(number > 0, 0.5 * (middle[0] + middle[1]), np.nan)
    count = measured.sum(axis=-1)
    share = MEDIAN_ERROR * aperture.sum(axis=-1) / np.where(count > 0, count, np.nan)
    return Background(
        image=image, variances=np.where(measured, variances, 0.0).sum(axis=-1) * share**2, used=used
    )


def _surface(
    data: Image, variances: Image, used: Mask, aperture: Image, powers: Image, disp_order: int
) -> Background:
    along = legvander(np.linspace(-1.0, 1.0, data.shape[-2]), disp_order)
    terms = (along[:, None, :, None] * powers[None, :, None, :]).reshape(*data.shape[-2:], -1)
    masked = np.where(used[..., None], terms, 0.0)
    inverse = _invert(np.einsum("...dxi,...dxj->...ij", masked, masked))
    coefficients = np.matvec(inverse, np.einsum("...dxi,...dx->...i", masked, data))
    summed = np.einsum("...dx,dxi->...di", aperture, terms) @ inverse
    spread = np.einsum("...dxi,s...dx,...dxj->s...ij", masked, np.where(used, variances, 0.0), masked)
    return Background(
        image=np.einsum("dxi,...i->...dx", terms, coefficients),
        variances=np.einsum("...di,s...ij,...dj->s...d", summed, spread, summed),
        used=used,
    )


def _clip(residual: Image, used: Mask, sigma: float) -> Mask:
    clipped = sigma_clip(
        np.ma.array(residual, mask=~used | ~np.isfinite(residual)), sigma=sigma, axis=-1, stdfunc=mad_std
    )
    return used & ~np.ma.getmaskarray(clipped)
