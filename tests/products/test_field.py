"""Files as people meet them: what is odd about each, and what is right."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract, read, read_x1d
from jdaviz_lrs.data.flags import FLUX_ESTIMATED
from jdaviz_lrs.data.psf import enclosed_fraction
from jdaviz_lrs.extraction.placement import MOVING_TARGET, place
from jdaviz_lrs.extraction.traces import place_traces
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.pixels import detector_pixels, on_pixels_of, rescaled, scaled_to
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from jdaviz_lrs.simulate.wcs import Pointing

CLEAN = Scene(noise=False, nod_subtracted=False, background=0.0)
BANDS = ((5.0, 8.0), (8.0, 11.0), (11.0, 13.5))
AT_SOURCE = {"use_source_posn": True, "extract_width": 8}
OPTIMAL = {"extraction_type": "optimal", "use_source_posn": True, "optimize_psf_location": False}


def bias(spectrum, wavelength, flux):
    """Median relative error in each band."""
    order = np.argsort(wavelength)
    ratio = spectrum.flux / np.interp(spectrum.wavelength, wavelength[order], flux[order]) - 1
    inside = [(spectrum.wavelength > a) & (spectrum.wavelength < b) for a, b in BANDS]
    return np.array([np.nanmedian(ratio[band]) for band in inside])


# --- pixels of another size --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[0.5, 0.7, 1.5, 2.0])
def resampled(request):
    """The simulated cal on pixels of another size, by the pipeline; and the truth."""
    from jwst.resample import ResampleSpecStep

    seen = simulate(CLEAN, "cal")
    step = ResampleSpecStep()
    step.pixel_scale_ratio = request.param
    return read(step.process(to_model(seen))), seen.truth, 1 / request.param


def test_size_of_the_pixels_is_that_of_the_wcs(resampled):
    image, _, size = resampled
    assert detector_pixels(image) == pytest.approx(size, rel=1e-3)


@pytest.mark.parametrize("width", [5.0, 8.0, 12.0])
@pytest.mark.parametrize("method", ["reference", "psf"])
def test_box_on_pixels_of_another_size(resampled, observation, method, width):
    image, truth, size = resampled
    spectrum = extract(
        image,
        override_apcorr=observation["apcorr"],
        override_psf=observation["psf"],
        apcorr_method=method,
        use_source_posn=True,
        extract_width=width / size,
    )
    assert np.abs(bias(spectrum, truth.wavelength, truth.flux)).max() < 0.01
    assert f"The image's pixels are {size:.2f} of the detector's" in " ".join(spectrum.notes)


@pytest.mark.parametrize("refinements", [(), ("all",)])
def test_optimal_on_pixels_of_another_size(resampled, observation, refinements):
    image, truth, size = resampled
    references = find_references(image, override_apcorr=observation["apcorr"], crds=False)
    references = replace(references, psf=simulated_psf())
    spectrum = extract(image, references=references, refinements=refinements, **OPTIMAL)
    # On pixels as wide as half the FWHM the share of each depends on where the detector's pixels lay, which
    # the image does not tell: the PSF is that of their average place.
    limit = 0.01 if size < 2 else 0.014
    assert np.abs(bias(spectrum, truth.wavelength, truth.flux)).max() < limit
    assert f"The image's pixels are {size:.2f} of the detector's" in " ".join(spectrum.notes)


def test_pipeline_does_not_ask_for_the_pixels(resampled, observation):
    image, _, size = resampled
    references = find_references(image, override_apcorr=observation["apcorr"], crds=False)
    spectrum = extract(
        image, references=references, pipeline_compatible=True, use_source_posn=True, extract_width=8 / size
    )
    np.testing.assert_array_equal(
        spectrum.apcorr, references.apcorr.at(spectrum.npixels, spectrum.wavelength)
    )
    assert not any("detector's" in note for note in spectrum.notes)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_nothing_is_scaled_on_the_detectors_pixels(product):
    image, psf = read(to_model(simulate(CLEAN, product))), built_in_psf()
    assert detector_pixels(image) == 1.0
    assert scaled_to(image, psf) is psf
    assert (on_pixels_of(image, psf) is psf) == (product == "cal")  # rectified it is wider


@pytest.mark.parametrize("size", [0.5, 1.43, 2.0])
def test_rescaled_psf_keeps_light_and_middle(size):
    psf = built_in_psf()
    other = rescaled(psf, size)
    place = (np.arange(other.data.shape[1]) - other.center_col) / other.subpix
    light = other.data.sum(axis=1)
    np.testing.assert_allclose(light / other.subpix, psf.data.sum(axis=1) / psf.subpix / size, rtol=1e-9)
    np.testing.assert_allclose(other.data @ place / light, 0.0, atol=1e-9)
    # far out, where the pixels do not matter, it encloses what the PSF does
    wavelength = np.linspace(5.0, 13.5, 5)
    np.testing.assert_allclose(
        enclosed_fraction(other, -10 / size, 10 / size, wavelength),
        enclosed_fraction(psf, -10.0, 10.0, wavelength),
        atol=3e-3,
    )


def test_shared_file_of_large_pixels(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    optimal = {"extraction_type": "optimal"}
    # with a free shape, which such pixels do not have in common, `width` made it 4 % low
    for changes in ({}, {"apcorr_method": "psf"}, optimal, optimal | {"refinements": ("all",)}):
        spectrum = extract(
            shared_field / "scale0.5_s2d.fits.gz",
            override_extract1d=shared_field / "scale0.5.json",
            override_apcorr=shared_scene / "apcorr.fits",
            override_psf=shared_scene / "psf.fits",
            **changes,
        )
        assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.01


# --- a target that moves -----------------------------------------------------------------------------------


def moving(model, ra, dec, at=150.0):
    """Let the target have moved by so many degrees to the mean place that the product is fixed to."""
    model.meta.dither.dithered_ra -= ra
    model.meta.dither.dithered_dec -= dec
    info = model.meta.wcsinfo
    info.mt_ra, info.mt_dec = at % 360, 2.0
    info.mt_avra, info.mt_avdec = (at + ra) % 360, 2.0 + dec
    return model


@pytest.mark.parametrize("at", [150.0, 0.0])
@pytest.mark.parametrize("changes", [AT_SOURCE, OPTIMAL])
def test_moving_target_is_where_it_was_on_average(changes, at):
    seen = simulate(Scene())
    still, moved = read(to_model(seen)), read(moving(to_model(seen), 2e-4, -1e-4, at))
    references = find_references(still, crds=False)
    theirs, ours = (extract(image, references=references, **changes) for image in (still, moved))
    np.testing.assert_allclose(ours.flux, theirs.flux, rtol=1e-5)
    assert MOVING_TARGET in ours.notes
    assert MOVING_TARGET not in theirs.notes
    fixed = extract(moved, references=references, use_source_posn=False)
    assert MOVING_TARGET not in fixed.notes


def test_pipeline_leaves_the_motion_out():
    image = read(moving(to_model(simulate(Scene())), 1e-4, 0.0))
    ours, theirs = image.source, image.source_by_pipeline
    assert abs(ours.location - theirs.location) > 3  # pixels of 0.11 arcsec


def test_shared_moving_target(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    spectrum = extract(
        shared_field / "mt1.2_s2d.fits.gz",
        override_apcorr=shared_scene / "apcorr.fits",
        override_psf=shared_scene / "psf.fits",
        apcorr_method="psf",
        **AT_SOURCE,
    )
    assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.005
    assert MOVING_TARGET in spectrum.notes


# --- right ascension 0 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_right_ascension_zero_is_as_any(product, monkeypatch):
    elsewhere = read(to_model(simulate(Scene(), product)))
    monkeypatch.setattr("jdaviz_lrs.simulate.exposure.Pointing", partial(Pointing, ra=0.0))
    at_zero = read(to_model(simulate(Scene(), product)))
    ends = at_zero.world(np.full(2, at_zero.disp_index[200]), at_zero.xdisp_index[[3, -4]])[0]
    assert np.ptp(ends) > 300  # the slit lies across it
    assert at_zero.pixel_scale == pytest.approx(elsewhere.pixel_scale, rel=1e-6)
    for turn in (-360.0, 0.0, 360.0):
        object.__setattr__(at_zero.observation, "dithered_ra", at_zero.observation.dithered_ra % 360 + turn)
        parameters = find_references(at_zero, crds=False).parameters.with_(AT_SOURCE)
        ours, theirs = (place(image, parameters) for image in (at_zero, elsewhere))
        np.testing.assert_allclose(ours.trace, theirs.trace, atol=1e-4)
        parameters = parameters.with_({"model_nod_pair": True})
        ours, theirs = (place_traces(image, parameters) for image in (at_zero, elsewhere))
        assert len(ours.nods) == len(theirs.nods) == 1
        np.testing.assert_allclose(ours.nods[0], theirs.nods[0], atol=1e-3)


# --- the shared files whose likes are tested where they are read --------------------------------------------


def test_shared_files_at_zero_and_without_a_plane(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    references = {
        "override_apcorr": shared_scene / "apcorr.fits",
        "override_psf": shared_scene / "psf.fits",
    }
    for name in ("ra0l2", "varflatnan"):
        path = shared_field / f"{name}_s2d.fits.gz"
        spectrum = extract(path, **references, **AT_SOURCE)
        assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.005
        assert len(extract(path, **references, **OPTIMAL).nod_traces) == 1
    assert "VAR_FLAT is NaN at every pixel: it counts as missing." in spectrum.notes


def test_shared_file_with_zeros_outside_the_slit(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    image = read(shared_field / "zeroa_nobsub_s2d.fits.gz")
    assert not image.good[image.data == 0].any()
    spectrum = extract(
        image,
        override_extract1d=shared_field / "zf.json",
        override_apcorr=shared_scene / "apcorr.fits",
        bkg_coeff=[[-0.5], [5.5], [40.5], [44.5]],
        bkg_order=1,
    )
    assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.005


def test_shared_file_of_another_subarray(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    path, apcorr = shared_field / "subslit_s2d.fits.gz", shared_scene / "apcorr.fits"
    given = {"override_apcorr": apcorr, "override_psf": shared_scene / "psf.fits"}
    with pytest.raises(LRSError, match=r"0 rows for the subarray SUBSLIT \(the file has FULL\)"):
        extract(path, **given, **AT_SOURCE)
    spectrum = extract(path, **given, apcorr_method="psf", **AT_SOURCE)
    assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.005
    for changes in ({**AT_SOURCE, "apply_apcorr": False}, OPTIMAL):
        assert np.isfinite(extract(path, **given, **changes).flux[5:-5]).all()


def test_shared_x1d_of_2020(shared_field):
    spectrum = read_x1d(shared_field / "v1_1_x1d.fits")
    assert np.isfinite(spectrum.flux_error[5:-5]).all()
    assert np.isfinite(spectrum.bkgd_error[5:-5]).all()
    assert np.isnan(spectrum.flux_var_poisson).all()


# --- the peak lost, unflagged ------------------------------------------------------------------------------

LOST = np.arange(60, 340, 15)


def without_peaks(model):
    """Let the pixel in which the source is brightest be NaN in some rows, which no flag tells of."""
    data = np.nan_to_num(model.data)
    model.data[LOST, data[LOST].argmax(axis=1)] = np.nan
    return model


def off_at(lost, spectrum, wavelength, flux):
    """Median relative error at some wavelengths of the image's rows."""
    order = np.argsort(wavelength)
    ratio = spectrum.flux / np.interp(spectrum.wavelength, wavelength[order], flux[order]) - 1
    return np.nanmedian(ratio[np.isin(spectrum.rows, lost)])


