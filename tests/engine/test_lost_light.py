import numpy as np

from jdaviz_lrs.engine.lost_light import fits_profile, light_left


def test_share_of_the_light_on_good_pixels():
    profile = np.array([[0.1, 0.6, 0.2, 0.1]] * 3)
    weights = np.array([[1.0, 1.0, 0.5, 0.0]] * 3)
    good = np.ones((2, 3, 4), bool)
    good[0, 0, 1] = good[0, 1, 2] = good[0, 2, 3] = False  # the last has no weight
    np.testing.assert_allclose(light_left(profile, weights, good), [[0.25, 0.875, 1.0], [1.0, 1.0, 1.0]])


def test_without_a_profile_the_pixels_count():
    good = np.array([[True, True, True, False]] * 4)
    weights = np.ones((4, 4))
    weights[3] = 0.0
    profile = np.array([[0.0] * 4, [np.nan] * 4, [-1.0] * 4, [1.0] * 4])
    np.testing.assert_allclose(light_left(profile, weights, good), [0.75, 0.75, 0.75, 0.0])


def test_negative_light_counts_as_none():
    profile, good = np.array([[1.0, 1.0, -5.0]]), np.array([[True, False, False]])
    np.testing.assert_allclose(light_left(profile, np.ones((1, 3)), good), [0.5])


def test_pixels_left_that_have_another_profile_are_told():
    profile = np.tile(np.array([0.02, 0.08, 0.25, 0.3, 0.25, 0.08, 0.02]), (20, 1))
    weights, good = np.ones(profile.shape), np.ones(profile.shape, bool)
    draw = np.random.default_rng(1)
    variance = np.full(profile.shape, 4.0)
    good[5:8, 3] = good[10:12, 3] = False
    # off by a tenth from the reference everywhere, which is no matter
    broad = 0.9 * profile + 0.1 / 7
    data = 1000.0 * broad + 2.0 * draw.normal(size=profile.shape)
    data[10:12, [2, 4]] *= 0.6  # as resampled after the peak was lost
    fits = fits_profile(np.where(good, data, 0.0), variance, profile, weights, good)
    np.testing.assert_array_equal(np.flatnonzero(~fits), [10, 11])
    faint = 1e-3 * data + 2.0 * draw.normal(size=profile.shape)
    assert fits_profile(np.where(good, faint, 0.0), variance, profile, weights, good).all()
