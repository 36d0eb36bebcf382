import numpy as np
import pytest

from jdaviz_lrs.data.psf import enclosed_fraction
from jdaviz_lrs.references.lrs_psf import PLATE_SCALE
from jdaviz_lrs.simulate.psf import effective_profile, simulated_psf


def fwhm_arcsec(wavelength, **settings):
    offset = np.linspace(0, 4, 4001)
    profile = effective_profile(offset, [wavelength], **settings)[0]
    return 2 * np.interp(-profile[0] / 2, -profile, offset) * PLATE_SCALE


@pytest.mark.parametrize(
    ("wavelength", "fwhm"), [(5.0, 0.29), (7.5, 0.30), (10.0, 0.36), (12.0, 0.42), (14, 0.48)]
)
def test_width_follows_commissioning(wavelength, fwhm):
    assert fwhm_arcsec(wavelength) == pytest.approx(fwhm, rel=1e-3)


def test_stretch_widens():
    assert 1.11 < fwhm_arcsec(7.5, stretch=1.15) / fwhm_arcsec(7.5) < 1.15  # the pixel is not stretched


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("settings", [{}, {"stretch": 1.15}, {"skew": 0.05, "halo": 0.03}])
def test_pixels_hold_all_light_at_any_phase(phase, settings):
    light = effective_profile(np.arange(-20, 21) + phase, np.linspace(3, 14, 9), **settings).sum(axis=1)
    # exact for a profile of no contrast beyond one cycle per pixel, which the window leaves by this little
    np.testing.assert_allclose(light, 1, atol=1e-5)


@pytest.mark.parametrize("skew", [0.02, 0.05])
def test_skew_is_a_cubic_phase_and_no_shift(skew):
    offset, frequency = np.arange(-200, 201) / 10, np.array([0.06, 0.1, 0.15, 0.2])
    profile = effective_profile(offset, [6.0, 12.0], skew=skew)
    transfer = profile @ np.exp(2j * np.pi * frequency * offset[:, None]) / 10
    # the window at the ends of the slit, 26 px apart, mixes frequencies 0.04 apart
    expected = np.tile(skew * (2 * np.pi * frequency) ** 3, (2, 1))
    np.testing.assert_allclose(np.angle(transfer), expected, rtol=7e-3)
    # the third power of the frequency has no slope at zero; what the window cuts off is not even
    centroid = profile @ offset / 10
    np.testing.assert_allclose(centroid, 0, atol=4e-4 * skew / 0.05)


def test_halo_takes_light_from_the_core_mostly_in_the_blue():
    core = effective_profile([0.0], [5.0, 12.0], halo=0.05) / effective_profile([0.0], [5.0, 12.0])
    assert core[0, 0] < 0.97
    assert 0.98 < core[1, 0] < 1


def test_enclosed_fraction_is_the_sum_of_the_pixels():
    psf = simulated_psf()
    wavelength = psf.wavelength[[20, 60, 100]]
    for first, last in [(-4, 3), (-10, 2), (0, 0)]:
        pixels = effective_profile(np.arange(first, last + 1) + 0.3, wavelength).sum(axis=1)
        fraction = enclosed_fraction(psf, first - 0.2, last + 0.8, wavelength)
        # one is normalised by the sum of its samples, the other by its integral
        np.testing.assert_allclose(fraction, pixels, atol=3e-6)
