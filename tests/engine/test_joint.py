import numpy as np
import pytest

from jdaviz_lrs.engine.joint import JointImage, fit_jointly, own_sky, shared_sky

ROWS, COLUMNS = 200, 40


def profile_at(column):
    x = np.arange(COLUMNS)
    light = np.exp(-0.5 * ((x - column) / 1.5) ** 2)
    return np.broadcast_to(light / light.sum(), (ROWS, COLUMNS))


def image_at(column, seed, flux=1000.0, level=0.0, sky=0.0, other=None, flat=0.0, pixels=0):
    """An image of a source, with noise of one MJy/sr and perhaps a negative trace of another flux."""
    draw = np.random.default_rng(seed)
    profile = profile_at(column)
    others = np.empty((0, ROWS, COLUMNS)) if other is None else -profile_at(other)[None]
    signal = flux * profile + sky + 900.0 * others.sum(axis=0)
    noise = draw.standard_normal(profile.shape)
    planes = np.stack([np.full(profile.shape, 0.6), np.full(profile.shape, 0.4), flat * signal**2])
    data = signal + np.sqrt(planes.sum(axis=0)) * noise + level
    return JointImage(data, planes, np.ones(profile.shape, bool), profile, others, pixels)


def none(number):
    return own_sky([np.empty((COLUMNS, 0))] * number)


def test_with_skies_of_their_own_it_is_the_weighted_mean_of_single_fits():
    images = [image_at(10.3, 1, other=27.0), image_at(26.7, 2, other=10.0)]
    images[1] = JointImage(**vars(images[1]) | {"variances": 2 * images[1].variances})
    basis = np.vander(np.linspace(-1, 1, COLUMNS), 2)
    joint = fit_jointly(images, own_sky([basis, basis]))
    single = [fit_jointly([one], basis) for one in images]
    weights = np.array([1 / one.flux_var.sum(axis=0) for one in single])
    mean = np.average([one.flux for one in single], axis=0, weights=weights)
    np.testing.assert_allclose(joint.flux, mean, rtol=1e-10)
    np.testing.assert_allclose(joint.flux_var.sum(axis=0), 1 / weights.sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose(joint.shares, weights / weights.sum(axis=0), rtol=1e-10)


def test_the_error_is_the_scatter():
    fluxes = [
        fit_jointly([image_at(10.3, seed, other=27.0), image_at(26.7, 500 + seed, other=10.0)], none(2)).flux
        for seed in range(20)
    ]
    fit = fit_jointly([image_at(10.3, 1, other=27.0), image_at(26.7, 2, other=10.0)], none(2))
    # 4,000 values tell their spread to 1.1 %
    assert np.std(fluxes) == pytest.approx(np.sqrt(fit.flux_var.sum(axis=0)[0]), rel=0.035)
    assert np.mean(fluxes) == pytest.approx(1000, abs=4 * np.std(fluxes) / np.sqrt(4000))


def test_the_sky_comes_from_the_other_position():
    sky = 200 + 50 * np.sin(np.arange(COLUMNS))  # which no polynomial fits
    images = [image_at(10.3, 1, sky=sky), image_at(26.7, 2, sky=sky)]
    free = fit_jointly(images, shared_sky([np.eye(COLUMNS)] * 2))
    # two images and a free sky are one difference, of twice the noise
    profile = images[0].profile - images[1].profile
    flux = np.vecdot(profile, images[0].data - images[1].data) / np.vecdot(profile, profile)
    np.testing.assert_allclose(free.flux, flux, rtol=1e-8)
    np.testing.assert_allclose(free.flux_var.sum(axis=0), 2 / np.vecdot(profile, profile), rtol=1e-8)
    assert np.mean(free.flux) == pytest.approx(1000, abs=5 * flux.std() / np.sqrt(ROWS))


def test_a_shared_polynomial_is_known_better_than_two():
    images = [image_at(10.3, 1, level=30.0), image_at(26.7, 2, level=30.0)]
    basis = np.vander(np.linspace(-1, 1, COLUMNS), 3)
    shared, own = fit_jointly(images, shared_sky([basis] * 2)), fit_jointly(images, own_sky([basis] * 2))
    assert (shared.flux_var < own.flux_var)[:2].all()
    assert np.mean(shared.flux) == pytest.approx(1000, abs=1)
    # in the light of the source: 30 on each of its effective pixels
    np.testing.assert_allclose(shared.background / shared.npixels, 30, rtol=0.1)


def test_flat_errors_of_one_pixel_add_before_they_are_squared():
    """The same place on the detector, twice: the flat's error is not averaged down; elsewhere it is."""
    here = [image_at(10.3, seed, flat=1e-4, pixels=0) for seed in (1, 2)]
    there = [image_at(10.3, 1, flat=1e-4), image_at(26.7, 2, flat=1e-4)]
    apart = [image_at(10.3, seed, flat=1e-4, pixels=seed) for seed in (1, 2)]
    single = fit_jointly(here[:1], none(1)).flux_var
    np.testing.assert_allclose(fit_jointly(here, none(2)).flux_var[2], single[2], rtol=1e-6)
    np.testing.assert_allclose(fit_jointly(there, none(2)).flux_var[2], single[2] / 2, rtol=0.02)
    np.testing.assert_allclose(fit_jointly(apart, none(2)).flux_var[2], single[2] / 2, rtol=1e-6)


def test_what_is_not_good_is_not_used():
    images = [image_at(10.3, 1), image_at(26.7, 2)]
    images[0].good[50] = images[0].good[60, 5:15] = images[1].good[50] = False
    images[1].data[~images[1].good] = 1e6
    fit = fit_jointly(images, none(2))
    assert np.isnan(fit.flux[50])
    assert np.isfinite(np.delete(fit.flux, 50)).all()
    assert fit.shares[0, 60] < 0.01
    assert np.abs(fit.flux[60] - 1000) < 5 * np.sqrt(fit.flux_var[:, 60].sum())


def test_a_pixel_that_no_image_has_is_no_hindrance():
    images = [image_at(10.3, 1), image_at(26.7, 2)]
    for one in images:
        one.good[:, 33] = False
    assert np.isfinite(fit_jointly(images, shared_sky([np.eye(COLUMNS)] * 2)).flux).all()
