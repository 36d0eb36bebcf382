import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, combine, extract, read_x1d
from jdaviz_lrs.combine.joint import extract_jointly
from jdaviz_lrs.combine.joint_verdict import joint_verdict
from jdaviz_lrs.data.flags import OUTLIER
from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.nods import HIT, PLAIN, REFINED, columns, compare, cramer_rao, extracted, images_of, references

NOT_SUBTRACTED = Scene(noisy_variance=True, nod_subtracted=False)


@pytest.fixture(scope="module")
def nods():
    return images_of(HIT, 2)


@pytest.fixture(scope="module")
def joint(nods):
    return extract_jointly(nods, REFINED, references(nods[0]))


def test_two_nods_with_cosmic_rays(nods, joint):
    found = compare([columns(joint)], HIT, 6.0)
    # 340 points of 0.5 % each are known to 0.03 % as a median; they share the flat of two traces
    assert abs(found.bias) < 0.2
    assert found.pull_width == pytest.approx(1, abs=0.15)  # of 340 pulls it is known to 5 %
    assert found.beyond <= 1
    # never worse than combining what was extracted one by one
    apart = combine(extracted(nods, REFINED))
    assert np.nanmedian(joint.flux_error / apart.flux_error) < 1.002
    assert compare([columns(apart)], HIT).furthest > found.furthest - 0.5
    wavelength, bound = cramer_rao(HIT, 2)
    bound = bound[np.isfinite(wavelength)]
    used = (joint.wavelength > 5) & (joint.wavelength < 13.5)
    assert np.median(joint.flux_error[used] / bound[used]) == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("scene", [Scene(noisy_variance=True), Scene(noisy_variance=True, cosmic_rays=40)])
def test_scatter_is_that_of_the_cramer_rao_bound(scene):
    number = 20
    pairs = []
    for seed in range(1, number + 1):
        images = images_of(replace(scene, seed=seed), 2)
        pairs.append(columns(extract_jointly(images, REFINED, references(images[0]))))
    wavelength, bound = cramer_rao(scene, 2)
    used = (wavelength > 5) & (wavelength < 13.5)
    ratio = np.std([flux for _, flux, _ in pairs], axis=0, ddof=1)[used] / bound[used]
    # of 340 standard deviations from 20 draws, the mean square is known to 1.8 %
    assert np.sqrt(np.mean(ratio**2)) < 1.05
    found = compare(pairs, scene, 6.0)
    assert found.beyond <= number
    assert found.pull_width == pytest.approx(1, abs=0.05)
    assert abs(found.bias) < 0.2


def test_what_each_image_says_is_told(nods, joint):
    assert len(joint.parts) == 2
    assert repr(joint).startswith("<JointSpectrum: 2 images")
    assert joint.report["inputs"] == ["nod1_cal.fits", "nod2_cal.fits"]
    assert sum(joint.report["shares"]) == pytest.approx(1, abs=0.01)
    assert joint.chi_square_per_freedom == pytest.approx(1, abs=0.3)
    assert joint.report["chi_square"] == pytest.approx(joint.chi_square_per_freedom)
    assert joint.notes[0] == "Extracted jointly from 2 images: nod1_cal.fits, nod2_cal.fits."
    for one, image in zip(joint.parts, nods, strict=True):
        assert one.residual.shape == image.shape
        pull = (one.residual / np.sqrt(one.variance))[image.good & ~one.rejected]
        assert np.std(pull) == pytest.approx(1, abs=0.05)
        assert one.rejected.sum() > 30
        assert np.isfinite(one.verdict.sum_ratio).all()
    assert joint.report["rejected_pixels"] == sum(one.rejected.sum() for one in joint.parts)
    assert ((joint.dq & OUTLIER) != 0).sum() > 20
    np.testing.assert_allclose(joint.verdict.sum_ratio, 1, atol=0.01)


def test_the_threshold_is_that_of_the_parameters(nods, joint):
    loose = extract_jointly(nods, REFINED, references(nods[0]), outlier_sigma=20.0)
    assert 0 < loose.report["rejected_pixels"] < joint.report["rejected_pixels"]


def test_it_is_written_as_any_spectrum(joint, tmp_path):
    written = read_x1d(joint.write(tmp_path / "joint_x1d.fits"))
    np.testing.assert_array_equal(written.flux, joint.flux)
    assert written.notes[0] == joint.notes[0]
    assert joint.to_spectrum().flux.unit == "Jy"
    again = pickle.loads(pickle.dumps(joint))
    np.testing.assert_array_equal(again.flux, joint.flux)
    assert len(again.parts) == 2


