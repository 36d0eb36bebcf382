import re
from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, LRSError, read
from jdaviz_lrs.extraction.placement import place
from jdaviz_lrs.extraction.traces import place_traces
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.horizontal import transposed

SEEN = {product: simulate(Scene(noise=False), product) for product in ("s2d", "cal")}


@pytest.fixture(scope="module", params=["s2d", "cal"])
def either(request):
    return read(to_model(SEEN[request.param])), SEEN[request.param].truth.trace


@pytest.fixture(scope="module")
def s2d():
    return read(to_model(SEEN["s2d"]))


@pytest.fixture(scope="module")
def cal():
    return read(to_model(SEEN["cal"]))


def at(image, **parameters):
    return place(image, ExtractionParameters(**parameters))


def test_start_and_stop_include_their_pixels(s2d):
    placement = at(s2d, xstart=27, xstop=34, use_source_posn=False)
    np.testing.assert_array_equal(placement.edges[0, :, 0], [26.5, 34.5])
    np.testing.assert_array_equal(np.flatnonzero(placement.weights[5]), range(27, 35))
    limits = placement.limits
    assert (limits.xdisp_start, limits.xdisp_stop, limits.disp_start, limits.disp_stop) == (27, 34, 0, 386)


def test_nothing_given_is_the_whole_image(s2d):
    placement = at(s2d, use_source_posn=False)
    assert (placement.weights == 1).all()


def test_rows_are_those_between_start_and_stop(s2d):
    placement = at(s2d, xstart=27, xstop=34, ystart=10.2, ystop=20.8, use_source_posn=False)
    np.testing.assert_array_equal(np.flatnonzero(placement.weights.any(axis=1)), range(11, 21))
    assert np.isnan(placement.edges[0, :, 5]).all()


def test_width_wins_over_start_and_stop_and_coefficients_over_both(s2d):
    width = at(s2d, xstart=27, xstop=34, extract_width=5.5, use_source_posn=False)
    np.testing.assert_allclose(width.edges[0, :, 0], [30.5 - 2.75, 30.5 + 2.75])
    coefficients = at(
        s2d, xstart=1, xstop=4, extract_width=5.5, src_coeff=[[20], [22]], use_source_posn=False
    )
    np.testing.assert_array_equal(coefficients.edges[0, :, 0], [20, 22])


def test_width_follows_the_trace(either):
    image, trace = either
    placement = at(image, xstart=0, xstop=3, extract_width=7.3, use_source_posn=True, position_offset=0.4)
    np.testing.assert_allclose(placement.edges[0].mean(axis=0), trace + 0.4, atol=1e-4)
    np.testing.assert_allclose(np.diff(placement.edges[0], axis=0), 7.3)
    np.testing.assert_allclose(placement.trace, trace + 0.4, atol=1e-4)
    np.testing.assert_allclose(placement.weights.sum(axis=1), 7.3, rtol=1e-12)


def test_start_and_stop_move_to_the_source_as_they_are(cal):
    placement = at(cal, xstart=310, xstop=317, use_source_posn=True)
    np.testing.assert_allclose(placement.edges[0].mean(axis=0), placement.source.location)
    assert np.ptp(placement.edges[0, 0]) == 0


@pytest.mark.parametrize("half", [3.3, [2.4, 0.2]])
def test_edges_about_zero_are_centred_on_the_trace(either, half):
    image, trace = either
    upper = np.atleast_1d(half).tolist()
    parameters = {"src_coeff": [[-c for c in upper], upper], "use_source_posn": True}
    if len(upper) > 1:
        parameters["independent_var"] = "wavelength"
    placement = at(image, **parameters)
    np.testing.assert_allclose(placement.edges[0].mean(axis=0), trace, atol=1e-4)
    expected = 2 * np.polynomial.polynomial.polyval(image.row_wavelength, upper)
    np.testing.assert_allclose(np.diff(placement.edges[0], axis=0)[0], expected, rtol=1e-5)


def test_edges_about_zero_need_not_be_symmetric(s2d):
    placement = at(s2d, src_coeff=[[-2], [4]], use_source_posn=True)
    np.testing.assert_allclose(placement.edges[0, 0], placement.trace - 2)


def test_the_whole_width_of_the_image_is_not_about_zero(s2d):
    # from the first pixel's edge, or a little outside, is an aperture in the image's own columns
    for first, last in [(-0.5, 45.5), (-1.0, 46.0), (-0.5, 7.5)]:
        placement = at(s2d, src_coeff=[[first], [last]], use_source_posn=True)
        np.testing.assert_allclose(placement.edges[0, :, 0].mean(), placement.source.location)


@pytest.mark.parametrize(("start", "stop"), [(10.3, 14.7), (20.0, 20.4), (2.25, 9.0)])
def test_fractional_apertures_are_centred_by_their_edges(s2d, start, stop):
    ours = at(s2d, xstart=start, xstop=stop, use_source_posn=True)
    np.testing.assert_allclose(ours.edges[0, :, 0].mean(), ours.source.location, atol=1e-12)


def test_background_moves_with_the_source(s2d):
    regions = [[1.0], [6.0], [36.0], [40.0]]
    still = at(s2d, xstart=17, xstop=24, bkg_coeff=regions, use_source_posn=False)
    moved = at(s2d, xstart=26, xstop=33, bkg_coeff=[[c + 9] for (c,) in regions[:2]], use_source_posn=True)
    shift = moved.edges[0, 0, 0] - 25.5
    np.testing.assert_allclose(moved.background_edges[0], still.background_edges[0] + 9 + shift)
    assert still.background.any(axis=0).sum() == 11  # every pixel that a region touches


