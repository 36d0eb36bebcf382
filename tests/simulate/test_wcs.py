import numpy as np
import pytest
from stdatamodels.jwst.transforms.models import IdealToV2V3

from jdaviz_lrs.simulate import wcs as geometry
from jdaviz_lrs.simulate.grid import make_grid

POINTINGS = [
    geometry.Pointing(0.925),
    geometry.Pointing(-0.925),
    geometry.Pointing(1.5, ra=359.9999, dec=-70.0),
]


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("pointing", POINTINGS)
def test_round_trip(product, pointing):
    grid = make_grid(product, pointing)
    row, column = np.indices(grid.lit.shape) + np.reshape(grid.corner, (2, 1, 1))
    ra, dec, wavelength = grid.wcs(column, row)
    back = grid.wcs.backward_transform(ra, dec, wavelength)
    np.testing.assert_allclose(back, [column, row], atol=1e-6)
    np.testing.assert_allclose(wavelength, np.broadcast_to(grid.wavelength[:, None], row.shape), rtol=1e-12)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("pointing", POINTINGS)
def test_source_coordinates_lie_at_its_slit_position(product, pointing):
    grid = make_grid(product, pointing)
    ra, dec = geometry.source_coordinates(pointing)
    np.testing.assert_allclose([ra, dec], [pointing.ra, pointing.dec], atol=1e-8)
    column, row = grid.wcs.backward_transform(np.full(387, ra), np.full(387, dec), grid.wavelength)
    position = (pointing.x_offset - geometry.SLIT_IDEAL[0]) / geometry.SCALE
    np.testing.assert_allclose(column, grid.column(np.full(387, position)), atol=1e-6)
    np.testing.assert_allclose(row, np.arange(387) + grid.corner[0], atol=1e-6)


def test_ideal_frame_is_the_pipelines():
    theirs = IdealToV2V3(geometry.V3I_YANG, geometry.V2_REF, geometry.V3_REF, geometry.VPARITY)
    np.testing.assert_allclose(geometry._ideal_to_v2v3()(1.2, 0.3), theirs(1.2, 0.3), rtol=1e-12)


def test_frames_and_bounding_boxes():
    cal, s2d = geometry.detector_wcs(POINTINGS[0]), geometry.rectified_wcs(POINTINGS[0])
    assert cal.available_frames == ["detector", "alpha_beta", "v2v3", "v2v3vacorr", "world"]
    assert s2d.available_frames == ["detector", "world"]
    assert np.isnan(cal(300.0, 200.0)).all()
    assert np.isnan(s2d(-1.0, 200.0)).all()


def test_wavelength_falls_with_row():
    wavelength = geometry.wavelength_at(np.arange(7, 394))
    assert (np.diff(wavelength) < 0).all()
    assert wavelength[0] == pytest.approx(14.02, abs=0.01)


def test_near_the_real_detector(shared_scene):
    from stdatamodels.jwst.datamodels import open as open_model

    with open_model(shared_scene / "nod1_cal.fits.gz") as model:
        real = model.meta.wcs
    row = np.arange(7, 394.0)
    alpha, _, wavelength = real.get_transform("detector", "alpha_beta")(np.full(387, 324.0), row)
    used = wavelength > 5
    np.testing.assert_allclose(geometry.wavelength_at(row)[used], wavelength[used], atol=0.005)
    np.testing.assert_allclose(324.0 - geometry.slit_column(row), alpha / geometry.SCALE, atol=1e-3)
    ours = geometry._slit_to_v2v3()
    theirs = real.get_transform("alpha_beta", "v2v3")
    along = np.subtract(ours(2.0, 0.0), ours(-2.0, 0.0))
    np.testing.assert_allclose(
        along, np.subtract(theirs(2.0, 0.0, 8.0), theirs(-2.0, 0.0, 8.0))[:2], atol=5e-3
    )
    np.testing.assert_allclose(np.subtract(ours(0.0, 0.0), theirs(0.0, 0.0, 8.0)[:2]), 0, atol=0.05)
