"""Each refinement alone, on plain arrays with a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.optimal import fit_profiles
from jdaviz_lrs.engine.refine.background import smoothing_matrix
from jdaviz_lrs.engine.refine.companions import add_companion, find_companion
from jdaviz_lrs.engine.refine.geometry import spectrum_phase
from jdaviz_lrs.engine.refine.location import fit_location
from jdaviz_lrs.engine.refine.outliers import find_outliers
from jdaviz_lrs.engine.refine.run import Step, refine
from jdaviz_lrs.engine.refine.scene_model import linear_fit
from jdaviz_lrs.engine.refine.shape import fit_shape
from jdaviz_lrs.engine.refine.smooth_fit import fit_with_smooth_background
from jdaviz_lrs.engine.refine.trace import align
from jdaviz_lrs.engine.refine.variance import model_variances
from jdaviz_lrs.extraction.progress import say_step
from tests.gaussian_slit import (
    COLUMNS,
    COORDINATE,
    FLUX,
    N_DISP,
    ROW,
    SIGMA,
    observe,
    source_and_nod,
    weights_of,
)


@pytest.fixture(scope="module")
def scene():
    return source_and_nod()


def test_location_is_found_within_its_error(scene):
    moved = replace(scene, traces=scene.traces + np.array([[0.43], [-0.21]]))
    frame = observe(moved)
    found = fit_location(
        frame.data, frame.variances.sum(axis=0), frame.good, scene.grid, scene.traces, scene.signs, COORDINATE
    )
    assert found.converged
    pulls = (np.array(found.shifts) - [0.43, -0.21]) / found.errors
    assert np.abs(pulls).max() < 4  # sigma


def test_trace_and_width_are_found_within_their_errors(scene):
    bend = 0.2 + 0.1 * ROW + 0.4 * (1.5 * ROW**2 - 0.5)
    moved = replace(scene, traces=scene.traces + bend, stretch=1.12 + 0.03 * ROW)
    frame = observe(moved)
    aligned = align(scene, frame.data, weights_of(frame), trace=True, width=True)
    for kind, order, truth in (("trace", 0, 0.2), ("trace", 2, 0.4), ("width", 0, 0.12), ("width", 1, 0.03)):
        value, error = aligned.term(kind, order)
        assert abs(value - truth) < 4 * error  # sigma
        assert error < 0.01
    # where the coefficients are, the curves are
    np.testing.assert_allclose(aligned.scene.traces[0], moved.traces[0], atol=0.01)


def test_faint_trace_stays_the_headers(scene):
    frame = observe(replace(scene, traces=scene.traces + 0.1), flux=0.0005 * FLUX)
    aligned = align(scene, frame.data, weights_of(frame), trace=True, width=True)
    assert aligned.blocks == ()
    np.testing.assert_array_equal(aligned.scene.traces, scene.traces)
    assert aligned.term("trace", 0)[1] > 0.1  # and the error says why


def test_errors_of_the_trace_are_its_scatter(scene):
    shifts, errors = [], []
    for seed in range(30):
        frame = observe(replace(scene, traces=scene.traces + 0.2), flux=0.02 * FLUX, seed=seed)
        shift, error = align(scene, frame.data, weights_of(frame), trace=True, width=False).term("trace", 0)
        shifts.append(shift)
        errors.append(error)
    # a standard deviation from 30 draws is known to 1 / sqrt(60) = 13 %
    assert np.std(shifts) / np.mean(errors) == pytest.approx(1.0, abs=4 * 0.13)
    assert np.mean(shifts) == pytest.approx(0.2, abs=4 * np.mean(errors) / np.sqrt(30))


@pytest.mark.parametrize("flux", [FLUX, 0.01 * FLUX], ids=["bright", "faint"])
def test_outliers_are_those_put_in(scene, flux):
    frame = observe(scene, flux)
    rng = np.random.default_rng(4)
    hit = np.zeros(frame.good.shape, bool)
    hit.flat[rng.choice(hit.size, 60, replace=False)] = True
    hit[0, 29] = hit[-1, 11] = True  # the ends, on the trace
    data = np.where(hit, frame.data + 15 * SIGMA * rng.uniform(1, 20, hit.shape), frame.data)
    found = find_outliers(scene, data, frame.variances.sum(axis=0), frame.good, frame.outlier_sigma)
    assert (found & hit).sum() == hit.sum()
    assert (found & ~hit).sum() <= 1  # of 8800 pixels, at 5 sigma


def test_a_wrong_psf_is_no_outlier(scene):
    wide = replace(scene, stretch=np.full(N_DISP, 1.15), traces=scene.traces + 0.1)
    frame = observe(wide)
    found = find_outliers(scene, frame.data, frame.variances.sum(axis=0), frame.good, frame.outlier_sigma)
    assert found.sum() <= 0.002 * found.size


@pytest.mark.parametrize("offset", [-7.0, 6.4])
def test_companion_is_found(scene, offset):
    frame = observe(scene)
    profile = scene.grid.place(scene.traces[0] + offset).value
    data = frame.data + 0.3 * FLUX[:, None] * profile
    fit = linear_fit(scene.profiles(), scene.basis, data, weights_of(frame))
    found = find_companion(scene, fit, weights_of(frame))
    assert found.offset == pytest.approx(offset, abs=0.25)  # the step of the search
    assert found.ratio == pytest.approx(0.3, rel=0.1)  # the target's fit has taken some of its light
    fit = linear_fit(add_companion(scene, offset).profiles(), scene.basis, data, weights_of(frame))
    np.testing.assert_allclose(np.mean(fit.flux[2] / FLUX), 0.3, atol=0.002)


def test_no_companion_in_noise(scene):
    for seed in range(5):
        frame = observe(scene, seed=seed)
        fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights_of(frame))
        assert find_companion(scene, fit, weights_of(frame)) is None


@pytest.mark.parametrize("shift", [-0.4, 0.4])
def test_a_source_whose_nod_lies_at_the_end_of_the_slit(scene, shift):
    # where the header has them the nod of this source is inside, where they are it is outside, or vice versa
    offset = -0.5 - np.mean(scene.traces[1]) - 0.5 * shift
    there = add_companion(replace(scene, traces=scene.traces + shift), offset)
    brightness = np.array([1.0, 1.0, 0.5, 0.5])[: len(there.traces), None, None]
    data = observe(scene, flux=0.0 * FLUX).data + (brightness * there.profiles() * FLUX[:, None]).sum(axis=0)
    frame = replace(observe(scene), data=data)
    found = refine(frame, scene, {"trace"}, sources=[offset], starts=(shift, shift))
    np.testing.assert_allclose(found.scene.traces[0] - scene.traces[0], shift, atol=0.02)


def test_a_refinement_tells_its_steps_and_ends_when_told(scene):
    steps = []
    refine(observe(scene), scene, {"trace", "width", "companions"}, sources=[7.0], progress=steps.append)
    assert steps == [
        Step(("trace", "width"), 2),
        Step(("shape",), 2),
        Step(("companions",), 2),
    ]
    assert [say_step(step) for step in steps] == [
        "Fitting trace and width of 2 sources",
        "Fitting the shape of the PSF of 2 sources",
        "Looking for further sources",
    ]

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refine(observe(scene), scene, {"trace"}, progress=stop)


def with_halo(scene):
    """Profiles with a twentieth of the light in wings that the PSF lacks, and its share in the aperture."""
    halo = 0.05 * np.stack([np.exp(-np.abs(COLUMNS - t[:, None]) / 4.0) / 8.0 for t in scene.traces])
    true = 0.95 * scene.profiles() + scene.signs[:, None, None] * halo
    inside = np.clip(4.5 - np.abs(COLUMNS - scene.traces[0][:, None]), 0.0, 1.0)
    return true, (inside * true[0]).sum(axis=1)


def test_shape_and_correction_restore_the_light_in_the_wings(scene):
    true, enclosed = with_halo(scene)
    frame = observe(scene, flux=0.0 * FLUX)
    frame = replace(frame, data=frame.data + np.einsum("srx,r->rx", true, FLUX))
    bare = linear_fit(scene.profiles(), scene.basis, frame.data, weights_of(frame)).flux[0]
    found = refine(frame, scene, {"width"}, enclosed=enclosed)
    full = linear_fit(found.scene.profiles(), scene.basis, frame.data, weights_of(frame)).flux[0]
    before, after = (abs(np.median(f / FLUX) - 1.0) for f in (bare, full))
    assert before > 0.025
    assert after < 0.1 * before
    assert found.enclosed.followed == "apcorr"
    # without wings the PSF has all of its light within 4 px, but for 1 to 2 %
    np.testing.assert_allclose(found.enclosed.disagreement, -0.05 * np.exp(-1.0), atol=0.006)


def test_shape_moves_light_inside_the_aperture_only(scene):
    true, _ = with_halo(scene)
    frame = observe(scene, flux=0.0 * FLUX)
    data, weights = frame.data + np.einsum("srx,r->rx", true, FLUX), weights_of(frame)
    shaped = replace(scene, shape=fit_shape(scene, data, weights, spectrum_phase(frame.good)))
    inside = np.clip(4.5 - np.abs(COLUMNS - scene.traces[0][:, None]), 0.0, 1.0)
    before, after = ((inside * one.place(0).value).sum(axis=1) for one in (scene, shaped))
    np.testing.assert_allclose(after, before, rtol=1e-9)
    # the light is on the pixels: what the flux multiplies is what was seen
    seen = (inside * data).sum(axis=1) / FLUX
    fit = linear_fit(shaped.profiles(), scene.basis, data, weights)
    assert np.median(after * fit.flux[0] / FLUX) == pytest.approx(np.median(seen), abs=0.002)


def test_shape_is_left_alone_where_it_is_right(scene):
    frame = observe(scene, flux=0.01 * FLUX)
    shape = fit_shape(scene, frame.data, weights_of(frame), spectrum_phase(frame.good))
    if shape is not None:
        assert np.abs(shape.shares).max() < 0.01


def test_variances_of_the_model_do_not_follow_the_noise(scene):
    rng = np.random.default_rng(9)
    profiles = np.abs(scene.profiles())
    true = 5.0 + 0.5 * np.einsum("srx,r->rx", profiles, FLUX)
    noisy = true * (1 + 0.1 * rng.standard_normal(true.shape))
    read = np.full_like(true, 1.0)
    model = model_variances(scene, np.stack([noisy, read, np.zeros_like(true)]), np.ones(true.shape, bool))
    # 10 % per pixel, averaged over 9 rows at least
    assert np.std(model[0] / true - 1) < 0.1 / 3
    assert abs(np.mean(model[0] / true) - 1) < 0.005
    np.testing.assert_array_equal(model[1], read)


def test_in_a_wide_gap_the_variances_are_those_of_the_image(scene):
    """Where no row tells the model's they were zero, and errors a tenth of theirs."""
    frame = observe(scene)
    good = frame.good.copy()
    good[80:93] = False
    modelled = model_variances(scene, frame.variances, good)
    np.testing.assert_array_equal(modelled[:, 85:88], frame.variances[:, 85:88])
    assert (modelled[0] > 0).all()


