"""What is observed, and how: every setting of a simulated observation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.errors import LRSError

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """A point source in the LRS slit, nodded along it, seen by a MIRI-like detector.

    The brightness of sky and source and the noise are round numbers typical of a 330 s exposure.

    Raises
    ------
    LRSError
        If a count, width, or noise level is negative, or a number is not finite.
    """

    seed: int = 1
    """Of every random number: noise, bad pixels, cosmic rays."""

    brightness: float = 5e-4
    """Flux density of the source's continuum at 10 um, Jy."""
    slope: float = -1.0
    """Power of wavelength with which the continuum goes."""
    feature: float = 0.3
    """Depth of the broad absorption at 9.7 um (negative: emission), as a fraction of the continuum."""
    lines: float = 0.5
    """Height of the emission lines at 6.2, 8.6, 11.3 and 12.8 um, as a fraction of the continuum."""

    nod_offset: float = 0.925
    """Ideal X of the source in nod 1, arcsec; nod 2 is at its negative."""
    nod_subtracted: bool = True
    """Whether the other nod's exposure is subtracted."""
    trace_shift: float = 0.0
    """Of the source from where its coordinates place it, px."""
    trace_bend: float = 0.0
    """Further shift, px, at both ends of the spectrum relative to its middle; quadratic in the row."""

    psf_stretch: float = 1.0
    """Width of the PSF relative to the reference; 1.15 is 15 % wider."""
    psf_skew: float = 0.0
    """Asymmetry of the PSF, px^3 (see `jdaviz_lrs.simulate.psf.effective_profile`); 0.02 is mild.

    Skew and halo are what no fit of a shift and a width can take up: with a skew of 0.02 and a halo of
    0.01 optimal extraction with the reference PSF stays 0.1-0.3 % low after such a fit.
    """
    psf_halo: float = 0.0
    """Fraction of the light at 5 um in exponential wings that the reference does not have."""

    companion_offset: float = 7.0
    """Distance of the second source from the first, px."""
    companion_ratio: float = 0.0
    """Flux of the second source relative to the first; 0 for none."""

    background: float = 1.0
    """Level of the sky relative to the usual one (20 MJy/sr at 10 um, 220 at 14)."""
    background_gradient: float = 0.1
    """Relative change of the sky from the middle of the slit to its end."""

    noise: bool = True
    """Whether noise is drawn; the variances are those of the noise in any case."""
    noise_scale: float = 1.0
    """Factor on every standard deviation."""
    noisy_variance: bool = False
    """Whether VAR_POISSON and VAR_FLAT follow the noisy pixels, as in real data, or the noise-free."""
    fixed_flat: bool = False
    """Whether the flat field's error is the same in all exposures, as on one detector, or drawn for each."""
    cosmic_rays: int = 0
    """Number of pixels hit and not flagged."""
    bad_pixels: int = 0
    """Number of pixels without a value, flagged in DQ."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not math.isfinite(value):
                raise LRSError(f"{name} is {value}; a finite number is needed.")
        for name in ("cosmic_rays", "bad_pixels", "seed"):
            if getattr(self, name) < 0 or getattr(self, name) != int(getattr(self, name)):
                raise LRSError(f"{name} is {getattr(self, name)}; zero or a positive whole number is needed.")
        for name in ("background", "noise_scale", "psf_halo"):
            if getattr(self, name) < 0:
                raise LRSError(f"{name} is {getattr(self, name)}; it cannot be negative.")
        if self.psf_stretch <= 0:
            raise LRSError(f"psf_stretch is {self.psf_stretch}; a positive factor is needed.")
        if not 0.3 <= abs(self.nod_offset) <= 2.2:
            raise LRSError(f"nod_offset is {self.nod_offset} arcsec; both nods fit the slit at 0.3 to 2.2.")

    def flux(self, wavelength: ArrayLike) -> NDArray[np.float64]:
        """Flux density of the source, Jy, at `wavelength`, um: a power law, a broad dip, four lines."""
        wavelength = np.asarray(wavelength, float)
        continuum = self.brightness * (wavelength / 10.0) ** self.slope
        dip = 1 - self.feature * np.exp(-0.5 * ((wavelength - 9.7) / 0.9) ** 2)
        centers = np.array([6.2, 8.6, 11.3, 12.8])
        lines = np.exp(-0.5 * ((wavelength[..., None] - centers) / 0.1) ** 2).sum(axis=-1)
        return continuum * (dip + self.lines * lines)

    def sky(self, wavelength: ArrayLike, slit_position: ArrayLike) -> NDArray[np.float64]:
        """Surface brightness of the sky, MJy/sr.

        Parameters
        ----------
        wavelength : array_like
            um.
        slit_position : array_like
            Distance from the middle of the slit over half its length.
        """
        level = 9.0 + 211.0 * np.exp((np.asarray(wavelength, float) - 14.0) / 1.35)
        return self.background * level * (1 + self.background_gradient * np.asarray(slit_position))
