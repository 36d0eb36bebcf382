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


@pytest.fixture
def rectified():
    """A grid whose rows have one wavelength each."""
    wavelength = np.broadcast_to(np.linspace(13.9, 4.1, 60)[:, None], (60, COLUMNS.size))
    return profile_grid(PSF, PSF_WAVELENGTH, SUBPIX, CENTER, wavelength, COLUMNS)


def spread(grid, trace):
    """Light, middle and variance of the profile in every row."""
    value = grid.place(np.full(60, trace)).value
    light = value.sum(axis=1)
    middle = value @ COLUMNS / light
    return light, middle, (value * (COLUMNS - middle[:, None]) ** 2).sum(axis=1) / light


def test_blur_keeps_light_and_place_and_widens_by_its_variance(rectified):
    blur = np.linspace(0.0, 0.125, 60)  # a quarter: linear interpolation half way between pixels
    before, after = (spread(grid, 324.37) for grid in (rectified, rectified.blurred(blur)))
    # sums over pixels of what is linear between samples a tenth of a pixel apart
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)
    np.testing.assert_allclose(after[1], before[1], atol=1e-5)
    np.testing.assert_allclose(after[2] - before[2], 2 * blur, atol=2e-3)


@pytest.mark.parametrize("blur", [-1.0, -0.02, 0.0, 0.1, 10.0])
def test_blurred_light_is_never_negative(rectified, blur):
    value = rectified.blurred(np.full(60, blur)).place(np.full(60, 324.0)).value
    assert value.min() > -1e-3 * value.max()
    if blur >= 0:
        assert value.min() >= 0


def test_curvature_is_the_change_with_blur(rectified):
    trace, step = np.full(60, 324.3), 1e-3
    blurred = rectified.blurred(np.full(60, step))
    change = (blurred.place(trace).value - rectified.place(trace).value) / step
    np.testing.assert_allclose(rectified.curvature.place(trace).value, change, atol=1e-9)


def test_around_is_the_profile_on_the_image_and_beyond(grid):
    trace = np.linspace(322.3, 325.9, 60)
    distance, value = grid.around(trace, np.ones(60), 6)
    assert distance.shape == value.shape == (60, 13)
    first = np.rint(trace).astype(int) - 6 - int(COLUMNS[0])
    columns = first[:, None] + np.arange(13)
    np.testing.assert_allclose(distance, COLUMNS[columns] - trace[:, None], atol=1e-12)
    # at the wavelength of the trace, while that of the pixels differs by 0.001 um a column
    there = np.take_along_axis(grid.place(trace).value, columns, axis=1)
    np.testing.assert_allclose(value, there, atol=5e-4)
    # at the slit's end the image holds half of it, the profile is whole
    _, beyond = grid.around(np.full(60, COLUMNS[0]), np.ones(60), 8)
    np.testing.assert_allclose(beyond.sum(axis=1), 1.0, atol=2e-3)


def test_around_is_dark_without_a_trace(grid):
    trace = np.where(np.arange(60) < 5, np.nan, 324.0)
    distance, value = grid.around(trace, np.ones(60), 4)
    assert np.isfinite(distance).all()
    assert not value[:5].any()
    assert (value[5:].sum(axis=1) > 0.9).all()
