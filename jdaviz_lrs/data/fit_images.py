"""FitImages: what an extraction makes of the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FitImages"]

Image = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FitImages:
    """Images beside the spectrum, on the pixels of the image that was extracted.

    Attributes
    ----------
    scene_model, residual : ndarray or None, ([n_int,] n_disp, n_xdisp)
        What was fitted, and the image minus it, in the unit of the image.
    profile : ndarray or None, (n_disp, n_xdisp)
        The pixel weights (box) or the spatial profile (optimal; positive plus negative).
    rejected : ndarray of bool or None, ([n_int,] n_disp, n_xdisp)
        Pixels left out as outliers.
    variance : ndarray or None, ([n_int,] n_disp, n_xdisp)
        Of the image, as it was used; the residual over its root is the residual in sigma.
    """

    scene_model: Image | None = None
    residual: Image | None = None
    profile: Image | None = None
    rejected: NDArray[np.bool_] | None = None
    variance: Image | None = None
