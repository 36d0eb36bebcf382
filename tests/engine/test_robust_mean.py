import numpy as np

from jdaviz_lrs.engine.robust_mean import robust_mean


def test_mean_is_as_good_as_a_mean_and_no_cosmic_ray_draws_it():
    draw = np.random.default_rng(3)
    data = draw.normal(10.0, 1.0, (64, 40, 30))
    struck = draw.random(data.shape) < 0.02
    mean, number = robust_mean(data + 1e4 * struck, np.ones(data.shape, bool), noise=1.0)
    # 5 sigma are beyond reach of noise, so that the mean is that of the others
    expected = np.where(struck, 0.0, data).sum(axis=0) / (~struck).sum(axis=0)
    np.testing.assert_allclose(mean, expected, rtol=1e-12)
    np.testing.assert_array_equal(number, (~struck).sum(axis=0))


def test_a_pixel_bad_in_most_images_is_bad():
    data, good = np.ones((9, 2, 3)), np.ones((9, 2, 3), bool)
    good[:5, 0, 0] = good[:4, 1, 1] = False
    data[:5, 0, 0] = np.nan
    mean, number = robust_mean(data, good)
    assert np.isnan(mean[0, 0])
    assert number[0, 0] == 0
    assert (mean[1, 1], number[1, 1]) == (1.0, 5)
