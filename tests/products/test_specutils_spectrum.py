from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from specutils import Spectrum

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.products.specutils_spectrum import from_spectrum, to_spectrum
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model


@pytest.fixture(scope="module")
def image():
    return read(to_model(simulate(Scene(bad_pixels=50))))


@pytest.fixture(scope="module")
def references(image):
    return find_references(image, crds=False)


def jdaviz_spectrum(image, **changes):
    """What jdaviz's own loader makes of an s2d: cross-dispersion by dispersion, a header, no more."""
    settings = {
        "flux": image.data.T * u.Unit("MJy/sr"),
        "spectral_axis": image.row_wavelength * u.um,
        "mask": ~image.good.T,
        "meta": {
            "PIXAR_SR": image.pixel_area,
            "_primary_header": {"SRCTYPE": "POINT", "FILENAME": "a_s2d.fits"},
        },
    }
    return Spectrum(**settings | changes)


def test_spectrum_for_the_viewer(image, references):
    spectrum = extract(image, references=references, extract_width=8, use_source_posn=True, src_coeff=None)
    made = spectrum.to_spectrum()
    assert made.flux.unit == u.Jy
    assert made.spectral_axis.unit == u.um
    np.testing.assert_array_equal(made.flux.value, spectrum.flux)
    np.testing.assert_array_equal(made.uncertainty.array, spectrum.flux_error)
    np.testing.assert_array_equal(made.mask, spectrum.dq == 1)
    assert made.uncertainty.uncertainty_type == "std"
    assert made.meta["extract_width"] == 8
    assert made.meta["program"] == "jdaviz-lrs"
    assert "src_coeff" not in made.meta
    assert all(isinstance(value, str | int | float | bool) for value in made.meta.values())


def test_mask_is_where_there_is_no_flux(image, references):
    good = image.good.copy()
    good[70] = False
    made = to_spectrum(extract(replace(image, good=good), references=references, extract_width=8))
    np.testing.assert_array_equal(np.flatnonzero(made.mask), [70])


def test_jdaviz_own_data_give_the_same_flux(image, references):
    taken = from_spectrum(jdaviz_spectrum(image))
    placed = {"xstart": 27, "xstop": 34, "use_source_posn": False}
    a, b = (extract(i, references=references, **placed) for i in (image, taken))
    np.testing.assert_allclose(b.flux, a.flux, rtol=1e-9)
    assert np.isnan(b.flux_error).all()
    assert taken.missing == ("var_poisson", "var_rnoise", "var_flat", "wcs")
    assert taken.file_name == "a_s2d.fits"
    assert taken.observation.source_type == "POINT"
    assert "The image has no var_poisson, var_rnoise, var_flat, wcs." in b.notes
    assert (b.slit_ra, b.slit_dec) == (None, None)


def test_jdaviz_own_data_know_no_source_position(image, references):
    taken = from_spectrum(jdaviz_spectrum(image))
    with pytest.raises(LRSError, match="use_source_posn = true"):
        extract(taken, references=references, use_source_posn=True)
    told = extract(taken, references=references)
    assert any("does not place the source" in note for note in told.notes)


def test_without_a_wcs_it_is_written_all_the_same(image, references, tmp_path):
    taken = from_spectrum(jdaviz_spectrum(image))
    path = extract(taken, references=references).write(tmp_path / "a_x1d.fits")
    assert Spectrum.read(path, format="JWST x1d").flux.size == 387


def test_other_surface_brightness_is_converted(image):
    taken = from_spectrum(jdaviz_spectrum(image, flux=image.data.T * 1e9 * u.Unit("mJy/sr")))
    np.testing.assert_allclose(taken.data, image.data, rtol=1e-12)
    assert taken.unit == "MJy/sr"


def test_falling_wavelengths_stay(image):
    taken = from_spectrum(jdaviz_spectrum(image))
    np.testing.assert_allclose(taken.row_wavelength, image.row_wavelength)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"flux": np.ones((46, 387)) * u.DN / u.s}, "MJy/sr or Jy is needed"),
        ({"spectral_axis": np.arange(387) * u.pix}, "no wavelengths"),
        ({"meta": {}}, "PIXAR_SR"),
        ({"mask": np.ones((46, 387), bool)}, "No pixel of the data is valid"),
    ],
)
def test_what_cannot_be_used_is_refused(image, changes, reason):
    with pytest.raises(LRSError, match=reason):
        from_spectrum(jdaviz_spectrum(image, **changes))


def test_1d_is_refused(image, references):
    made = extract(image, references=references, extract_width=8).to_spectrum()
    with pytest.raises(LRSError, match="have 1 dimensions; choose a 2-D spectrum"):
        from_spectrum(made)
