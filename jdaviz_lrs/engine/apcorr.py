"""The aperture correction: what share of the light the aperture misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import map_coordinates

__all__ = [
    "LEAST_SHARE",
    "correction_table",
    "fractions_of_unit",
    "of_unit_light",
    "pixel_fractions",
    "profile_correction",
]

Image = NDArray[np.float64]

LEAST_SHARE = 0.01
"""Of a source's light: an aperture that holds less does not measure it."""


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
    """Compute the correction for the very aperture, its cut pixels included.

    Parameters
    ----------
    profile : ndarray, (n_disp, n_xdisp)
        The PSF's share of the whole flux in every pixel; NaN where it is not known.
    weights : ndarray, (n_disp, n_xdisp)
        Of the aperture; what its bad pixels lose is `jdaviz_lrs.engine.lost_light`'s matter.

    Returns
    -------
    ndarray, (n_disp,)
        One over the share of the flux in the aperture; NaN where that is not known, or less than
        `LEAST_SHARE`.
    """
    share = np.vecdot(profile, weights)
    return np.divide(1.0, share, out=np.full_like(share, np.nan), where=share >= LEAST_SHARE)


def pixel_fractions(
    data: Image, psf_wavelength: Image, subpix: float, center: float, offsets: Image, wavelength: Image
) -> Image:
    """Return the share of a source's light in each pixel.

    Parameters
    ----------
    data : ndarray, (n_psf_wavelength, n_subpixel)
        Pixel-convolved profile, `subpix` samples a pixel, the source at column `center`.
    psf_wavelength : ndarray, (n_psf_wavelength,)
        Micron, in any order.
    subpix, center : float
    offsets : ndarray, (n_disp, n_xdisp)
        Of the pixels' centres from the source, in pixels.
    wavelength : ndarray, (n_disp,)
        Of the rows, in micron.

    Returns
    -------
    ndarray, (n_disp, n_xdisp)
        Of the light in the whole profile, linear in wavelength and across it, as the pipeline interpolates;
        zero beyond the profile's ends, NaN outside the range of `psf_wavelength`.
    """
    return fractions_of_unit(
        *of_unit_light(data, psf_wavelength, subpix), subpix, center, offsets, wavelength
    )


def of_unit_light(data: Image, psf_wavelength: Image, subpix: float) -> tuple[Image, Image]:
    """Return a profile as it is to be interpolated: with all light one, in the order of wavelength.

    Parameters
    ----------
    data, psf_wavelength, subpix
        See `pixel_fractions`.

    Returns
    -------
    samples : ndarray, (n_psf_wavelength, n_subpixel)
    wavelength : ndarray, (n_psf_wavelength,)
    """
    order = np.argsort(psf_wavelength)
    samples = np.nan_to_num(data)[order]
    light = samples.sum(axis=1, keepdims=True) / subpix
    return np.divide(samples, light, out=np.zeros_like(samples), where=light != 0), psf_wavelength[order]


def fractions_of_unit(
    samples: Image, psf_wavelength: Image, subpix: float, center: float, offsets: Image, wavelength: Image
) -> Image:
    """Return what `pixel_fractions` does of a profile that is `of_unit_light`, (n_disp, n_xdisp)."""
    places = np.arange(psf_wavelength.size, dtype=float)
    row = np.interp(wavelength, psf_wavelength, places, left=np.nan, right=np.nan)
    place = np.broadcast_arrays(np.nan_to_num(row)[:, None], center + subpix * offsets)
    fractions = map_coordinates(samples, place, order=1, mode="constant")
    return np.where(np.isfinite(row)[:, None], fractions, np.nan)
