"""Reference files are in pixels of the detector; an image may have been resampled to others."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.modes.lrs_slit import LRS_SLIT
from jdaviz_lrs.references.lrs_psf import drizzle_blur, drizzled

__all__ = [
    "blurs_of_nods",
    "detector_pixels",
    "on_pixels_of",
    "phase_is_known",
    "resampling_blur",
    "rescaled",
    "scale_note",
    "scaled_to",
]

TOLERANCE = 0.01
"""Pixels that differ from the detector's by less are taken for these, as the pipeline takes all."""

MEAN_BLUR = 1.0 / 12.0
"""Of `drizzle_blur`, over all phases."""

PLACES = np.arange(0.0, 1.0, 0.01)
"""Of the detector's columns against those of an image, px: in such steps the blur changes by 0.005 px^2."""


def detector_pixels(image: SpectralImage) -> float:
    """Width of the image's pixels across the dispersion, in pixels of the detector.

    Exactly 1 where they are the detector's, where no WCS tells, and in modes whose scale is not known.
    """
    scale = image.mode.detector_scale
    if image.pixel_scale is None or scale is None:
        return 1.0
    size = image.pixel_scale / scale
    return 1.0 if abs(size - 1.0) < TOLERANCE else size


def on_pixels_of(image: SpectralImage, psf: SpectralPSF) -> SpectralPSF:
    """Return a PSF as it is on the pixels of an image: scaled to them, and as their resampling widens it."""
    size = detector_pixels(image)
    if size == 1.0 and (psf.drizzled or not image.resampled):
        return psf
    return drizzled(psf) if phase_is_known(image) else rescaled(psf, size)


def scaled_to(image: SpectralImage, psf: SpectralPSF) -> SpectralPSF:
    """Return a PSF scaled to the pixels of an image, and where they are the detector's as it is."""
    size = detector_pixels(image)
    return psf if size == 1.0 else rescaled(psf, size)


def resampling_blur(image: SpectralImage, psf: SpectralPSF) -> NDArray[np.float64]:
    """By how much the resampling of an image widens a PSF that is `scaled_to` it.

    Returns
    -------
    ndarray, (n_disp,)
        Half the variance of its kernel, in pixels squared. Of several exposures that are combined no header
        tells the phases: the mean of all.
    """
    if psf.drizzled:
        return np.zeros(image.n_disp)
    if not phase_is_known(image):
        return np.full(image.n_disp, MEAN_BLUR)
    return np.nan_to_num(drizzle_blur(image.row_wavelength))


def blurs_of_nods(image: SpectralImage, separation: float | None) -> NDArray[np.float64]:
    """By how much the resampling of nods that are combined may widen a PSF.

    Parameters
    ----------
    image : SpectralImage
    separation : float or None
        Of the two nods in pixels, by which their phases differ; None where it is not known.

    Returns
    -------
    ndarray, (n_blur, n_disp)
        As of `resampling_blur`: each for other places of the exposures' columns against those of the image.
        None of them where an image is not of nods that are combined.
    """
    combined = image.mode is LRS_SLIT and (image.observation.exposures or 1) > 1
    if not (image.resampled and combined and detector_pixels(image) == 1.0):
        return np.empty((0, image.n_disp))
    blur = np.nan_to_num(drizzle_blur(image.row_wavelength, PLACES[:, None]))
    if separation is None:
        one, other = np.triu_indices(PLACES.size)
    else:
        one = np.arange(PLACES.size)
        other = (one + round(separation * PLACES.size)) % PLACES.size
    return 0.5 * (blur[one] + blur[other])


def phase_is_known(image: SpectralImage) -> bool:
    """Whether an image is one exposure in the LRS slit, by its header, on pixels of the same size."""
    single = image.mode is LRS_SLIT and image.observation.exposures in (None, 1)
    return image.resampled and single and detector_pixels(image) == 1.0


def scale_note(image: SpectralImage) -> tuple[str, ...]:
    """Say what is scaled, where it is."""
    size = detector_pixels(image)
    if size == 1.0:
        return ()
    return (f"The image's pixels are {size:.2f} of the detector's: PSF and aperture correction are scaled.",)


@lru_cache(maxsize=8)
def rescaled(psf: SpectralPSF, size: float) -> SpectralPSF:
    """Return a PSF on pixels of another size, onto which the detector's were drizzled.

    Parameters
    ----------
    psf : SpectralPSF
        In pixels of the detector.
    size : float
        Of the image's pixels, in pixels of the detector.

    Returns
    -------
    SpectralPSF
        In pixels of the image.

    Notes
    -----
    Drizzle (Fruchter & Hook 2002, PASP 114, 144; pixfrac 1, as resample_spec has it) takes the light to be
    spread evenly over a pixel of the detector and collects what falls into a pixel of the image. Averaged
    over the places that the two can have, this is a convolution with both.
    """
    pad = int(np.ceil(0.5 * psf.subpix * (1.0 + size))) + 1
    data = np.pad(np.nan_to_num(psf.data), ((0, 0), (pad, pad)))
    data = _box_averaged(_box_averaged(data, psf.subpix), psf.subpix * size)
    return replace(psf, data=data, subpix=psf.subpix * size, center_col=psf.center_col + pad, drizzled=True)


def _box_averaged(data: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Mean of each row within `width` samples about each sample, zero beyond its ends."""
    number = data.shape[1]
    running = np.pad(np.cumsum(data, axis=1), ((0, 0), (1, 0)))
    middle = np.arange(number) + 0.5

    def below(edge: NDArray[np.float64]) -> NDArray[np.float64]:
        edge = np.clip(edge, 0.0, number)
        sample = np.minimum(edge.astype(np.intp), number - 1)
        return running[:, sample] + (edge - sample) * data[:, sample]

    return (below(middle + 0.5 * width) - below(middle - 0.5 * width)) / width
