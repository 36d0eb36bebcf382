"""Nods that the pipeline combines (level 3): each with the phase of its drizzle, and its own negative."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from jdaviz_lrs import extract, read
from jdaviz_lrs.data.verdict import BANDS
from jdaviz_lrs.engine.refine.blur import likeliest_blur
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.references.pixels import MEAN_BLUR, PLACES, blurs_of_nods
from jdaviz_lrs.simulate import Scene, simulate_nods, simulated_psf, to_model

SCENE = Scene(noisy_variance=True, brightness=5e-3)
NONE = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
ALL = replace(NONE, refinements=("all",))
PSF = simulated_psf()


def resampled(scene):
    """Both nods of a scene, resampled together by the pipeline."""
    from jwst.datamodels import ModelContainer
    from jwst.resample import ResampleSpecStep

    step = ResampleSpecStep()
    step.pixel_scale_ratio = 1.0
    return step.process(ModelContainer([to_model(nod) for nod in simulate_nods(scene, 2)]))


@cache
def combined(**settings):
    """An image of both nods; and the truth."""
    scene = replace(SCENE, **settings)
    return read(resampled(scene)), simulate_nods(scene, 1)[0].truth


def off(spectrum, truth):
    """Median relative error in each band."""
    order = np.argsort(truth.wavelength)
    true = np.interp(spectrum.wavelength, truth.wavelength[order], truth.flux[order])
    bands = [(spectrum.wavelength > first) & (spectrum.wavelength < last) for first, last in BANDS]
    return np.array([np.nanmedian((spectrum.flux / true)[band]) - 1.0 for band in bands])


def extracted(image, observation, **parameters):
    paths = {"override_apcorr": observation["apcorr"], "override_psf": observation["psf"]}
    references = find_references(image, crds=False, **paths)
    return extract(
        image, references=references, extraction_type="optimal", use_source_posn=True, **parameters
    )


def test_the_product_tells_which_exposures_are_in_a_pixel():
    image, _ = combined()
    assert image.contributing.shape == (2, *image.shape)
    row = image.contributing[:, image.n_disp // 2]
    assert row.any(axis=1).all()  # both are there
    assert (row[0] & row[1]).sum() > 20  # where the slits overlap
    assert (row[0] & ~row[1]).sum() > 10  # and where one alone reaches, on either side
    assert (row[1] & ~row[0]).sum() > 10
    part = image.narrowed(slice(5, 20))
    np.testing.assert_array_equal(part.contributing, image.contributing[..., 5:20])
    assert image.header_only().contributing is None


def test_where_the_header_is_silent_the_context_counts_the_exposures():
    image, _ = combined()
    assert image.observation.exposures == 2
    for given, told in ((None, 2), (1, 1)):  # a header that speaks is believed
        model = resampled(SCENE)
        model.meta.resample.pointings = given
        assert read(model).observation.exposures == told


def test_a_negative_trace_is_in_the_exposures_that_have_it():
    image, _ = combined()
    scene = extract_optimal(image, NONE, PSF).sources
    assert len(scene.traces) == 3  # the source, and on either side what is left of the other nod
    assert set(np.unique(scene.seen[0])) == {1.0}
    either = scene.seen[1] + scene.seen[2]
    lit = image.contributing.any(axis=0)
    np.testing.assert_array_equal(either[lit], 1.0)
    for negative, trace in zip(scene.seen[1:], scene.traces[1:], strict=True):
        middle = image.n_disp // 2
        assert negative[middle, int(np.rint(trace[middle]))] == 1.0  # alone at its place
        assert negative[middle, int(np.rint(scene.traces[0][middle]))] == 0.5  # one of two at the source


def test_columns_at_the_ends_of_an_exposure_are_not_fitted():
    image, _ = combined()
    good = extract_optimal(image, NONE, PSF).frame.good[image.n_disp // 2]
    for exposure in image.contributing[:, image.n_disp // 2]:
        ends = np.flatnonzero(exposure)[[0, -1]]
        assert not good[ends].any()


@pytest.mark.parametrize("refinements", [(), ("all",)])
def test_their_flux_is_right(refinements, observation):
    """Without the phases and the exposures of the negatives it was up to 2 % off."""
    image, truth = combined()
    spectrum = extracted(image, observation, refinements=refinements)
    # half a per cent is what resampling may cost; the noise of a median is below 0.05 %
    assert np.abs(off(spectrum, truth)).max() < 0.005
    assert spectrum.verdict.dropped == ()


@pytest.mark.parametrize(
    "settings", [{"psf_stretch": 1.15}, {"companion_offset": 4.5, "companion_ratio": 0.5}]
)
def test_a_wide_source_and_a_close_neighbour_are_right(settings, observation):
    image, truth = combined(**settings)
    spectrum = extracted(image, observation, refinements=("all",))
    assert np.abs(off(spectrum, truth)).max() < 0.006  # as above, and what a neighbour adds
    assert spectrum.verdict.dropped == ()


def test_phases_are_those_of_the_nods():
    """They differ by the nods' distance; where it is not known, any two are tried."""
    image, _ = combined()
    one = blurs_of_nods(image, 3.0)
    assert one.shape == (PLACES.size, image.n_disp)
    assert blurs_of_nods(image, None).shape == (PLACES.size * (PLACES.size + 1) // 2, image.n_disp)
    assert one.mean() == pytest.approx(MEAN_BLUR, abs=1e-4)
    np.testing.assert_array_equal(one, blurs_of_nods(image, 16.0))  # whole pixels change nothing
    single = replace(image, observation=replace(image.observation, exposures=1))
    assert blurs_of_nods(single, 3.0).shape == (0, image.n_disp)


def test_a_blur_is_found_where_the_data_show_one_and_not_in_noise():
    result = extract_optimal(combined()[0], NONE, PSF)
    scene, frame = result.sources, result.frame
    blurs = blurs_of_nods(combined()[0], float(np.nanmean(scene.traces[2] - scene.traces[0])))
    mean = replace(scene, blur=np.full(scene.blur.shape, MEAN_BLUR))
    found = likeliest_blur(mean, frame, blurs)
    np.testing.assert_allclose(found, scene.blur, atol=0.005)  # a step of the phase
    worst = int(np.abs(blurs - found).max(axis=1).argmax())
    assert likeliest_blur(mean, frame, blurs[[worst]]) is None
    noisy = replace(frame, data=np.random.default_rng(1).normal(0.0, np.sqrt(frame.variances.sum(axis=0))))
    assert likeliest_blur(mean, noisy, blurs) is None
