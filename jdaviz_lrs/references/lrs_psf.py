"""The built-in model of the MIRI LRS line profile, for use where no PSF reference file is at hand."""

from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.ndimage import binary_dilation, map_coordinates
from scipy.special import ndtr

from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.modes.lrs_slit import LRS_SLIT

__all__ = ["ACCURACY", "ELSEWHERE", "PLATE_SCALE", "built_in_psf", "drizzle_blur", "drizzled"]

PLATE_SCALE = LRS_SLIT.plate_scale
"""Arcsec per detector pixel."""

ACCURACY, ELSEWHERE = "good to 3% in width (level 3: 8%), 0.5% in correction", "measured in the slit"
"""How good the model is: at 5-13.5 um, against the measurement, as it is and drizzled; and in other modes."""

WAVELENGTHS = np.linspace(2.2, 14.7, 126)

CORE_HALF_SEPARATION, RING, RING_SIGMA, OUTER, OUTER_SIGMA = 0.0712, 0.4839, 0.0855, 1.0313, 0.3270
"""Places and widths that diffraction scales with wavelength, px per um."""
WINGS_SIGMA = 4.15
"""px."""

_SHAPE = [
    # um, sigma of the core (px), shares of the light in the first ring, the outer rings and the wings
    (2.2, 0.650, 0.1102, 0.0281, 0.0405),
    (5.0, 0.650, 0.1102, 0.0281, 0.0405),
    (5.4, 0.748, 0.1018, 0.0310, 0.0405),
    (5.9, 0.728, 0.1077, 0.0323, 0.0188),
    (6.5, 0.749, 0.1077, 0.0355, 0.0066),
    (7.2, 0.771, 0.0959, 0.0342, 0.0191),
    (8.0, 0.801, 0.0815, 0.0284, 0.0340),
    (9.0, 0.878, 0.0751, 0.0213, 0.0232),
    (10.5, 1.000, 0.0690, 0.0203, 0.0042),
    (12.0, 1.111, 0.0576, 0.0185, 0.0152),
    (13.5, 1.310, 0.0375, 0.0430, 0.0000),
    (14.7, 1.469, 0.0375, 0.0430, 0.0000),
]
SHAPE = PchipInterpolator([row[0] for row in _SHAPE], [row[1:] for row in _SHAPE])

FULL_LIGHT_PX, NO_LIGHT_PX = 9.0, 13.0
"""Wings fade out between these distances: the first is as far as they were measured, the second the nearer
end of the slit from a nod."""

_PHASE = [
    # um, px
    *[(2.2, 0.1025), (4.0, 0.0957), (5.0, 0.0827), (6.0, 0.0570), (7.0, 0.0124), (8.0, -0.0589)],
    *[(9.0, -0.1671), (10.0, -0.3257), (10.5, -0.4292), (11.0, -0.5522), (11.5, -0.6976), (12.0, -0.8681)],
    *[(12.5, -1.0672), (13.0, -1.2985), (13.5, -1.5666), (14.0, -1.8779), (14.2, -2.0167)],
]
PHASE = PchipInterpolator(*np.transpose(_PHASE))
"""Of the detector's columns against those of the rectified image, which by the pipeline's choice are half a
pixel off in the middle row and from there on follow the slit's tilt and curve (specwcs 0005), px."""

PHASE_STEP = 0.025
"""Micron: where columns coincide the broadening turns from falling to rising, which coarser steps cut off."""


@cache
def built_in_psf() -> SpectralPSF:
    """Model of the LRS line profile, 2.2-14.7 um, as it was measured on sky.

    A formula of ours is fitted to the profile that was measured on a star of programme 6620 (spectra and
    their profile by G. Brammer, `msaexp <https://github.com/gbrammer/msaexp>`_, ``msaexp/data/lrs``, MIT
    license), its two sides averaged, at 5-13.5 um: pairs of Gaussians on either side of the source for a
    flat-topped core, for the bump of the first diffraction ring at 3-5 px and for the rings outside it, and
    a broad Gaussian for the wings. Their distances, and the rings' widths, go with wavelength; the core's
    width and the shares of light are tabulated. From 5 to 13.5 um the FWHM is within 1.7 % and the correction
    for 8 px within 0.3 % of the measurement. Below 5 um, where nothing was measured well, the profile stays
    that of 5 um; beyond 13.5 um it goes on widening.

    The samples are pixel-convolved (see `SpectralPSF`). Light further than 13 px from the source, where the
    slit ends, is left out, and the profile's integral is one: an aperture correction from this model refers
    to the light in the slit, as does the pipeline's normalised profile.

    Returns
    -------
    SpectralPSF
        The profile at 10 samples per pixel, 20 px to either side.
    """
    subpix, half_width = 10, 20
    offset = np.arange(-half_width * subpix, half_width * subpix + 1) / subpix
    data = _measured(offset[None])
    data /= data.sum(axis=1, keepdims=True) / subpix
    center = float(half_width * subpix)
    return SpectralPSF(data, WAVELENGTHS.copy(), float(subpix), center, "built-in model of the LRS PSF")


