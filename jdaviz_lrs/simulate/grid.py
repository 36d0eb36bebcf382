"""The pixels of a product: where each lies in the slit and in wavelength."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from gwcs import WCS
from numpy.typing import NDArray

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.simulate import wcs as geometry

__all__ = ["Grid", "Product", "make_grid"]

Product = Literal["s2d", "cal"]
DETECTOR_SHAPE = (1024, 1032)


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixels on which an exposure is simulated; rows run along dispersion."""

    product: Product
    """``"s2d"``: rectified, or ``"cal"``: the part of the detector that the slit covers."""
    wcs: WCS
    """From pixels of the whole array to right ascension, declination, wavelength."""
    wavelength: NDArray[np.float64]
    """um, shape (n_disp,)."""
    slit_position: NDArray[np.float64]
    """Distance of every pixel from the slit's reference point, px along the slit, (n_disp, n_xdisp)."""
    lit: NDArray[np.bool_]
    """Pixels that the detector saw, (n_disp, n_xdisp)."""
    phase: NDArray[np.float64]
    """How far columns lie beyond those of the detector between which the drizzle interpolates, px, (n_disp,).

    The pipeline puts its columns half a pixel off the detector's in the middle row, and so it is here,
    whatever `slit_position` makes of them: profiles are as wide as in its files.
    """
    corner: tuple[int, int]
    """(row, column) of the first pixel in the whole array."""
    shape: tuple[int, int]
    """Of the whole array."""

    def column(self, slit_position: NDArray) -> NDArray[np.float64]:
        """Column of the whole array, px, at a slit position in every row, shape (n_disp,)."""
        return self.corner[1] + slit_position - self.slit_position[:, 0]


def make_grid(product: Product, pointing: geometry.Pointing) -> Grid:
    """Make the pixels of a product.

    Parameters
    ----------
    product : {"s2d", "cal"}
        The rectified image, 387 x 46 px, or the detector, of which 387 x 44 px are lit.
    pointing : Pointing
        Sets the world coordinates.

    Returns
    -------
    Grid
        The same rows, wavelengths and pixel scale for both products.

    Raises
    ------
    LRSError
        If `product` is neither.
    """
    row = np.arange(geometry.FIRST_ROW, geometry.LAST_ROW + 1)
    first, last = np.array(geometry.BOUNDING_BOX[0])
    wavelength, middle = geometry.wavelength_at(row), geometry.slit_column(row)[:, None]
    if product == "cal":
        column = np.arange(np.ceil(first), np.ceil(last))
        lit = np.ones((row.size, column.size), bool)
        wcs, corner, shape = geometry.detector_wcs(pointing), (row[0], int(column[0])), DETECTOR_SHAPE
        phase = np.zeros(row.size)
        return Grid("cal", wcs, wavelength, column - middle, lit, phase, corner, shape)
    if product == "s2d":
        column = np.arange(geometry.RECTIFIED_COLUMNS)
        position = np.tile(column - geometry.RECTIFIED_CENTER, (row.size, 1))
        lit = (position + middle > first) & (position + middle < last)
        phase = (0.5 + middle[:, 0] - middle[row.size // 2, 0]) % 1
        wcs = geometry.rectified_wcs(pointing)
        return Grid("s2d", wcs, wavelength, position, lit, phase, (0, 0), lit.shape)
    raise LRSError(f"product is {product!r}; it must be 's2d' or 'cal'.")
