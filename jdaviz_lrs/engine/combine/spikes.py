"""Where a spectrum sticks out in one wavelength alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from jdaviz_lrs.engine.combine.local_fit import fits_as_a_line, predict_well
from jdaviz_lrs.engine.combine.smoothness import KERNEL, predict_smooth

__all__ = ["find_spikes"]

Row = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPIKE = 3.3
"""Errors by which a spike exceeds what lies about it: by chance one in ten spectra has such a point."""

SHARP = 0.7
"""Of a spike's height: a line two rows wide (FWHM) exceeds the prediction by 0.4 of it."""


def find_spikes(flux: Row, error: Row, usable: Mask, asked: Mask) -> Row:
    """Tell where a spectrum sticks out in one wavelength alone, more sharply than a resolved line does.

    Parameters
    ----------
    flux, error : ndarray, (n_wavelength,)
    usable, asked : ndarray of bool, (n_wavelength,)
        What there is, and of it that for which it is to be told.

    Returns
    -------
    ndarray, (n_wavelength,)
        By how much; zero where it does not.

    Notes
    -----
    Sought beyond the widest polynomial that fits the wavelengths about each one, by which is known best what
    it should have; where none fits, beyond what two on either side predict.
    """
    if usable.sum() < len(KERNEL):
        return np.zeros_like(flux)
    filled = np.interp(np.arange(flux.size), np.flatnonzero(usable), flux[usable])
    narrow = predict_smooth(flux, usable)
    beyond = np.abs(filled - narrow.flux)
    # from the wavelengths two rows off, to which a line hardly reaches
    around = np.pad(filled, 2, mode="reflect", reflect_type="odd")
    height = np.abs(filled - 0.5 * (around[4:] + around[:-4]))
    # a spike draws the prediction of its neighbours along, and so does a line that of its wings
    highest = beyond == maximum_filter1d(beyond, len(KERNEL), mode="mirror")
    highest &= np.diff(around[1:-2]) * np.diff(around[2:-1]) < 0
    sharp = highest & (beyond > SHARP * height)
    telling = usable & ~(sharp & (beyond**2 > SPIKE**2 * narrow.variance))
    reach = len(KERNEL) // 2
    asked = asked & usable
    asked[: reach + 1] = asked[-reach - 1 :] = False  # the ends have no neighbours beyond them to tell
    well = predict_well(filled, error, telling, np.flatnonzero(asked), narrow)
    beyond = filled - well.flux
    rows = np.flatnonzero(asked & (beyond**2 > SPIKE**2 * well.variance))
    line, known = fits_as_a_line(filled, error, telling, rows)
    rows = rows[np.where(known, ~line, sharp[rows])]
    spikes = np.zeros_like(flux)
    spikes[rows] = beyond[rows]
    return spikes
