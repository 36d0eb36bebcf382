import numpy as np

from jdaviz_lrs.engine.combine.smoothness import predict_smooth


def test_a_cubic_is_predicted_exactly():
    x = np.linspace(-1, 1, 50)
    flux = 3 + x - 2 * x**2 + x**3
    found = predict_smooth(flux, np.ones(50, bool))
    np.testing.assert_allclose(found.flux[2:-2], flux[2:-2], rtol=1e-12)
    np.testing.assert_allclose(found.flux, flux, atol=0.02)


def test_the_variance_is_that_of_the_scatter():
    noise = np.random.default_rng(3).standard_normal(2000)
    found = predict_smooth(noise, np.ones(2000, bool))
    # of the wavelength itself and of its prediction: 1 + 34/36; a running median of 41 errs by 18 %
    np.testing.assert_allclose(np.median(found.variance), 1 + 34 / 36, rtol=0.1)


def test_too_few_predict_nothing():
    assert np.isinf(predict_smooth(np.ones(50), np.arange(50) < 4).variance).all()
