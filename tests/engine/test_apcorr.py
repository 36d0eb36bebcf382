import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaviz_lrs.data.psf import enclosed_fraction
from jdaviz_lrs.engine.apcorr import correction_table, pixel_fractions, profile_correction
from jdaviz_lrs.engine.aperture import pixel_weights
from jdaviz_lrs.references.lrs_psf import built_in_psf

SIZE = np.arange(1.0, 11.0)
WAVELENGTH = np.linspace(5.0, 14.0, 19)


def table():
    return 1.0 + WAVELENGTH[:, None] / SIZE


@given(st.floats(1.0, 10.0), st.floats(5.0, 14.0))
def test_table_is_interpolated_linearly_both_ways(size, wavelength):
    along = [np.interp(wavelength, WAVELENGTH, column) for column in table().T]
    expected = np.interp(size, SIZE, along)
    assert correction_table(SIZE, WAVELENGTH, table()).ev(size, wavelength) == pytest.approx(
        expected, rel=1e-12
    )


def test_table_may_run_backwards_and_holds_its_edge():
    forwards = correction_table(SIZE, WAVELENGTH, table())
    backwards = correction_table(SIZE, WAVELENGTH[::-1], table()[::-1])
    assert backwards.ev(3.3, 7.7) == pytest.approx(forwards.ev(3.3, 7.7), rel=1e-14)
    assert forwards.ev(30.0, 20.0) == pytest.approx(table()[-1, -1])
    assert forwards.ev(0.2, 2.0) == pytest.approx(table()[0, 0])


def test_correction_is_one_over_the_light_summed():
    profile = np.array([[0.1, 0.5, 0.3, 0.1]] * 4)
    weights = np.array([[1, 1, 1, 1], [0, 1, 0.5, 0], [0, 0, 0, 0], [0, 0, 1, 0]], float)
    correction = profile_correction(profile, weights)
    np.testing.assert_allclose(correction, [1.0, 1 / 0.65, np.nan, 1 / 0.3])
    both = profile_correction(profile, np.stack([weights, weights[::-1]]))
    np.testing.assert_array_equal(both, [correction, correction[::-1]])


def fractions(psf, offsets, wavelength):
    return pixel_fractions(
        psf.data,
        psf.wavelength,
        psf.subpix,
        psf.center_col,
        np.atleast_2d(offsets),
        np.atleast_1d(wavelength),
    )


@pytest.mark.parametrize("shift", [0.0, 0.3, -0.45])
def test_all_light_is_in_the_pixels(shift):
    light = fractions(built_in_psf(), np.arange(-20, 21) + shift, 8.0).sum()
    # sampled ten times a pixel and interpolated linearly, the pixels' sum wavers by 1e-5
    assert light == pytest.approx(1.0, abs=3e-5)


@pytest.mark.parametrize("width", [1, 4, 7])
def test_correction_of_whole_pixels_is_that_of_the_enclosed_light(width):
    psf, wavelength = built_in_psf(), np.array([5.0, 8.0, 12.0])
    columns = np.arange(41.0)
    center = 20.0 if width % 2 else 20.5
    edges = np.array([center - width / 2, center + width / 2])[None, :, None, None] * np.ones((1, 2, 3, 1))
    profile = fractions(psf, columns - center, 0.0 * wavelength + wavelength)
    correction = profile_correction(profile, pixel_weights(edges, columns))
    enclosed = enclosed_fraction(psf, -width / 2, width / 2, wavelength)
    np.testing.assert_allclose(correction, 1 / enclosed, rtol=3e-5)


def test_no_light_beyond_the_psf_and_none_known_beyond_its_wavelengths():
    psf = built_in_psf()
    far = fractions(psf, [-1000.0, 0.0, 1000.0, np.nan], 8.0)
    np.testing.assert_array_equal(far[0, [0, 2, 3]], 0.0)
    assert far[0, 1] > 0.2
    assert np.isnan(fractions(psf, [0.0], 1.0)).all()
    assert np.isnan(fractions(psf, [0.0], np.nan)).all()


def test_wavelengths_in_any_order():
    psf, offsets = built_in_psf(), np.linspace(-5, 5, 11)
    backwards = pixel_fractions(
        psf.data[::-1], psf.wavelength[::-1], psf.subpix, psf.center_col, offsets[None], np.array([7.77])
    )
    np.testing.assert_allclose(backwards, fractions(psf, offsets, 7.77), rtol=1e-12)
