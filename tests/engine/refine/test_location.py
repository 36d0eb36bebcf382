"""A source that the header has in the wrong place by more than a fit can follow."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.location import FAR, far_shift, fit_location
from tests.gaussian_slit import COORDINATE, FLUX, N_DISP, observe, source_and_nod

PAIR = source_and_nod()
ALONE = PAIR.first_sources(1)
SKY = 300.0
"""Per pixel: what is subtracted before the search."""


@pytest.mark.parametrize("scene", [ALONE, PAIR], ids=["alone", "nod-subtracted"])
@pytest.mark.parametrize("shift", [-8.0, -5.0, -2.0, 2.0, 5.0, 8.0])
@pytest.mark.parametrize("brightness", [1.0, 0.02], ids=["bright", "faint"])
def test_pointing_is_found(scene, shift, brightness):
    frame = observe(replace(scene, traces=scene.traces + shift), flux=brightness * FLUX, extra=SKY)
    far = far_shift(frame, scene)
    if abs(shift) > 2.0:  # nearer, it is still bright where the header has it
        assert far == pytest.approx(shift, abs=0.3)
    # and what is left, the fit of the place follows
    traces, variance = scene.traces + far, frame.variances.sum(axis=0)
    near = fit_location(frame.data, variance, frame.good, scene.grid, traces, scene.signs, COORDINATE)
    assert near.converged
    assert far + near.shifts[0] == pytest.approx(shift, abs=5 * near.errors[0])
    assert near.errors[0] < 0.1


@pytest.mark.parametrize("scene", [ALONE, PAIR], ids=["alone", "nod-subtracted"])
@pytest.mark.parametrize("shift", [0.0, 0.5, -1.0])
def test_what_the_fit_can_follow_is_left_to_it(scene, shift):
    frame = observe(replace(scene, traces=scene.traces + shift), extra=SKY)
    assert far_shift(frame, scene) == 0.0


@pytest.mark.parametrize("ratio", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("offset", [-9.0, -6.0, 6.0])
def test_a_companion_is_not_taken_for_a_source_at_its_place(offset, ratio):
    frame = observe(ALONE, extra=SKY)
    companion = ratio * FLUX[:, None] * ALONE.grid.place(ALONE.traces[0] + offset).value
    assert far_shift(replace(frame, data=frame.data + companion), ALONE) == 0.0


def test_what_is_beyond_reach_is_another_source():
    frame = observe(replace(ALONE, traces=ALONE.traces - FAR - 2.0), extra=SKY)
    assert far_shift(frame, ALONE) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_source(seed):
    assert far_shift(observe(PAIR, flux=0.0 * FLUX, seed=seed, extra=SKY), PAIR) == 0.0


def test_bad_pixels_are_no_source():
    frame = observe(ALONE, flux=0.0 * FLUX, extra=SKY)
    good = frame.good.copy()
    good[:, 33] = False
    data = np.where(good, frame.data, 1e6)
    assert far_shift(replace(frame, data=data, good=good), ALONE) == 0.0
    assert far_shift(replace(frame, good=np.zeros_like(good)), ALONE) == 0.0
    assert good.sum() == good.size - N_DISP