def test_the_sky_of_images_that_are_not_subtracted():
    images = images_of(NOT_SUBTRACTED, 2)
    found = references(images[0])
    polynomial = replace(PLAIN, subtract_background=True, bkg_fit="poly", bkg_order=1)
    own = extract_jointly(images, polynomial, found)
    shared = extract_jointly(images, polynomial, found, sky="shared")
    positions = extract_jointly(images, polynomial, found, sky="positions")
    for one in (own, shared, positions):
        agreement = compare([columns(one)], NOT_SUBTRACTED)
        assert abs(agreement.bias) < 0.2
        assert agreement.pull_width == pytest.approx(1, abs=0.15)
    errors = [np.nanmedian(one.flux_error) for one in (shared, own, positions)]
    assert errors == sorted(errors)
    with pytest.raises(LRSError, match="needs a polynomial"):
        extract_jointly(images, PLAIN, found, sky="shared")


def test_three_images_and_a_lost_core():
    images = images_of(replace(HIT, cosmic_rays=0), 3)
    good = images[0].good.copy()
    good[100] = False
    images[0] = replace(images[0], good=good)
    joint = extract_jointly(images, PLAIN, references(images[0]))
    assert len(joint.parts) == 3
    assert np.isfinite(joint.flux).all()
    row = int(np.flatnonzero(joint.rows == 100)[0])
    assert joint.n_input[row] == 2
    assert joint.flux_error[row] > 1.15 * joint.flux_error[row + 1]


def at_positions(scene, offsets):
    """Un-nodded cal images with the source at several positions, as (offset of the nods, nod)."""
    made = []
    for place, (offset, nod) in enumerate(offsets, 1):
        one = replace(scene, nod_subtracted=False, nod_offset=offset, seed=place)
        image = from_datamodel(to_model(simulate(one, "cal", nod)))
        made.append(replace(image, file_name=f"position{place}_cal.fits"))
    return made


def less_the_others(images):
    """Subtract from each the mean of the others, as the pipeline does where there are more than two nods."""
    made = []
    for place, one in enumerate(images):
        others = [other for number, other in enumerate(images) if number != place]
        data = one.data - np.mean([other.data for other in others], axis=0)
        variances = {
            name: getattr(one, name)
            + np.sum([getattr(other, name) for other in others], axis=0) / len(others) ** 2
            for name in ("var_poisson", "var_rnoise", "var_flat")
        }
        good = one.good & np.isfinite(data)
        seen = replace(one.observation, bkg_subtract="COMPLETE", primary_type="3-POINT")
        made.append(replace(one, data=data, good=good, observation=seen, **variances))
    return made


THREE = ((1.2, 1), (1.2, 2), (0.3, 1))
"""Arcsec from the middle of the slit to either side, and the side: the two nods, and one between them."""


def test_three_positions_each_with_the_negative_traces_of_the_others():
    scene = Scene(noisy_variance=True, nod_offset=1.2)
    images = less_the_others(at_positions(scene, THREE))
    joint = extract_jointly(images, PLAIN, references(images[0]))
    assert [len(one.nod_traces) for one in joint.parts] == [2, 2, 2]
    assert any("Negative traces of 2 other positions" in note for note in joint.notes)
    agreement = compare([columns(joint)], scene)
    assert abs(agreement.bias) < 0.2
    assert agreement.pull_width < 1.15
    # without them the wings of the one between are lost
    left = extract_jointly(images, replace(PLAIN, model_nod_pair=False), references(images[0]))
    assert compare([columns(left)], scene).bias < agreement.bias - 0.1


def test_three_positions_tell_the_sky_of_each_other():
    scene = Scene(noisy_variance=True, nod_offset=1.2)
    images = at_positions(scene, THREE)
    joint = extract_jointly(images, PLAIN, references(images[0]), sky="positions")
    two = extract_jointly(images[:2], PLAIN, references(images[0]), sky="positions")
    agreement = compare([columns(joint)], scene)
    assert abs(agreement.bias) < 0.2
    assert agreement.pull_width == pytest.approx(1, abs=0.15)
    assert np.nanmedian(joint.flux_error) < 0.9 * np.nanmedian(two.flux_error)


