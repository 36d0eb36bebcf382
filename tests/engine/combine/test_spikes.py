import numpy as np
import pytest

from jdaviz_lrs.engine.combine.spikes import find_spikes
from tests.engine.combine.measured import TRUTH, measured

ROW = np.arange(TRUTH.size)
ALL = np.ones(TRUTH.size, bool)
ERROR = 0.004 * TRUTH


def noisy(seed):
    return measured(1, relative=0.004, seed=seed)[0][0]


def found(flux, asked=ALL, usable=ALL):
    return np.flatnonzero(find_spikes(flux, ERROR, usable, asked))


@pytest.mark.parametrize("row", [40, 170, 290, 344])  # on the continuum and on lines of the scene
def test_a_spike_of_six_errors_is_found(row):
    hits = [row in found(noisy(seed) + np.where(row == ROW, 6 * ERROR, 0.0)) for seed in range(40)]
    # where a line lets only two on either side predict, its noise hides one in five
    assert np.mean(hits) >= 0.65
    spike = find_spikes(noisy(1) + np.where(row == ROW, 50 * ERROR, 0.0), ERROR, ALL, ALL)[row]
    assert spike / ERROR[row] == pytest.approx(50, abs=5)


def test_noise_makes_one_in_three_spectra():
    # 387 wavelengths at 3.3 errors, and half of what they are the line test leaves: 0.2 to 0.4
    number = [found(noisy(seed)).size for seed in range(40)]
    assert np.mean(number) < 0.6


@pytest.mark.parametrize("height", [8, 50, 200])
@pytest.mark.parametrize("width", [2.5, 4.0])
def test_lines_are_none(width, height):
    taken = 0
    for seed in range(20):
        middle = np.random.default_rng(seed).uniform(100, 300)
        line = height * ERROR * np.exp(-4 * np.log(2) * ((ROW - middle) / width) ** 2)
        taken += (np.abs(found(noisy(seed) + line) - middle) < 3).any()
    assert taken <= 2


def test_hits_nearby_do_not_hide_it():
    flux = noisy(3)
    flux[[95, 100, 106]] += 40 * ERROR[[95, 100, 106]]
    assert {95, 100, 106} <= set(found(flux))
    assert set(found(flux)) - {95, 100, 106} == set(found(noisy(3)))


def test_only_what_is_asked_for_is_told():
    flux = noisy(4)
    flux[[100, 200]] += 30 * ERROR[[100, 200]]
    np.testing.assert_array_equal(found(flux, asked=ROW == 200), [200])
    usable = ALL.copy()
    usable[200] = False
    assert 200 not in found(flux, usable=usable)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 12])
def test_short_spectra(size):
    flux, usable = np.ones(size), np.ones(size, bool)
    assert not find_spikes(flux, flux, usable, usable).any()
    assert not find_spikes(flux, flux, ~usable, usable).any()
