"""The background of a box extraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.background import Background, fit_background
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["box_background"]

Image = NDArray[np.float64]


def box_background(
    image: SpectralImage, parameters: ExtractionParameters, placement: Placement, weights: Image
) -> Background | None:
    """Fit the background of a box extraction; `weights` are those of the good pixels in the aperture."""
    if placement.background is None:
        return None
    compatible = parameters.pipeline_compatible
    bkg_fit = parameters.bkg_fit or "poly"
    background = fit_background(
        image.filled,
        image.variances,
        image.good,
        placement.background,
        placement.weights if compatible else weights,
        bkg_fit=bkg_fit,
        bkg_order=parameters.bkg_order or 0,
        smoothing_length=parameters.smoothing_length or 0,
        bkg_sigma_clip=parameters.bkg_sigma_clip,
        bkg_disp_order=parameters.bkg_disp_order,
        basis=2.0 * image.xdisp_index / (image.file_shape[1] - 1) - 1.0 if compatible else None,
        propagate_smoothing=not compatible,
        margins=image.margins if compatible else None,
    )
    if not compatible:
        return background
    # Where the pipeline cannot fit a polynomial, it subtracts nothing.
    fitted = background.image if bkg_fit == "median" else np.nan_to_num(background.image)
    return replace(background, image=fitted, variances=np.nan_to_num(background.variances))
