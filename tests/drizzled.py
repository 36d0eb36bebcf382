"""What the drizzle does to the simulated profile: interpolate between the detector's columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.simulate import SimulatedExposure
from jdaviz_lrs.simulate.psf import effective_profile


def light_kept(seen: SimulatedExposure, width: int) -> NDArray[np.float64]:
    """Light in an aperture of so many whole pixels over that on the detector, (n_disp,)."""
    pixels = np.arange(width) - (width - 1) / 2
    phase = seen.grid.phase[:, None]

    def inside(shift: NDArray[np.float64]) -> NDArray[np.float64]:
        return effective_profile(pixels - shift, seen.grid.wavelength).sum(axis=1)

    interpolated = (1.0 - phase[:, 0]) * inside(phase) + phase[:, 0] * inside(phase - 1.0)
    return interpolated / inside(np.zeros_like(phase))
