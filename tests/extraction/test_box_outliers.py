"""Box extraction of images with cosmic rays that nobody has flagged."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import extract
from jdaviz_lrs.data.flags import OUTLIER
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.draws import MISFIT, NOISY, draws, true_flux

PLACED = {"extract_width": 8, "use_source_posn": True}
NUMBER = 3


def pulls(product, subtracted, refinements, **settings):
    """(flux - truth) / error, relative error, and the spectra, 5 to 13.5 um."""
    scene = Scene(**NOISY, **MISFIT, nod_subtracted=subtracted, **settings)
    found, off, spectra = [], [], []
    for image, observation in draws(scene, NUMBER, product):
        sky = {} if subtracted else {"bkg_coeff": regions(image), "bkg_order": 1}
        spectrum = extract(
            image,
            references=replace(find_references(image, crds=False), psf=simulated_psf()),
            refinements=refinements,
            **PLACED,
            **sky,
        )
        truth = true_flux(image, observation)[spectrum.rows]
        used = (spectrum.wavelength > 5.0) & (spectrum.wavelength < 13.5)
        found.append(((spectrum.flux - truth) / spectrum.flux_error)[used])
        off.append((spectrum.flux / truth - 1)[used])
        spectra.append(spectrum)
    return np.array(found), np.array(off), spectra


def regions(image):
    """Background regions on both sides of where the aperture is given, which the source's place moves."""
    from jdaviz_lrs.extraction.placement import place
    from jdaviz_lrs.references.find import find_references

    parameters = find_references(image, crds=False).parameters.with_(PLACED)
    placement = place(image, parameters)
    at, shift = np.nanmedian(placement.center), np.nanmedian(placement.shift)
    first, last = image.xdisp_index[[0, -1]]
    edges = (first + 2.5, at - 6.5, at + 6.5, last - 2.5)
    return [[edge - shift] for edge in edges]


@pytest.mark.parametrize(
    ("product", "subtracted"),
    [
        ("s2d", True),
        ("cal", False),
        pytest.param("s2d", False, marks=pytest.mark.slow),
        pytest.param("cal", True, marks=pytest.mark.slow),
    ],
)
def test_cosmic_rays_are_left_out(product, subtracted):
    clean, off_clean, _ = pulls(product, subtracted, ())
    hit, _, told = pulls(product, subtracted, (), cosmic_rays=40)
    pull, off, spectra = pulls(product, subtracted, ("outliers",), cosmic_rays=40)
    assert (np.abs(hit) > 10).sum() >= 3 * NUMBER
    assert (np.abs(pull) > 10).sum() <= 1
    low, high = np.nanpercentile(pull, [15.865, 84.135])
    low_clean, high_clean = np.nanpercentile(clean, [15.865, 84.135])
    assert high - low == pytest.approx(high_clean - low_clean, rel=0.06)
    assert np.nanmedian(off) == pytest.approx(np.nanmedian(off_clean), abs=1e-3)
    for spectrum, unrefined in zip(spectra, told, strict=True):
        (advice,) = unrefined.advice
        assert advice.refinement == "outliers"
        assert (
            advice.values["outlying_pixels"] == spectrum.report["rejected_pixels"] == spectrum.rejected.sum()
        )
        hit_rows = (spectrum.rejected & (spectrum.profile > 0)).any(axis=1)[spectrum.rows]
        np.testing.assert_array_equal((spectrum.dq & OUTLIER) > 0, hit_rows)
        assert spectrum.advice == ()


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize(
    "scene",
    [
        {"lines": 5.0},
        *(
            pytest.param(scene, marks=pytest.mark.slow)
            for scene in ({}, {"brightness": 5e-3}, {"brightness": 5.5e-6})
        ),
    ],
    ids=str,
)
def test_a_clean_scene_is_left_as_it_is(product, scene):
    _, _, spectra = pulls(product, False, ("outliers",), **scene)
    for spectrum in spectra:
        looked_at = spectrum.image.good.sum()
        assert spectrum.rejected.sum() < 5e-4 * looked_at
    _, _, spectra = pulls(product, False, (), **scene)
    assert sum(len(spectrum.advice) for spectrum in spectra) <= 1


def test_the_pipeline_rejects_nothing():
    image, _ = next(draws(Scene(cosmic_rays=40), 1, "s2d"))
    references = find_references(image, crds=False)
    kept = {"references": references, "pipeline_compatible": True, **PLACED}
    plain, asked = (extract(image, refinements=chosen, **kept) for chosen in ((), ("outliers",)))
    np.testing.assert_array_equal(plain.flux, asked.flux)
    assert asked.rejected is None
    assert plain.advice == asked.advice == ()


def test_other_refinements_are_for_optimal_extraction():
    image, _ = next(draws(Scene(cosmic_rays=40), 1, "s2d"))
    references = find_references(image, crds=False)
    plain, asked = (
        extract(image, references=references, refinements=chosen, **PLACED)
        for chosen in ((), ("trace", "width", "companions", "variance", "background"))
    )
    np.testing.assert_array_equal(plain.flux, asked.flux)
    assert asked.advice[0].refinement == "outliers"


def test_residual_shows_what_was_left_out(tmp_path):
    image, _ = next(draws(Scene(cosmic_rays=40), 1, "s2d"))
    spectrum = extract(
        replace(image, file_name="a_s2d.fits"),
        references=find_references(image, crds=False),
        refinements=("outliers",),
        save_residual_image=True,
        **PLACED,
    )
    assert np.isfinite(spectrum.residual[spectrum.rejected]).all()
    assert spectrum.report["rejected_pixels"] > 5


@pytest.mark.parametrize("asked", [{}, {"extraction_type": "optimal"}], ids=["box", "optimal"])
def test_how_far_off_a_pixel_is_left_out(asked):
    """The higher the limit the fewer pixels, and none where nothing is so far off."""
    [(image, _)] = draws(Scene(cosmic_rays=40), 1, "cal")
    left_out = [
        extract(image, refinements="outliers", outlier_sigma=sigma, **(asked or PLACED)).rejected
        for sigma in (5.0, 30.0, 1e6)
    ]
    assert left_out[0].sum() > left_out[1].sum() > left_out[2].sum() == 0


@pytest.mark.parametrize("asked", [{**PLACED}, {"extraction_type": "optimal", "refinements": "trace"}])
def test_a_limit_for_outliers_that_are_not_asked_for_changes_nothing(asked):
    [(image, _)] = draws(Scene(cosmic_rays=40), 1, "cal")
    one, other = (extract(image, outlier_sigma=sigma, **asked) for sigma in (5.0, 1e6))
    np.testing.assert_array_equal(one.flux, other.flux)
    assert [advice.values for advice in one.advice] == [advice.values for advice in other.advice]
