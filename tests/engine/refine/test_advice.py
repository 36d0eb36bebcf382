"""What an extraction has left is told, and only where an answer would change the flux."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.advice import REFINEMENTS, WORTH, inspect_scene
from jdaviz_lrs.engine.refine.judging import refine_what_earns
from jdaviz_lrs.engine.refine.scene_model import linear_fit
from jdaviz_lrs.extraction.advice import advise
from tests.gaussian_slit import FLUX, N_DISP, observe, setting_of, source_and_nod, weights_of

SCENE = source_and_nod()


def answers(frame, chosen=(), flux=None):
    """What is proposed for a flux, by default that of the scene as the header has it."""
    setting = setting_of(frame)
    if flux is None:
        flux = linear_fit(SCENE.profiles(), SCENE.basis, frame.data, weights_of(frame)).flux[0]
    earned = refine_what_earns(SCENE, SCENE, REFINEMENTS, setting)
    return {a.refinement: a for a in inspect_scene(earned, SCENE, setting, flux, chosen)}


@pytest.fixture(scope="module")
def wrong():
    """Shifted, wider, and with one pixel hit, on the trace."""
    scene = replace(SCENE, traces=SCENE.traces + 0.5, stretch=np.full(N_DISP, 1.14))
    frame = observe(scene)
    frame.data[50, 29] += 400.0
    return frame


def test_advice_names_what_is_wrong(wrong):
    found = answers(wrong)
    assert set(found) == {"trace", "width", "outliers"}
    assert found["trace"].values["trace_shift"] == pytest.approx(0.5, abs=0.01)
    assert found["width"].values["psf_stretch"] == pytest.approx(1.14, abs=0.01)
    assert found["outliers"].values["outlying_pixels"] == 1
    sentences = {name: advise(answer).sentence for name, answer in found.items()}
    assert sentences["trace"].startswith("trace 0.50 +- ")
    assert "px off: flux " in sentences["trace"]
    assert sentences["width"].startswith("PSF 14.")
    assert sentences["outliers"] == "1 pixel that no PSF explains"


def test_effect_is_what_the_flux_is_off_without(wrong):
    found = answers(wrong)
    # a Gaussian fitted by another one: of the widths w and v, at the distance d, the flux is
    # w sqrt(2 / (w^2 + v^2)) exp(-d^2 / 2 (w^2 + v^2)) of the truth
    ratio = {
        "width": np.sqrt(2 / (1 + 1.14**2)),
        "trace": np.exp(-(0.5**2) / (4 * (1.14 * 1.3) ** 2)),
    }
    assert found["width"].effect == pytest.approx(ratio["width"] - 1, abs=0.005)
    assert found["trace"].effect == pytest.approx(ratio["trace"] - 1, abs=0.01)


def test_what_was_chosen_is_not_proposed(wrong):
    assert set(answers(wrong, ("width", "outliers"))) == {"trace"}
    assert answers(wrong, REFINEMENTS) == {}


def test_where_the_flux_is_right_already_only_outliers_are_left_to_tell(wrong):
    assert set(answers(wrong, flux=FLUX)) == {"outliers"}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_advised_on_a_clean_scene(seed):
    assert answers(observe(SCENE, seed=seed)) == {}


def test_what_hardly_changes_the_flux_is_not_advised():
    # 0.1 px are clear, at 200 sigma, and 0.2 % of the flux
    frame = observe(replace(SCENE, traces=SCENE.traces + 0.1))
    assert answers(frame) == {}
    earned = refine_what_earns(SCENE, SCENE, REFINEMENTS, setting_of(frame))
    shift, error = earned.refined.aligned.term("trace", 0)
    assert abs(shift - 0.1) < 4 * error < 0.01


def test_neighbour_is_advised_with_its_effect():
    frame = observe(SCENE)
    neighbour = SCENE.grid.place(SCENE.traces[0] - 4.0).value
    frame = replace(frame, data=frame.data + 0.5 * FLUX[:, None] * neighbour)
    found = answers(frame)
    assert set(found) == {"companions"}
    answer = found["companions"]
    assert answer.values["companion_offset"] == pytest.approx(-4.0, abs=0.25)  # the step of the search
    fit = linear_fit(SCENE.profiles(), SCENE.basis, frame.data, weights_of(frame))
    worst = max(np.median(part) for part in np.array_split(fit.flux[0] / FLUX - 1, 3))
    assert worst > WORTH
    assert answer.effect == pytest.approx(worst, rel=0.1)
