"""Targets on the scale of a star that was extracted alike, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, calibrate, combine, extract, read_x1d, read_x1dints, response
from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.origin import Origin
from jdaviz_lrs.fluxcal.response import read_response
from tests.slitless import write_segments
from tests.stars import BOX, MODEL, OPTIMAL, STAR, TAPER, TARGET, extracted, off, plain

CASES = {
    "box": (BOX, "s2d"),
    "box on the detector": (BOX, "cal"),
    "taper": (TAPER, "s2d"),
    "optimal": (OPTIMAL, "cal"),
    "optimal on s2d": (OPTIMAL, "s2d"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_target_is_right_after_the_star_of_its_scene(case):
    parameters, product = CASES[case]
    r = response(extracted(STAR, parameters, product), MODEL)
    before = extracted(TARGET, parameters, product)
    after = calibrate(before, r)
    assert 0.008 < np.abs(np.median(off(before))) < 0.08
    assert np.abs(off(after)).max() < 0.005
    assert np.abs(np.median(off(after))) < 0.001
    # the star's noise: 0.1 % a row, of which the smooth curve makes a few times less
    assert np.nanmedian(r.error / r.factor) < 5e-4
    assert 0.8 < r.chi_square < 1.2


def test_the_sky_of_the_target_does_not_matter():
    """Not nod-subtracted, with a background fitted beside the source."""
    un_nodded = {**OPTIMAL, "subtract_background": True, "bkg_fit": "poly", "bkg_order": 1}
    r = response(extracted(STAR, un_nodded, "cal", nod_subtracted=False), MODEL)
    before = extracted(TARGET, un_nodded, "cal", nod_subtracted=False)
    assert np.abs(np.median(off(before))) > 0.01
    assert np.abs(off(calibrate(before, r))).max() < 0.005


def test_errors_are_the_spectrum_s_and_the_response_s():
    r = response(extracted(STAR, BOX, noise_scale=5.0), MODEL)
    before = extracted(TARGET, BOX)
    after = calibrate(before, r)
    factor, error = r.at(before.wavelength)
    known = np.isfinite(after.flux)
    np.testing.assert_allclose(after.flux[known], (before.flux * factor)[known])
    np.testing.assert_allclose(after.flux_var_poisson[known], (before.flux_var_poisson * factor**2)[known])
    expected = np.hypot(before.flux_error * factor, before.flux * error)
    np.testing.assert_allclose(after.flux_error[known], expected[known])
    total = after.flux_var_poisson + after.flux_var_rnoise + after.flux_var_flat
    np.testing.assert_allclose(after.flux_error**2, total)
    np.testing.assert_allclose((after.surf_bright / before.surf_bright)[known], factor[known])
    np.testing.assert_array_equal(after.background, before.background)


def drawn_responses(product):
    """Eight draws of the star's noise, and none of it; the curve has some ten independent pieces."""
    draws = [response(extracted(STAR, BOX, product, seed=100 + seed), MODEL) for seed in range(8)]
    return draws, response(extracted(STAR, BOX, product, noise=False), MODEL)


def test_responses_are_as_good_as_their_errors_say():
    draws, truth = drawn_responses("cal")
    pulls = [(one.factor - truth.factor) / one.error for one in draws]
    assert 0.7 < np.nanstd(pulls) < 1.2
    assert np.nanmax(np.abs(pulls)) < 5


def test_responses_scatter_as_their_errors_say():
    """Rectified, where the drizzle bends the flux of a narrow box more sharply than a smooth curve can."""
    draws, truth = drawn_responses("s2d")
    mean = np.mean([one.factor for one in draws], axis=0)
    # the mean is one of the draws in part
    pulls = [(one.factor - mean) / one.error * np.sqrt(len(draws) / (len(draws) - 1)) for one in draws]
    assert 0.7 < np.nanstd(pulls) < 1.2
    assert np.nanmax(np.abs(pulls)) < 5
    # what the curve cuts off the drizzle's pattern, where this turns within a few rows: seen, 0.08 %
    assert np.nanmax(np.abs(mean / truth.factor - 1)) < 1e-3


