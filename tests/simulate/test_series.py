import numpy as np
import pytest
from astropy.table import QTable
from stdatamodels.jwst.datamodels import SlitModel

from jdaviz_lrs import LRSError
from jdaviz_lrs.products.series import read_series
from jdaviz_lrs.simulate import SeriesScene, SimulatedSeries, write_series
from jdaviz_lrs.simulate.psf import effective_profile
from jdaviz_lrs.simulate.render import PIXAR_SR
from jdaviz_lrs.simulate.series import INTEGRATION_S, PHOTON_VARIANCE, READ_SIGMA
from jdaviz_lrs.simulate.wcs import SLITLESS

SCENE = SeriesScene(integrations=7, segments=2, ingress=0.2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_series(tmp_path_factory.mktemp("series"), SCENE)


def test_segments_are_one_series(written):
    series = read_series([written["seg002"], written["seg001"]])
    assert [segment.size for segment in series.segments] == [4, 3]
    assert series.notes == ()
    np.testing.assert_array_equal(series.int_num, np.arange(1, 8))
    step = np.diff(series.int_times["int_mid_MJD_UTC"]) * 86400
    np.testing.assert_allclose(step, INTEGRATION_S, rtol=1e-5)
    image = series.image
    assert image.mode.exposure_type == "MIR_LRS-SLITLESS"
    assert image.pixel_scale == pytest.approx(SLITLESS.scale, rel=1e-4)
    assert image.observation.source_type == "POINT"


def test_wavelengths_and_trace_are_those_of_the_reference(written):
    with SlitModel(written["seg001"]) as model:
        wavelength = model.wavelength
        rows = np.flatnonzero(np.isfinite(wavelength).any(axis=1))
        assert (rows[0], rows[-1]) == (7, 394)
        np.testing.assert_allclose(wavelength[[7, 394], 40], [13.994, 3.707], atol=1e-3)
        ra, dec = model.meta.target.ra, model.meta.target.dec
        column, _ = model.meta.wcs.backward_transform(ra, dec, wavelength[[7, 207, 394], 40].astype(float))
        np.testing.assert_allclose(column, [36.36, 37.26, 37.62], atol=2e-3)
        np.testing.assert_allclose(model.meta.wcs(40.0, rows)[2], wavelength[rows, 40], rtol=1e-6)


def test_light_is_that_of_the_truth(written):
    made, truth = SimulatedSeries(SCENE), QTable.read(written["truth"])
    seen = made.signal(slice(None))
    sky = made.signal(slice(None)).min(axis=2, keepdims=True)  # far from the star
    light = (seen - sky).sum(axis=2) * PIXAR_SR * 1e6
    course = QTable.read(written["course"])
    expected = truth["flux"].value * (1 - np.outer(course["covered"], truth["depth"]))
    # the profile's sum over pixels is its integral but for what is lost between them
    np.testing.assert_allclose(light, expected * course["level"][:, None], rtol=1e-3)


def test_drift_is_what_a_profile_placed_there_gives():
    made = SimulatedSeries(SCENE)
    here, by, square, wider = made._profiles
    shift, width = 0.03, 0.006
    offset = np.arange(72) - SLITLESS.column_at(made.rows)[:, None] - shift
    direct = effective_profile(offset, made.wavelength, stretch=1 + width)
    np.testing.assert_allclose(here + shift * by + shift**2 * square + width * wider, direct, atol=2e-4)


def test_noise_is_that_of_the_variances():
    scene = SeriesScene(integrations=40, segments=1, cosmic_rays=0, bad_pixels=3)
    with SimulatedSeries(scene).segment(1) as model:
        quiet = SimulatedSeries(scene).signal(slice(None))
        seen = model.data[:, 7:395, 4:]
        pull = (seen - seen.mean(axis=0) - quiet[..., 4:] + quiet[..., 4:].mean(axis=0)) / np.sqrt(
            PHOTON_VARIANCE * quiet[..., 4:] + READ_SIGMA**2
        )
        assert np.nanstd(pull) * np.sqrt(40 / 39) == pytest.approx(1.0, abs=3e-3)  # a million of them
        lost = (model.dq[0, 7:395, 4:] & 1) > 0
        assert lost.sum() in (2, 3)  # one may lie in the reference columns
        assert np.isnan(seen[:, lost]).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"integrations": 0},
        {"segments": 1.5},
        {"segments": 999},
        {"depth": np.nan},
        {"duration": 0.0},
        {"seed": -1},
    ],
    ids=str,
)
def test_scene_refuses_what_cannot_be(wrong):
    with pytest.raises(LRSError, match=next(iter(wrong))):
        SeriesScene(**wrong)
