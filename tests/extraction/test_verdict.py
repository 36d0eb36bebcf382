"""Verdicts and advice of whole extractions, against what was simulated."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from jdaviz_lrs import extract, read
from jdaviz_lrs.data.verdict import BANDS, Verdict
from jdaviz_lrs.extraction.advice import say_verdict
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf

SCENE = Scene(noisy_variance=True)
BOX = {"extraction_type": "box", "use_source_posn": True, "extract_width": 8}
OPTIMAL = {"extraction_type": "optimal", "use_source_posn": True}
ALL = {**OPTIMAL, "refinements": ("all",)}

PSF = simulated_psf()
OFFSET = (np.arange(PSF.data.shape[1]) - PSF.center_col) / PSF.subpix
WRONG_PSF = {
    "15 % too narrow": replace(
        PSF, data=np.stack([np.interp(OFFSET / 0.85, OFFSET, row) for row in PSF.data])
    ),
    "without wings": replace(PSF, data=np.where(np.abs(OFFSET) <= 3.0, PSF.data, 0.0)),
    "leaning by 25 %": replace(PSF, data=PSF.data * (1.0 + 0.25 * np.tanh(OFFSET / 2.0))),
    # a stretch that mends its core took the wings along: 1.4 % low on s2d before
    "core leaning by 25 %": replace(PSF, data=PSF.data * (1.0 + 0.25 * np.tanh(OFFSET))),
    "built in": None,
}
"""In ways that a fit has a term for, and not."""


@cache
def observed(scene, product):
    """One draw as the detector has it, or as the pipeline resamples that; and the truth."""
    from jwst.resample import ResampleSpecStep

    seen = simulate(scene, "cal")
    model = to_model(seen)
    return read(model if product == "cal" else ResampleSpecStep().process(model)), seen.truth


@pytest.fixture(params=["cal", "s2d"])
def product(request):
    return request.param


@pytest.fixture
def image(product):
    return observed(SCENE, product)[0]


@pytest.fixture
def references(image, observation):
    return references_of(image, observation)


def references_of(image, observation):
    paths = {"override_apcorr": observation["apcorr"], "override_psf": observation["psf"]}
    return find_references(image, crds=False, **paths)


def bias(spectrum, truth):
    """Median relative error in each band, and the error of that."""
    order = np.argsort(truth.wavelength)
    true = np.interp(spectrum.wavelength, truth.wavelength[order], truth.flux[order])
    bands = [(spectrum.wavelength > first) & (spectrum.wavelength < last) for first, last in BANDS]
    off = [np.nanmedian((spectrum.flux / true)[band]) - 1.0 for band in bands]
    # a median is known 1.25 times worse than a mean
    error = [1.25 * np.nanmedian((spectrum.flux_error / true)[b]) / np.sqrt(b.sum()) for b in bands]
    return np.array(off), np.array(error)


def advised(spectrum):
    return {advice.refinement: advice for advice in spectrum.inspect()}


# --- what a verdict holds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [BOX, OPTIMAL, ALL], ids=["box", "optimal", "refined"])
def test_verdict_of_a_sound_extraction(changes, observation):
    image, _ = observed(SCENE, "cal")
    spectrum = extract(image, references=references_of(image, observation), **changes)
    verdict = spectrum.verdict
    assert verdict.bands == BANDS
    for ratio, error in zip(verdict.sum_ratio, verdict.sum_ratio_error, strict=True):
        # cut pixels count by their share in the sum, which is good to 0.3 %
        assert ratio == pytest.approx(1.0, abs=0.003 + 3 * error)
        assert 0 < error < 0.005
    np.testing.assert_allclose(verdict.sum_scatter, 1.0, atol=0.5)
    # of 12 pixels in 50 rows and more, 6 % each, and the background's share
    np.testing.assert_allclose(verdict.chi_square, 1.0, atol=0.25)
    np.testing.assert_allclose(verdict.lost_light, 0.0, atol=1e-3)
    assert abs(verdict.trace_offset) < 0.1
    assert 0 < verdict.trace_offset_error < 0.05
    assert verdict.trace_ratio == pytest.approx(1.0, abs=0.05)
    assert verdict.stand_ins == ("extract1d",)
    assert verdict.dropped == verdict.passed == ()
    assert verdict.witness_followed == ("both" if changes is ALL else "")
    assert advised(spectrum) == {}


def test_stand_ins_are_named():
    image, _ = observed(SCENE, "cal")
    spectrum = extract(image, references=find_references(image, crds=False), **BOX)
    assert spectrum.verdict.stand_ins == ("extract1d", "apcorr", "psf")


@pytest.mark.parametrize("kind", ["EXTENDED", "UNKNOWN", None])
def test_what_is_no_point_has_no_ratio(image, references, kind):
    other = replace(image, observation=replace(image.observation, source_type=kind))
    verdict = extract(other, references=references, **BOX).verdict
    assert np.isnan(verdict.sum_ratio).all()
    assert verdict.passed == ()


def test_without_a_correction_there_is_no_ratio(image, references):
    verdict = extract(image, references=references, apply_apcorr=False, **BOX).verdict
    assert np.isnan(verdict.sum_ratio).all()
    assert np.isfinite(verdict.chi_square).all()


# --- what is noted -----------------------------------------------------------------------------------------


def test_wrong_correction_of_a_narrow_aperture_is_noted(image, references):
    narrow, table = {**BOX, "extract_width": 4}, references.apcorr
    wrong = replace(table, apcorr=table.apcorr * np.where(table.size < 6, 1.1, 1.0))
    wrong = replace(references, apcorr=wrong)
    right, other = (extract(image, references=one, **narrow) for one in (references, wrong))
    ratios, ratios_right = np.array(other.verdict.sum_ratio), np.array(right.verdict.sum_ratio)
    np.testing.assert_allclose(ratios / ratios_right, 1.1, atol=0.002)
    # such edges lie where the profile is steep: 2 % on the detector, 5 % resampled, which are noted as well
    np.testing.assert_allclose(ratios_right, 1.0, atol=0.05)
    off, error = bias(right, observed(SCENE, "cal")[1])
    np.testing.assert_allclose(ratios_right - 1.0, off, atol=0.006 + 3 * error.max())
    assert {("sum_ratio", band) for band in range(3)} <= {*other.verdict.passed}
    assert any("of the plain corrected sum" in note for note in other.notes)


@pytest.mark.parametrize("offset", [-6.0, 4.0])
def test_aperture_beside_the_source_is_noted(image, references, offset):
    spectrum = extract(image, references=references, position_offset=offset, **BOX)
    verdict = spectrum.verdict
    assert verdict.trace_offset == pytest.approx(-offset, abs=0.2)
    assert ("trace_offset", None) in verdict.passed
    assert any("px from the place that was extracted" in note for note in spectrum.notes)


@pytest.mark.parametrize("changes", [BOX, OPTIMAL], ids=["box", "optimal"])
def test_lost_light_is_that_under_the_lost_pixel(image, references, changes):
    whole = extract(image, references=references, **changes)
    good = image.good.copy()
    before = np.array(whole.verdict.lost_light)
    rows = np.flatnonzero(np.isfinite(image.row_wavelength))[::3]
    trace = np.rint(trace_of(image)[rows] - image.xdisp_index[0]).astype(int)
    good[rows, trace] = False
    lost = np.array(extract(replace(image, good=good), references=references, **changes).verdict.lost_light)
    # a third of the wavelengths, each of a fifth to two fifths of the light
    assert (lost - before > 0.06).all()
    assert (lost - before < 0.14).all()


def trace_of(image):

    return image.source.trace


# --- what is advised ---------------------------------------------------------------------------------------


def change_of(scene, product, observation, **changes):
    """Spectrum, and by how much of the flux it is off for what the scene has, the largest of the bands."""
    images = observed(scene, product)[0], observed(SCENE, product)[0]
    ours, usual = (extract(one, references=references_of(one, observation), **changes) for one in images)
    bands = [(ours.wavelength > first) & (ours.wavelength < last) for first, last in BANDS]
    return ours, max((float(np.nanmedian((ours.flux / usual.flux - 1.0)[b])) for b in bands), key=abs)


@pytest.mark.parametrize(("offset", "ratio"), [(-7.0, 0.5), (5.0, 0.3)])
def test_neighbour_is_advised_for_a_box_with_its_effect(product, offset, ratio, observation):
    scene = replace(SCENE, companion_offset=offset, companion_ratio=ratio)
    spectrum, effect = change_of(scene, product, observation, **BOX)
    advice = advised(spectrum)["companions"]
    assert advice.values["companion_offset"] == pytest.approx(offset, abs=0.25)  # the step of the search
    assert advice.values["companion_ratio"] == pytest.approx(ratio, rel=0.3)
    assert effect > 0.01
    assert advice.values["effect"] == pytest.approx(effect, rel=1 / 3)
    assert "a second source at" in advice.sentence
    assert f"flux {100 * abs(advice.values['effect']):.2g} % high without" in advice.sentence


def test_wider_source_is_advised_for_a_box_with_its_effect(product, observation):
    spectrum, effect = change_of(replace(SCENE, psf_stretch=1.2), product, observation, **BOX)
    assert effect < -0.01
    advice = advised(spectrum)["width"]
    if product == "cal":  # resampled, a part of the width is the resampling's
        assert advice.values["psf_stretch"] == pytest.approx(1.2, abs=0.02)
    # a stretch takes the reference's wings along, which this source does not have beyond the slit's end
    assert advice.values["effect"] == pytest.approx(effect, rel=1 / 2)
    assert "wider than the reference" in advice.sentence
    assert "% low without" in advice.sentence


@pytest.mark.parametrize("brightness", [5e-4, 5e-3])
def test_effect_of_an_advice_is_what_the_flux_is_off_by(brightness, observation):
    """By the weights that it was extracted with: even ones feel more of a wrong profile."""
    image, truth = observed(replace(SCENE, brightness=brightness), "cal")
    leaning = replace(PSF, data=PSF.data * (1.0 + 0.25 * np.tanh(OFFSET)))
    references = replace(references_of(image, observation), psf=leaning)
    spectrum = extract(image, references=references, **OPTIMAL)
    off, _ = bias(spectrum, truth)
    effect = advised(spectrum)["width"].values["effect"]
    assert effect == pytest.approx(min(off), rel=0.15)


def test_neither_is_advised_where_a_refinement_answers_it(observation):
    scene = replace(SCENE, companion_offset=-7.0, companion_ratio=0.5)
    image, _ = observed(scene, "cal")
    references = references_of(image, observation)
    before = advised(extract(image, references=references, **OPTIMAL))
    assert "companions" in before
    assert advised(extract(image, references=references, **ALL)) == {}


# --- references that are wrong -----------------------------------------------------------------------------


def test_right_references_on_detector_and_resampled_image(image, references):
    spectrum = extract(image, references=references, **ALL)
    off, error = bias(spectrum, observed(SCENE, "cal")[1])
    # half a per cent is what resampling may cost, and the draw's own noise
    assert (np.abs(off) < 0.005 + 3 * error).all()
    assert spectrum.verdict.passed == ()


@pytest.mark.parametrize("wrong", WRONG_PSF)
def test_wrong_psf_with_the_right_correction(wrong, image, references):
    psf = WRONG_PSF[wrong] or find_references(image, crds=False).psf
    spectrum = extract(image, references=replace(references, psf=psf), **ALL)
    off, error = bias(spectrum, observed(SCENE, "cal")[1])
    # one per cent, and the draw's own noise
    assert (np.abs(off) < 0.01 + 3 * error).all()
    assert spectrum.verdict.dropped == ()


def test_witnesses_disagree_where_the_psf_lacks_its_wings(image, references):
    psf = WRONG_PSF["without wings"]
    verdict = extract(image, references=replace(references, psf=psf), **ALL).verdict
    assert verdict.witness_followed == "apcorr"
    inside = np.abs(OFFSET) <= 3.0
    used = (PSF.wavelength > 5.0) & (PSF.wavelength < 13.5)
    lacking = 1.0 - PSF.data[used][:, inside].sum(axis=1) / PSF.data[used].sum(axis=1)
    # the PSF has all of its light within 4 px: the correction tells more outside, as far as it knows
    assert -0.13 < verdict.witness_disagreement < -0.5 * lacking.max()


def test_witnesses_agree_on_the_width_of_a_narrow_psf(image, references):
    psf = WRONG_PSF["15 % too narrow"]
    spectrum = extract(image, references=replace(references, psf=psf), **ALL)
    assert spectrum.verdict.witness_followed == "psf"
    assert spectrum.report["psf_stretch"] == pytest.approx(1 / 0.85, abs=0.02)


WIDER = replace(SCENE, psf_stretch=1.15)


def test_source_wider_than_the_correction_has_it_with_a_psf_that_is_too_narrow(product, observation):
    image, truth = observed(WIDER, product)
    references = replace(references_of(image, observation), psf=WRONG_PSF["15 % too narrow"])
    spectrum = extract(image, references=references, **ALL)
    off, error = bias(spectrum, truth)
    assert (np.abs(off) < 0.01 + 3 * error).all()
    assert spectrum.verdict.dropped == ()
    assert spectrum.verdict.witness_followed == "psf"


def test_source_wider_than_the_correction_has_it_with_a_psf_without_wings_is_told(product, observation):
    for scene, told in ((SCENE, 0), (WIDER, 1)):
        image, _ = observed(scene, product)
        references = replace(references_of(image, observation), psf=WRONG_PSF["without wings"])
        notes = extract(image, references=references, **ALL).notes
        assert sum("the source is" in note and "wider than the PSF" in note for note in notes) == told


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_sky_that_nobody_subtracted_is_told(product, kind, observation):
    image = observed(Scene(nod_subtracted=False), product)[0]
    references = references_of(image, observation)
    left = extract(image, references=references, extraction_type=kind, use_source_posn=True, extract_width=8)
    assert left.verdict.sky_left[2] > 0.1
    assert ("sky_left", 2) in left.verdict.passed
    (note,) = [note for note in left.notes if "is sky that was not subtracted" in note]
    assert note.startswith(f"{left.verdict.sky_left[0]:.1%}")
    column = float(np.nanmean(left.trace if kind == "optimal" else image.source.trace))
    regions = [[column + x] for x in (-20.0, -12.0)]
    settings = {"bkg_coeff": regions} if kind == "box" else {"subtract_background": True, "bkg_order": 1}
    place = {"use_source_posn": True, "extract_width": 8} if kind == "optimal" else {
        "use_source_posn": False, "xstart": column - 3.5, "xstop": column + 3.5
    }  # fmt: skip
    clean = extract(image, references=references, extraction_type=kind, **settings, **place)
    assert not any(name == "sky_left" for name, _ in clean.verdict.passed)


@pytest.mark.parametrize(
    "scene",
    [
        Scene(),
        Scene(companion_ratio=0.5, companion_offset=10.0, background=0.0, nod_subtracted=False),
        Scene(brightness=2e-5, background=0.0, nod_subtracted=False),
    ],
    ids=["the other nod", "a neighbour", "noise"],
)
def test_what_is_no_sky(scene, product, observation):
    image = observed(scene, product)[0]
    spectrum = extract(image, references=references_of(image, observation), **BOX)
    assert not any(name == "sky_left" for name, _ in spectrum.verdict.passed)


def test_scatter_is_told_beside_sky_and_not_beside_a_ratio():
    """Sky that was left in shifts a flux, but makes it scatter no more."""
    sky = {"sky_left": (0.05,) * 3, "sky_left_error": (0.001,) * 3}
    wrong = {"sum_ratio": (1.3,) * 3, "sum_ratio_error": (0.001,) * 3}
    scatter = {"sum_scatter": (5.4, 1.0, 1.0)}
    told = [" ".join(say_verdict(Verdict(**one, **scatter))) for one in ({}, sky, wrong)]
    assert ["5.4 times its errors" in words for words in told] == [True, True, False]
    assert ["is sky that" in words for words in told] == [False, True, False]


@pytest.mark.parametrize(("brightness", "told"), [(5e-2, 1), (5e-4, 0)])
def test_of_a_bright_source_what_the_built_in_psf_tells_is_told(brightness, told):
    """At S/N 1000 its errors are a fifth of what the model's correction is known to."""
    image = observed(replace(SCENE, brightness=brightness), "cal")[0]
    for references, number in ((find_references(image, crds=False), told), (None, 0)):
        given = references or replace(find_references(image, crds=False), psf=PSF, stand_ins={})
        notes = extract(image, references=given, **OPTIMAL).notes
        assert sum("by the built-in PSF may be off by 0.5%" in note for note in notes) == number
