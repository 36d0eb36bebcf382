import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from jdaviz_lrs.engine.profile import profile_grid

SUBPIX, CENTER = 10.0, 200.0
PSF_WAVELENGTH = np.linspace(4.0, 14.0, 41)
COLUMNS = np.arange(303.0, 347.0)


def gaussian(width):
    offset = (np.arange(401) - CENTER) / SUBPIX
    return np.exp(-0.5 * (offset / width[:, None]) ** 2)


PSF = gaussian(np.linspace(1.0, 1.8, 41))


@pytest.fixture(params=[0.0, 1e-3], ids=["wavelength by row", "wavelength by pixel"])
def wavelength(request):
    """Of every pixel, um; falls with the row."""
    return np.linspace(13.9, 4.1, 60)[:, None] + request.param * np.arange(COLUMNS.size)


@pytest.fixture
def grid(wavelength):
    return profile_grid(PSF, PSF_WAVELENGTH, SUBPIX, CENTER, wavelength, COLUMNS)


def test_interpolates_linearly_in_both_directions(grid, wavelength):
    trace = np.linspace(322.3, 325.9, 60)
    normalised = PSF / (PSF.sum(axis=1, keepdims=True) / SUBPIX)
    rows = np.interp(wavelength, PSF_WAVELENGTH, np.arange(41.0))
    samples = CENTER + SUBPIX * (COLUMNS - trace[:, None])
    expected = map_coordinates(normalised, [rows, samples], order=1)
    # the same sums in another order
    np.testing.assert_allclose(grid.place(trace).value, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("stretch", [1.0, 1.15, 0.9])
def test_light_is_one_whatever_the_stretch(grid, stretch):
    light = grid.place(np.full(60, 324.37), stretch).value.sum(axis=1)
    # linear interpolation at 10 samples per pixel: h^2 / 8 of the curvature, summed off the samples
    np.testing.assert_allclose(light, 1.0, atol=5e-4)


def test_light_within_image_is_exactly_one(grid):
    light = grid.place(np.full(60, 304.0), within_image=True).value.sum(axis=1)
    np.testing.assert_allclose(light, 1.0, rtol=1e-12)
    assert grid.place(np.full(60, 304.0)).value.sum(axis=1).max() < 0.95


def test_derivatives_are_those_of_the_value(grid):
    trace, step = np.full(60, 324.404), 1e-4  # no sample lies within a step of a pixel
    placed = grid.place(trace, 1.05)
    slope = (grid.place(trace + step, 1.05).value - grid.place(trace - step, 1.05).value) / (2 * step)
    widening = (grid.place(trace, 1.05 + step).value - grid.place(trace, 1.05 - step).value) / (2 * step)
    near = np.abs(COLUMNS - 324.4) < 3  # beyond, a change of the stretch moves pixels across samples
    np.testing.assert_allclose(placed.slope, slope, atol=1e-6)
    np.testing.assert_allclose(placed.widening[:, near], widening[:, near], atol=1e-3)


def test_rows_without_trace_or_psf_are_dark(wavelength):
    grid = profile_grid(PSF[10:], PSF_WAVELENGTH[10:], SUBPIX, CENTER, wavelength, COLUMNS)
    trace = np.where(np.arange(60) < 5, np.nan, 324.0)
    placed = grid.place(trace)
    dark = (np.arange(60) < 5) | (wavelength[:, 0] < PSF_WAVELENGTH[10] - 0.05)
    assert np.all(placed.value[dark] == 0)
    for image in (placed.value, placed.slope, placed.widening):
        assert np.isfinite(image).all()


def test_order_of_the_psf_wavelengths_does_not_matter(grid, wavelength):
    other = profile_grid(PSF[::-1], PSF_WAVELENGTH[::-1], SUBPIX, CENTER, wavelength, COLUMNS)
    trace = np.full(60, 324.1)
    np.testing.assert_array_equal(other.place(trace).value, grid.place(trace).value)
