from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy.signal import argrelmax
from scipy.special import ndtr

from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.engine.apcorr import pixel_fractions
from jdaviz_lrs.engine.full_width import full_width
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references.lrs_psf import built_in_psf, drizzled
from jdaviz_lrs.references.psf import read_psf, write_psf
from jdaviz_lrs.simulate import Scene, simulate, to_model

ON_SKY = [
    # um, FWHM (px) and correction for 8 px of the profile measured on sky, programme 6620
    (5.0, 1.933, 1.0360),
    (5.5, 2.178, 1.0402),
    (6.0, 2.180, 1.0363),
    (6.5, 2.276, 1.0418),
    (7.0, 2.377, 1.0524),
    (7.5, 2.473, 1.0653),
    (8.0, 2.593, 1.0731),
    (9.0, 2.851, 1.0796),
    (10.0, 3.122, 1.0801),
    (11.0, 3.384, 1.0790),
    (12.0, 3.665, 1.0748),
    (13.0, 3.995, 1.0668),
    (13.5, 4.173, 1.0623),
]
FWHM_LIMIT, CORRECTION_LIMIT = 0.03, 0.005
RECTIFIED = [
    # um, FWHM (px) of that profile after the pipeline's resample_spec, exposures at five phases together
    (5.6, 2.246),
    (6.5, 2.311),
    (7.5, 2.487),
    (9.0, 2.957),
    (10.0, 3.288),
    (11.0, 3.563),
    (12.0, 3.734),
    (13.0, 4.115),
]


def fwhm(psf, wavelength):
    """Full width at half maximum, px, in the row next to `wavelength`."""
    offset = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
    left, right, _ = full_width(offset, psf.data[np.abs(psf.wavelength - wavelength).argmin()])
    return right - left


@pytest.mark.parametrize(("wavelength", "width", "correction"), ON_SKY)
def test_built_in_psf_is_what_was_measured_on_sky(wavelength, width, correction):
    psf = built_in_psf()
    assert fwhm(psf, wavelength) == pytest.approx(width, rel=FWHM_LIMIT)
    assert 1 / enclosed_fraction(psf, -4, 4, wavelength) == pytest.approx(correction, rel=CORRECTION_LIMIT)


