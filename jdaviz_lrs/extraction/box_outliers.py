"""Cosmic rays and bad pixels that nobody has flagged, in a box extraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.box_outliers import find_box_outliers
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.extraction.advice import Advice
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["box_outliers", "inspect_outliers"]

MARGIN = 4.0
"""Pixels on either side of the aperture that help to tell what in it is light and what is sky."""


@single_thread()
def box_outliers(image: SpectralImage, placement: Placement, outlier_sigma: float) -> NDArray[np.bool_]:
    """Find what sticks out of aperture and background regions, ([n_int,] n_disp, n_xdisp).

    Each has a light of its own, and is looked at by itself.
    """
    columns, rows = image.xdisp_index, placement.weights.any(axis=1)[:, None]
    lower, upper = np.nan_to_num(placement.edges[:, 0, :, None], nan=np.inf), placement.edges[:, 1, :, None]
    near = (columns > lower - MARGIN) & (columns < np.nan_to_num(upper, nan=-np.inf) + MARGIN)
    variance = image.variances.sum(axis=0)
    found = find_box_outliers(image.filled, variance, image.good & near.any(axis=0) & rows, outlier_sigma)
    if placement.background is not None:
        found |= find_box_outliers(image.filled, variance, image.good & placement.background, outlier_sigma)
    return found


def inspect_outliers(image: SpectralImage, placement: Placement) -> tuple[Advice, ...]:
    """See whether the refinement ``outliers`` has something to do in a box extraction."""
    usual = ExtractionParameters.outlier_sigma  # where it is not asked for, none is chosen
    number = int(box_outliers(image, placement, usual).sum())
    if number == 0:
        return ()
    sentence = (
        f"{number} pixel{'s' * (number > 1)} beyond {usual:g} sigma that the neighbouring "
        "wavelengths do not explain"
    )
    return (Advice("outliers", sentence, {"outlying_pixels": number}),)