def test_no_flux_outside_validity():
    r = response(extracted(STAR, BOX), MODEL, wavelength_range=(6, 12))
    after = calibrate(extracted(TARGET, BOX), r)
    outside = (after.wavelength < 6) | (after.wavelength > 12)
    assert np.isnan(after.flux[outside]).all()
    assert (after.dq[outside] & DO_NOT_USE).all()
    inside = (after.wavelength > 6.1) & (after.wavelength < 11.9)
    assert np.isfinite(after.flux[inside]).all()
    assert any("the response is known from 6.0" in note for note in after.notes)


def test_header_and_files_say_so(tmp_path):
    r = response(extracted(STAR, BOX), MODEL)
    path = r.write(tmp_path / "r.ecsv")
    after = calibrate(extracted(TARGET, BOX), path)
    header = fits.getheader(after.write(tmp_path / "a_x1d.fits"), "EXTRACT1D")
    assert header["LRS reference_response"] == "SIMULATED (a model)"
    assert header["LRS report_response_hash"] == r.manner.hash
    assert "calibrated with the response of SIMULATED" in " ".join(map(str, header.values()))
    assert str(path) in after.inputs  # and so it is never written over
    with pytest.raises(LRSError, match="calibrated already"):
        calibrate(after, r)
    with pytest.raises(LRSError, match="calibrated already"):
        calibrate(read_x1d(tmp_path / "a_x1d.fits"), r)
    with pytest.raises(LRSError, match="calibrated already"):
        response(after, MODEL)


def test_spectra_from_files_are_as_good(tmp_path):
    star, target = extracted(STAR, TAPER), extracted(TARGET, TAPER)
    paths = [one.write(tmp_path / f"{n}_x1d.fits") for n, one in enumerate((star, target))]
    here, there = response(star, MODEL), response(paths[0], MODEL)
    np.testing.assert_array_equal(there.factor, here.factor)
    assert there.manner.hash == here.manner.hash
    assert (there.stars, there.epochs) == (here.stars, here.epochs) == (("SIMULATED",), ("2025-11-15",))
    assert there.manner.noted == here.manner.noted
    np.testing.assert_array_equal(calibrate(read_x1d(paths[1]), there).flux, calibrate(target, here).flux)
    for one, other in ((here, target), (there, target), (here, read_x1d(paths[1]))):
        assert not any("not alike" in note for note in calibrate(other, one).notes)


def test_companions_are_calibrated_along():
    r = response(extracted(STAR, OPTIMAL, "cal"), MODEL)
    before = extracted(TARGET, {**OPTIMAL, "sources": [7.0]}, "cal", companion_ratio=0.5)
    after = calibrate(before, r)
    change = after.companions[0].flux / before.companions[0].flux
    np.testing.assert_allclose(change, r.at(before.wavelength)[0], rtol=1e-12)


