"""SpectrumTable: the columns of the pipeline's x1d table."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "SpectrumTable"]

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SpectrumTable:
    """The columns of an x1d table; rows in the order of the image, one for every row with a wavelength.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron.
    flux, flux_error, flux_var_poisson, flux_var_rnoise, flux_var_flat : ndarray, ([n_int,] n_wavelength)
        Jy, Jy^2.
    surf_bright, sb_error, sb_var_poisson, sb_var_rnoise, sb_var_flat : ndarray, same shape
        MJy/sr, (MJy/sr)^2: the flux averaged over the aperture.
    dq : ndarray of uint32, same shape
        DO_NOT_USE where there is no flux; OUTLIER where a pixel was rejected; FLUX_ESTIMATED where light that
        lost pixels would have had was made up for.
    background, bkgd_error, bkgd_var_poisson, bkgd_var_rnoise, bkgd_var_flat : ndarray, same shape
        MJy/sr: the background subtracted per pixel.
    npixels : ndarray, same shape
        Sum of the weights of the pixels used.
    """

    wavelength: Column
    flux: Column
    flux_error: Column
    flux_var_poisson: Column
    flux_var_rnoise: Column
    flux_var_flat: Column
    surf_bright: Column
    sb_error: Column
    sb_var_poisson: Column
    sb_var_rnoise: Column
    sb_var_flat: Column
    dq: NDArray[np.uint32]
    background: Column
    bkgd_error: Column
    bkgd_var_poisson: Column
    bkgd_var_rnoise: Column
    bkgd_var_flat: Column
    npixels: Column


#: Their names, in the pipeline's order.
COLUMNS = tuple(one.name for one in fields(SpectrumTable))
