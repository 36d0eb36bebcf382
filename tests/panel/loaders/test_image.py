import numpy as np
import pytest
from astropy.io import fits
from specutils import Spectrum

from jdaviz_lrs import read
from tests.slitless import write_segments

LABEL = "jw00001001001_03101_00001_mirimage_s2d"


@pytest.fixture
def whole_jdaviz():
    return True


@pytest.mark.parametrize("auto_extract", [True])
def test_a_file_resolves_to_our_loader_without_a_format(loaded):
    assert loaded._app.data_collection[LABEL].meta["_importer"] == "LRSImporter"
    assert {"2D Spectrum", "1D Spectrum"} <= set(loaded.viewers)


def test_a_format_that_was_asked_for_is_used(app, s2d):
    app.load(str(s2d), format="2D Spectrum")
    assert app._app.data_collection[0].meta["_importer"] == "Spectrum2DImporter"


def test_all_planes_are_kept_and_wavelength_increases(loaded, s2d):
    image = read(s2d)
    shown = loaded.datasets[LABEL].get_data()
    assert isinstance(shown, Spectrum)
    assert shown.flux.unit == "MJy/sr"
    assert shown.uncertainty is not None
    wavelength = shown.spectral_axis.to_value("um")
    assert (np.diff(wavelength) > 0).all()
    row = np.flatnonzero(image.row_wavelength == wavelength[100])[0]
    np.testing.assert_array_equal(shown.flux.value[:, 100], image.data[row])
    np.testing.assert_allclose(shown.uncertainty.array[:, 100], np.sqrt(image.variance[row]))
    np.testing.assert_array_equal(loaded._app.data_collection[LABEL]["mask"][:, 100], ~image.good[row])
    assert shown.meta["_primary_header"]["EXP_TYPE"] == "MIR_LRS-FIXEDSLIT"


def test_the_image_does_not_show_in_the_metadata_panel(loaded):
    metadata = loaded.plugins["Metadata"]
    metadata.dataset = LABEL
    assert not [key for key in metadata.meta if "lrs_image" in key]


def test_spectra_are_shown_in_jy(loaded):
    assert loaded.plugins["Unit Conversion"].flux_unit.selected == "Jy"


def test_no_extraction_when_not_wanted(app, s2d):
    app.load(str(s2d), auto_extract=False)
    assert [data.label for data in app._app.data_collection] == [LABEL]


def test_a_cal_file(app, observation):
    app.load(str(observation["nod1_cal"]))
    data = app._app.data_collection["jw00001001001_03101_00001_mirimage_cal"]
    assert data.shape == read(observation["nod1_cal"]).shape[::-1]


def test_an_image_in_memory(app, s2d):
    app.load(read(s2d), format="JWST LRS", data_label="mine")
    assert "mine" in app._app.data_collection


def test_other_files_are_refused_in_a_sentence(app, tmp_path):
    path = tmp_path / "other.fits"
    fits.PrimaryHDU(np.ones((5, 5))).writeto(path)
    with pytest.raises(
        ValueError, match=r"not a 2-D spectrum \(s2d or cal\) with an EXP_TYPE of MIR_LRS-FIXEDSLIT"
    ):
        app.load(str(path), format="JWST LRS")


def test_a_truncated_file_is_refused_in_a_sentence(app, s2d, tmp_path):
    path = tmp_path / "broken_s2d.fits"
    path.write_bytes(s2d.read_bytes()[:150_000])
    with pytest.raises(ValueError, match="not a complete FITS file"):
        app.load(str(path), format="JWST LRS")


def test_the_import_dialogue_puts_our_format_first(app, s2d):
    loader = app.loaders["file"]
    loader.filepath = str(s2d)
    assert loader.format.selected == "JWST LRS"
    assert "2D Spectrum" in loader.format.choices


def test_an_x1d_resolves_by_itself_and_is_shown_in_order(app, s2d, tmp_path):
    from jdaviz_lrs import extract

    path = extract(s2d).write(tmp_path / "mine_x1d.fits")
    app.load(str(path))
    data = app._app.data_collection["mine_x1d"]
    assert data.meta["_importer"] == "X1DImporter"
    shown = app.datasets["mine_x1d"].get_data()
    assert shown.flux.unit == "Jy"
    np.testing.assert_allclose(shown.spectral_axis.value, np.sort(extract(s2d).wavelength))
    assert shown.meta["_primary_header"]["EXP_TYPE"] == "MIR_LRS-FIXEDSLIT"


def test_without_a_format_the_reason_of_a_refusal_shows_and_no_other_loader(app, s2d, tmp_path):
    path = tmp_path / "odd_s2d.fits"
    with fits.open(s2d) as hdus:
        hdus["SCI"].header["PIXAR_SR"] = 1.0
        hdus.writeto(path)
    with pytest.raises(ValueError, match=r"^odd_s2d\.fits: PIXAR_SR, .* is no pixel of JWST"):
        app.load(str(path))


def test_without_a_format_the_reason_of_a_refused_spectrum_shows(app, s2d, tmp_path):
    from jdaviz_lrs import extract

    path = extract(s2d).write(tmp_path / "mine_x1d.fits")
    with fits.open(path) as hdus:
        hdus["EXTRACT1D"].data = hdus["EXTRACT1D"].data[:0]
        hdus.writeto(path, overwrite=True)
    with pytest.raises(ValueError, match=r"^\S*mine_x1d\.fits: its table has no WAVELENGTH or no FLUX"):
        app.load(str(path))


def test_a_stack_is_refused_in_a_sentence(app, tmp_path):
    (path,) = write_segments(tmp_path, (2,))
    with pytest.raises(ValueError, match="a stack of integrations, which the format JWST LRS series is for"):
        app.load(str(path), format="JWST LRS")
