"""What the numbers of a reference file must be, whichever kind it is."""

import numpy as np
from numpy.typing import ArrayLike

from jdaviz_lrs.errors import LRSError

__all__ = ["demand", "demand_wavelengths"]

RANGE_UM = (3.0, 15.0)
"""A file for the instrument has some wavelengths between these."""


def demand(sound: bool | np.bool_, what: str, problem: str, kind: str) -> None:
    """Refuse a file unless it is sound.

    Parameters
    ----------
    sound : bool
    what : str
        The file, and which kind of reference it is.
    problem : str
        What is wrong with which plane or column.
    kind : str
        ``apcorr`` or ``psf``, for the parameter that takes another file.

    Raises
    ------
    LRSError
        If it is not.
    """
    if not sound:
        raise LRSError(f"{what}: {problem}; correct the file, or give another one with override_{kind}.")


def demand_wavelengths(wavelength: ArrayLike, what: str, plane: str, kind: str) -> None:
    """Refuse wavelengths, (n_row,), not in um, not finite, or that neither rise nor fall throughout."""
    wavelength = np.asarray(wavelength, float)
    demand(np.isfinite(wavelength).all(), what, f"not all of its {plane} is finite", kind)
    steps = np.diff(wavelength)
    demand(
        (steps > 0).all() or (steps < 0).all(),
        what,
        f"its {plane} is not in order, or some are repeated",
        kind,
    )
    least, most = wavelength.min(), wavelength.max()
    demand(
        least < RANGE_UM[1] and most > RANGE_UM[0],
        what,
        f"its {plane} runs from {least:.4g} to {most:.4g}, in micron none of it between "
        f"{RANGE_UM[0]:g} and {RANGE_UM[1]:g}",
        kind,
    )