@pytest.mark.parametrize("changes", [AT_SOURCE, OPTIMAL], ids=["box", "optimal"])
def test_lost_peak_without_a_flag_is_made_up_for(changes, observation):
    seen = simulate(CLEAN)
    image = read(without_peaks(to_model(seen)))
    references = replace(find_references(image, None, observation["apcorr"], crds=False), psf=simulated_psf())
    ours = extract(image, references=references, **changes)
    truth = seen.truth.wavelength, seen.truth.flux
    whole = extract(read(to_model(seen)), references=references, **changes)
    assert abs(off_at(LOST, ours, *truth) - off_at(LOST, whole, *truth)) < 0.01
    np.testing.assert_array_equal(ours.rows[(ours.dq & FLUX_ESTIMATED) > 0], LOST)
    assert any(f"Light lost to bad pixels at {LOST.size} of" in note for note in ours.notes)
    theirs = extract(image, references=references, pipeline_compatible=True, **AT_SOURCE)
    assert -0.4 < off_at(LOST, theirs, *truth) < -0.2


def test_shared_file_without_peaks(shared_field, shared_scene):
    truth = np.load(shared_field / "truth.npz")
    image = read(shared_field / "peaknan1_s2d.fits.gz")
    given = {"override_apcorr": shared_scene / "apcorr.fits", "override_psf": shared_scene / "psf.fits"}
    spectrum = extract(image, **given, **AT_SOURCE)
    lost = spectrum.rows[(spectrum.dq & FLUX_ESTIMATED) > 0]
    assert lost.size >= 18
    assert abs(off_at(lost, spectrum, truth["wave"], truth["flux"])) < 0.01
    assert np.abs(bias(spectrum, truth["wave"], truth["flux"])).max() < 0.005
    assert any("Light lost to bad pixels at" in note for note in spectrum.notes)
    theirs = extract(image, **given, pipeline_compatible=True, **AT_SOURCE)
    assert off_at(lost, theirs, truth["wave"], truth["flux"]) < -0.2
