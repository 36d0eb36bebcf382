"""Where an aperture begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ApertureLimits"]


@dataclass(frozen=True)
class ApertureLimits:
    """The extent of an aperture in pixels of the image: zero-indexed, both ends included.

    Attributes
    ----------
    xdisp_start, xdisp_stop : float
        Across the dispersion; means over wavelength where the edges are curved.
    disp_start, disp_stop : int
        Along the dispersion: first and last row with any weight.
    """

    xdisp_start: float
    xdisp_stop: float
    disp_start: int
    disp_stop: int
