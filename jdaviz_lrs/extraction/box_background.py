"""The background of a box extraction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.background import Background, fit_background
from jdaviz_lrs.extraction.conventions import convention_of
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["box_background"]

Image = NDArray[np.float64]


def _over_the_frame(image: SpectralImage) -> Image:
    """From -1 to 1 over all columns of the file, at those of the image."""
    return 2.0 * image.xdisp_index / (image.file_shape[1] - 1) - 1.0


def box_background(
    image: SpectralImage, parameters: ExtractionParameters, placement: Placement, weights: Image
) -> Background | None:
    """Fit the background of a box extraction.

    `weights`, ([n_int,] n_disp, n_xdisp), are those of the good pixels in the aperture.
    """
    if placement.background is None:
        return None
    convention = convention_of(parameters)
    bkg_fit = parameters.bkg_fit or "poly"
    background = fit_background(
        image.filled,
        image.variances,
        image.good,
        placement.background,
        weights if convention.background_under_summed_pixels else placement.weights,
        bkg_fit=bkg_fit,
        bkg_order=parameters.bkg_order or 0,
        smoothing_length=parameters.smoothing_length or 0,
        bkg_sigma_clip=parameters.bkg_sigma_clip,
        bkg_disp_order=parameters.bkg_disp_order,
        basis=None if convention.polynomials_over_regions else _over_the_frame(image),
        propagate_smoothing=convention.smoothing_lowers_errors,
        margins=None if convention.smoothing_ends_with_slit else image.margins,
    )
    if convention.no_background_no_flux:
        return background
    # Where the pipeline cannot fit a polynomial, it subtracts nothing.
    fitted = background.image if bkg_fit == "median" else np.nan_to_num(background.image)
    return replace(background, image=fitted, variances=np.nan_to_num(background.variances))
