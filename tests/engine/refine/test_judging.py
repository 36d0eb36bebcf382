"""What does not earn its place is dropped, and the step before stands."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.advice import REFINEMENTS
from jdaviz_lrs.engine.refine.judging import FURTHEST, judged_scene, refine_what_earns
from jdaviz_lrs.engine.refine.scene_model import Frame, ShapeCorrection
from jdaviz_lrs.engine.verdict import compare_with_sum
from jdaviz_lrs.extraction.advice import say_dropped
from tests.gaussian_slit import BANDS, FLUX, N_DISP, gaussian, observe, setting_of, source_and_nod

SCENE = source_and_nod()


def earned(frame, chosen=REFINEMENTS, start=SCENE, tabulated=None):
    return refine_what_earns(start, start, chosen, setting_of(frame, tabulated))


def ratios(result, frame):
    variance = result.refined.variances.sum(axis=0)
    judged = judged_scene(frame, result.refined.scene, result.refined.rejected, variance)
    return np.array([a.ratio for a in compare_with_sum(judged, list(BANDS))])


def test_what_the_data_ask_for_is_kept():
    frame = observe(replace(SCENE, traces=SCENE.traces + 0.3, stretch=np.full(N_DISP, 1.15)))
    result = earned(frame)
    assert result.chosen == REFINEMENTS
    assert result.dropped == {}
    np.testing.assert_allclose(ratios(result, frame), 1.0, atol=0.002)


@pytest.mark.parametrize("stretch", [0.6, 1.6])
def test_no_psf_is_stretched_beyond_its_limits(stretch):
    frame = observe(replace(SCENE, stretch=np.full(N_DISP, stretch)))
    result = earned(frame, ("width",))
    assert (result.dropped, result.chosen) == ({"width": "stretch"}, ())
    np.testing.assert_array_equal(result.refined.scene.stretch, 1.0)


@pytest.mark.parametrize("stretch", [0.74, 0.78, 1.33, 1.37])
def test_within_them_it_is(stretch):
    frame = observe(replace(SCENE, stretch=np.full(N_DISP, stretch)))
    result = earned(frame, ("width",))
    assert result.dropped == {}
    np.testing.assert_allclose(result.refined.scene.stretch, stretch, atol=0.02)


def test_a_trace_that_leads_too_far_is_dropped():
    # a bend whose ends are 3 px off, which the fit follows from the middle outwards
    bend = FURTHEST + 1.0
    place = np.linspace(-1.0, 1.0, N_DISP) ** 2
    frame = observe(replace(SCENE, traces=SCENE.traces + bend * place))
    result = earned(frame, ("trace", "outliers"))
    assert result.dropped == {"trace": "far"}
    assert result.chosen == ("outliers",)
    np.testing.assert_array_equal(result.refined.scene.traces, SCENE.traces)
    assert say_dropped(result.dropped) == (
        "The refinement trace was dropped: the trace that it found is too far off.",
    )


def test_what_leads_away_from_the_plain_sum_is_dropped(monkeypatch):
    """A refinement that gives a wrong flux, by a tenth, is found out by the sum, and given up."""
    from jdaviz_lrs.engine.refine import judging

    honest = judging.refine

    def lying(frame, scene, chosen, *more):
        result = honest(frame, scene, chosen, *more)
        if "width" not in chosen:
            return result
        # less light inside than there is: the flux is too high, and the sum is not corrected so
        wrong = replace(result.scene, stretch=0.8 * result.scene.stretch, shape=None, enclosed=None)
        return replace(result, scene=wrong, complete=wrong)

    monkeypatch.setattr(judging, "refine", lying)
    result = earned(observe(SCENE), ("trace", "width"))
    assert result.dropped == {"width": "sum"}
    assert result.chosen == ("trace",)
    np.testing.assert_array_equal(result.refined.scene.stretch, 1.0)


def test_a_neighbour_that_is_not_to_be_fitted_speaks_against_no_other_refinement():
    frame = observe(SCENE)
    neighbour = SCENE.grid.place(SCENE.traces[0] - 5.0).value
    frame = replace(frame, data=frame.data + 0.5 * FLUX[:, None] * neighbour)
    result = earned(frame, ("trace", "width"))
    assert result.dropped == {}
    assert len(result.refined.left_out) == 1
    assert len(result.refined.scene.traces) == len(SCENE.traces)
    whole = result.refined.complete.traces
    np.testing.assert_allclose(whole[len(SCENE.traces)] - whole[0], -5.0, atol=0.02)


def test_no_refinement_leads_farther_from_the_sum_than_none():
    # two peaks, 3 px apart, which no PSF has
    frame = observe(SCENE)
    twin = sum(SCENE.grid.place(SCENE.traces[0] + d).value for d in (-1.5, 1.5)) / 2
    data = frame.data + FLUX[:, None] * (twin - SCENE.place(0).value)
    frame = replace(frame, data=data)
    before = np.abs(ratios(earned(frame, ("outliers",)), frame) - 1.0).max()
    result = earned(frame)
    assert np.abs(ratios(result, frame) - 1.0).max() < before + 0.01


def test_what_takes_up_more_of_an_unfitted_neighbour_is_dropped():
    """The right width has more of the light of a neighbour that overlaps than one that is too narrow."""
    frame = observe(SCENE)
    neighbour = SCENE.grid.light(SCENE.traces[0] - 3.0)
    frame = replace(frame, data=frame.data + 0.5 * FLUX[:, None] * neighbour)
    narrow = replace(SCENE, stretch=np.full(N_DISP, 0.85))
    result = earned(frame, ("width",), start=narrow)
    assert (result.dropped, result.chosen) == ({"width": "neighbour"}, ())
    np.testing.assert_array_equal(result.refined.scene.stretch, narrow.stretch)
    (sentence,) = say_dropped(result.dropped)
    assert "choose companions as well" in sentence


@pytest.mark.parametrize("chosen", [("width",), ("companions",)])
def test_a_neighbour_that_was_found_is_fitted_where_it_is(chosen):
    """It is found on a coarse grid, and moved though the trace of the target is to stay."""
    frame = observe(SCENE)
    neighbour = SCENE.grid.light(SCENE.traces[0] - 6.1)
    frame = replace(frame, data=frame.data + 0.5 * FLUX[:, None] * neighbour)
    result = earned(frame, chosen)
    whole = result.refined.complete.traces
    np.testing.assert_array_equal(whole[0], SCENE.traces[0])
    np.testing.assert_allclose(whole[len(SCENE.traces)] - whole[0], -6.1, atol=0.02)


def test_a_trace_that_is_dropped_leaves_the_source_where_it_was_located():
    place = np.linspace(-1.0, 1.0, N_DISP) ** 2
    frame = observe(replace(SCENE, traces=SCENE.traces + 3.0 * place))
    located = replace(SCENE, traces=SCENE.traces + 0.4)
    result = refine_what_earns(SCENE, located, ("trace",), setting_of(frame, None))
    assert result.dropped == {"trace": "far"}
    np.testing.assert_array_equal(result.refined.scene.traces, located.traces)


def test_a_profile_that_is_negative_in_a_part_of_the_spectrum_is_dropped(monkeypatch):
    """Its mean over the spectrum need not be."""
    from jdaviz_lrs.engine.refine import judging

    honest = judging.refine
    knots = np.linspace(-6.0, 6.0, 49)
    core = gaussian(knots, 1.4)
    along = np.linspace(-1.0, 1.0, N_DISP)

    def lying(frame, scene, chosen, *more):
        result = honest(frame, scene, chosen, *more)
        if "width" not in chosen:
            return result
        tilted = ShapeCorrection(knots, np.stack([0.0 * core, 1.6 * core]), along, np.zeros(2 * (2, 49)))
        wrong = replace(result.scene, shape=tilted)
        return replace(result, scene=wrong, complete=wrong)

    monkeypatch.setattr(judging, "refine", lying)
    result = earned(observe(SCENE), ("width",))
    assert result.dropped == {"width": "negative"}
    assert result.refined.scene.shape is None


@pytest.mark.parametrize(("ratio", "dropped"), [(0.5, {"variance": "weights"}), (0.0, {})])
def test_weights_by_the_noise_are_dropped_where_they_give_another_flux(ratio, dropped):
    """A neighbour that is not fitted adds more where the faint pixels beside the source count most."""
    clean = observe(SCENE, sigma=0.0).data
    clean = clean + ratio * FLUX[:, None] * SCENE.grid.light(SCENE.traces[0] - 5.0)
    poisson = 0.5 * np.abs(clean) + 1.0
    rng = np.random.default_rng(1)
    variances = np.stack([poisson, np.ones_like(clean), np.zeros_like(clean)])
    data = clean + np.sqrt(variances.sum(axis=0)) * rng.standard_normal(clean.shape)
    frame = Frame(data, variances, np.ones(clean.shape, bool), 5.0)
    result = earned(frame, ("variance",))
    assert result.dropped == dropped
