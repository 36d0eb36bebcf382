"""Refined optimal extraction against known truth; the whole table is in `benchmarks/optimal_accuracy`."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.outliers import TOLERANCE
from jdaviz_lrs.engine.refine.scene_model import linear_fit
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.draws import SCENES, accuracy, draws, true_flux

PSF = simulated_psf()
NONE = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
ALL = replace(NONE, refinements=("all",))
PIPELINE = replace(NONE, pipeline_compatible=True)
BRIGHT = [name for name in SCENES if "S/N" not in name]


def bias_limit(name):
    return 0.5 if "companion" in name or "wider" in name else 0.3


@pytest.mark.slow
@pytest.mark.parametrize("name", BRIGHT)
def test_targets(name):
    number = 10
    refined = accuracy(SCENES[name], ALL, PSF, number)
    pipeline = accuracy(SCENES[name], PIPELINE, PSF, number)
    assert refined.bias_error < bias_limit(name) / 3
    assert max(abs(b) for b in refined.bias) < bias_limit(name)
    assert abs(refined.pull_width - 1) < 0.05
    assert refined.beyond <= 1
    # a median of 350 standard deviations from 10 draws is known to 1.25 / sqrt(2 x 9 x 350) = 1.6 %
    assert refined.scatter < pipeline.scatter * (1 + 2 * 0.016)


@pytest.mark.slow
def test_companion_on_the_other_side():
    """The PSF is skewed: what lies left of the source is not what lies right of it."""
    scene = replace(SCENES["companion, half as bright, 7 px away"], companion_offset=7.0)
    refined = accuracy(scene, ALL, PSF, 10)
    # as above, and known to a sixth of it
    assert max(abs(b) for b in refined.bias) < 0.5 + refined.bias_error
    # 350 x 10 pulls tell their width to 1.5 %
    assert abs(refined.pull_width - 1) < 0.05 + 0.015


def test_uncertain_shape_is_in_the_errors():
    """Where a companion's light lies on wings that the PSF lacks, errors exceed those of known profiles."""
    scene = replace(SCENES["companion, half as bright, 7 px away"], companion_offset=4.5)
    (image, _) = next(draws(scene, 1))
    distance = (np.arange(PSF.data.shape[1]) - PSF.center_col) / PSF.subpix
    result = extract_optimal(image, ALL, replace(PSF, data=np.where(np.abs(distance) <= 3, PSF.data, 0.0)))
    assert result.sources.shape is not None
    weights = np.where(image.good & ~result.rejected, 1 / result.variance, 0.0)
    known = linear_fit(result.sources.profiles(), result.sources.basis, result.frame.data, weights)
    least = known.covariance[:, known.n_background, known.n_background]
    used = (image.row_wavelength > 5) & (image.row_wavelength < 13.5)
    ratio = np.sqrt(result.flux_var.sum(axis=0)[used] / least[used])
    assert (ratio >= 1 - 1e-6).all()
    # All wavelengths tell it together, and the other side of the profile tells it too: 5 % of the noise of
    # each. That fluxes scatter by it is shown in engine/refine/test_flux_variance.
    assert 1.0005 < np.median(ratio) < 1.01


@pytest.mark.slow
def test_faint_source_is_as_good_as_unrefined():
    number = 40
    refined, plain = (accuracy(SCENES["S/N 3 per wavelength"], p, PSF, number) for p in (ALL, NONE))
    # the same draws: what differs is what was fitted
    np.testing.assert_allclose(refined.bias, plain.bias, atol=0.3)
    assert refined.scatter < 1.02 * plain.scatter
    assert abs(refined.pull_width - 1) < 0.05


