"""What an uncertain shape of the PSF adds to the errors of fluxes."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.companions import add_companion
from jdaviz_lrs.engine.refine.flux_variance import shape_variance
from jdaviz_lrs.engine.refine.geometry import spectrum_phase
from jdaviz_lrs.engine.refine.scene_model import linear_fit
from jdaviz_lrs.engine.refine.shape import fit_shape
from tests.gaussian_slit import COLUMNS, FLUX, observe, source_and_nod, weights_of

N_DRAW = 40


def test_errors_with_a_fitted_shape_are_the_scatter():
    """A source 4.5 px away, and wings that the PSF lacks: what is whose light is the shape's."""
    scene, flux = add_companion(source_and_nod(), 4.5), 0.1 * FLUX
    halo = 0.05 * np.stack([np.exp(-np.abs(COLUMNS - t[:, None]) / 4.0) / 8.0 for t in scene.traces])
    true = 0.95 * scene.profiles() + scene.signs[:, None, None] * halo
    clean = np.einsum("s,srx,r->rx", [1.0, 1.0, 0.5, 0.5], true, flux)
    mean, known, shared = [], [], []
    for seed in range(N_DRAW):
        frame = observe(scene, flux=0.0 * FLUX, seed=seed)
        data, weights = frame.data + clean, weights_of(frame)
        shaped = replace(scene, shape=fit_shape(scene, data, weights, spectrum_phase(frame.good)))
        fit = linear_fit(shaped.profiles(), shaped.basis, data, weights)
        variance = fit.covariance[:, fit.n_background, fit.n_background] / flux**2
        each = 1.0 / variance / (1.0 / variance).sum()
        mean.append(each @ (fit.flux[0] / flux))
        known.append(each**2 @ variance)
        # unlike the noise it is alike at neighbouring wavelengths: it does not average out
        shared.append((each @ np.sqrt(shape_variance(shaped, data, weights)[0] / flux**2)) ** 2)
    assert np.mean(shared) > 0.1 * np.mean(known)
    # a standard deviation from 40 draws is known to 1 / sqrt(80) = 11 %
    expected = np.sqrt(np.mean(known) + np.mean(shared))
    assert np.std(mean, ddof=1) / expected == pytest.approx(1.0, abs=3 * 0.11)


def test_without_a_shape_there_is_nothing_to_add():
    scene = source_and_nod()
    frame = observe(scene)
    assert not shape_variance(scene, frame.data, weights_of(frame)).any()
