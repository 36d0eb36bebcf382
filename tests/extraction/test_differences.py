"""Every difference from the pipeline that README.md lists, shown and measured.

`pipeline_compatible` stands for the pipeline here: test_pipeline_parity holds it to the step itself.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, LRSError, extract
from jdaviz_lrs.data.flags import FLUX_ESTIMATED
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.exposures import SOURCE, exposure
from tests.extract1d_step import pipeline_spec, pipeline_x1d

S2D, CAL = SOURCE["s2d"], SOURCE["cal"]
SKY = {"xstart": 28, "xstop": 34, "bkg_coeff": [[8.5], [16.5], [38.5], [43.5]], "use_source_posn": False}
CAL_SKY = {
    "xstart": 330,
    "xstop": 336,
    "bkg_coeff": [[310.5], [318.5], [340.5], [345.0]],
    "use_source_posn": False,
}


def both(image, **parameters):
    """Our spectrum, and that of the pipeline."""
    references = replace(find_references(image, crds=False), psf=simulated_psf())
    given = ExtractionParameters().with_({"apply_apcorr": False, **parameters})
    compatible = given.with_({"pipeline_compatible": True})
    return extract(image, given, references), extract(image, compatible, references)


def change(ours, theirs, name="flux"):
    return getattr(ours, name) / getattr(theirs, name) - 1


def centers(spectrum):
    return spectrum.profile @ spectrum.image.xdisp_index / spectrum.profile.sum(axis=1)


def s2d(pattern=0, subtracted=False):
    return exposure("s2d", pattern, subtracted).image


def test_edges_about_zero_are_centred_on_the_trace():
    taper = {"src_coeff": [[-2.4456, -0.25795], [2.4456, 0.25795]], "independent_var": "wavelength"}
    image = s2d(subtracted=True)
    ours, theirs = both(image, **taper, use_source_posn=True)
    trace = exposure_trace(image)
    np.testing.assert_allclose(centers(ours), trace, atol=2e-3)  # cut pixels weigh by their share
    width = 2 * (2.4456 + 0.25795 * 8.5)
    assert np.median(centers(theirs) - trace) == pytest.approx(-width / 4, rel=0.1)
    assert 0.02 < np.median(change(ours, theirs)) < 0.10


def exposure_trace(image):

    return image.source.trace


def test_taper_about_zero_works_on_detector_images():
    taper = {"src_coeff": [[-2.4], [2.4]], "use_source_posn": True}
    image = exposure("cal").image
    ours, theirs = both(image, **taper)
    np.testing.assert_allclose(centers(ours), exposure_trace(image), atol=0.02)
    assert np.abs(centers(theirs) - exposure_trace(image)).max() > 0.5  # straight, and beside it
    with pytest.raises(LRSError, match="does not lie on the image"):
        both(image, **taper | {"src_coeff": [[0, -0.6], [0, 0.6]], "independent_var": "wavelength"})


def test_fractional_apertures_are_centred_by_their_edges():
    image = s2d(subtracted=True)
    ours, theirs = both(image, xstart=10.0, xstop=14.5, use_source_posn=True)
    assert ours.limits.xdisp_start - theirs.limits.xdisp_start == pytest.approx(0.0227, abs=1e-4)
    assert 1e-5 < np.abs(change(ours, theirs)).max() < 1e-3


def test_cut_pixels_count_what_is_inside():
    image = s2d(subtracted=True)
    narrow = both(image, src_coeff=[[S2D - 0.1], [S2D + 0.3]], use_source_posn=False)
    assert narrow[0].npixels[0] == pytest.approx(0.4)
    assert narrow[1].npixels[0] == pytest.approx(0.7)
    shared = both(image, src_coeff=[[28.1], [30.3], [30.4], [33.0]], use_source_posn=False)
    assert shared[0].npixels[0] == pytest.approx(4.8)
    assert shared[1].npixels[0] == pytest.approx(4.7)  # 0.8 of pixel 30, of which 0.1 is missing


def test_no_background_is_no_flux():
    image = s2d()
    good = image.good.copy()
    good[200, :20] = good[200, 36:] = False
    ours, theirs = both(replace(image, good=good), **SKY)
    assert np.isnan(ours.flux[200])
    assert ours.dq[200] == 1
    assert theirs.background[200] == 0
    assert theirs.dq[200] == 0


@pytest.mark.parametrize(("length", "lower"), [(3, 0.42), (7, 0.62), (21, 0.78)])
def test_smoothing_averages_noise_down(length, lower):
    ours, theirs = both(s2d(), **SKY, bkg_order=1, smoothing_length=length)
    # the square root of the length, and a little for the rows' different noise
    assert -np.median(change(ours, theirs, "bkgd_error")) == pytest.approx(lower, abs=0.01)
    assert lower == pytest.approx(1 - length**-0.5, abs=0.01)
    np.testing.assert_allclose(ours.flux, theirs.flux, rtol=1e-9)


def test_background_error_counts_the_pixels_summed():
    image = s2d()
    good = image.good.copy()
    good[200, 31] = False
    ours, theirs = both(replace(image, good=good), **SKY)
    assert change(theirs, ours, "bkgd_error")[200] == pytest.approx(1 / 6)  # seven pixels for six
    np.testing.assert_allclose(np.delete(change(theirs, ours, "bkgd_error"), 200), 0, atol=1e-12)


def test_smoothed_median_knows_its_error_where_pixels_are_lost():
    image = s2d()
    good = image.good.copy()
    good[200, :20] = good[200, 36:] = False
    ours, theirs = both(replace(image, good=good), **SKY, bkg_fit="median", smoothing_length=5)
    assert ours.background[200] == theirs.background[200] > 0
    assert theirs.bkgd_error[200] == 0
    assert ours.bkgd_error[200] > 0.3 * np.median(ours.bkgd_error)


@pytest.mark.parametrize("length", [7, 21])
def test_smoothing_stays_inside_the_slit(length):
    ours, theirs = both(exposure("cal").image, **CAL_SKY, smoothing_length=length)
    off = np.abs(change(ours, theirs, "background"))
    half = length // 2
    np.testing.assert_allclose(off[half:-half], 0, atol=1e-9)
    assert 0.005 < max(off[:half].max(), off[-half:].max()) < 0.05


def test_trace_is_taken_at_its_own_row():
    image = exposure("cal", 0, True).image
    ours, theirs = both(image, extract_width=8, use_source_posn=True)
    trace = exposure_trace(image)
    assert np.abs(centers(ours) - trace).max() < 0.01  # the weights' centre is not quite the edges'
    assert 0.03 < np.abs(centers(theirs) - trace).max() < 0.2
    assert 1e-4 < np.abs(change(ours, theirs)).max() < 1e-2


def test_high_orders_are_fitted_on_detector_images():
    image = exposure("cal", 0, False, whole=True).image
    for order in (1, 2):
        ours, theirs = both(image, **CAL_SKY, bkg_order=order)
        np.testing.assert_allclose(ours.flux, theirs.flux, rtol=1e-6)
    ours, theirs = both(image, **CAL_SKY, bkg_order=3)
    assert (theirs.background == 0).all()
    assert (ours.background > 1).all()


def test_pipeline_subtracts_nothing_there_too(tmp_path):
    image, model = exposure("cal", 0, False, whole=True).image, exposure("cal", 0, False, whole=True).model
    references = replace(find_references(image, crds=False), psf=simulated_psf())
    given = ExtractionParameters().with_({**CAL_SKY, "bkg_order": 3})
    path = references.extract1d.with_parameters(given, "MIR_LRS-FIXEDSLIT").write(tmp_path / "a.json")
    assert (pipeline_x1d(model.copy(), path)["BACKGROUND"] == 0).all()


def test_light_of_lost_pixels_is_made_up_for():
    image = s2d(subtracted=True)
    good, trace = image.good.copy(), exposure_trace(image)
    rows = np.arange(100, 300, 4)
    good[rows, np.round(trace[rows]).astype(int)] = False
    placed = {"extract_width": 8, "use_source_posn": True, "apply_apcorr": True}
    ours, theirs = both(replace(image, good=good), **placed)
    whole, _ = both(image, **placed)
    off = change(ours, whole)
    np.testing.assert_array_equal(np.flatnonzero(off), rows)
    assert np.abs(off).max() < 0.1  # noise of the pixel
    assert np.abs(np.median(off[rows])) < 0.005
    assert (ours.dq[rows] == FLUX_ESTIMATED).all()
    low = change(theirs, whole)[rows]
    assert -0.34 < np.median(low) < -0.24
    assert (theirs.dq == 0).all()
    assert any("Light lost to bad pixels at 50 of 387 wavelengths" in note for note in ours.notes)
    assert not any("lost" in note for note in theirs.notes)


def test_limits_are_averaged_over_the_rows_of_the_slit():
    ours, theirs = both(exposure("cal").image, src_coeff=[[330, 0.01], [336, 0.01]], use_source_posn=False)
    assert ours.limits.xdisp_start == pytest.approx(330.5 + 0.01 * 200)
    assert theirs.limits.xdisp_start == pytest.approx(330.5 + 0.01 * 401 / 2)


def test_errors_without_variances_are_unknown():
    image = s2d()
    spectrum, _ = both(replace(image, missing=("var_poisson", "var_rnoise", "var_flat")), **SKY)
    assert np.isnan(spectrum.flux_error).all()


# --- refused here, silently changed or broken there ---------------------------------------------------------


def written(folder, **aperture):
    references = find_references(s2d(), crds=False)
    text = references.extract1d.content
    text = {**text, "apertures": [{**text["apertures"][0], **aperture}]}
    path = folder / "a.json"
    path.write_text(json.dumps(text))
    return path


@pytest.mark.parametrize(
    ("aperture", "sentence"),
    [
        ({"smoothing_length": 20, **SKY}, "smoothing_length = 20 is even"),
        ({**SKY, "bkg_coeff": [[8.5], [30.0]]}, "overlaps the aperture"),
        ({**SKY, "bkg_coeff": [[8.5], [9.4]], "bkg_order": 3}, "bkg_order = 3 needs 4 pixels"),
        ({"src_coeff": [[34.0], [28.0]]}, "lower edge lies above"),
    ],
    ids=["even", "overlap", "order", "crossed"],
)
def test_refused_here_and_carried_out_there(aperture, sentence, tmp_path):
    path = written(tmp_path, **aperture)
    with pytest.raises(LRSError, match=sentence):
        extract(s2d(), override_extract1d=path, apply_apcorr=False, pipeline_compatible=True)
    assert len(pipeline_spec(exposure("s2d").model.copy(), path).spec) == 1


def test_mean_in_the_file_is_understood(tmp_path):
    path = written(tmp_path, **SKY, bkg_fit="mean")
    assert np.isfinite(extract(s2d(), override_extract1d=path, apply_apcorr=False).flux).any()
    with pytest.raises(ValueError, match="bkg_fit_type should be 'median' or 'poly'"):
        pipeline_spec(exposure("s2d").model.copy(), path)


def test_no_pixel_area_is_refused_and_one_there(tmp_path):
    from jdaviz_lrs import read

    model = exposure("s2d").model.copy()
    model.meta.photometry.pixelarea_steradians = None
    with pytest.raises(LRSError, match="PIXAR_SR"):
        read(model)
    path = written(tmp_path, xstart=28, xstop=34, use_source_posn=False)
    assert np.nanmedian(pipeline_x1d(model, path)["FLUX"]) > 1e6  # Jy
