"""The aperture correction: what share of the light the aperture misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

__all__ = ["correction_table", "profile_correction"]

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
