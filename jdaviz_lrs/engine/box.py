"""Box extraction: weighted sums over the aperture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.background import Background

__all__ = ["Sums", "box_model", "box_sums", "with_common_variance"]

Image = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """What an extraction finds at every wavelength, in the unit of the image.

    Attributes
    ----------
    flux : ndarray, ([n_int,] n_disp)
        Summed over the aperture, background subtracted; NaN where no pixel contributes.
    variances : ndarray, (3, [n_int,] n_disp)
        Of `flux`: Poisson, read noise, flat field; the background's share included.
    background : ndarray, ([n_int,] n_disp)
        What was subtracted, summed over the aperture.
    background_variances : ndarray, (3, [n_int,] n_disp)
    npixels : ndarray, ([n_int,] n_disp)
        Sum of the weights of the pixels used.
    common_variance : ndarray, ([n_int,] n_disp), or None
        Part of that by flat field which all images of the source have in common.
    """

    flux: Image
    variances: Image
    background: Image
    background_variances: Image
    npixels: Image
    common_variance: Image | None = None


def with_common_variance(sums: Sums, added: Image) -> Sums:
    """Add a variance that all images of the source have in common, to that by flat field.

    Parameters
    ----------
    sums : Sums
    added : ndarray, ([n_int,] n_disp)
    """
    variances = sums.variances.copy()
    variances[2] += added
    return replace(sums, variances=variances, common_variance=np.broadcast_to(added, sums.flux.shape))


def box_sums(data: Image, variances: Image, weights: Image, background: Background | None = None) -> Sums:
    """Sum an image over an aperture.

    Parameters
    ----------
    data : ndarray, ([n_int,] n_disp, n_xdisp)
        Zero, or anything finite, where no pixel is good.
    variances : ndarray, (3, [n_int,] n_disp, n_xdisp)
    weights : ndarray, ([n_int,] n_disp, n_xdisp)
        Fraction of every pixel inside the aperture; zero where a pixel is not good.
    background : Background, optional
        Subtracted before the sum.

    Returns
    -------
    Sums
    """
    total = np.vecdot(data, weights)
    if background is None:
        subtracted, added = np.zeros_like(total), np.zeros((3, *total.shape))
    else:
        subtracted = np.vecdot(np.broadcast_to(background.image, data.shape), weights)
        added = background.variances
    npixels = np.broadcast_to(weights.sum(axis=-1), total.shape)
    return Sums(
        flux=np.where(npixels > 1e-8, total - subtracted, np.nan),
        variances=np.vecdot(variances, weights**2) + added,
        background=subtracted,
        background_variances=np.broadcast_to(added, (3, *total.shape)),
        npixels=npixels,
    )


def box_model(sums: Sums, weights: Image, background: Background | None = None) -> Image:
    """Return the image that the extraction assumes, in the shape of the weights.

    It has the mean flux inside the aperture, and the background.
    """
    mean = np.divide(sums.flux, sums.npixels, out=np.zeros_like(sums.flux), where=sums.npixels > 1e-8)
    model = mean[..., None] * weights
    return model if background is None else model + background.image
