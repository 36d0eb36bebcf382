import numpy as np
import pytest

from jdaviz_lrs.engine.aperture import pixel_weights
from jdaviz_lrs.engine.background import Background, fit_background
from jdaviz_lrs.engine.box import box_model, box_sums

SHAPE = (20, 15)


@pytest.fixture
def draw():
    return np.random.default_rng(4)


def variances_of(draw, shape=SHAPE):
    return draw.uniform(0.5, 2.0, (3, *shape))


def test_constant_image_gives_the_width(draw):
    edges = np.array([[[3.2], [9.75]]])[..., None] * np.ones((1, 1, SHAPE[0], 1))
    weights = pixel_weights(edges, np.arange(15.0))
    sums = box_sums(np.full(SHAPE, 4.0), variances_of(draw), weights)
    np.testing.assert_allclose(sums.flux, 4.0 * 6.55, rtol=1e-14)
    np.testing.assert_allclose(sums.npixels, 6.55, rtol=1e-14)
    assert not sums.background.any()
    assert not sums.background_variances.any()


def test_sums_against_loops(draw):
    data, variances, weights = draw.normal(size=SHAPE), variances_of(draw), draw.uniform(size=SHAPE)
    weights[:, 4] = 0.0
    background = Background(draw.normal(size=SHAPE), draw.uniform(size=(3, 20)), 1)
    sums = box_sums(data, variances, weights, background)
    for row in range(20):
        flux, under = 0.0, 0.0
        var = background.variances[:, row].copy()
        for column in range(15):
            weight = weights[row, column]
            flux += weight * (data[row, column] - background.image[row, column])
            under += weight * background.image[row, column]
            var += weight**2 * variances[:, row, column]
        assert sums.flux[row] == pytest.approx(flux, rel=1e-12)
        assert sums.background[row] == pytest.approx(under, rel=1e-12)
        np.testing.assert_allclose(sums.variances[:, row], var, rtol=1e-12)
    np.testing.assert_array_equal(sums.background_variances, background.variances)


def test_nothing_in_the_aperture_is_nan(draw):
    weights = np.ones(SHAPE)
    weights[7] = 0.0
    sums = box_sums(np.ones(SHAPE), variances_of(draw), weights)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sums.flux)), [7])
    assert sums.npixels[7] == 0
    assert np.isfinite(box_model(sums, weights)).all()


def test_unknown_background_is_unknown_flux(draw):
    background = Background(np.where(np.arange(20) == 3, np.nan, 1.0)[:, None], np.zeros((3, 20)), 1)
    sums = box_sums(np.ones(SHAPE), variances_of(draw), np.ones(SHAPE), background)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sums.flux)), [3])


def test_stack_equals_image_by_image(draw):
    data, variances = draw.normal(size=(4, *SHAPE)), draw.uniform(size=(3, 4, *SHAPE))
    good = draw.uniform(size=data.shape) > 0.1
    weights = np.where(good, draw.uniform(size=SHAPE), 0.0)
    region = np.broadcast_to(np.arange(15) < 5, SHAPE)
    background = fit_background(data, variances, good, region, weights, bkg_order=1)
    together = box_sums(data, variances, weights, background)
    for index in range(4):
        alone = fit_background(
            data[index], variances[:, index], good[index], region, weights[index], bkg_order=1
        )
        sums = box_sums(data[index], variances[:, index], weights[index], alone)
        for name in ("flux", "background", "npixels"):
            np.testing.assert_allclose(getattr(together, name)[index], getattr(sums, name), rtol=1e-12)
        for name in ("variances", "background_variances"):
            np.testing.assert_allclose(getattr(together, name)[:, index], getattr(sums, name), rtol=1e-12)


def test_model_holds_the_flux_that_was_summed(draw):
    data, weights = draw.normal(10.0, 1.0, SHAPE), np.zeros(SHAPE)
    weights[:, 4:9], weights[:, 9] = 1.0, 0.3
    background = Background(np.full((20, 1), 2.0), np.zeros((3, 20)), 1)
    sums = box_sums(data, variances_of(draw), weights, background)
    model = box_model(sums, weights, background)
    np.testing.assert_allclose((model - 2.0).sum(axis=1), sums.flux, rtol=1e-12)
    np.testing.assert_array_equal(model[:, 11], 2.0)
