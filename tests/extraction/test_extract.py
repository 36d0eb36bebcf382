"""Box extraction as a whole: against the truth, and its error bars against draws of the noise."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import effective_profile, simulated_psf
from tests.drizzled import light_kept
from tests.extract1d_step import pipeline_x1d

NOD = Scene(noise=False)
SKY = Scene(noise=False, nod_subtracted=False)

#: Half-widths of the tapered aperture at 0 um and per um: 1.5 times the FWHM near 10 um.
TAPER = {"src_coeff": [[-2.4456, -0.25795], [2.4456, 0.25795]], "independent_var": "wavelength"}
BANDS = ((5.0, 8.0), (8.0, 11.0), (11.0, 13.5))


def image_of(seen):
    return read(to_model(seen))


def drawn(image, seen):
    """Return the image with the planes of another draw, on the same pixels."""
    good = np.isfinite(seen.data)
    names = ("data", "var_poisson", "var_rnoise", "var_flat")
    return replace(image, **{name: getattr(seen, name) for name in names}, good=good)


def references_of(image, observation, **override):
    return find_references(
        image, override_apcorr=observation["apcorr"], override_psf=observation["psf"], **override
    )


def median_ratios(wavelength, flux, truth):
    ratio = flux / np.interp(wavelength[::-1], truth.wavelength[::-1], truth.flux[::-1])[::-1]
    return [np.nanmedian(ratio[(wavelength > a) & (wavelength < b)]) for a, b in BANDS]


# --- truth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_tapered_aperture_finds_the_truth_where_the_pipeline_is_low(product, observation, tmp_path):
    seen = simulate(NOD, product)
    image = image_of(seen)
    references = references_of(image, observation)
    ours = extract(image, references=references, use_source_posn=True, **TAPER)
    # the table of corrections is linear between whole widths
    np.testing.assert_allclose(median_ratios(ours.wavelength, ours.flux, seen.truth), 1.0, atol=5e-3)
    if product == "cal":
        return  # where the pipeline finds no aperture at all: see test_pipeline_parity
    path = references.extract1d.with_parameters(
        references.parameters.with_({"use_source_posn": True, **TAPER}), "MIR_LRS-FIXEDSLIT"
    ).write(tmp_path / "taper.json")
    table = pipeline_x1d(to_model(seen), path, observation["apcorr"])
    low = 1 - np.array(median_ratios(table["WAVELENGTH"], table["FLUX"], seen.truth))
    assert (low > 0.02).all()
    assert (low < 0.12).all()


def test_tapered_aperture_of_the_shared_scene(shared_scene):
    truth = np.load(shared_scene / "truth.npz")
    spectrum = extract(
        shared_scene / "l2_s2d.fits",
        override_extract1d=shared_scene / "pipeline" / "ex4.json",
        override_apcorr=shared_scene / "apcorr.fits",
        override_psf=shared_scene / "psf.fits",
    )
    order = np.argsort(truth["wave"])
    ratio = spectrum.flux / np.interp(spectrum.wavelength, truth["wave"][order], truth["flux"][order])
    for first, last in BANDS:
        band = (spectrum.wavelength > first) & (spectrum.wavelength < last)
        assert np.nanmedian(ratio[band]) == pytest.approx(1.0, abs=5e-3)


def edge_error(wavelength, width):
    """Relative error from pixels cut by both edges, whose light counts as even.

    Of a cut at the fraction f of a pixel it is f (1 - f) / 2 <= 1 / 8 of the profile's slope there, at the
    steepest within half a pixel of the edge.
    """
    middle = width / 2 + np.linspace(-0.5, 0.5, 11)
    slope = effective_profile(middle - 0.5, wavelength) - effective_profile(middle + 0.5, wavelength)
    return 2 * np.abs(slope).max(axis=1) / 8


#: What the table of corrections, linear in wavelength and in single precision, leaves.
LEFT_OVER = 2e-4


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod", [1, 2])
@pytest.mark.parametrize(("width", "shift"), [(8, 0.0), (8, 0.25), (8, 0.5), (12, 0.0)])
def test_aperture_at_the_source_finds_the_truth(product, nod, width, shift, observation):
    seen = simulate(replace(SKY, trace_shift=shift, background=0.0), product, nod)
    image = image_of(seen)
    placed = {"extract_width": width, "use_source_posn": True, "position_offset": shift}
    spectrum = extract(image, references=references_of(image, observation), **placed)
    # what the drizzle takes out of an aperture, the correction, made for the detector, does not know
    error = np.abs(spectrum.flux / (seen.truth.flux * light_kept(seen, width)) - 1)
    assert (error < edge_error(seen.truth.wavelength, width) + LEFT_OVER).all()


# --- error bars --------------------------------------------------------------------------------------------

AWAY = {"bkg_coeff": [[3.5], [12.0], [37.0], [43.5]]}
BACKGROUNDS = {
    "none": {},
    "mean": {**AWAY, "bkg_fit": "mean"},
    "line": {**AWAY, "bkg_order": 1},
    "parabola": {**AWAY, "bkg_order": 2},
    "median": {**AWAY, "bkg_fit": "median"},
    "smoothed": {**AWAY, "bkg_order": 1, "smoothing_length": 7},
    "smoothed a lot": {**AWAY, "bkg_order": 1, "smoothing_length": 51},
    "smoothed median": {**AWAY, "bkg_fit": "median", "smoothing_length": 7},
    "surface": {**AWAY, "bkg_order": 1, "bkg_disp_order": 4},
    "smoothed surface": {**AWAY, "bkg_order": 1, "bkg_disp_order": 4, "smoothing_length": 7},
    "clipped": {**AWAY, "bkg_order": 1, "bkg_sigma_clip": 4.0},
    "clipped mean": {**AWAY, "bkg_fit": "mean", "bkg_sigma_clip": 3.0},
}


def with_draws(**settings):
    """Return a scene with bad pixels without noise, and 200 draws of its noise."""
    scene = Scene(nod_subtracted=False, bad_pixels=300, **settings)
    seen, image = simulate(scene), image_of(simulate(replace(scene, noise=False)))
    return image, [drawn(image, seen.noisy(seed)) for seed in range(200)]


@pytest.fixture(scope="module")
def noisy():
    return with_draws()


@pytest.fixture(scope="module")
def faint():
    """A background that is what the fit takes it for, for what is not linear in the pixels.

    Light of the source in the regions, or a gradient under a median, is now left out and now taken in, so
    that more than the noise of the pixels is in the draws.
    """
    return with_draws(brightness=1e-7, background_gradient=0.0)


#: Of which the quick tests take the rest.
LONG = ("clipped", "clipped mean", "smoothed a lot", "parabola")


@pytest.mark.parametrize(
    "background", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in BACKGROUNDS]
)
def test_pull_is_one(noisy, faint, background):
    linear = not {"median", "clipped"} & {*background.split()}
    image, draws = noisy if linear else faint
    references = replace(find_references(image, crds=False), psf=simulated_psf())
    parameters = references.parameters.with_(
        {
            "xstart": 27.3,
            "xstop": 34.9,
            "use_source_posn": False,
            "apply_apcorr": False,
            **BACKGROUNDS[background],
        }
    )
    mean = extract(image, parameters, references).flux
    spectra = [extract(draw, parameters, references) for draw in draws]
    pull = np.array([(one.flux - mean) / one.flux_error for one in spectra])
    # what bad pixels leave may look unlike the PSF: in 6e-5 of the draws of a source that is none, by chance,
    # and beyond 13.5 um where the sky is summed with the source, one or two wavelengths of the 387
    assert np.isnan(pull).mean() < (2 / 387 if background == "none" else 1e-4)
    # 200 x 387 draws: the width itself is known to 0.003
    assert np.nanstd(pull) == pytest.approx(1.0, abs=0.05)
    # at no part of the spectrum is it hidden by another: a tenth of it has 0.008
    parts = [np.nanstd(part) for part in np.array_split(pull, 10, axis=1)]
    np.testing.assert_allclose(parts, 1.0, atol=0.08)
    assert abs(np.nanmean(pull)) < 0.05


def test_sky_error_is_one_sigma_too(noisy):
    image, draws = noisy
    references = find_references(image, crds=False)
    parameters = references.parameters.with_({"xstart": 27, "xstop": 34, "use_source_posn": False, **AWAY})
    mean = extract(image, parameters, references).background
    spectra = [extract(draw, parameters, references) for draw in draws]
    pull = [(one.background - mean) / one.bkgd_error for one in spectra]
    assert np.std(pull) == pytest.approx(1.0, abs=0.05)


# --- what else an extraction is ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image():
    return image_of(simulate(Scene(bad_pixels=100)))


@pytest.fixture(scope="module")
def references(image):
    return find_references(image, crds=False)


def test_stack_equals_image_by_image(image, references):
    seen = simulate(Scene(bad_pixels=100))
    draws = [drawn(image, seen.noisy(seed)) for seed in range(3)]
    draws[1].good[100:104, 25:40] = False
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "good", "dq")
    stack = replace(image, **{name: np.stack([getattr(draw, name) for draw in draws]) for name in names})
    for changes in (
        {"apcorr_method": "psf"},
        {
            "bkg_coeff": [[19], [25], [37], [42]],
            "bkg_order": 1,
            "smoothing_length": 5,
            "save_residual_image": True,
        },
        {"bkg_coeff": [[37], [42]], "bkg_fit": "median"},
    ):
        parameters = references.parameters.with_({"extract_width": 8, "use_source_posn": True, **changes})
        together = extract(stack, parameters, references)
        for index, draw in enumerate(draws):
            alone = extract(draw, parameters, references)
            for name in ("flux", "flux_error", "surf_bright", "background", "bkgd_error", "npixels", "dq"):
                np.testing.assert_allclose(
                    getattr(together, name)[index], getattr(alone, name), rtol=1e-9, err_msg=name
                )
            if together.residual is not None:
                np.testing.assert_allclose(together.residual[index], alone.residual, atol=1e-9)


def test_stack_is_corrected_by_the_table(image, observation):
    stack = replace(image, **{n: np.stack([getattr(image, n)] * 2) for n in ("data", "good", "dq")})
    stack = replace(
        stack, **{n: np.stack([getattr(image, n)] * 2) for n in ("var_poisson", "var_rnoise", "var_flat")}
    )
    one, two = (extract(i, references=references_of(i, observation), extract_width=8) for i in (image, stack))
    np.testing.assert_allclose(two.flux, [one.flux] * 2, rtol=1e-12)


def test_model_and_residual_are_the_image(image, references):
    spectrum = extract(
        image,
        references=references,
        save_scene_model=True,
        bkg_coeff=[[19], [25], [37], [42]],
        extract_width=8,
    )
    total = spectrum.scene_model + spectrum.residual
    np.testing.assert_allclose(total, image.data, rtol=1e-12)


def test_wavelengths_beyond_the_psf_are_flagged(image, references):
    psf = references.psf
    known = psf.wavelength < 12.0
    short = replace(references, psf=replace(psf, data=psf.data[known], wavelength=psf.wavelength[known]))
    spectrum = extract(image, references=short, apcorr_method="psf", extract_width=8)
    lost = np.isnan(spectrum.flux)
    np.testing.assert_array_equal(lost, spectrum.wavelength > psf.wavelength[known].max())
    np.testing.assert_array_equal(spectrum.dq & 1, lost)
    np.testing.assert_array_equal(spectrum.to_spectrum().mask, lost)
    assert any(f"No flux at {lost.sum()} of 387" in note for note in spectrum.notes)


def test_rows_without_a_pixel_are_flagged(image, references):
    good = image.good.copy()
    good[50] = False
    spectrum = extract(replace(image, good=good), references=references, extract_width=8)
    assert np.isnan(spectrum.flux[50])
    assert spectrum.dq[50] == 1
    assert spectrum.npixels[50] == 0
    assert (spectrum.dq & 1).sum() == 1


def test_lost_pixel_lowers_npixels_only_where_it_is(image, references):
    placed = {"xstart": 27, "xstop": 34, "use_source_posn": False, "apply_apcorr": False}
    good = image.good.copy()
    good[60, 30] = True
    whole = extract(
        replace(image, good=good, data=np.nan_to_num(image.data)), references=references, **placed
    )
    good = good.copy()
    good[60, 30] = False
    less = extract(replace(image, good=good), references=references, **placed)
    changed = np.flatnonzero(whole.npixels != less.npixels)
    np.testing.assert_array_equal(changed, [60])
    assert less.npixels[60] == whole.npixels[60] - 1


def test_without_variances_the_errors_are_unknown(image, references):
    missing = ("var_poisson", "var_rnoise", "var_flat")
    spectrum = extract(replace(image, missing=missing), references=references, extract_width=8)
    assert np.isnan(spectrum.flux_error).all()
    assert np.isfinite(spectrum.flux).any()
    one = extract(replace(image, missing=("var_flat", "wcs", "dq")), references=references, extract_width=8)
    assert np.isfinite(one.flux_error[one.dq == 0]).all()


def test_extended_source_is_not_corrected(image, references):
    extended = replace(image, observation=replace(image.observation, source_type="EXTENDED"))
    spectrum = extract(extended, references=references, xstart=27, xstop=34)
    assert spectrum.apcorr is None
    assert any("SRCTYPE) is EXTENDED" in note for note in spectrum.notes)


def test_image_in_jansky_gives_the_same_flux(image, references):
    area = image.pixel_area * 1e6
    scale = {"data": area, "var_poisson": area**2, "var_rnoise": area**2, "var_flat": area**2}
    jansky = replace(image, unit="Jy", **{name: getattr(image, name) * s for name, s in scale.items()})
    placed = {"extract_width": 8, "bkg_coeff": [[19], [25], [37], [42]]}
    a, b = (extract(i, references=references, **placed) for i in (image, jansky))
    for name in ("flux", "flux_error", "surf_bright", "sb_error", "background", "bkgd_error"):
        np.testing.assert_allclose(getattr(b, name), getattr(a, name), rtol=1e-10, err_msg=name)


def test_parameters_and_references_are_told(image, observation):
    spectrum = extract(
        image,
        override_extract1d=observation["extract1d"],
        override_apcorr=observation["apcorr"],
        extract_width=8,
    )
    assert spectrum.parameters["extract_width"] == 8
    assert spectrum.parameters["xstart"] == 27
    assert spectrum.references["extract1d"] == "lrs_extract1d.json"
    assert spectrum.references["apcorr"] == "lrs_apcorr.fits"


def test_unknown_parameter_is_refused_with_the_nearest(image, references):
    with pytest.raises(LRSError, match="did you mean 'extract_width'"):
        extract(image, references=references, extract_widht=8)


def test_references_and_a_file_of_their_kind_are_refused(image, references, tmp_path):
    with pytest.raises(LRSError, match="override_apcorr and override_psf cannot go with references"):
        extract(image, references=references, override_apcorr=tmp_path, override_psf=tmp_path)
