"""A simulated transit, from segments to what was put in."""

import numpy as np
import pytest

from jdaviz_lrs import extract, light_curves
from jdaviz_lrs.data.flags import OUTLIER
from jdaviz_lrs.data.series import DRIFT_COLUMNS, SERIES_COLUMNS
from jdaviz_lrs.simulate import SeriesScene, write_series

BOX = {"xstart": 31, "xstop": 43, "refinements": ("outliers",)}
OPTIMAL = {
    "extraction_type": "optimal",
    "subtract_background": True,
    "bkg_order": 0,
    "refinements": ("trace", "width", "outliers", "variance"),
}
SCENE = SeriesScene(integrations=36, segments=2, cosmic_rays=20)


@pytest.fixture(scope="module")
def transit(tmp_path_factory):
    return write_series(tmp_path_factory.mktemp("transit"), SCENE)


def segments(written):
    return [path for name, path in written.items() if name.startswith("seg")]


def extracted(written, parameters, **more):
    return extract(segments(written), override_psf=written["psf"], **parameters, **more)


@pytest.fixture(scope="module")
def optimal(transit):
    return extracted(transit, OPTIMAL)


@pytest.fixture(scope="module")
def box(transit):
    return extracted(transit, BOX)


def pulls(series, scene, bands=(5.0, 13.5)):
    """Deviations of the flux from what was put in but for a constant factor, in errors without the flat's."""
    model = scene.level()[:, None] * (1 - scene.covered()[:, None] * scene.transit_depth(series.wavelength))
    ratio = series.flux / model
    error = np.sqrt(series.flux_var_poisson + series.flux_var_rnoise) / model
    inside = (series.wavelength > bands[0]) & (series.wavelength < bands[1])
    # a mean is no farther from its parts than the truth
    size = np.sqrt(len(series) / (len(series) - 1))
    return ((ratio - np.nanmean(ratio, axis=0)) / error)[:, inside] * size


def assert_same(one, other):
    for name in (*SERIES_COLUMNS, *DRIFT_COLUMNS):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_place_and_width_of_the_star(optimal, box):
    shift, width = SCENE.shift() - SCENE.shift().mean(), SCENE.width()
    off = optimal.shift - optimal.shift.mean() - shift
    assert np.std(off) / np.median(optimal.shift_error) == pytest.approx(1.0, abs=0.4)  # 36 of them: 12 %
    # the width is that of the PSF on pixels, which are not stretched with it
    assert np.polyfit(width, optimal.width, 1)[0] == pytest.approx(0.85, abs=0.15)
    assert np.corrcoef(box.shift, shift)[0, 1] > 0.99
    assert np.corrcoef(box.width, width)[0, 1] > 0.95


def test_every_hit_that_counts_is_found_flagged_and_counted(optimal):
    # single pixels of 1e3 to 1e5 MJy/sr, one of which may come under the noise of the star
    assert (optimal.outliers >= 17).all()
    assert optimal.outliers.mean() == pytest.approx(20, abs=0.7)
    (note,) = [note for note in optimal.notes if "(OUTLIER)" in note]
    assert str(int(((optimal.dq & OUTLIER) != 0).sum())) in note


@pytest.mark.parametrize("kind", ["optimal", "box"])
def test_scatter_over_time_is_the_propagated_error(kind, request):
    found = pulls(request.getfixturevalue(kind), SCENE)
    # 12,000 values; the median leaves out what a hit below 5 sigma does
    robust = np.nanmedian(np.abs(found)) / 0.6745
    assert robust == pytest.approx(1.0, abs=0.025)
    assert np.nanmean(np.abs(found) > 5) < 2e-3


def test_without_looking_over_time_hits_stay(transit):
    plain = extracted(transit, {**BOX, "refinements": ()})
    assert np.nanmean(np.abs(pulls(plain, SCENE)) > 5) > 5e-3
    assert not plain.outliers.any()
    assert np.isfinite(plain.shift).all()
    # 20 hits on 68 columns, of which the aperture has 13; those below the noise of the core do not show
    assert plain.outlying.mean() == pytest.approx(20 * 13 / 68, rel=0.25)
    assert any("the refinement 'outliers'" in note for note in plain.notes)


