import numpy as np
import pytest

from jdaviz_lrs.engine.series.drift import follow
from jdaviz_lrs.engine.series.template import template_of_image, template_of_profile

ROWS, COLUMNS, SIGMA = 60, 24, 1.4
X = np.arange(COLUMNS, dtype=float)
CENTER = 11.3 + 0.6 * np.linspace(-1, 1, ROWS)[:, None]
FLUX = np.linspace(2e4, 4e4, ROWS)[:, None]
NOISE = 20.0


def profile(shift=0.0, width=0.0):
    """A Gaussian, whose derivatives are known."""
    shift, stretch = np.reshape(shift, (-1, 1, 1)), 1 + np.reshape(width, (-1, 1, 1))
    z = (X - CENTER - shift) / (SIGMA * stretch)
    return np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * SIGMA * stretch)


def template():
    here, z = profile()[0], (X - CENTER) / SIGMA
    variance, good = np.full(here.shape, NOISE**2), np.ones(here.shape, bool)
    return template_of_profile(
        FLUX * here + 7.0, here, here * z / SIGMA, here * (z**2 - 1), FLUX[:, 0], variance, good
    )


@pytest.fixture(scope="module")
def series():
    draw = np.random.default_rng(4)
    # so little that products of shift and width, which the fit does not know, are below the errors
    shift, width = draw.normal(0.0, 0.003, 400), draw.normal(0.0, 0.003, 400)
    # every wavelength goes its own way, and so does the background
    level = 1 + draw.normal(0.0, 0.01, (400, ROWS, 1))
    sky = 7.0 + draw.normal(0.0, 5.0, (400, ROWS, 1))
    data = FLUX * level * profile(shift, width) + sky
    return shift, width, data + draw.normal(0.0, NOISE, data.shape)


def test_place_and_width_within_their_errors(series):
    shift, width, data = series
    drift, residual = follow(data, np.ones(data.shape, bool), template())
    # 400 pulls have a standard deviation known to 3.5 %
    assert np.std((drift.shift - shift) / drift.shift_error) == pytest.approx(1.0, abs=0.11)
    assert np.std((drift.width - width) / drift.width_error) == pytest.approx(1.0, abs=0.11)
    assert abs(np.mean(drift.shift - shift)) < 4 * drift.shift_error[0] / 20
    assert residual.shape == (400, ROWS * COLUMNS)


def test_hits_and_missing_pixels_do_not_pull(series):
    shift, _, data = series
    draw = np.random.default_rng(5)
    hit = data + 10 ** draw.uniform(2.5, 6.0, data.shape) * (draw.random(data.shape) < 2e-3)
    good = draw.random(data.shape) > 0.01
    drift, _ = follow(hit, good, template())
    assert np.std((drift.shift - shift) / drift.shift_error) == pytest.approx(1.0, abs=0.12)


def test_the_mean_image_alone_tells_nearly_as_well(series):
    shift, width, data = series
    mean, variance = data.mean(axis=0), np.full(data.shape[1:], NOISE**2)
    good = np.ones(mean.shape, bool)
    good[20, 11] = False
    drift, _ = follow(data, np.broadcast_to(good, data.shape), template_of_image(mean, variance, good))
    # a spline through pixels follows a profile of 1.4 px to some per cent
    assert np.polyfit(shift, drift.shift, 1)[0] == pytest.approx(1.0, abs=0.03)
    assert np.polyfit(width, drift.width, 1)[0] == pytest.approx(1.0, abs=0.05)


def test_an_integration_does_not_depend_on_the_others(series):
    data, one = series[2][:12], template()
    good = np.ones(data.shape, bool)
    good[3, 10, 10] = False
    whole, residual = follow(data, good, one)
    for part in (slice(3, 4), slice(2, 9)):
        alone, left = follow(data[part], good[part], one)
        np.testing.assert_array_equal(alone.shift, whole.shift[part])
        np.testing.assert_array_equal(alone.width_error, whole.width_error[part])
        np.testing.assert_array_equal(left, residual[part])


def test_nothing_seen_is_not_known(series):
    data = series[2][:2]
    good = np.ones(data.shape, bool)
    good[1] = False
    drift, residual = follow(data, good, template())
    assert np.isnan([drift.shift[1], drift.width_error[1]]).all()
    assert np.isfinite(drift.shift[0])
    assert not residual[1].any()