REFUSED = {
    "width": ({**BOX, "extract_width": 5}, "width 4 and 5"),
    "type": (OPTIMAL, "extraction_type box and optimal"),
    "taper": (TAPER, r"width 4 and wavelength: \[4.8912, 0.5159\]"),
    "correction": ({**BOX, "apply_apcorr": False}, "apply_apcorr True and False"),
    "another correction": ({**BOX, "apcorr_method": "psf"}, None),
    "compatible": ({**BOX, "pipeline_compatible": True}, "pipeline_compatible False and True"),
    "outliers": ({**BOX, "refinements": ["outliers"]}, "refinements none and outliers"),
    "start and stop": ({"xstart": 29, "xstop": 33, "use_source_posn": True}, "width 4 and 5"),
    "two regions": ({"src_coeff": [[26.5], [28.5], [30.5], [32.5]]}, r"width 4 and 2\+2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_parameters_are_refused_and_named(case):
    parameters, named = REFUSED[case]
    r, target = response(extracted(STAR, BOX), MODEL), extracted(TARGET, parameters)
    if named is None:  # the correction is computed from the PSF either way, as there is no file
        assert calibrate(target, r)
        return
    with pytest.raises(LRSError, match=f"extracted differently: .*{named}.*; extract both alike"):
        calibrate(target, r)


def test_the_same_width_said_otherwise_is_the_same():
    r = response(extracted(STAR, BOX), MODEL)
    for parameters in (
        {"xstart": 29, "xstop": 32, "use_source_posn": True},
        {"src_coeff": [[-2.0], [2.0]], "use_source_posn": True},
    ):
        assert np.abs(off(calibrate(extracted(TARGET, parameters), r))).max() < 0.005


def test_other_references_refinements_and_modes_are_refused():
    r = response(extracted(STAR, OPTIMAL, "cal"), MODEL)
    target = extracted(TARGET, OPTIMAL, "cal")
    other = replace(target, references={**target.references, "psf": "mine.fits"})
    with pytest.raises(LRSError, match=r"psf file PSF of simulated exposures and mine\.fits"):
        calibrate(other, r)
    with pytest.raises(LRSError, match="refinements none and width"):
        calibrate(replace(target, parameters={**target.parameters, "refinements": ("width",)}), r)
    observation = replace(
        target.image.observation, exposure_type="MIR_LRS-SLITLESS", subarray="SLITLESSPRISM"
    )
    with pytest.raises(LRSError, match="EXP_TYPE MIR_LRS-FIXEDSLIT and MIR_LRS-SLITLESS, SUBARRAY FULL and"):
        calibrate(replace(target, image=replace(target.image, observation=observation)), r)


def test_what_may_matter_a_little_is_said():
    r = response(extracted(STAR, BOX), MODEL)
    after = calibrate(extracted(TARGET, {**BOX, "position_offset": 0.1}), r)
    assert any("not alike in all: position_offset 0 and 0.1" in note for note in after.notes)


@pytest.mark.parametrize("shift", [0.05, 0.3])
def test_a_source_that_lies_elsewhere_in_its_aperture_is_told(shift, tmp_path):
    r = response(extracted(STAR, BOX), MODEL)
    r = read_response(r.write(tmp_path / "r.ecsv"))
    beside = extracted(TARGET, BOX, trace_shift=shift)
    wrong = calibrate(beside, r)
    right = calibrate(extracted(TARGET, {**BOX, "position_offset": shift}, trace_shift=shift), r)
    told = [f"lies {spectrum_shift:+.2f} px" for spectrum_shift in (shift, shift + 0.01)]
    assert any(one in note for note in wrong.notes for one in told) == (shift > 0.15)
    assert (np.abs(np.median(off(wrong))) > 0.005) == (shift > 0.15)
    assert not any("misses other light" in note for note in right.notes)
    # the cut pixels at the edges of an aperture count by their area, not by the light in their parts
    assert np.abs(np.median(off(right))) < 0.004


def test_a_response_of_older_references_is_said():
    """Whoever made it calibrated the images with another photom file."""
    star, target = extracted(STAR, BOX), extracted(TARGET, BOX)
    r = response(replace(star, references={**star.references, "context": "jwst_1413.pmap"}), MODEL)
    for context, said in (("jwst_1500.pmap", True), ("jwst_1413.pmap", False), (None, False)):
        references = {**target.references, **({} if context is None else {"context": context})}
        after = calibrate(replace(target, references=references), r)
        told = "other reference files than those in use (context jwst_1413.pmap and jwst_1500.pmap)"
        assert any(told in note for note in after.notes) == said
        assert not any("not alike" in note for note in after.notes)


def test_only_what_was_extracted_is_calibrated():
    r = response(extracted(STAR, BOX), MODEL)
    with pytest.raises(LRSError, match="before they are combined"):
        calibrate(object(), r)
    with pytest.raises(LRSError, match="as it was extracted"):
        response(object(), MODEL)


def test_a_spectrum_that_does_not_tell_is_refused(shared_scene):
    theirs = read_x1d(shared_scene / "pipeline" / "ex0_x1d.fits")
    with pytest.raises(LRSError, match="does not tell how it was extracted; extract it again"):
        response(theirs, MODEL)
    with pytest.raises(LRSError, match="does not tell"):
        calibrate(theirs, response(extracted(STAR, BOX), MODEL))


@pytest.mark.parametrize("told", ["[[1", "[], []", "[" * 5000, "[[1], [2], [3]]", "wide"])
def test_what_a_damaged_header_tells_is_refused(told):
    spectrum = extracted(STAR, BOX)
    damaged = replace(spectrum, parameters={**spectrum.parameters, "src_coeff": told})
    for take in (lambda: response(damaged, MODEL), lambda: calibrate(damaged, response(spectrum, MODEL))):
        with pytest.raises(LRSError, match="what it tells of its extraction cannot be"):
            take()


def test_its_error_is_not_averaged_down_among_nods():
    found = response(extracted(STAR, BOX), MODEL)
    found = replace(found, error=0.05 * found.factor)
    before = [
        replace(one, origin=Origin(unit="Jy", offset=(shift, 0.0)))
        for one, shift in ((extracted(TARGET, BOX), 0.9), (extracted(TARGET, BOX, noise=True), -0.9))
    ]
    after = [calibrate(one, found) for one in before]
    both, flux = combine(after, sigma_clip=None), combine(before, sigma_clip=None)
    known = np.isfinite(both.flux)
    relative = both.flux_var_flat / both.flux**2 - flux.flux_var_flat / flux.flux**2
    np.testing.assert_allclose(relative[known], 0.05**2, rtol=1e-3)


def test_extract_finds_the_same_from_files(observation, tmp_path):
    """A star that is the scene itself: what comes out is what went in."""
    star = extract(observation["nod1_s2d"], override_apcorr=observation["apcorr"], **BOX)
    fine = np.geomspace(2, 20, 5000)
    r = response(star, plain(fine, np.full(fine.size, 1e-3)))
    assert (r.stars, r.models) == (("SIMULATED",), ("a model",))
    assert r.manner.matters["apcorr file"] == "lrs_apcorr.fits"


def test_a_series_is_calibrated_as_each_of_its_spectra(tmp_path):
    series = extract(write_segments(tmp_path, (2, 1)), chunk_size=2)
    r = response(series.mean, "rayleigh-jeans:0.05")
    after = calibrate(series, r)
    one = calibrate(series.mean, r)
    np.testing.assert_array_equal(after.mean.flux, one.flux)
    factor, error = r.at(series.wavelength)
    np.testing.assert_allclose(after.flux, series.flux * factor)
    np.testing.assert_allclose(after.flux_error, np.hypot(series.flux_error * factor, series.flux * error))
    np.testing.assert_allclose(after.sb_error / after.surf_bright, after.flux_error / after.flux)
    np.testing.assert_array_equal(after.npixels, series.npixels)
    assert (after.dq[np.isnan(after.flux)] & DO_NOT_USE).all()
    assert after.notes[: len(series.notes)] == series.notes
    assert "calibrated with the response of" in after.notes[len(series.notes)]
    read = read_x1dints(after.write(tmp_path / "c_x1dints.fits"))
    for name in ("flux", "flux_error", "surf_bright", "sb_var_flat", "dq"):
        np.testing.assert_array_equal(getattr(read, name), getattr(after, name))
    assert read.parameters["reference_response"] == r.name
    with pytest.raises(LRSError, match="calibrated already"):
        calibrate(after, r)
    with pytest.raises(LRSError, match="calibrated already"):
        calibrate(read, r)


def test_a_series_from_its_file_is_as_good(tmp_path):
    series = extract(write_segments(tmp_path, (3,)))
    path = series.write(tmp_path / "star_x1dints.fits")
    r = response(series, "rayleigh-jeans:0.05")
    from_file = response(path, "rayleigh-jeans:0.05")
    assert from_file.manner.hash == r.manner.hash == response(series.mean, MODEL).manner.hash
    np.testing.assert_allclose(from_file.factor, r.factor, rtol=1e-12)
    # the mean of three integrations, and the extraction of their mean image
    np.testing.assert_allclose(r.factor, response(series.mean, MODEL).factor, rtol=0.01)
    assert np.nanmedian(r.error) < np.nanmedian(response(series.mean, MODEL).error) * 1.2
    after, read = calibrate(series, r), calibrate(read_x1dints(path), r)
    np.testing.assert_array_equal(read.flux, after.flux)
    assert read.notes[-1] == after.notes[-1]
    with pytest.raises(LRSError, match="extract it again"):
        calibrate(replace(series, parameters={}), r)
