"""StarModel: what a star's spectrum is, from whatever it was given as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import constants
from numpy.typing import NDArray

from jdaviz_lrs.errors import LRSError

__all__ = ["StarModel", "engelke", "hydrogen_lines", "rayleigh_jeans"]

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StarModel:
    """A model of a star.

    Attributes
    ----------
    name : str
        Of the file, or what it is.
    wavelength : ndarray, (n_model,)
        Micron in vacuum, rising.
    flux : ndarray, (n_model,)
        Jy.
    error : ndarray or None, (n_model,)
        Jy: by how much the model as a whole may be off.
    stand_in : bool
        Whether it is no model of this star, but a smooth curve for a first look.
    inputs : tuple of str
        Files that it was read from.
    """

    name: str
    wavelength: Column
    flux: Column
    error: Column | None = None
    stand_in: bool = False
    inputs: tuple[str, ...] = ()


#: Micron: of the curves that are computed.
COMPUTED = np.geomspace(2.0, 20.0, 2000)


def rayleigh_jeans(flux: float, at: float = 10.0) -> StarModel:
    """Return a stand-in for a hot star: flux density falling as the square of the wavelength.

    Parameters
    ----------
    flux : float
        Jy, at the wavelength `at`.
    at : float
        Micron.

    Raises
    ------
    LRSError
        Unless both are positive.
    """
    return _scaled(COMPUTED**-2.0, flux, at, "Rayleigh-Jeans law", lambda w: w**-2.0)


def engelke(temperature: float, flux: float, at: float = 10.0) -> StarModel:
    """Return a stand-in for a cool giant: the function of Engelke (1992, AJ 104, 1248).

    Parameters
    ----------
    temperature : float
        Effective, in kelvin.
    flux : float
        Jy, at the wavelength `at`.
    at : float
        Micron.

    Raises
    ------
    LRSError
        Unless all are positive.
    """
    if not temperature > 0:
        raise LRSError(f"temperature = {temperature:g} K is not positive; give the star's in kelvin.")

    def planck(wavelength: Column) -> Column:
        brightness = 0.738 * temperature * (1.0 + 79450.0 / (wavelength * temperature)) ** 0.182
        exponent = (constants.h * constants.c / constants.k_B).to_value("um K") / (wavelength * brightness)
        return 1.0 / (wavelength**3 * np.expm1(exponent))

    return _scaled(planck(COMPUTED), flux, at, f"Engelke function of {temperature:g} K", planck)


def _scaled(shape: Column, flux: float, at: float, what: str, curve) -> StarModel:
    if not flux > 0 or not COMPUTED[0] <= at <= COMPUTED[-1]:
        raise LRSError(
            f"{what}: {flux:g} Jy at {at:g} um cannot be; give a positive flux between 2 and 20 um."
        )
    name = f"stand-in: {what}, {flux:g} Jy at {at:g} um"
    return StarModel(name, COMPUTED, shape * (flux / float(curve(np.float64(at)))), stand_in=True)


def hydrogen_lines(first: float, last: float) -> Column:
    """Wavelengths (micron, vacuum) of hydrogen's lines between two, the three strongest of a series.

    Returns
    -------
    ndarray, (n_line,)
    """
    lower = np.arange(3, 10)[:, None]
    upper = lower + np.arange(1, 4)
    reduced = 1.0 / (1.0 + (constants.m_e / constants.m_p).value)
    rydberg = constants.Ryd.to_value("um-1") * reduced
    lines = np.sort((1.0 / (rydberg * (lower**-2.0 - upper**-2.0))).ravel())
    return lines[(lines >= first) & (lines <= last)]
