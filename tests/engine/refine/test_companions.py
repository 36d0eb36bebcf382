"""Neighbours are told from wings."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.companions import find_brightest, find_companion
from jdaviz_lrs.engine.refine.run import refine
from jdaviz_lrs.engine.refine.scene_model import linear_fit
from tests.gaussian_slit import COLUMNS, FLUX, WIDTH, gaussian, observe, source_and_nod, weights_of

PAIR = source_and_nod()
ALONE = PAIR.first_sources(1)


def fit_of(scene, frame):
    return linear_fit(scene.profiles(), scene.basis, frame.data, weights_of(frame))


def with_more(frame, profile, ratio):
    return replace(frame, data=frame.data + ratio * FLUX[:, None] * profile)


@pytest.mark.parametrize("scene", [ALONE, PAIR], ids=["alone", "nod-subtracted"])
@pytest.mark.parametrize("at", [3.5, 5.0])
def test_a_wing_on_both_sides_is_no_companion(scene, at):
    wings = sum(scene.grid.place(scene.traces[0] + side).value for side in (-at, at))
    frame = with_more(observe(scene), wings, 0.04)
    assert find_companion(scene, fit_of(scene, frame), weights_of(frame)) is None


def test_the_same_on_one_side_is_one():
    wing = PAIR.grid.place(PAIR.traces[0] + 7.0).value
    frame = with_more(observe(PAIR), wing, 0.04)
    found = find_companion(PAIR, fit_of(PAIR, frame), weights_of(frame))
    assert found.offset == pytest.approx(7.0, abs=0.25)  # the step of the search
    assert found.ratio == pytest.approx(0.04, rel=0.1)


@pytest.mark.parametrize("offset", [-4.5, 4.5])
def test_near_neighbour_is_found_and_the_flux_right(offset):
    neighbour = PAIR.grid.place(PAIR.traces[0] + offset).value
    frame = with_more(observe(PAIR), neighbour, 0.5)
    found = refine(frame, PAIR, ("trace", "width", "companions"))
    assert [c.offset for c in found.companions] == pytest.approx([offset], abs=0.25)
    fit = fit_of(found.scene, frame)
    assert np.median(fit.flux[0] / FLUX) == pytest.approx(1.0, abs=0.01)
    assert np.median(fit.flux[2] / FLUX) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_wings_that_the_psf_lacks_are_no_neighbours(seed):
    distance = COLUMNS - ALONE.traces[0][:, None]
    wide = gaussian(distance, 3.0 * WIDTH.mean())
    frame = with_more(observe(ALONE, seed=seed), wide - ALONE.place(0).value, 0.1)
    found = refine(frame, ALONE, ("trace", "width", "companions"))
    assert found.companions == ()


def test_brightest_trace_is_where_it_was_put():
    moved = replace(ALONE, traces=ALONE.traces + 3.3)
    places, errors = [], []
    for seed in range(20):
        frame = observe(moved, flux=0.05 * FLUX, seed=seed)
        found = find_brightest(ALONE, frame.data, weights_of(frame))
        places.append(found.offset)
        errors.append(found.error)
    # bins of a quarter pixel, of which the peak is interpolated
    assert np.mean(places) == pytest.approx(3.3, abs=0.05)
    assert np.std(places) < 3 * np.mean(errors)
    assert find_brightest(ALONE, observe(ALONE, flux=0.0 * FLUX).data, weights_of(frame)) is None


def test_brightness_is_that_of_the_other_place():
    frame = observe(PAIR)
    other = PAIR.grid.place(PAIR.traces[0] - 8.0).value
    found = find_brightest(PAIR, with_more(frame, other, 2.0).data, weights_of(frame))
    assert found.offset == pytest.approx(-8.0, abs=0.1)
    assert found.ratio == pytest.approx(2.0, rel=0.05)