def test_median_takes_whole_pixels_only(s2d):
    regions = {"xstart": 20, "xstop": 24, "bkg_coeff": [[1.2], [6.0]], "use_source_posn": False}
    touched, whole = at(s2d, **regions), at(s2d, **regions, bkg_fit="median")
    np.testing.assert_array_equal(np.flatnonzero(touched.background[0]), range(1, 7))
    np.testing.assert_array_equal(np.flatnonzero(whole.background[0]), range(2, 6))


def test_switched_off_background_is_no_background(s2d):
    placement = at(s2d, xstart=20, xstop=24, bkg_coeff=[[1], [6]], subtract_background=False)
    assert placement.background is None
    assert placement.background_edges is None


def test_cut_off_aperture_is_told(s2d):
    placement = at(s2d, xstart=40, xstop=50, use_source_posn=False)
    assert placement.notes == ("The aperture reaches beyond the image at 387 of 387 wavelengths.",)
    assert not at(s2d, xstart=40, xstop=45, use_source_posn=False).notes


def test_unknown_source_is_told_or_refused(s2d):
    lost = replace(s2d, observation=replace(s2d.observation, dithered_ra=None))
    placement = at(lost, xstart=27, xstop=34)
    assert placement.source is None
    assert "does not place the source" in placement.notes[0]
    with pytest.raises(LRSError, match="use_source_posn = true, but the header"):
        at(lost, xstart=27, xstop=34, use_source_posn=True)
    extended = replace(s2d, observation=replace(s2d.observation, source_type="EXTENDED"))
    assert at(extended, xstart=27, xstop=34).source is None


def test_horizontal_dispersion_is_the_same_turned(s2d):
    flat = read(transposed(to_model(SEEN["s2d"])))
    regions = {"bkg_coeff": [[1], [6]], "extract_width": 6.5, "use_source_posn": True}
    a = at(s2d, xstart=27, xstop=34, ystart=3, ystop=300, **regions)
    b = at(flat, ystart=27, ystop=34, xstart=3, xstop=300, **regions)
    np.testing.assert_allclose(a.weights, b.weights, atol=1e-9)
    np.testing.assert_array_equal(a.background, b.background)


MIDDLE = {"xstart": 20, "xstop": 24, "use_source_posn": False}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"xstart": 60, "xstop": 70}, "The aperture (xstart, xstop) from 59.5 to 70.5 does not"),
        ({"xstart": 50}, "The aperture (xstart, xstop) from 45.5 to 49.5 does not lie"),
        ({"extract_width": 3, "xstart": -20, "xstop": -10}, "The aperture (xstart, xstop, extract_width)"),
        ({"xstart": 20, "xstop": 24, "ystart": 500}, "(xstart, xstop, ystart, ystop)"),
        ({"src_coeff": [[100.0], [110.0]]}, "The aperture (src_coeff) from 100.0 to 110.0"),
        ({"src_coeff": [[24.0], [20.0]]}, "src_coeff: the lower edge lies above the upper one at 387"),
        ({"src_coeff": [[20.0, 0.05], [24.0]]}, "at 306 wavelengths"),
        ({**MIDDLE, "bkg_coeff": [[60.0], [65.0]]}, "Background region 1 (bkg_coeff) from 60.0 to 65.0"),
        ({**MIDDLE, "bkg_coeff": [[1.0], [6.0], [-9.0], [-7.0]]}, "Background region 2 (bkg_coeff)"),
        ({**MIDDLE, "bkg_coeff": [[6.0], [1.0]]}, "bkg_coeff: the lower edge lies above"),
        ({**MIDDLE, "bkg_coeff": [[1.0], [20.1]]}, "overlaps the aperture by 0.6 px"),
        ({**MIDDLE, "bkg_coeff": [[3.2], [3.9]], "bkg_fit": "median"}, "does not lie on the image"),
        ({**MIDDLE, "bkg_coeff": [[3.0], [3.2]], "bkg_order": 1}, "bkg_order = 1 needs 2 pixels"),
        ({**MIDDLE, "bkg_coeff": [[1.0], [6.0]], "bkg_order": 8}, "bkg_order = 8 needs 9 pixels"),
        ({**MIDDLE, "bkg_coeff": [[1], [6]], "bkg_disp_order": 400}, "bkg_disp_order = 400 needs 401 rows"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(s2d, parameters, sentence):
    with pytest.raises(LRSError, match=re.escape(sentence)) as raised:
        at(s2d, **{"use_source_posn": False, **parameters})
    assert str(raised.value).endswith(".")


def test_background_without_a_valid_pixel_is_refused(s2d):
    blind = replace(s2d, good=s2d.good & (np.arange(46) > 7))
    with pytest.raises(LRSError, match=re.escape("Background region 1 (bkg_coeff) has no valid pixel")):
        at(blind, **MIDDLE, bkg_coeff=[[1.0], [6.0]])


def test_names_are_those_of_the_files_axes():
    flat = read(transposed(to_model(SEEN["s2d"])))
    with pytest.raises(LRSError, match=re.escape("The aperture (ystart, ystop)")):
        at(flat, ystart=60, ystop=70, use_source_posn=False)


def test_the_other_nod_is_as_far_away_on_s2d_as_on_cal(observation):
    """On cal the WCS tells, on s2d the offset along the slit; that across the slit is common to both nods."""
    parameters = ExtractionParameters(extraction_type="optimal", model_nod_pair=True)
    apart = []
    for product in ("nod1_cal", "nod1_s2d"):
        traces = place_traces(read(observation[product]), parameters)
        (nod,) = traces.nods
        apart.append(np.nanmean(traces.source - nod))
    # the slit is tilted by less than a degree in the simulated WCS: 1e-4 of 18 px
    assert apart[1] == pytest.approx(apart[0], abs=0.02)
