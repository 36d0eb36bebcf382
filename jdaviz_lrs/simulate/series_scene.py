"""What happens in a simulated time series: the star, its transit, and what the telescope does meanwhile."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.errors import LRSError

__all__ = ["SeriesScene"]

FEATURE_UM, FEATURE_WIDTH_UM = 9.0, 1.0
"""Centre and sigma of the feature in the transmission spectrum."""


@dataclass(frozen=True)
class SeriesScene:
    """A transit in front of a bright star, seen without the slit.

    Times are in units of the length of the series, from 0 to 1.

    Raises
    ------
    LRSError
        If a count or a length is not positive, or a number is not finite.
    """

    seed: int = 1
    """Of every random number."""
    integrations: int = 200
    """In all segments together."""
    segments: int = 2
    """Files that they are divided among."""

    brightness: float = 0.05
    """Flux density of the star at 10 um, Jy."""
    slope: float = -1.0
    """Power of wavelength with which it goes."""
    background: float = 1.0
    """Level of the sky relative to the usual one."""

    depth: float = 0.005
    """Of the transit, as a share of the light, away from the feature."""
    feature: float = 0.2
    """By how much it is deeper in the middle of the feature at 9 um, as a share of the depth."""
    middle: float = 0.5
    """Time of the middle of the transit."""
    duration: float = 0.4
    """Of the transit, from half to half."""
    ingress: float = 0.04
    """Time that the planet takes to be wholly in front; the same at its end."""

    ramp: float = 0.002
    """By how much the detector shows more light at the beginning, as a share of it."""
    ramp_time: float = 0.08
    """In which that falls to 1/e."""
    drift: float = 0.03
    """By how far the star moves along the slit from beginning to end, px."""
    jitter: float = 0.004
    """Standard deviation of its place about that, px."""
    breathing: float = 0.004
    """Amplitude with which the width of the PSF goes up and down, once in the series."""

    noise: bool = True
    """Whether noise is drawn; the variances are those of the noise in any case."""
    cosmic_rays: int = 10
    """Pixels hit in every integration and not flagged."""
    bad_pixels: int = 20
    """Pixels without a value, flagged in DQ, the same in all integrations."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not math.isfinite(value):
                raise LRSError(f"{name} is {value}; a finite number is needed.")
        for name in ("integrations", "segments"):
            if getattr(self, name) < 1 or getattr(self, name) != int(getattr(self, name)):
                raise LRSError(f"{name} is {getattr(self, name)}; a positive whole number is needed.")
        for name in ("seed", "cosmic_rays", "bad_pixels"):
            if getattr(self, name) < 0 or getattr(self, name) != int(getattr(self, name)):
                raise LRSError(f"{name} is {getattr(self, name)}; zero or a positive whole number is needed.")
        for name in ("brightness", "duration", "ingress", "ramp_time"):
            if getattr(self, name) <= 0:
                raise LRSError(f"{name} is {getattr(self, name)}; a positive number is needed.")
        if self.background < 0:
            raise LRSError(f"background is {self.background}; it cannot be negative.")
        if self.segments > self.integrations:
            raise LRSError(f"segments is {self.segments}; there are only {self.integrations} integrations.")

    @property
    def time(self) -> NDArray[np.float64]:
        """Middle of every integration, (n_int,)."""
        return (np.arange(self.integrations) + 0.5) / self.integrations

    def flux(self, wavelength: ArrayLike) -> NDArray[np.float64]:
        """Flux density of the star out of transit, Jy, at `wavelength`, um."""
        return self.brightness * (np.asarray(wavelength, float) / 10.0) ** self.slope

    def transit_depth(self, wavelength: ArrayLike) -> NDArray[np.float64]:
        """Share of the light that the planet takes, at `wavelength`, um: the transmission spectrum."""
        off = (np.asarray(wavelength, float) - FEATURE_UM) / FEATURE_WIDTH_UM
        return self.depth * (1 + self.feature * np.exp(-0.5 * off**2))

    def covered(self) -> NDArray[np.float64]:
        """Share of the planet in front of the star, (n_int,): a trapezoid, as of a star without a limb."""
        from_middle = np.abs(self.time - self.middle)
        return np.clip((self.duration / 2 - from_middle) / self.ingress + 0.5, 0.0, 1.0)

    def level(self) -> NDArray[np.float64]:
        """Factor that the detector puts on the light, (n_int,)."""
        return 1 + self.ramp * np.exp(-self.time / self.ramp_time)

    def shift(self) -> NDArray[np.float64]:
        """Place of the star along the slit, px from the mean, (n_int,)."""
        draw = np.random.default_rng([self.seed, 1])
        return self.drift * (self.time - 0.5) + self.jitter * draw.standard_normal(self.integrations)

    def width(self) -> NDArray[np.float64]:
        """Width of the PSF in units of the usual one, less one, (n_int,)."""
        return self.breathing * np.sin(2 * np.pi * self.time)
