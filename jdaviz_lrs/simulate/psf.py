"""The line profile of simulated exposures, and how it may differ from the reference that goes with them."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise

from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.references.lrs_psf import PLATE_SCALE

__all__ = ["effective_profile", "simulated_psf"]

APERTURE_M = 6.5
FWHM_UM = (5.0, 7.5, 10.0, 12.0)
FWHM_ARCSEC = (0.29, 0.30, 0.36, 0.42)
"""Width across the dispersion measured in commissioning, at the wavelengths above."""

FULL_LIGHT_PX, NO_LIGHT_PX = 9.0, 13.0
"""Wings fade out between these distances: from a nod to the nearer end of the slit are 13 px."""

FREQUENCY = np.arange(128) / 128.0
"""Cycles per pixel: profiles repeat after 128 px, and beyond 1 cycle per pixel no contrast is left."""

WAVELENGTHS = np.linspace(2.2, 14.7, 126)


@cache
def simulated_psf() -> SpectralPSF:
    """Line profile of a simulated point source, 2.2-14.7 um.

    It is made from optics alone, and on purpose another one than the built-in model
    (`jdaviz_lrs.references.lrs_psf.built_in_psf`), which describes what was measured on sky: an
    extraction of simulated exposures with the built-in model has the wrong PSF, as in real life.

    The PSF is marginalised along dispersion and computed from its transfer function: a circular
    6.5 m aperture (Goodman, Introduction to Fourier Optics, ch. 6) times a Gaussian, which stands
    for the detector, the jitter and the optics' aberrations, times the pixel. The Gaussian's width
    at each wavelength is such that the whole has the FWHM measured in commissioning (0.29, 0.30,
    0.36, 0.42 arcsec at 5.0, 7.5, 10.0, 12.0 um; between and beyond them linear) on pixels of
    0.11 arcsec.

    The samples are pixel-convolved (see `SpectralPSF`). Light further than 13 px from the source,
    where the slit ends, is left out, and the profile's integral is one: an aperture correction from
    this model refers to the light in the slit, as does the pipeline's normalised profile.

    Returns
    -------
    SpectralPSF
        The profile at 10 samples per pixel, 20 px to either side.
    """
    subpix, half_width = 10, 20
    offset = np.arange(-half_width * subpix, half_width * subpix + 1) / subpix
    data = effective_profile(offset, WAVELENGTHS)
    return SpectralPSF(
        data, WAVELENGTHS.copy(), float(subpix), float(half_width * subpix), "PSF of simulated exposures"
    )


def effective_profile(
    offset: ArrayLike,
    wavelength: ArrayLike,
    *,
    stretch: float = 1.0,
    skew: float = 0.0,
    halo: float = 0.0,
    halo_scale: float = 6.0,
) -> NDArray[np.float64]:
    """Light of a point source per pixel, at any distance of the pixel's centre from the source.

    Parameters
    ----------
    offset : array_like
        Distance from the source, px, shape (n_wavelength, n_offset), or (n_offset,) for all wavelengths.
    wavelength : array_like
        Wavelengths, um, shape (n_wavelength,).
    stretch : float
        Factor on the width of the profile before the pixel, and on how far out its wings fade, so that as
        much of its light lies within so many widths; 1 for the model itself.
    skew : float
        Asymmetry without a shift of the centroid, px^3: a phase of the transfer function of `skew` times the
        cube of the angular frequency.
    halo : float
        Fraction of the light at 5 um that the detector scatters into exponential wings, falling as
        1/wavelength^2 (Gaspar et al. 2021, PASP 133, 014504, describe such a cross at 5-10 um).
    halo_scale : float
        Scale of these wings, px.

    Returns
    -------
    ndarray
        Shape (n_wavelength, n_offset); its integral over all offsets is one.
    """
    offset, wavelength = np.asarray(offset, float), np.asarray(wavelength, float)
    sigma = np.interp(wavelength, WAVELENGTHS, _gaussian_sigma())
    transfer = _transfer(stretch * FREQUENCY, wavelength, sigma) * np.sinc(FREQUENCY)
    scattered = (halo * (5.0 / wavelength) ** 2)[:, None]
    transfer *= 1 - scattered + scattered / (1 + (2 * np.pi * FREQUENCY * halo_scale) ** 2)
    phase = skew * (2 * np.pi * FREQUENCY) ** 3
    even, odd = (transfer * np.cos(phase))[..., None], (transfer * np.sin(phase))[..., None]

    def profile(offset: NDArray) -> NDArray:
        angle = 2 * np.pi * FREQUENCY * offset[..., None]
        wave = np.cos(angle) @ even
        if skew:
            wave += np.sin(angle) @ odd
        return wave[..., 0] * _window(offset / stretch)

    step = 0.25  # well below what the transfer function can resolve
    reach = stretch * NO_LIGHT_PX
    fine = np.arange(-reach, reach + step, step)
    total = profile(fine).sum(axis=1) * step
    return profile(offset) / total[:, None]


def _transfer(frequency: NDArray, wavelength: NDArray, sigma: NDArray) -> NDArray:
    """Optical transfer function (n_wavelength, n_frequency), cycles per px; zero frequency counts half."""
    cutoff = APERTURE_M / (wavelength * 1e-6) * np.radians(PLATE_SCALE / 3600)
    x = np.clip(frequency / cutoff[:, None], 0, 1)
    aperture = 2 / np.pi * (np.arccos(x) - x * np.sqrt(1 - x**2))
    gaussian = np.exp(-2 * (np.pi * frequency * sigma[:, None]) ** 2)
    return aperture * gaussian * np.where(frequency == 0, 0.5, 1.0)


@cache
def _gaussian_sigma() -> NDArray[np.float64]:
    """Sigma of the Gaussian, px, at `WAVELENGTHS`; zero where diffraction alone is wider."""
    slopes = np.diff(FWHM_ARCSEC) / np.diff(FWHM_UM)
    fwhm = np.interp(WAVELENGTHS, FWHM_UM, FWHM_ARCSEC)
    fwhm += slopes[0] * np.minimum(WAVELENGTHS - FWHM_UM[0], 0)
    fwhm += slopes[-1] * np.maximum(WAVELENGTHS - FWHM_UM[-1], 0)

    def excess(sigma: NDArray, wavelength: NDArray, fwhm: NDArray) -> NDArray:
        # cos(...) - 1/2 sums to zero where the profile is half its peak, at half the FWHM
        above_half = np.cos(np.pi * FREQUENCY * (fwhm / PLATE_SCALE)[:, None]) - 0.5
        return (_transfer(FREQUENCY, wavelength, sigma) * np.sinc(FREQUENCY) * above_half).sum(axis=1)

    root = elementwise.find_root(excess, (np.zeros_like(fwhm), 3.0), args=(WAVELENGTHS, fwhm))
    return np.where(root.success, root.x, 0.0)


def _window(offset: NDArray) -> NDArray:
    """One near the source, a squared cosine down to zero at the ends of the slit."""
    fade = np.clip((np.abs(offset) - FULL_LIGHT_PX) / (NO_LIGHT_PX - FULL_LIGHT_PX), 0, 1)
    return np.cos(np.pi / 2 * fade) ** 2
