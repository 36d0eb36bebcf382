"""The aperture correction: what share of the light the aperture misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import map_coordinates

__all__ = ["correction_table", "pixel_fractions", "profile_correction"]

Image = NDArray[np.float64]


def correction_table(size: Image, wavelength: Image, apcorr: Image) -> RectBivariateSpline:
    """Interpolate a tabulated correction, linearly in aperture size and wavelength.

    Parameters
    ----------
    size : ndarray, (n_size,)
        Widths of apertures in pixels, rising.
    wavelength : ndarray, (n_wavelength,)
        Micron, in any order.
    apcorr : ndarray, (n_wavelength, n_size)

    Returns
    -------
    RectBivariateSpline
        Of size and wavelength; outside the table its edge holds, as in the pipeline.
    """
    order = np.argsort(wavelength)
    return RectBivariateSpline(size, wavelength[order], apcorr[order].T, kx=1, ky=1)


def profile_correction(profile: Image, weights: Image) -> Image:
    """Compute the correction for the very pixels that are summed.

    Parameters
    ----------
    profile : ndarray, (n_disp, n_xdisp)
        The PSF's share of the whole flux in every pixel.
    weights : ndarray, ([n_int,] n_disp, n_xdisp)
        Of the pixels in the sum, zero where they are bad.

    Returns
    -------
    ndarray, ([n_int,] n_disp)
        One over the share of the flux in the sum; NaN where that is nothing.
    """
    share = np.vecdot(profile, weights)
    return np.divide(1.0, share, out=np.full_like(share, np.nan), where=share > 0)


def pixel_fractions(
    data: Image, psf_wavelength: Image, subpix: float, center: float, offsets: Image, wavelength: Image
) -> Image:
    """Return the share of a source's light in each pixel.

    Parameters
    ----------
    data : ndarray, (n_psf_wavelength, n_subpixel)
        Pixel-convolved profile, `subpix` samples a pixel, the source at column `center`.
    psf_wavelength : ndarray, (n_psf_wavelength,)
        Micron.
    offsets : ndarray, (n_disp, n_xdisp)
        Of the pixels' centres from the source, in pixels.
    wavelength : ndarray, (n_disp,)
        Of the rows, in micron.

    Returns
    -------
    ndarray, (n_disp, n_xdisp)
        Of the light in the whole profile; NaN outside the range of `psf_wavelength`.
    """
    order = np.argsort(psf_wavelength)
    row = np.interp(
        wavelength, psf_wavelength[order], np.arange(order.size, dtype=float), left=np.nan, right=np.nan
    )
    rows = np.broadcast_to(np.nan_to_num(row)[:, None], offsets.shape)
    normal = data[order] * (subpix / data[order].sum(axis=1, keepdims=True))
    columns = np.nan_to_num(center + subpix * offsets, nan=-1.0)
    fractions = map_coordinates(normal, [rows, columns], order=1)
    return np.where(np.isfinite(row)[:, None], fractions, np.nan)
