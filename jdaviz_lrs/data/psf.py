"""SpectralPSF: the cross-dispersion profile of a point source against wavelength."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from jdaviz_lrs.engine.apcorr import fractions_of_unit, of_unit_light
from jdaviz_lrs.engine.profile import NormalisedPSF, ProfileGrid, normalise, profile_grid

__all__ = ["SpectralPSF", "enclosed_fraction"]


@dataclass(frozen=True, eq=False)
class SpectralPSF:
    """Effective line profile of a point source: the light in a detector pixel against its distance.

    The samples are convolved with the pixel, so that the value at a pixel's centre is the light in
    that pixel; this is how the pipeline reads its PSF reference (``jwst.extract_1d.psf_profile``
    interpolates linearly at pixel centres and normalises each row).
    """

    data: NDArray[np.float64]
    """Profile, shape (n_wavelength, n_subpixel), in any normalisation."""
    wavelength: NDArray[np.float64]
    """Wavelength of each row, um, shape (n_wavelength,)."""
    subpix: float
    """Samples per detector pixel."""
    center_col: float
    """Column of the samples on which the source is centred, zero-indexed."""
    name: str
    """What the profile comes from: the name of a file or of a model."""
    drizzled: bool = False
    """Whether it is broadened already as the pixels of a rectified image are."""

    @cached_property
    def _normalised(self) -> NormalisedPSF:
        return normalise(self.data, self.wavelength, self.subpix, self.center_col, trimmed=True)

    @cached_property
    def _of_unit_light(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return of_unit_light(self.data, self.wavelength, self.subpix)

    def fractions(self, offsets: NDArray[np.float64], wavelength: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of a source's light in each pixel, (n_disp, n_xdisp); see `pixel_fractions`."""
        return fractions_of_unit(*self._of_unit_light, self.subpix, self.center_col, offsets, wavelength)

    def on(self, wavelength: NDArray[np.float64], columns: NDArray[np.float64]) -> ProfileGrid:
        """Make it ready for an image: wavelengths (n_disp, n_xdisp) in um, columns (n_xdisp,) in px.

        The last one is kept, as one image is extracted again and again.
        """
        kept = vars(self).get("_kept")
        if kept is None or kept[0] is not wavelength or not np.array_equal(kept[1].columns, columns):
            psf = self.data, self.wavelength, self.subpix, self.center_col
            grid = profile_grid(*psf, wavelength, columns, self._normalised)
            kept = vars(self)["_kept"] = wavelength, grid
        return kept[1]


def enclosed_fraction(
    psf: SpectralPSF, lower: ArrayLike, upper: ArrayLike, wavelength: ArrayLike
) -> NDArray[np.float64]:
    """Fraction of a source's light between two edges.

    The pixel-convolved profile summed at steps of one pixel is the light of the unconvolved profile:
    for edges that fall on pixel boundaries the result is exactly what these pixels hold.

    Parameters
    ----------
    psf : SpectralPSF
        The line profile.
    lower, upper : array_like
        Edges of the aperture, px from the source.
    wavelength : array_like
        Wavelengths, um; broadcast with the edges. NaN is returned outside the range of `psf`.

    Returns
    -------
    ndarray
        Light between the edges over all light of the profile, in the broadcast shape.
    """
    lower, upper, wavelength = np.broadcast_arrays(lower, upper, np.asarray(wavelength, float))
    n_pixel = int(np.ceil(psf.data.shape[1] / psf.subpix))
    order = np.argsort(psf.wavelength)
    row = np.interp(wavelength, psf.wavelength[order], np.arange(order.size), left=np.nan, right=np.nan)
    centers = -0.5 - np.arange(n_pixel)

    def light_below(edge: NDArray) -> NDArray:
        # no edge can be further out than the profile's own end
        offset = np.clip(edge, -n_pixel / 2, n_pixel / 2)[..., None] + centers
        column = psf.center_col + psf.subpix * offset
        rows = np.broadcast_to(row[..., None], column.shape)
        return map_coordinates(psf.data[order], [np.nan_to_num(rows), column], order=1).sum(axis=-1)

    total = light_below(np.full(wavelength.shape, np.inf))
    fraction = (light_below(upper) - light_below(lower)) / total
    return np.where(np.isfinite(row), fraction, np.nan)
