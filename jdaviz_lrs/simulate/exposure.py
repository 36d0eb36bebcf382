"""An exposure with a known truth, in memory."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.simulate import render
from jdaviz_lrs.simulate.grid import Grid, Product, make_grid
from jdaviz_lrs.simulate.scene import Scene
from jdaviz_lrs.simulate.wcs import Pointing

__all__ = ["SimulatedExposure", "Truth", "simulate", "simulate_nods"]


@dataclass(frozen=True, eq=False)
class Truth:
    """What a perfect extraction would find."""

    wavelength: NDArray[np.float64]
    """um, shape (n_disp,)."""
    flux: NDArray[np.float64]
    """Flux density of the source, Jy, shape (n_disp,)."""
    trace: NDArray[np.float64]
    """Column of the source in the whole array, px, zero-indexed, shape (n_disp,)."""
    background: NDArray[np.float64]
    """Sky in the image, MJy/sr, (n_disp, n_xdisp): zero where the other nod is subtracted."""


@dataclass(frozen=True, eq=False)
class SimulatedExposure:
    """One exposure on its grid; images have the shape (n_disp, n_xdisp) and rows along dispersion."""

    scene: Scene
    """The settings."""
    nod: int
    """1 or 2."""
    pointing: Pointing
    """Of this nod."""
    grid: Grid
    """Its pixels."""
    truth: Truth
    """What was put in."""
    signal: NDArray[np.float64]
    """Noise-free exposures, MJy/sr, (n_exposure, n_disp, n_xdisp): this nod, then the one subtracted."""
    data: NDArray[np.float64]
    """The image, MJy/sr; NaN where unlit or bad."""
    var_poisson: NDArray[np.float64]
    """Variance of the photon noise, (MJy/sr)^2."""
    var_rnoise: NDArray[np.float64]
    """Variance of the read noise, (MJy/sr)^2."""
    var_flat: NDArray[np.float64]
    """Variance of the flat field's error, (MJy/sr)^2."""
    hit: NDArray[np.bool_]
    """Pixels with an unflagged cosmic ray."""

    @property
    def err(self) -> NDArray[np.float64]:
        """Standard deviation, MJy/sr."""
        return np.sqrt(self.var_poisson + self.var_rnoise + self.var_flat)

    @property
    def dq(self) -> NDArray[np.uint32]:
        """Data quality: DO_NOT_USE where there is no value."""
        return np.where(np.isfinite(self.data), 0, DO_NOT_USE).astype(np.uint32)

    def noisy(self, seed: int) -> "SimulatedExposure":
        """Return the same exposure with another draw of the noise and of the cosmic rays.

        Parameters
        ----------
        seed : int
            Of this draw; the bad pixels stay those of the scene.

        Returns
        -------
        SimulatedExposure
            A copy that shares grid, truth and noise-free signal.
        """
        draw = np.random.default_rng([seed, self.nod, self.grid.product == "cal"])
        seen = self.signal
        if self.scene.noise:
            each = render.variances(self.signal, self.scene)
            sigma = np.sqrt(sum(each[:2] if self.scene.fixed_flat else each))
            seen = seen + sigma * draw.standard_normal(seen.shape)
            if self.scene.fixed_flat:
                pattern = np.random.default_rng([self.scene.seed, 98]).standard_normal(seen.shape[1:])
                seen = seen + np.sqrt(each[2]) * pattern
        known = seen if self.scene.noisy_variance else self.signal
        variances = [v.sum(axis=0) for v in render.variances(known, self.scene)]
        if self.scene.fixed_flat:  # that of the exposure subtracted is the same, and goes with it
            variances[2] = render.variances(known[0] - known[1:].sum(axis=0), self.scene)[2]
        rays = render.cosmic_rays(self.scene.cosmic_rays, self.grid.lit, draw)
        data = seen[0] - seen[1:].sum(axis=0) + rays
        # a stream of their own, so that the bad pixels do not depend on the draw
        fixed = np.random.default_rng([self.scene.seed, 99])
        dead = ~self.grid.lit | render.some_pixels(self.scene.bad_pixels, self.grid.lit, fixed)
        planes = [np.where(dead, np.nan, plane) for plane in (data, *variances)]
        names = ("data", "var_poisson", "var_rnoise", "var_flat")
        return replace(self, **dict(zip(names, planes, strict=True)), hit=(rays > 0) & ~dead)


def simulate(scene: Scene | None = None, product: Product = "s2d", nod: int = 1) -> SimulatedExposure:
    """Simulate one exposure of a scene.

    Both products show the same sky through the same slit with the same rows and truth. The s2d is
    simulated on its own rectified pixels, with profiles as the pipeline's drizzle has them, interpolated
    between the detector's columns, but with noise that is independent from pixel to pixel. The flux density
    in Jy is the sum over a row in MJy/sr times PIXAR_SR times 1e6. The profile ends 13 px from the source;
    what falls off the detector at the second nod (12 px from the edge in the reddest rows) is less than 1e-4
    of the light.

    Parameters
    ----------
    scene : Scene, optional
        The settings; by default those of `Scene`.
    product : {"s2d", "cal"}
        The rectified image or the detector.
    nod : {1, 2}
        Which of the two exposures.

    Returns
    -------
    SimulatedExposure
        With the noise of the scene's seed; `SimulatedExposure.noisy` draws again.

    Raises
    ------
    LRSError
        If `product` or `nod` is not one of these.
    """
    scene = scene or Scene()
    if nod not in (1, 2):
        raise LRSError(f"nod is {nod}; it must be 1 or 2.")
    nods = (nod, 3 - nod) if scene.nod_subtracted else (nod,)
    pointings = [Pointing(scene.nod_offset if n == 1 else -scene.nod_offset) for n in nods]
    grid = make_grid(product, pointings[0])
    signal = np.stack([render.exposure(scene, grid, pointing) for pointing in pointings])
    sky = render.sky(scene, grid)
    truth = Truth(
        wavelength=grid.wavelength,
        flux=scene.flux(grid.wavelength),
        trace=grid.column(render.source_position(scene, grid, pointings[0])),
        background=np.zeros_like(sky) if scene.nod_subtracted else sky,
    )
    blank = np.full(sky.shape, np.nan)
    nothing = (blank, blank, blank, blank, np.zeros(sky.shape, bool))
    return SimulatedExposure(scene, nod, pointings[0], grid, truth, signal, *nothing).noisy(scene.seed)


def simulate_nods(scene: Scene, number: int, product: Product = "cal") -> list[SimulatedExposure]:
    """Simulate several exposures of a scene, at its two nods by turns, each with noise of its own.

    Parameters
    ----------
    scene : Scene
        With `Scene.fixed_flat` those at one nod share the error of the flat field.
    number : int
    product : {"s2d", "cal"}

    Returns
    -------
    list of SimulatedExposure
    """
    both = [simulate(scene, product, nod) for nod in (1, 2)[:number]]
    return [both[place % 2].noisy(scene.seed + 1000 * (place // 2)) for place in range(number)]
