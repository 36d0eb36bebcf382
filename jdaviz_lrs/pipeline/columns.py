"""Two spectra beside each other, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum

__all__ = ["ColumnComparison", "compare_columns"]

Column = NDArray[np.float64]

#: NaN here and zero in the pipeline, where there is no flux or nothing to tell an error from.
ERRORS = ("flux_error", "flux_var", "sb_error", "sb_var", "bkgd_error", "bkgd_var")


@dataclass(frozen=True)
class ColumnComparison:
    """How a column of ours differs from the pipeline's.

    Attributes
    ----------
    name : str
    largest : float
        Largest relative difference; of `flux`, `surf_bright` and `background` relative to the light that they
        are differences of. Infinite where only one of the two has a number.
    beyond : int
        Wavelengths (of all integrations) at which the difference is above the tolerance.
    size : int
        All of them.
    wavelength : float
        Micron: where the difference is largest.
    ours, theirs : float
        The numbers there.
    """

    name: str
    largest: float
    beyond: int
    size: int
    wavelength: float
    ours: float
    theirs: float


def compare_columns(
    ours: ExtractedSpectrum, theirs: Mapping[str, Column], tolerance: float
) -> tuple[ColumnComparison, ...]:
    """Compare a spectrum with the columns of the pipeline's.

    Parameters
    ----------
    ours : ExtractedSpectrum
    theirs : Mapping of str to ndarray, ([n_int,] n_wavelength)
        In the shape of ours.
    tolerance : float
        Relative: what is more is a difference.

    Returns
    -------
    tuple of ColumnComparison
        One for each of the 18 columns. An error of ours that is not known, where the pipeline has zero, is no
        difference here (see `jdaviz_lrs.extraction.conventions.KEPT`).
    """
    area = 1.0 if ours.image is None else ours.image.pixel_area * 1e6
    background = np.abs(np.nan_to_num(np.asarray(theirs["background"], float)))
    light = {
        "flux": background * theirs["npixels"] * area,
        "surf_bright": background,
        "background": np.median(background),
    }
    return tuple(
        _compared(name, ours, np.asarray(theirs[name], float), light.get(name, 0.0), tolerance)
        for name in COLUMNS
    )


def _compared(
    name: str, ours: ExtractedSpectrum, theirs: Column, light: Column | float, tolerance: float
) -> ColumnComparison:
    mine = np.broadcast_to(np.asarray(getattr(ours, name), float), theirs.shape)
    apart = np.abs(mine - theirs)
    scale = np.abs(theirs) + light
    relative = np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)
    one_only = np.isnan(mine) != np.isnan(theirs)
    if name.startswith(ERRORS):
        one_only &= ~(np.isnan(mine) & (theirs == 0))
    relative = np.where(one_only, np.inf, np.nan_to_num(relative, nan=0.0, posinf=np.inf))
    worst = np.unravel_index(np.argmax(relative), relative.shape)
    return ColumnComparison(
        name=name,
        largest=float(relative[worst]),
        beyond=int((relative > tolerance).sum()),
        size=relative.size,
        wavelength=float(ours.wavelength[worst[-1]]),
        ours=float(mine[worst]),
        theirs=float(theirs[worst]),
    )
