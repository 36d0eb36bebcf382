"""The order of wavelengths in a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["in_order"]


def in_order(wavelength: ArrayLike) -> bool:
    """Whether wavelengths, (n_wavelength,), are finite and rise or fall throughout."""
    steps = np.diff(wavelength)
    return bool(np.isfinite(wavelength).all() and ((steps > 0).all() or (steps < 0).all()))
