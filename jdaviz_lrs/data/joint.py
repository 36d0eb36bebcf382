"""JointSpectrum: one spectrum fitted to the pixels of several images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.spectrum import ExtractedSpectrum

__all__ = ["JointSpectrum"]


@dataclass(frozen=True, eq=False, repr=False)
class JointSpectrum(ExtractedSpectrum):
    """An extracted spectrum, and what each image has to say of it.

    Rows, limits, trace and header are those of the first image.

    Attributes
    ----------
    parts : tuple of ExtractedSpectrum
        One per image: the flux of its pixels alone, under the joint choice of outliers, with images of what
        was fitted jointly and what that leaves, traces, and a verdict.
    chi_square : ndarray or None, (n_wavelength,)
        Of the images' own fluxes about the joint one, by photon and read noise.
    n_input : ndarray or None, (n_wavelength,)
        Number of images that tell of a wavelength.
    """

    parts: tuple[ExtractedSpectrum, ...] = ()
    chi_square: NDArray[np.float64] | None = None
    n_input: NDArray[np.intp] | None = None

    @property
    def chi_square_per_freedom(self) -> float:
        """Chi-square of all images over its degrees of freedom: one where the errors hold."""
        freedom = np.maximum(self.n_input - 1, 0).sum()
        return float(np.nansum(self.chi_square) / freedom) if freedom > 0 else float("nan")

    def __repr__(self) -> str:
        low, high = np.nanmin(self.wavelength), np.nanmax(self.wavelength)
        return (
            f"<JointSpectrum: {len(self.parts)} images, {self.wavelength.size} wavelengths, "
            f"{low:.2f} to {high:.2f} um>"
        )