@pytest.mark.parametrize("name", ["PSF 15 % wider", "40 cosmic rays", "companion, half as bright, 7 px away"])
def test_refined_flux_of_one_draw(name):
    (image, observation) = next(draws(SCENES[name], 1))
    result = extract_optimal(image, ALL, PSF)
    used = (image.row_wavelength > 5) & (image.row_wavelength < 13.5)
    truth = true_flux(image, observation) / (image.pixel_area * 1e6)
    difference = (result.flux - truth)[used]
    pull = difference / np.sqrt(result.flux_var.sum(axis=0))[used]
    # the median of 350 points of 0.7 % each is known to 0.05 %
    assert abs(np.median(difference / truth[used])) < 0.01 * bias_limit(name) + 3 * 0.0005
    assert np.abs(pull).max() < 6  # sigma
    if "cosmic" in name:
        (clean, _) = next(draws(replace(SCENES[name], cosmic_rays=0), 1))
        hit = np.nan_to_num(image.data - clean.data)
        # a hit must exceed what the PSF may be off by as well: four lie on the nod, of a tenth of its light
        large = hit > 5 * np.sqrt(result.variance + (TOLERANCE * result.scene) ** 2)
        assert (large & ~result.rejected).sum() <= 1  # noise may hide it
        assert (result.rejected & (hit == 0)).sum() <= 1
        assert result.report["rejected_pixels"] == result.rejected.sum() >= 35
    if "wider" in name:
        assert result.report["psf_stretch"] == pytest.approx(1.15, abs=0.01)
    if "companion" in name:
        assert result.report["companion_offsets"] == pytest.approx([-7.0], abs=0.05)
        ratio = np.nanmedian(result.companions[0].flux[used] / truth[used])
        assert ratio == pytest.approx(0.5, abs=0.01)


def test_sources_by_hand():
    (image, observation) = next(draws(SCENES["companion, half as bright, 7 px away"], 1))
    result = extract_optimal(image, replace(NONE, sources=(-7.0,)), PSF)
    used = (image.row_wavelength > 5) & (image.row_wavelength < 13.5)
    truth = true_flux(image, observation) / (image.pixel_area * 1e6)
    assert len(result.companions) == 1
    # the PSF is another one than the reference: 0.5 % as without a companion
    assert np.nanmedian(result.companions[0].flux[used] / truth[used]) == pytest.approx(0.5, abs=0.01)


def test_bent_trace_is_reported_and_drawn():
    (image, observation) = next(draws(SCENES["trace shifted 0.2 px, bent 0.6 px"], 1))
    result = extract_optimal(image, ALL, PSF)
    first = image.origin[0] - observation.grid.corner[0]
    true = observation.truth.trace[first : first + image.n_disp]
    good = np.isfinite(result.trace) & np.isfinite(true) & (image.row_wavelength > 5)
    # the skewed PSF's place is what its centroid would have: within 0.03 px
    np.testing.assert_allclose(result.trace[good], true[good], atol=0.05)
    assert result.report["trace_bend"] == pytest.approx(0.6, abs=0.02)
    # once it is located, such a bend moves fluxes by less than a hundredth; a larger one is advised on
    assert extract_optimal(image, NONE, PSF).advice() == ()
    (image, _) = next(draws(replace(SCENES["trace shifted 0.2 px, bent 0.6 px"], trace_bend=1.0), 1))
    (advice,) = extract_optimal(image, NONE, PSF).advice()
    assert advice.refinement == "trace"
    assert advice.values["trace_bend"] == pytest.approx(1.0, abs=0.02)


def test_background_is_smoothed():
    scene = replace(SCENES["clean"], nod_subtracted=False)
    fitted = replace(NONE, subtract_background=True, bkg_order=1)
    (image, _) = next(draws(scene, 1))
    smooth = extract_optimal(image, replace(fitted, refinements=("background",)), PSF)
    free = extract_optimal(image, fitted, PSF)
    assert smooth.report["background_smoothing_length"] == 21
    used = (image.row_wavelength > 5) & (image.row_wavelength < 13.5)
    # from row to row; second differences, as the sky is steep
    rough, calm = (np.diff(r.background[used], n=2).std() for r in (free, smooth))
    assert calm < 0.3 * rough
    assert (smooth.flux_var.sum(axis=0)[used] < free.flux_var.sum(axis=0)[used]).all()
