"""Where the data have the trace, about a place where an aperture is or is to be."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.data.verdict import OFFSET_LIMIT, SIGNIFICANT
from jdaviz_lrs.engine.refine.companions import STEP, WING_RATIO, find_brightest
from jdaviz_lrs.engine.refine.scene_model import SceneModel
from jdaviz_lrs.references.pixels import detector_pixels, on_pixels_of

__all__ = ["NO_TRACE", "REACH", "mean_image", "source_at", "trace_offset"]

Image = NDArray[np.float64]

REACH = 9.0
"""Pixels of the detector within which the trace is sought: less than half way to the other nod's."""

SMOOTHED_ROWS = 9
"""Whose median is looked at, so that no cosmic ray is taken for a trace."""

NO_TRACE = f"No trace stands out of the noise within {REACH:g} px of the aperture's centre"


def trace_offset(image: SpectralImage, psf: SpectralPSF, center: Image) -> float:
    """Tell how far from a place the data have the brightest trace.

    Parameters
    ----------
    image : SpectralImage
        Of a stack its mean is looked at.
    psf : SpectralPSF
        In pixels of the detector.
    center : ndarray, (n_disp,)
        In columns; NaN where nothing is to be looked at.

    Returns
    -------
    float
        Pixels; zero where the trace is at the place within `OFFSET_LIMIT` or its errors, and where this
        cannot be told: for sources that are no points, and without PSF. NaN where no trace stands out.
    """
    scene = source_at(image, psf, center)
    data, variance, good = mean_image(image)
    good = good & np.isfinite(variance) & (variance > 0) & np.isfinite(center)[:, None]
    if image.observation.source_type != "POINT" or not (scene.grid.covered.any() and good.any()):
        return 0.0
    smooth = median_filter(np.where(good, data, 0.0), (SMOOTHED_ROWS, 1), mode="nearest")
    # one weight in a row: with those of its own light a bright source would be seen beside its peak
    noise = _row_median(np.where(good, variance, np.nan))
    weights = np.where(good, 1.0 / noise[:, None], 0.0)
    smooth = np.where(good, smooth - _sky(np.where(good, smooth, np.nan)), 0.0)
    reach = REACH / detector_pixels(image)
    found = find_brightest(scene, smooth, weights, reach)
    if found is not None and abs(found.offset) > reach - STEP:  # the flank of one further out
        return 0.0 if found.ratio * WING_RATIO < 1.0 else np.nan
    if found is None:
        return np.nan
    return found.offset if abs(found.offset) > max(OFFSET_LIMIT, SIGNIFICANT * found.error) else 0.0


def _sky(seen: Image) -> Image:
    """Find what is left of the sky: in each row the line through the medians of the slit's outer thirds."""
    thirds = np.array_split(np.flatnonzero(np.isfinite(seen).any(axis=0)), 3)
    (first, last), (low, high) = zip(*((t.mean(), _row_median(seen[:, t])) for t in thirds[::2]), strict=True)
    part = (np.arange(seen.shape[1]) - first) / (last - first)
    level = _row_median(seen)
    low, high = (np.where(np.isfinite(end), end, level) for end in (low, high))
    return low[:, None] + (high - low)[:, None] * part


def _row_median(seen: Image) -> Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows where nothing is seen
        return np.nanmedian(seen, axis=1)


def source_at(image: SpectralImage, psf: SpectralPSF, trace: Image) -> SceneModel:
    """Put one source with the PSF as it is, and no background, at a trace, (n_disp,)."""
    return SceneModel(
        on_pixels_of(image, psf).on(image.wavelength, image.xdisp_index),
        trace[None],
        signs=np.ones(1),
        groups=np.zeros(1, int),
        stretch=np.ones(image.n_disp),
        coordinate=np.linspace(-1.0, 1.0, image.n_xdisp),
        order=-1,
        calibration_width=image.mode.calibration_width / detector_pixels(image),
    )


def mean_image(image: SpectralImage) -> tuple[Image, Image, NDArray[np.bool_]]:
    """Return data, variance and good pixels, (n_disp, n_xdisp); of a stack those of its mean."""
    data, variance, good = image.data, image.variance, image.good
    if data.ndim == 3:
        number = np.maximum(good.sum(axis=0), 1)
        data = image.filled.sum(axis=0) / number
        variance = np.where(good, variance, 0.0).sum(axis=0) / number**2
        good = good.any(axis=0)
    return data, variance, good