@lru_cache(maxsize=8)
def drizzled(psf: SpectralPSF) -> SpectralPSF:
    """Return a PSF of the detector's pixels as it is in a rectified image of one exposure.

    Notes
    -----
    The pipeline's drizzle (``resample_spec``, square kernel, pixels of the same size) interpolates linearly
    between the detector's columns, which widens the profile by 0-5 %, depending on the phase between the two
    kinds of columns at each wavelength. That is the same in all exposures, as the pipeline lays its columns;
    where nods are combined (level 3) no header tells it.
    """
    known = np.unique(psf.wavelength, return_index=True)
    wavelength = np.union1d(known[0], np.arange(known[0][0], known[0][-1], PHASE_STEP))
    phase = PHASE(np.clip(wavelength, PHASE.x[0], PHASE.x[-1]))[:, None] % 1
    pad = int(np.ceil(psf.subpix)) + 1
    data = np.pad(np.nan_to_num(psf.data)[known[1]], ((0, 0), (pad, pad)))
    data = make_interp_spline(known[0], data, k=1)(wavelength) if known[0].size > 1 else data
    row, sample = np.indices(data.shape)
    before, after = (
        map_coordinates(data, [row, sample + shift * psf.subpix], order=3) for shift in (-phase, 1.0 - phase)
    )
    # a cubic swings below zero beside a step, and on beyond the light, which is moved by a pixel at most
    lit = binary_dilation(data.any(axis=0), iterations=pad - 1)
    data = np.where(lit, np.maximum((1.0 - phase) * before + phase * after, min(data.min(), 0.0)), 0.0)
    return replace(psf, data=data, wavelength=wavelength, center_col=psf.center_col + pad, drizzled=True)


def drizzle_blur(wavelength: ArrayLike, shift: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Half the variance of the kernel that the resampling of one exposure blurs with, px^2; broadcast.

    Linear interpolation between columns has two points, a phase and one less it away: see `drizzled`. Where
    the columns are laid otherwise than for one exposure, the phases are shifted (px).
    """
    phase = (PHASE(np.clip(wavelength, PHASE.x[0], PHASE.x[-1])) + shift) % 1
    return 0.5 * phase * (1 - phase)


def _measured(offset: NDArray) -> NDArray[np.float64]:
    """Light per pixel at `WAVELENGTHS`, at distances of (1 or n_wavelength, n_offset) px from the source."""
    wavelength = np.maximum(WAVELENGTHS, 5.0)[:, None]
    core_sigma, ring, outer, wings = SHAPE(WAVELENGTHS).T[..., None]

    def pair(distance: ArrayLike, sigma: ArrayLike) -> NDArray:
        return (_in_pixel(offset - distance, sigma) + _in_pixel(offset + distance, sigma)) / 2

    light = (
        (1 - ring - outer - wings) * pair(CORE_HALF_SEPARATION * wavelength, core_sigma)
        + ring * pair(RING * wavelength, RING_SIGMA * wavelength)
        + outer * pair(OUTER * wavelength, OUTER_SIGMA * wavelength)
        + wings * pair(0.0, WINGS_SIGMA)
    )
    fade = np.clip((np.abs(offset) - FULL_LIGHT_PX) / (NO_LIGHT_PX - FULL_LIGHT_PX), 0, 1)
    return light * (1 - fade**2 * (3 - 2 * fade))


def _in_pixel(offset: NDArray, sigma: ArrayLike) -> NDArray[np.float64]:
    """Light of a Gaussian in a pixel centred at `offset`."""
    return ndtr((offset + 0.5) / sigma) - ndtr((offset - 0.5) / sigma)