def test_where_hits_are_left_out_nothing_is_advised(box):
    assert not any("the refinement 'outliers'" in note for note in box.notes)
    np.testing.assert_allclose(box.outlying.mean(), box.outliers.mean(), rtol=0.1)


@pytest.mark.parametrize(("kind", "size"), [("optimal", 7), ("box", 11)])
def test_chunks_of_any_size_give_the_same_bits(kind, size, transit, request):
    parameters = OPTIMAL if kind == "optimal" else BOX
    assert_same(extracted(transit, parameters, chunk_size=size), request.getfixturevalue(kind))


def test_the_pipelines_way_knows_neither(transit):
    theirs = extracted(transit, BOX, pipeline_compatible=True)
    assert np.isnan(theirs.shift).all()
    assert not theirs.outliers.any()
    assert not (theirs.dq & OUTLIER).any()


def depths(series, scene, number=20):
    """Fit depth, ramp and drift to the light curves; returns depths, errors and what was put in."""
    curves = light_curves(series, number=number)
    rest = [curves.drift[name] - curves.drift[name].mean() for name in ("shift", "width")]
    ramp = np.exp(-scene.time / scene.ramp_time)
    design = np.stack([np.ones(len(series)), -scene.covered(), ramp, *rest], axis=1)
    found = []
    for (start, stop), flux, error in zip(curves.bins, curves.flux.T, curves.error.T, strict=True):
        weighted = design / error[:, None]
        covariance = np.linalg.inv(weighted.T @ weighted)
        values = covariance @ weighted.T @ (flux / error)
        inside = (series.wavelength >= start) & (series.wavelength < stop)
        light = scene.flux(series.wavelength[inside])
        truth = light @ scene.transit_depth(series.wavelength[inside]) / light.sum()
        found.append((values[1] / values[0], np.sqrt(covariance[1, 1]) / values[0], truth))
    return np.transpose(found)


@pytest.mark.slow
def test_depths_come_back_within_their_errors(tmp_path):
    """A transit of 0.5 % in 20 bins, with drift, ramp and cosmic rays, 50 times."""
    off = {"box": [], "optimal": []}
    for seed in range(50):
        scene = SeriesScene(integrations=80, segments=2, seed=seed)
        written = write_series(tmp_path, scene)
        for kind, parameters in (("box", BOX), ("optimal", OPTIMAL)):
            found, error, truth = depths(extracted(written, parameters), scene)
            off[kind].append((found - truth) / error)
    for kind, pull in off.items():
        assert np.std(pull) == pytest.approx(1.0, abs=0.1), kind
        # the mean of 1000 pulls is known to 0.03; a box keeps of hits what is below 5 sigma
        assert abs(np.mean(pull)) < 0.2, kind


@pytest.mark.slow
def test_optimal_is_never_noisier_than_the_best_box(tmp_path):
    scene = SeriesScene(integrations=60, segments=1, cosmic_rays=0, bad_pixels=0)
    written = write_series(tmp_path, scene)

    def error(parameters):
        series = extracted(written, parameters)
        inside = (series.wavelength > 5.0) & (series.wavelength < 13.5)
        return np.median(
            (np.sqrt(series.flux_var_poisson + series.flux_var_rnoise) / series.flux)[:, inside], 0
        )

    boxes = [
        error({"xstart": 37 - half, "xstop": 37 + half, "bkg_coeff": [[4.5], [20.5], [54.5], [71.5]]})
        for half in (2, 3, 4, 5, 6, 8)
    ]
    # the errors are those of the variances, and have no scatter of their own
    assert (error(OPTIMAL) < 1.005 * np.min(boxes, axis=0)).all()
