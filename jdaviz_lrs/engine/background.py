"""The background of a box extraction: fitted in its regions, at each wavelength or as one surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from astropy.stats import mad_std, sigma_clip
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

__all__ = ["Background", "fit_background", "smooth", "smoothed_variances"]

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
    n_used : int
        Number of pixels that it was fitted to.
    """

    image: Image
    variances: Image
    n_used: int


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
    margins: tuple[Image, Image] | None = None,
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
    margins : tuple of ndarray, ([n_int,] n_rows, n_xdisp), optional
        Rows above and below the image for the average to reach into (NaN where bad), instead of the first
        and last one again.

    Returns
    -------
    Background

    Notes
    -----
    Unweighted linear least squares; the variances follow from the linear map of pixels to background.
    """
    if bkg_fit == "mean":
        bkg_fit, bkg_order = "poly", 0
    columns = np.flatnonzero(region.any(axis=0))
    powers = _powers(columns, bkg_order, data.shape[-1]) if basis is None else np.vander(
        basis, bkg_order + 1, increasing=True
    )  # fmt: skip
    # Only the columns of the regions are needed, far fewer than the image has.
    region, good, data, variances = (a[..., columns] for a in (region, good, data, variances))
    filled = good
    if smoothing_length > 1:
        ends = margins and tuple(end[..., columns] for end in margins)
        data, filled = smooth(data, good, smoothing_length, ends)
        if propagate_smoothing and bkg_disp_order is None:
            variances = smoothed_variances(variances, good, smoothing_length)

    def fit(used: Mask) -> Background:
        if bkg_fit == "median":
            return _median(data, variances, used, used if propagate_smoothing else used & good, aperture)
        if bkg_disp_order is not None:
            spread = partial(_spread_smoothing, good=good, length=smoothing_length)
            return _surface(data, variances, used, aperture, powers, columns, bkg_disp_order, spread)
        return _polynomial(data, variances, used, aperture, powers, columns)

    # A polynomial leaves bad pixels out even where the average fills them; the median does not.
    used = region & (filled if bkg_fit == "median" else good)
    if bkg_sigma_clip is None:
        return fit(used)
    background = fit(_clip(data - _least_deviations(data, used, powers[columns]), used, bkg_sigma_clip))
    for _ in range(3):
        model = background.image if bkg_fit == "median" else background.image[..., columns]
        kept = _clip(data - model, used, bkg_sigma_clip)
        if kept.sum() == background.n_used:
            break
        background = fit(kept)
    return background


def smooth(
    data: Image, good: Mask, length: int, margins: tuple[Image, Image] | None = None
) -> tuple[Image, Mask]:
    """Average over `length` rows; return the averages and where there is one, ([n_int,] n_disp, n_xdisp).

    Beyond the first and last row the margins count, else these rows again, so that an average there holds
    them several times.
    """
    half, n_rows, above = length // 2, data.shape[-2], 0
    if margins is not None:
        above = margins[0].shape[-2]
        good = np.concatenate([np.isfinite(margins[0]), good, np.isfinite(margins[1])], axis=-2)
        data = np.concatenate([margins[0], data, margins[1]], axis=-2)
    number = _windowed(good.astype(float), half, "edge")
    total = _windowed(np.where(good, data, 0.0), half, "edge")
    number, total = (a[..., above : above + n_rows, :] for a in (number, total))
    some = number > 0.5
    return total / np.where(some, number, 1.0), some


def smoothed_variances(variances: Image, good: Mask, length: int) -> Image:
    """Variances of the averages that `smooth` makes without margins, in the same shape."""
    half = length // 2
    masked = np.where(good, variances, 0.0)
    summed = _windowed(masked, half, "constant")
    times = np.maximum(half + 1.0 - np.arange(variances.shape[-2]), 1.0)[:, None]
    summed = summed + (times**2 - 1.0) * masked[..., :1, :]
    summed = summed + (times[::-1] ** 2 - 1.0) * masked[..., -1:, :]
    return summed / np.maximum(_windowed(good.astype(float), half, "edge"), 1.0) ** 2


def _spread_smoothing(shares: Image, good: Mask, length: int) -> Image:
    """Turn shares of the averages that `smooth` makes into shares of the pixels: its transpose.

    `shares` has the shape (..., n_disp, n_columns, n_terms), `good` (..., n_disp, n_columns).
    """
    if length <= 1:
        return shares
    half = length // 2
    number = np.maximum(_windowed(good.astype(float), half, "edge"), 1.0)
    shares = np.moveaxis(shares, -1, 0) / number
    spread = _windowed(shares, half, "constant")
    again = np.maximum(half - np.arange(good.shape[-2]), 0.0)
    spread[..., 0, :] += again @ shares
    spread[..., -1, :] += again[::-1] @ shares
    return np.moveaxis(np.where(good, spread, 0.0), 0, -1)


def _windowed(values: Image, half: int, mode: str) -> Image:
    """Sum over `half` rows to either side of each, beyond the ends zero or the last row again."""
    pad = [(0, 0)] * (values.ndim - 2) + [(half + 1, half), (0, 0)]
    running = np.cumsum(np.pad(values, pad, mode=mode), axis=-2)
    return running[..., 2 * half + 1 :, :] - running[..., : -2 * half - 1, :]


def _powers(columns: NDArray[np.intp], order: int, n_xdisp: int) -> Image:
    """Legendre polynomials over the columns, at every column of the image: (n_xdisp, order + 1)."""
    first, last = columns[[0, -1]]
    return legvander(2.0 * (np.arange(n_xdisp) - first) / max(last - first, 1) - 1.0, order)


def _invert(matrix: Image) -> Image:
    """Invert a stack of symmetric matrices; NaN where they are singular."""
    value = np.linalg.eigvalsh(matrix)
    regular = value[..., 0] * MAX_CONDITION > value[..., -1]
    inverse = np.full_like(matrix, np.nan)
    inverse[regular] = np.linalg.inv(matrix[regular])
    return inverse


def _polynomial(
    data: Image, variances: Image, used: Mask, aperture: Image, powers: Image, columns: NDArray[np.intp]
) -> Background:
    n_terms, there = powers.shape[-1], powers[columns]
    products = (there[:, :, None] * there[:, None, :]).reshape(-1, n_terms**2)
    inverse = _invert((used @ products).reshape(*used.shape[:-1], n_terms, n_terms))
    coefficients = np.matvec(inverse, np.where(used, data, 0.0) @ there)
    share = np.matvec(inverse, aperture @ powers) @ there.T
    return Background(
        image=coefficients @ powers.T,
        variances=np.vecdot(np.where(used, variances, 0.0), share**2),
        n_used=int(used.sum()),
    )


def _median(data: Image, variances: Image, used: Mask, measured: Mask, aperture: Image) -> Background:
    count = measured.sum(axis=-1)
    share = MEDIAN_ERROR * aperture.sum(axis=-1) / np.where(count > 0, count, np.nan)
    return Background(
        image=_middle(data, used),
        variances=np.where(measured, variances, 0.0).sum(axis=-1) * share**2,
        n_used=int(used.sum()),
    )


def _middle(data: Image, used: Mask) -> Image:
    """Median over the used pixels of every row, ([n_int,] n_disp, 1); NaN where there are none."""
    number = used.sum(axis=-1, keepdims=True)
    ranked = np.sort(np.where(used, data, np.inf), axis=-1)
    middle = [np.take_along_axis(ranked, np.maximum(n, 0), axis=-1) for n in ((number - 1) // 2, number // 2)]
    return np.where(number > 0, 0.5 * (middle[0] + middle[1]), np.nan)


def _surface(
    data: Image,
    variances: Image,
    used: Mask,
    aperture: Image,
    powers: Image,
    columns: NDArray[np.intp],
    disp_order: int,
    spread_smoothing: Callable[[Image], Image],
) -> Background:
    along = legvander(np.linspace(-1.0, 1.0, data.shape[-2]), disp_order)
    terms = (along[:, None, :, None] * powers[None, :, None, :]).reshape(len(along), len(powers), -1)
    there = terms[:, columns].reshape(-1, terms.shape[-1])
    flat = (*data.shape[:-2], -1)
    masked = np.where(used.reshape(flat)[..., None], there, 0.0)
    shares = spread_smoothing(masked.reshape(*used.shape, -1)).reshape(masked.shape)
    inverse = _invert(np.swapaxes(masked, -1, -2) @ there)
    values = np.where(used, data, 0.0).reshape(flat)
    coefficients = np.matvec(inverse, values @ there)
    summed = np.einsum("...dx,dxi->...di", aperture, terms) @ inverse
    noise = variances.reshape(len(variances), *flat)
    spread = np.swapaxes(shares, -1, -2) @ (noise[..., None] * shares)
    return Background(
        image=np.einsum("dxi,...i->...dx", terms, coefficients),
        variances=np.vecdot(summed @ spread, summed),
        n_used=int(used.sum()),
    )


def _least_deviations(data: Image, used: Mask, there: Image) -> Image:
    """Fit polynomials by least absolute deviations, which a lone pixel far off cannot draw.

    By reweighted least squares (Schlossmacher 1973, J. Am. Stat. Assoc. 68, 857); `there` holds the
    polynomials at the columns, (n_columns, n_terms).
    """
    n_terms, weights = there.shape[-1], used.astype(float)
    products = (there[:, :, None] * there[:, None, :]).reshape(-1, n_terms**2)
    values = np.where(used, data, 0.0)
    for _ in range(10):
        matrix = (weights @ products).reshape(*used.shape[:-1], n_terms, n_terms)
        model = np.matvec(_invert(matrix), (weights * values) @ there) @ there.T
        deviation = np.abs(values - model)
        floor = 1e-3 * np.median(deviation, axis=-1, keepdims=True) + np.finfo(float).tiny
        weights = used * (floor / np.maximum(deviation, floor))
    return model


def _clip(residual: Image, used: Mask, sigma: float) -> Mask:
    """Pixels that stay when those far off the fit are left out."""
    clipped = sigma_clip(
        np.ma.array(residual, mask=~used | ~np.isfinite(residual)), sigma=sigma, axis=-1, stdfunc=mad_std
    )
    return used & ~np.ma.getmaskarray(clipped)
