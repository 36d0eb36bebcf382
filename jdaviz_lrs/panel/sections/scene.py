"""What was fitted, and what it leaves, as images beside the one that was extracted from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.inputs import Input

__all__ = ["KINDS", "MODEL", "WITH_IMAGES", "check_kind", "scene_spectrum"]

MODEL = "scene model"

#: What can be shown, by the word in its label.
KINDS = (MODEL, "residual", "residual in sigma")

#: What an extraction is asked for, so that it has them.
WITH_IMAGES = {"save_scene_model": True, "save_residual_image": True}


def check_kind(kind: str) -> None:
    """Refuse what is not known.

    Raises
    ------
    LRSError
        With what there is.
    """
    if kind not in KINDS:
        raise LRSError(f"{kind!r} is not known; give one of {', '.join(KINDS)}.")


def scene_spectrum(source: Input, result: ExtractedSpectrum, kind: str):
    """Return the scene model or a residual as jdaviz shows it.

    Parameters
    ----------
    source : Input
    result : ExtractedSpectrum
        Extracted `WITH_IMAGES`.
    kind : {'scene model', 'residual', 'residual in sigma'}

    Returns
    -------
    specutils.Spectrum

    Raises
    ------
    LRSError
        When there is none, or there are no errors to divide by.
    """
    if result.scene_model is None or result.residual is None:
        raise LRSError("This extraction fits no scene.")
    values, unit = result.scene_model if kind == MODEL else result.residual, None
    if kind == "residual in sigma":
        if not source.image.has_variances:
            raise LRSError("The dataset has no variances, so there is no sigma; load it as JWST LRS.")
        variance = source.image.variance if result.variance is None else result.variance
        values, unit = _in_sigma(values, variance), ""
    spectrum = source.display.spectrum(values, unit)
    spectrum.meta["PIXAR_SR"] = source.image.pixel_area
    return spectrum


def _in_sigma(values: NDArray, variance: NDArray) -> NDArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return values / np.sqrt(variance)
