"""A slit on plain arrays: Gaussian profiles, flat noise, and everything about them known."""

from functools import cache

import numpy as np

from jdaviz_lrs.engine.profile import profile_grid
from jdaviz_lrs.engine.refine.judging import Setting
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel

N_DISP, N_XDISP = 200, 44
COLUMNS = np.arange(N_XDISP, dtype=float)
COORDINATE = np.linspace(-1.0, 1.0, N_XDISP)
ROW = np.linspace(-1.0, 1.0, N_DISP)
FLUX = 1000.0 * (1.2 + np.sin(3.0 * ROW))
SIGMA = 2.0
SUBPIX, HALF = 10.0, 15
OFFSET = np.arange(-HALF * SUBPIX, HALF * SUBPIX + 1) / SUBPIX
PSF_WAVELENGTH = np.linspace(4.0, 15.0, 30)
WIDTH = np.linspace(1.2, 1.7, 30)[:, None]

BANDS = tuple((first <= ROW) & (last >= ROW) for first, last in ((-1, -1 / 3), (-1 / 3, 1 / 3), (1 / 3, 1)))
"""Rows that are judged together."""


def gaussian(distance, width):
    return np.exp(-0.5 * (distance / width) ** 2) / (width * np.sqrt(2 * np.pi))


@cache
def gaussian_grid():
    wavelength = np.broadcast_to(np.linspace(14.0, 5.0, N_DISP)[:, None], (N_DISP, N_XDISP))
    psf = gaussian(OFFSET, WIDTH)
    return profile_grid(psf, PSF_WAVELENGTH, SUBPIX, HALF * SUBPIX, wavelength, COLUMNS)


@cache
def source_and_nod():
    """A source and a subtracted nod."""
    traces = np.stack([29.3 + 0.8 * ROW, 11.6 + 0.8 * ROW])
    signs, stretch = np.array([1.0, -1.0]), np.ones(N_DISP)
    return SceneModel(gaussian_grid(), traces, signs, np.arange(2), stretch, COORDINATE, order=-1)


def observe(scene, flux=FLUX, seed=1, sigma=SIGMA, extra=0.0):
    rng = np.random.default_rng(seed)
    clean = np.einsum("srx,r->rx", scene.profiles(), flux) + extra
    variances = np.stack([np.full_like(clean, 0.5 * sigma**2)] * 2 + [np.zeros_like(clean)])
    data = clean + sigma * rng.standard_normal(clean.shape)
    return Frame(data, variances, np.ones(clean.shape, bool), 5.0)


def weights_of(frame):
    return frame.good / frame.variances.sum(axis=0)


def setting_of(frame, tabulated=None):
    """Judge a frame in three bands, with nothing known beforehand."""
    return Setting(frame, sources=(), starts=(), tabulated=tabulated, bands=BANDS)