@pytest.fixture(scope="module")
def on_sky():
    """Light per pixel on a star at offsets (px) and a wavelength (um), from the published components."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "onsky"
    if not folder.is_dir():
        pytest.skip("the measurement is not beside the repository")
    core = fits.getdata(folder / "lrs_psf_data_jw06620-obs13.fits", 1)
    parts = fits.getdata(folder / "lrs_psf_data_extended_shift.fits", 1)

    def profile(offset, wavelength):
        sigma = np.interp(wavelength, core["wave"], core["sigma"])
        sigma = np.abs(sigma * parts["psf_scale"][0] + parts["psf_w"][0])
        share = [np.interp(wavelength, parts["wcoeffs"], column) for column in parts["coeffs"].T]
        distance = offset[:, None] - parts["psf_x"][0]
        return (ndtr((distance + 0.5) / sigma) - ndtr((distance - 0.5) / sigma)) @ share

    return profile


@pytest.mark.parametrize("wavelength", np.arange(5.0, 13.51, 0.1))
def test_built_in_psf_is_the_published_measurement(on_sky, wavelength):
    psf, offset = built_in_psf(), np.arange(-200, 201) / 10
    light = on_sky(offset, wavelength)
    left, right, _ = full_width(offset, light)
    assert fwhm(psf, wavelength) == pytest.approx(right - left, rel=FWHM_LIMIT)
    correction = on_sky(np.arange(-20, 21.0), wavelength).sum() / on_sky(np.arange(-3.5, 4), wavelength).sum()
    assert 1 / enclosed_fraction(psf, -4, 4, wavelength) == pytest.approx(correction, rel=CORRECTION_LIMIT)
    # within the noise of the measurement and its lean, everywhere
    sides = (light + light[::-1]) / 2
    ours = psf.data[np.abs(psf.wavelength - wavelength).argmin()]
    assert np.abs(ours - sides).max() < 0.025 * sides.max()


def test_the_first_ring_moves_outward():
    psf = built_in_psf()
    offset = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
    outside = (offset > 2) & (offset < 7)
    for wavelength in (7.0, 8.0, 10.0, 12.0):
        light = psf.data[np.abs(psf.wavelength - wavelength).argmin()][outside]
        (ring,) = argrelmax(light, order=10)[0][:1]
        assert offset[outside][ring] == pytest.approx(0.484 * wavelength, abs=0.3)


@pytest.mark.parametrize("psf", [built_in_psf(), drizzled(built_in_psf())], ids=["detector", "rectified"])
def test_built_in_psf_is_sensible_everywhere(psf):
    offset = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
    assert (psf.data >= 0).all()
    np.testing.assert_allclose(psf.data.sum(axis=1) / psf.subpix, 1)
    np.testing.assert_array_equal(psf.data[:, np.abs(offset) >= 14], 0)
    assert (np.abs(psf.data @ offset) / psf.subpix < 1e-3).all()  # centred
    # it neither jumps from one wavelength to the next nor runs away beyond those measured
    widths = np.array([fwhm(psf, wavelength) for wavelength in psf.wavelength])
    assert (np.abs(np.diff(widths)) < 0.08).all()
    assert widths[0] == pytest.approx(fwhm(psf, 5.0), abs=0.03)
    assert 4.2 < widths[-1] < 4.8


@pytest.mark.parametrize(("wavelength", "width"), RECTIFIED)
def test_rectified_it_is_as_wide_as_the_drizzled_measurement(wavelength, width):
    assert fwhm(drizzled(built_in_psf()), wavelength) == pytest.approx(width, rel=0.015)


def test_rectified_it_is_what_the_pipelines_drizzle_makes_of_it():
    """A star of the built-in profile on the detector, by resample_spec, is one of the rectified profile."""
    from jwst.resample import ResampleSpecStep

    scene = Scene(noise=False, nod_subtracted=False, background=0.0, lines=0.0, feature=0.0)
    seen = simulate(scene, "cal")
    model, grid = to_model(seen), seen.grid
    row, column = grid.corner
    offset = column + np.arange(grid.lit.shape[1]) - seen.truth.trace[:, None]
    light = rows_of(built_in_psf(), offset, grid.wavelength)
    n_disp, n_xdisp = light.shape
    model.data[row : row + n_disp, column : column + n_xdisp] = light
    result = ResampleSpecStep().process(model)
    rectified = np.nan_to_num(np.asarray(result.data, float))
    y, x = np.mgrid[: rectified.shape[0], : rectified.shape[1]]
    wavelength = np.nanmedian(result.meta.wcs(x, y)[2], axis=1)
    used = (wavelength > 5) & (wavelength < 13.5)
    rectified = rectified[used] / rectified[used].sum(axis=1, keepdims=True)
    center = rectified @ np.arange(rectified.shape[1])  # both profiles are centred
    offset = np.arange(rectified.shape[1]) - center[:, None]
    kept, plain = (
        np.abs(rows_of(psf, offset, wavelength[used]) - rectified).max(axis=1) / rectified.max(axis=1)
        for psf in (drizzled(built_in_psf()), built_in_psf())
    )
    assert np.median(kept) < 0.002
    assert kept.max() < 0.02  # where the profile changes from row to row, which the drizzle mixes
    assert plain.max() > 0.03


def rows_of(psf, offset, wavelength):
    """The profile at offsets (n_wavelength, n_offset), as a part of all light."""
    return pixel_fractions(
        psf.data, psf.wavelength, psf.subpix, psf.center_col, offset, np.atleast_1d(wavelength)
    )


def test_enclosed_fraction_bounds_and_shapes():
    psf = built_in_psf()
    assert enclosed_fraction(psf, -np.inf, np.inf, 8.0) == pytest.approx(1, abs=1e-6)
    width = np.arange(1, 11.0)
    fraction = enclosed_fraction(psf, -width / 2, width / 2, np.array([[5.0], [12.0]]))
    assert fraction.shape == (2, 10)
    assert (np.diff(fraction) > 0).all()
    assert (fraction[0] > fraction[1]).all()
    assert np.isnan(enclosed_fraction(psf, -1, 1, 30.0))


def test_round_trip_through_a_file(tmp_path):
    psf = built_in_psf()
    read = read_psf(write_psf(psf, tmp_path / "psf.fits"))
    np.testing.assert_array_equal(read.data, psf.data)
    np.testing.assert_array_equal(read.wavelength, psf.wavelength)
    assert (read.subpix, read.center_col, read.name) == (psf.subpix, psf.center_col, "psf.fits")
    assert [p.name for p in tmp_path.iterdir()] == ["psf.fits"]


def test_pipeline_opens_the_file(tmp_path):
    from jwst.extract_1d.psf_profile import open_psf

    psf = built_in_psf()
    aperture = open_psf(write_psf(psf, tmp_path / "psf.fits"), None)
    np.testing.assert_array_equal(aperture.data, psf.data)
    assert aperture.subpix == 10


def test_rows_without_wavelength_are_dropped(tmp_path):
    psf = SpectralPSF(np.ones((3, 11)), np.array([5.0, np.nan, 7.0]), 2.0, 5.0, "three rows")
    assert read_psf(write_psf(psf, tmp_path / "psf.fits")).data.shape == (2, 11)


def no_file(path):
    return path


def text(path):
    path.write_text("not FITS")
    return path


def truncated(path):
    whole = write_psf(built_in_psf(), path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def wrong_kind(path):
    hdu = fits.PrimaryHDU()
    hdu.header["DATAMODL"], hdu.header["REFTYPE"] = "MirLrsApcorrModel", "apcorr"
    hdu.writeto(path)
    return path


def no_wavelength(path):
    return write_psf(SpectralPSF(np.ones((2, 11)), np.full(2, np.nan), 2.0, 5.0, "empty"), path)


def other_aperture(path):
    write_psf(built_in_psf(), path)
    fits.setval(path, "APERTURE", value="S200A1", extname="PSF")
    return path


def no_samples(path):
    write_psf(built_in_psf(), path)
    fits.setval(path, "SUBPIX", value=0.0, extname="PSF")
    return path


def changed(keyword, value):
    def make(path):
        write_psf(built_in_psf(), path)
        fits.setval(path, keyword, value=value, extname="PSF")
        return path

    return make


def with_rows(value, rows=slice(40, 42), columns=slice(None)):
    """A file in which these samples have another value; a list of values is repeated along the samples."""

    def make(path):
        psf = built_in_psf()
        data = psf.data.copy()
        data[rows, columns] = value
        return write_psf(replace(psf, data=data), path)

    return make


def with_wavelength(change):
    def make(path):
        psf = built_in_psf()
        return write_psf(replace(psf, wavelength=change(psf.wavelength)), path)

    return make


def no_subpix(path):
    write_psf(built_in_psf(), path)
    with fits.open(path, mode="update") as hdus:
        del hdus["PSF"].header["SUBPIX"]
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (no_file, "no such file"),
        (text, "not a complete FITS file"),
        (truncated, "not a complete FITS file"),
        (wrong_kind, "MirLrsApcorrModel and apcorr"),
        (no_wavelength, "none of its wavelengths"),
        (other_aperture, "no aperture is named"),
        (no_samples, "SUBPIX 0 cannot be"),
        (no_subpix, "SUBPIX nan cannot be"),
        (changed("SUBPIX", "ten"), "SUBPIX nan cannot be"),
        (changed("SUBPIX", -10.0), "SUBPIX -10 cannot be"),
        (changed("SUBPIX", 1e6), r"SUBPIX 1e\+06 cannot be"),
        (changed("SUBPIX", 190.0), "SUBPIX 190 cannot be, for a profile of 401 samples"),
        (changed("CENTCOL", 401.0), "CENTCOL 401 lies outside"),
        (changed("CENTCOL", -1.0), "CENTCOL -1 lies outside"),
        (with_rows(np.nan), "PSF is not finite at 2 of 126 wavelengths, the first 6.2 um"),
        (with_rows(np.inf, columns=[200]), "PSF is not finite at 2 of 126"),
        (with_rows(np.nan, rows=0, columns=[200]), "PSF is not finite at 1 of 126"),
        (with_rows(0.0), "PSF is all zero at 2 of 126 wavelengths, the first 6.2 um"),
        (with_rows(0.0, rows=slice(None)), "PSF is all zero at 126 of 126"),
        (with_rows(np.nan, rows=slice(None)), "PSF is not finite at 126 of 126"),
        (
            with_rows(-0.05, columns=slice(100, 110)),
            "negative, by more than 1% of the light, at 2 of 126",
        ),
        (with_rows(-1.0, rows=slice(None)), "PSF is negative.* at 126 of 126"),
        (with_wavelength(lambda um: um * 1e-6), "WAVE runs from 2.2e-06 to 1.47e-05, in micron none of it"),
        (with_wavelength(lambda um: um * 1e3), "WAVE runs from 2200 to"),
        (with_wavelength(lambda um: np.roll(um, 5)), "WAVE is not in order"),
        (with_wavelength(lambda um: np.maximum(um, 5.0)), "WAVE is not in order, or some are repeated"),
    ],
)
def test_bad_file_is_named(tmp_path, make, reason):
    with pytest.raises(LRSError, match=reason) as raised:
        read_psf(make(tmp_path / "bad.fits"))
    assert "bad.fits" in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_ends_without_light_are_left_out(tmp_path, nothing):
    psf = built_in_psf()
    data = psf.data.copy()
    data[:10], data[-3:] = nothing, 0.0
    kept = read_psf(write_psf(replace(psf, data=data), tmp_path / "psf.fits"))
    np.testing.assert_array_equal(kept.wavelength, psf.wavelength[10:-3])
    np.testing.assert_array_equal(kept.data, psf.data[10:-3])


def test_a_little_negative_light_and_falling_wavelengths_are_read(tmp_path):
    psf = built_in_psf()
    data = psf.data[::-1].copy()
    data[:, :50] = -1e-4
    kept = read_psf(
        write_psf(replace(psf, data=data, wavelength=psf.wavelength[::-1]), tmp_path / "psf.fits")
    )
    np.testing.assert_array_equal(kept.data, data)


def test_what_is_read_does_not_lean_on_the_file(tmp_path):
    path = write_psf(built_in_psf(), tmp_path / "psf.fits")
    psf = read_psf(path)
    path.write_bytes(path.read_bytes()[:4000])  # of a memory map, the next line would kill the process
    np.testing.assert_array_equal(psf.data, built_in_psf().data)


def test_the_shared_reference_is_read(shared_scene):
    assert read_psf(shared_scene / "psf.fits").data.shape == (400, 801)
