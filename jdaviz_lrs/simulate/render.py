"""From a scene to surface brightness on the pixels, and the noise that goes with it."""

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.simulate.grid import Grid
from jdaviz_lrs.simulate.psf import effective_profile
from jdaviz_lrs.simulate.scene import Scene
from jdaviz_lrs.simulate.wcs import SCALE, SLIT_IDEAL, Pointing

__all__ = ["cosmic_rays", "exposure", "sky", "some_pixels", "source_position", "variances"]

PIXAR_SR, PIXAR_A2 = 2.8606325654256e-13, 0.012170609965075093
"""Area of a pixel, steradian and square arcsec, as the pipeline's headers have it."""

PHOTON_VARIANCE, READ_SIGMA, FLAT_ERROR = 0.05, 0.6, 0.002
"""Variance per signal, MJy/sr; MJy/sr; fraction of the signal: typical of a 330 s exposure."""

SLIT_HALF_LENGTH_PX = 21.5


def source_position(scene: Scene, grid: Grid, pointing: Pointing) -> NDArray[np.float64]:
    """Slit position of the source in every row, px, shape (n_disp,): the header's, shifted and bent."""
    along_spectrum = np.linspace(-1, 1, grid.wavelength.size)
    nominal = (pointing.x_offset - SLIT_IDEAL[0]) / SCALE
    return nominal + scene.trace_shift + scene.trace_bend * along_spectrum**2


def exposure(scene: Scene, grid: Grid, pointing: Pointing) -> NDArray[np.float64]:
    """Noise-free surface brightness of sources and sky, MJy/sr, (n_disp, n_xdisp), pixel-integrated."""
    offset = grid.slit_position - source_position(scene, grid, pointing)[:, None]
    light = _profile(scene, grid, offset)
    if scene.companion_ratio:
        light = light + scene.companion_ratio * _profile(scene, grid, offset - scene.companion_offset)
    return light * scene.flux(grid.wavelength)[:, None] / (PIXAR_SR * 1e6) + sky(scene, grid)


def sky(scene: Scene, grid: Grid) -> NDArray[np.float64]:
    """Surface brightness of the sky, MJy/sr, (n_disp, n_xdisp)."""
    return scene.sky(grid.wavelength[:, None], grid.slit_position / SLIT_HALF_LENGTH_PX)


def variances(signal: NDArray, scene: Scene) -> tuple[NDArray, NDArray, NDArray]:
    """Variances of photon noise, read noise and flat field, (MJy/sr)^2, in the shape of `signal`."""
    scale = scene.noise_scale**2
    poisson = PHOTON_VARIANCE * np.maximum(signal, 0)
    return scale * poisson, np.full_like(signal, scale * READ_SIGMA**2), scale * (FLAT_ERROR * signal) ** 2


def some_pixels(count: int, lit: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.bool_]:
    """Choose `count` of the lit pixels at random; a boolean image."""
    chosen = np.zeros(lit.shape, bool)
    chosen.flat[draw.choice(np.flatnonzero(lit), min(count, lit.sum()), replace=False)] = True
    return chosen


def cosmic_rays(count: int, lit: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.float64]:
    """Image of `count` single-pixel hits, 30 to 1000 MJy/sr, evenly spread in the logarithm."""
    height = 10 ** draw.uniform(1.5, 3.0, lit.shape)
    return np.where(some_pixels(count, lit, draw), height, 0.0)


def _profile(scene: Scene, grid: Grid, offset: NDArray) -> NDArray[np.float64]:
    """Light on the pixels: of the detector or, as its drizzle has it, interpolated between its columns."""

    def seen(offset: NDArray) -> NDArray[np.float64]:
        return effective_profile(
            offset, grid.wavelength, stretch=scene.psf_stretch, skew=scene.psf_skew, halo=scene.psf_halo
        )

    phase = grid.phase[:, None]
    if not phase.any():
        return seen(offset)
    return (1.0 - phase) * seen(offset - phase) + phase * seen(offset + 1.0 - phase)