def test_smoothing_keeps_a_parabola_and_sums_to_one():
    usable = np.ones(60, bool)
    usable[[3, 4, 30]] = False
    matrix = smoothing_matrix(usable, 11)
    rows = np.arange(60.0)
    parabola = 3 - 0.2 * rows + 0.05 * rows**2
    np.testing.assert_allclose(matrix @ np.where(usable, parabola, 0), parabola, rtol=1e-9)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)


def test_errors_with_a_smooth_background_are_the_scatter(scene):
    single = replace(scene, traces=scene.traces[:1], signs=scene.signs[:1], groups=scene.groups[:1], order=1)
    profiles, pulls, ratio = single.profiles(), [], []
    for seed in range(40):
        frame = observe(single, seed=seed, extra=20 + 5 * COORDINATE)
        weights = weights_of(frame)
        arguments = (frame.data, frame.variances, weights, profiles, COORDINATE, 1)
        smooth, free = fit_with_smooth_background(*arguments, 21), fit_profiles(*arguments)
        pulls.append((smooth.flux[0] - FLUX) / np.sqrt(smooth.flux_var[0].sum(axis=0)))
        ratio.append(smooth.flux_var[0].sum(axis=0) / free.flux_var[0].sum(axis=0))
    # neighbouring rows share their background; about 40 x 200 / 3 independent values
    assert np.std(pulls) == pytest.approx(1.0, abs=0.04)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.08)
    assert np.mean(ratio) < 0.95
