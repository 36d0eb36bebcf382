"""Two spectra against each other: numbers that can be worked out by hand, and units that differ."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import StdDevUncertainty
from specutils import Spectrum

from jdaviz_lrs import LRSError, extract
from jdaviz_lrs.analysis.compare import compare
from jdaviz_lrs.analysis.curve import Curve

WAVELENGTH = np.linspace(5, 13.5, 341)


def spectrum(flux, error=None, wavelength=WAVELENGTH, unit="Jy", **extra):
    return Spectrum(
        spectral_axis=wavelength * u.um,
        flux=np.broadcast_to(flux, wavelength.shape) * u.Unit(unit),
        uncertainty=None if error is None else StdDevUncertainty(np.full(wavelength.shape, error)),
        **extra,
    )


def test_ratio_and_difference_in_sigma():
    result = compare(spectrum(1.1, 0.03), spectrum(1.0, 0.04))
    np.testing.assert_allclose(result.ratio, 1.1)
    np.testing.assert_allclose(result.ratio_error, np.hypot(0.03, 1.1 * 0.04))
    np.testing.assert_allclose(result.sigma, 0.1 / 0.05)
    assert [(r.start, r.stop) for r in result.ranges] == [(5, 8), (8, 11), (11, 13.5)]
    assert sum(r.number for r in result.ranges) == result.overall.number == 340
    assert result.overall.ratio == pytest.approx(1.1)
    assert result.overall.scatter == pytest.approx(0, abs=1e-12)
    assert not any("interpolated" in note for note in result.notes)


def test_scatter_and_its_errors_are_those_of_the_noise():
    generator = np.random.default_rng(3)
    medians, scatters, quoted = [], [], []
    for _ in range(400):
        noise = generator.normal(0, 0.02, WAVELENGTH.size)
        overall = compare(spectrum(1 + noise, 0.02), spectrum(1.0)).overall
        medians.append(overall.ratio)
        scatters.append(overall.scatter)
        quoted.append((overall.ratio_error, overall.scatter_error))
    assert np.mean(scatters) == pytest.approx(0.02, rel=0.02)
    assert np.std(medians) == pytest.approx(np.mean(quoted, axis=0)[0], rel=0.15)
    assert np.std(scatters) == pytest.approx(np.mean(quoted, axis=0)[1], rel=0.15)
    assert overall.sigma_scatter == pytest.approx(1, abs=0.2)


def test_units_and_the_order_of_wavelengths_do_not_matter():
    one = spectrum(2e-3, 1e-4)
    flux_density = u.Unit("erg s-1 cm-2 AA-1")
    scale = u.spectral_density(WAVELENGTH * u.um)
    other = Spectrum(
        spectral_axis=(WAVELENGTH * u.um).to(u.THz, u.spectral()),
        flux=one.flux.to(flux_density, scale),
        uncertainty=StdDevUncertainty((np.full(WAVELENGTH.size, 1e-4) * u.Jy).to(flux_density, scale)),
    )
    result = compare(one, other)
    np.testing.assert_allclose(result.ratio, 1)
    np.testing.assert_allclose(result.reference.error, 1e-4)
    np.testing.assert_allclose(compare(one, spectrum(2.0, 0.1, unit="mJy")).ratio, 1)


def test_reference_is_interpolated_and_it_says_so():
    grid = np.linspace(4, 12, 800)
    result = compare(spectrum(3 * WAVELENGTH), spectrum(3 * grid, 1e-3, grid))
    inside = WAVELENGTH <= 12
    np.testing.assert_allclose(result.ratio[inside], 1)
    assert np.isnan(result.ratio[~inside]).all()
    assert result.ranges[2].number == (inside & (WAVELENGTH >= 11)).sum()
    # between two independent points the error is smaller, down to 1 / sqrt(2)
    assert 0.7e-3 < result.reference.error[inside].min() < result.reference.error[inside].max() <= 1e-3
    assert "interpolated" in result.notes[0]


def test_points_without_flux_are_left_out():
    mask = np.zeros(WAVELENGTH.size, bool)
    mask[100:110] = True
    result = compare(spectrum(1.0), spectrum(np.where(mask, 1e30, 1.0), mask=mask))
    np.testing.assert_array_equal(np.isnan(result.ratio), mask)
    assert result.overall.scatter == 0
    shifted = compare(spectrum(1.0, wavelength=WAVELENGTH + 0.001), spectrum(1.0, mask=mask))
    assert np.isnan(shifted.ratio).sum() == 12  # eleven beside masked points, one beyond the end


def test_notes_tell_which_errors_there_are():
    bare, full = spectrum(1.0), spectrum(1.0, 0.1)
    assert "Neither" in compare(bare, bare).notes[0]
    assert np.isnan(compare(bare, bare).sigma).all()
    assert "reference has no errors" in compare(full, bare).notes[0]
    assert "share most of their noise" in compare(full, full).notes[0]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (spectrum(1.0, unit="MJy/sr"), "MJy / sr"),
        (Spectrum(spectral_axis=np.arange(20) * u.pix, flux=np.ones(20) * u.Jy), "wavelengths"),
        (spectrum(1.0, wavelength=WAVELENGTH + 20), "in common"),
        (spectrum(1.0, wavelength=WAVELENGTH[:1]), "fewer than two"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(reference, words):
    with pytest.raises(LRSError, match=words):
        compare(spectrum(1.0), reference)


def test_an_empty_range_has_no_numbers():
    result = compare(spectrum(1.0), spectrum(1.0), [(20, 25)])
    assert result.ranges[0].number == 0
    assert np.isnan(result.ranges[0].ratio)
    assert compare(spectrum(1.0), spectrum(1.0), []).overall.number == WAVELENGTH.size


def test_extracted_spectra_compare_with_what_is_written_and_read(observation, tmp_path):
    from jdaviz_lrs import read_x1d

    ours = extract(observation["nod1_s2d"], use_source_posn=True)
    again = read_x1d(ours.write(tmp_path / "x1d.fits"))
    np.testing.assert_allclose(compare(ours, again).overall.ratio, 1, rtol=1e-12)
    twice = replace(ours, flux=2 * ours.flux)
    assert compare(twice, ours.to_spectrum()).overall.ratio == pytest.approx(2)
    assert Curve.of(ours).wavelength[0] < Curve.of(ours).wavelength[-1]