def test_rectified_images():
    scene = Scene(noisy_variance=True)
    images = images_of(scene, 2, "s2d")
    joint = extract_jointly(images, PLAIN, references(images[0]))
    assert abs(compare([columns(joint)], scene).bias) < 0.3


def observed(image, **changes):
    return replace(image, observation=replace(image.observation, **changes))


def stacked(image):
    planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    return replace(image, **{name: getattr(image, name)[None] for name in planes})


def renamed(image):
    header = copy.deepcopy(image.metadata)
    header.meta.target.catalog_name = "ANOTHER"
    return replace(image, metadata=header)


@pytest.mark.parametrize(
    ("change", "keywords", "told"),
    [
        (stacked, {}, "stack of integrations"),
        (renamed, {}, "target is ANOTHER"),
        (lambda one: observed(one, exposure_type="NRS_FIXEDSLIT"), {}, "mode"),
        (lambda one: replace(one, unit="Jy"), {}, "unit"),
        (lambda one: replace(one, missing=("var_poisson", "var_rnoise", "var_flat")), {}, "no variances"),
        (lambda one: replace(one, resampled=True), {}, "rectified images cannot go with detector images"),
        (lambda one: replace(one, wavelength=one.wavelength * 1.01), {}, "other wavelengths"),
        (lambda one: one, {"sky": "none"}, "own, shared, positions"),
        (lambda one: one, {"sky": "positions"}, "subtracted already"),
        (lambda one: one, {"extraction_type": "box"}, "extraction_type = optimal"),
        (lambda one: one, {"pipeline_compatible": True}, "no joint extraction"),
    ],
)
def test_what_cannot_be_extracted_jointly(nods, change, keywords, told):
    with pytest.raises(LRSError, match=told):
        extract_jointly([nods[0], change(nods[1])], PLAIN, references(nods[0]), **keywords)


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two(nods, number):
    with pytest.raises(LRSError, match="at least two images"):
        extract_jointly(nods[:number], PLAIN)


def test_an_image_that_is_there_twice(nods):
    with pytest.raises(LRSError, match="give every exposure once"):
        extract_jointly([nods[0], replace(nods[0], file_name="copy.fits")], PLAIN)


def test_progress_names_the_image(nods):
    said = []
    extract_jointly(nods, REFINED, references(nods[0]), progress=said.append)
    assert said[0].startswith("nod1_cal.fits: ")
    assert said[-1] == "fitting all images at once"


def test_from_files(observation, tmp_path):
    paths = [observation["nod1_cal"], observation["nod2_cal"]]
    joint = extract_jointly(paths, override_psf=observation["psf"], use_source_posn=True)
    apart = combine(
        [extract(one, override_psf=observation["psf"], extraction_type="optimal", use_source_posn=True)
         for one in paths]
    )  # fmt: skip
    np.testing.assert_allclose(np.nanmedian(joint.flux / apart.flux), 1, atol=2e-3)
    with pytest.raises(LRSError, match="an input"):
        joint.write(paths[1], overwrite=True)


def test_verdicts_are_averaged():
    one = Verdict(sum_ratio=(1.02, np.nan, 1.0), sum_ratio_error=(0.01, np.nan, 0.1), trace_offset=0.1)
    other = replace(one, sum_ratio=(1.0, np.nan, 1.0), trace_offset=-1.5, dropped=("width",))
    both = joint_verdict([one, other])
    np.testing.assert_allclose(both.sum_ratio, [1.01, np.nan, 1.0])
    np.testing.assert_allclose(both.sum_ratio_error, [0.01 / np.sqrt(2), np.nan, 0.1 / np.sqrt(2)])
    assert both.trace_offset == -1.5
    assert both.dropped == ("width",)


def test_verdicts_are_of_the_weights_by_which_images_are_joined(nods):
    """Pixels are weighed by the noise whether or not single images are asked to be."""
    plain, weighed = (
        extract_jointly(list(nods), extraction_type="optimal", refinements=chosen)
        for chosen in (("trace", "width"), ("trace", "width", "variance"))
    )
    for one, other in zip(plain.parts, weighed.parts, strict=True):
        np.testing.assert_allclose(one.flux, other.flux, rtol=1e-3)
        np.testing.assert_allclose(one.verdict.sum_ratio_error, other.verdict.sum_ratio_error, rtol=0.01)
