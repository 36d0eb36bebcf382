"""How a SpectralImage is shown: slit upwards, wavelength increasing to the right.

The only place that knows which viewer pixel is which image pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.nddata import StdDevUncertainty
from numpy.typing import ArrayLike, NDArray
from specutils import Spectrum

from jdaviz_lrs.data.image import SpectralImage

__all__ = ["Display", "in_order"]


def in_order(spectrum: Spectrum) -> Spectrum:
    """Return a 1-D spectrum with its wavelengths rising, as those of the image are shown."""
    order = np.argsort(spectrum.spectral_axis, kind="stable")
    if (np.diff(order) == 1).all():
        return spectrum
    planes = {name: getattr(spectrum, name) for name in ("uncertainty", "mask")}
    return Spectrum(
        spectral_axis=spectrum.spectral_axis[order],
        flux=spectrum.flux[order],
        meta=spectrum.meta,
        **{name: plane[order] for name, plane in planes.items() if plane is not None},
    )


@dataclass(frozen=True, eq=False)
class Display:
    """The shown part of an image and the way there and back.

    Attributes
    ----------
    image : SpectralImage
    rows : ndarray of int, (n_shown,)
        The image row of each viewer column: those with a wavelength, in order of increasing wavelength.
    """

    image: SpectralImage
    rows: NDArray[np.intp]

    @classmethod
    def of(cls, image: SpectralImage) -> Display:
        """Choose the rows to show; a row without a wavelength has no place on the axis."""
        wavelength = image.row_wavelength
        rows = np.flatnonzero(np.isfinite(wavelength))
        return cls(image, rows[np.argsort(wavelength[rows], kind="stable")])

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """Wavelength of every viewer column, in micron."""
        return self.image.row_wavelength[self.rows]

    def plane(self, values: NDArray) -> NDArray:
        """Turn a plane (n_disp, n_xdisp) of the image into the viewer's (n_xdisp, n_shown)."""
        return np.ascontiguousarray(values[self.rows].T)

    def y(self, xdisp: ArrayLike) -> NDArray[np.float64]:
        """Viewer y of columns of the file."""
        return np.asarray(xdisp, float) - self.image.origin[1]

    def xdisp(self, y: ArrayLike) -> NDArray[np.float64]:
        """Columns of the file at viewer y."""
        return np.asarray(y, float) + self.image.origin[1]

    def spectrum(self, values: NDArray | None = None, unit: str | None = None) -> Spectrum:
        """Return the image, or another plane of its shape, as jdaviz shows it.

        Parameters
        ----------
        values : ndarray, (n_disp, n_xdisp), optional
            What to show in place of the data; without uncertainty and mask then.
        unit : str, optional
            Unit of the values, if not the image's.
        """
        image = self.image
        own = values is None
        shown = self.plane(image.data if own else values)
        extra = {}
        if own:
            if image.has_variances:
                error = np.sqrt(self.plane(image.variance))
                extra["uncertainty"] = StdDevUncertainty(error, unit=u.Unit(image.unit))
            extra["mask"] = self.plane(~image.good)
        return Spectrum(
            flux=u.Quantity(shown, u.Unit(image.unit if unit is None else unit)),
            spectral_axis=self.wavelength * u.micron,
            spectral_axis_index=1,
            **extra,
        )
