import numpy as np
import pytest

from jdaviz_lrs.engine.box_outliers import find_box_outliers

N_DISP, N_XDISP = 120, 17
COLUMNS = np.arange(N_XDISP)


def frame(flux=400.0, sky=20.0, seed=1, line=0.0, read=1.0):
    """Image of a source whose place and width drift, variances of the noise-free image, all pixels good."""
    rows = np.arange(N_DISP)
    at, width = 8.0 + rows / 150.0, 1.2 + rows / 200.0
    profile = np.exp(-0.5 * ((COLUMNS - at[:, None]) / width[:, None]) ** 2) / (2.5 * width[:, None])
    light = flux * (1.0 + rows / N_DISP + line * np.exp(-0.5 * ((rows - 60) / 1.5) ** 2))
    clean = light[:, None] * profile + sky * (1.0 + 0.02 * COLUMNS)
    variance = 0.05 * clean + read
    noise = np.random.default_rng(seed).normal(size=clean.shape) * np.sqrt(variance)
    return clean + noise, variance, np.ones(clean.shape, bool)


@pytest.mark.parametrize("flux", [0.0, 3.0, 400.0, 20000.0])
@pytest.mark.parametrize("line", [0.0, 4.0])
def test_a_clean_image_is_left_alone(flux, line):
    number = sum(find_box_outliers(*frame(flux, seed=seed, line=line), 5.0).sum() for seed in range(5))
    assert number <= 1


@pytest.mark.parametrize("sign", [1, -1])
def test_hits_are_found_and_what_they_spread_to(sign):
    data, variance, good = frame()
    hits = np.zeros(good.shape, bool)
    draw = np.random.default_rng(3)
    hits[draw.choice(N_DISP, 30, replace=False), draw.integers(0, N_XDISP, 30)] = True
    sigma = np.sqrt(variance)
    data = data + sign * 40.0 * sigma * hits
    variance = variance + 0.05 * 40.0 * sigma * hits  # as the pipeline derives it from the data
    data[60, 4] += sign * 100.0 * sigma[60, 4]
    data[61, 4] += sign * 6.0 * sigma[61, 4]
    hits[60:62, 4] = True
    found = find_box_outliers(data, variance, good, 5.0)
    assert (found & hits).sum() >= hits.sum() - 2
    assert (found & ~hits).sum() <= 1


def test_bad_pixels_are_neither_looked_at_nor_looked_with():
    data, variance, good = frame()
    good[10:40, 8] = False
    data[~good] = variance[~good] = np.nan
    found = find_box_outliers(data, variance, good, 5.0)
    assert found.sum() <= 1
    assert not (found & ~good).any()
    assert not find_box_outliers(data, variance, np.zeros_like(good), 5.0).any()


def test_a_stack_is_its_images():
    frames = [frame(seed=seed) for seed in range(3)]
    frames[1][0][50, 8] += 500.0
    stack = find_box_outliers(*(np.stack(planes) for planes in zip(*frames, strict=True)), 5.0)
    for one, found in zip(frames, stack, strict=True):
        np.testing.assert_array_equal(found, find_box_outliers(*one, 5.0))
    assert stack[1, 50, 8]
