"""Each refinement alone, on plain arrays with a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.optimal import fit_profiles
from jdaviz_lrs.engine.profile import profile_grid
from jdaviz_lrs.engine.refine.advice import inspect_scene
from jdaviz_lrs.engine.refine.background import smoothing_matrix
from jdaviz_lrs.engine.refine.companions import add_companion, find_companion
from jdaviz_lrs.engine.refine.geometry import spectrum_phase
from jdaviz_lrs.engine.refine.location import fit_location
from jdaviz_lrs.engine.refine.outliers import find_outliers
from jdaviz_lrs.engine.refine.run import refine
from jdaviz_lrs.engine.refine.scene import Frame, Scene, linear_fit
from jdaviz_lrs.engine.refine.shape import fit_shape
from jdaviz_lrs.engine.refine.smooth_fit import fit_with_smooth_background
from jdaviz_lrs.engine.refine.trace import align
from jdaviz_lrs.engine.refine.variance import model_variances

N_DISP, N_XDISP = 200, 44
COLUMNS = np.arange(N_XDISP, dtype=float)
COORDINATE = np.linspace(-1.0, 1.0, N_XDISP)
ROW = np.linspace(-1.0, 1.0, N_DISP)
FLUX = 1000.0 * (1.2 + np.sin(3.0 * ROW))
SIGMA = 2.0
SUBPIX, HALF = 10.0, 15
OFFSET = np.arange(-HALF * SUBPIX, HALF * SUBPIX + 1) / SUBPIX
PSF_WAVELENGTH = np.linspace(4.0, 15.0, 30)
WIDTH = np.linspace(1.2, 1.7, 30)[:, None]


def gaussian(distance, width):
    return np.exp(-0.5 * (distance / width) ** 2) / (width * np.sqrt(2 * np.pi))


@pytest.fixture(scope="module")
def grid():
    wavelength = np.broadcast_to(np.linspace(14.0, 5.0, N_DISP)[:, None], (N_DISP, N_XDISP))
    psf = gaussian(OFFSET, WIDTH)
    return profile_grid(psf, PSF_WAVELENGTH, SUBPIX, HALF * SUBPIX, wavelength, COLUMNS)


@pytest.fixture(scope="module")
def scene(grid):
    """A source and a subtracted nod."""
    traces = np.stack([29.3 + 0.8 * ROW, 11.6 + 0.8 * ROW])
    return Scene(grid, traces, np.array([1.0, -1.0]), np.arange(2), np.ones(N_DISP), COORDINATE, order=-1)


def observe(scene, flux=FLUX, seed=1, sigma=SIGMA, extra=0.0):
    rng = np.random.default_rng(seed)
    clean = np.einsum("srx,r->rx", scene.profiles(), flux) + extra
    variances = np.stack([np.full_like(clean, 0.5 * sigma**2)] * 2 + [np.zeros_like(clean)])
    data = clean + sigma * rng.standard_normal(clean.shape)
    return Frame(data, variances, np.ones(clean.shape, bool))


def weights_of(frame):
    return frame.good / frame.variances.sum(axis=0)


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
    found = find_outliers(scene, data, frame.variances.sum(axis=0), frame.good)
    assert (found & hit).sum() == hit.sum()
    assert (found & ~hit).sum() <= 1  # of 8800 pixels, at 5 sigma


def test_a_wrong_psf_is_no_outlier(scene):
    wide = replace(scene, stretch=np.full(N_DISP, 1.15), traces=scene.traces + 0.1)
    frame = observe(wide)
    found = find_outliers(scene, frame.data, frame.variances.sum(axis=0), frame.good)
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
        "Fitting trace and width of 2 sources",
        "Looking for further sources",
        "Fitting the shape of the PSF of 2 sources",
    ]

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refine(observe(scene), scene, {"trace"}, progress=stop)


def test_shape_restores_the_light_in_the_wings(scene):
    halo = 0.05 * np.stack([np.exp(-np.abs(COLUMNS - t[:, None]) / 4.0) / 8.0 for t in scene.traces])
    true = 0.95 * scene.profiles() + scene.signs[:, None, None] * halo
    frame = observe(scene)
    data = frame.data + np.einsum("srx,r->rx", true - scene.profiles(), FLUX)
    weights = weights_of(frame)
    bare = linear_fit(scene.profiles(), scene.basis, data, weights).flux[0]
    shape = fit_shape(scene, data, weights, spectrum_phase(frame.good))
    full = linear_fit(replace(scene, shape=shape).profiles(), scene.basis, data, weights).flux[0]
    # 3.4 % of the halo is beyond the 13.5 px of the correction
    light = 1.0 - 0.034 * 0.05
    before, after = (abs(np.median(f / FLUX) - light) for f in (bare, full))
    assert before > 0.025
    assert after < 0.1 * before


def test_shape_is_left_alone_where_it_is_right(scene):
    frame = observe(scene, flux=0.01 * FLUX)
    shape = fit_shape(scene, frame.data, weights_of(frame), spectrum_phase(frame.good))
    if shape is not None:
        assert np.abs(shape.light).max() < 0.01


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


def test_advice_names_what_is_wrong(scene):
    wrong = replace(scene, traces=scene.traces + 0.31, stretch=np.full(N_DISP, 1.14))
    frame = observe(wrong)
    frame.data[50, 20] += 200.0
    advice = {a.refinement: a for a in inspect_scene(frame, scene)}
    assert set(advice) == {"trace", "width", "outliers"}
    assert advice["trace"].values["trace_shift"] == pytest.approx(0.31, abs=0.01)
    assert "0.31" in advice["trace"].sentence
    assert "14" in advice["width"].sentence
    assert advice["outliers"].values["outlying_pixels"] == 1
    assert inspect_scene(observe(scene), scene) == ()
