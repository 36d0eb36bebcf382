"""Several measurements of one known spectrum."""

import numpy as np

from jdaviz_lrs.simulate import Scene
from jdaviz_lrs.simulate.wcs import wavelength_at

TRUTH = Scene().flux(wavelength_at(np.arange(7, 394)))


def measured(number, relative=0.007, seed=1, hit=0.0):
    """Fluxes and variances, (number, n_wavelength), and which of them are hit, 3 to 100 errors high."""
    draw = np.random.default_rng(seed)
    sigma = np.broadcast_to(relative * TRUTH, (number, TRUTH.size))
    hits = draw.random(sigma.shape) < hit
    height = 10 ** draw.uniform(0.5, 2.0, sigma.shape)
    flux = TRUTH + sigma * (draw.standard_normal(sigma.shape) + hits * height)
    return flux, sigma**2, hits
