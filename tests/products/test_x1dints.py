import numpy as np
import pytest
from astropy.io import fits
from specutils import SpectrumList
from stdatamodels.jwst.datamodels import TSOMultiSpecModel

from jdaviz_lrs import LRSError, extract, read_x1dints
from jdaviz_lrs.data.series import SERIES_COLUMNS, ExtractedSeries
from tests.slitless import EXPOSURE, START, write_segments


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    paths = write_segments(tmp_path_factory.mktemp("slitless"), light=1e-3)
    return extract(paths, chunk_size=3)


@pytest.fixture(scope="module")
def written(series, tmp_path_factory):
    return series.write(tmp_path_factory.mktemp("out") / "a_x1dints.fits")


def test_what_is_written_is_read(series, written):
    again = read_x1dints(written)
    for name in SERIES_COLUMNS:
        np.testing.assert_array_equal(getattr(again, name), getattr(series, name), err_msg=name)
    np.testing.assert_array_equal(again.wavelength, series.wavelength)
    np.testing.assert_array_equal(again.int_num, np.arange(1, 13))
    np.testing.assert_array_equal(again.segment_num, [1] * 7 + [2] * 5)
    for name in series.int_times.colnames:
        np.testing.assert_array_equal(again.int_times[name], series.int_times[name], err_msg=name)
    assert again.notes == series.notes
    assert again.verdict.lost_light == pytest.approx(series.verdict.lost_light, rel=1e-4)
    assert len(again) == 12
    assert "12 integrations" in repr(again)


def test_a_table_in_memory_is_written_alike(series, written, tmp_path):
    again = read_x1dints(written)
    other = ExtractedSeries(
        wavelength=again.wavelength,
        table=again.table,
        int_num=again.int_num,
        segment_num=again.segment_num,
        int_times=again.int_times,
    )
    path = other.write(tmp_path / "b_x1dints.fits")
    np.testing.assert_array_equal(
        fits.getdata(path, "EXTRACT1D").tobytes(), fits.getdata(written, "EXTRACT1D").tobytes()
    )


def test_the_pipeline_reads_it(series, written):
    from jwst.white_light.white_light import white_light

    with TSOMultiSpecModel(written) as model:
        assert model.meta.filename == written.name
        assert model.meta.exposure.integration_end == 12
        assert model.spec[0].spec_table.shape == (12,)
        assert model.meta.cal_step.extract_1d == "COMPLETE"
        light = white_light(model, min_wave=5.0, max_wave=10.0)
    inside = (series.wavelength >= 5.0) & (series.wavelength <= 10.0)
    np.testing.assert_allclose(light["whitelight_flux"].value, np.nansum(series.flux[:, inside], axis=1))
    np.testing.assert_allclose(light["MJD_UTC"], START + (np.arange(12) + 0.5) * EXPOSURE, rtol=1e-14)
    assert np.ptp(light["whitelight_flux"].value) / light["whitelight_flux"].value.mean() > 5e-3


def test_whole_or_not_at_all(series, written, tmp_path):
    with pytest.raises(LRSError, match="the file exists"):
        series.write(written)
    with pytest.raises(LRSError, match="let the name end with"):
        series.write(tmp_path / "a.txt")
    with pytest.raises(LRSError, match="is an input"):
        series.write(series.inputs[-1], overwrite=True)
    broken = fits.open(written)["EXTRACT1D"].data["FLUX"]
    series.write(written, overwrite=True)
    np.testing.assert_array_equal(broken, fits.getdata(written, "EXTRACT1D")["FLUX"])
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_other_files_are_refused(series, tmp_path):
    with pytest.raises(LRSError, match="a series of extracted spectra"):
        read_x1dints(series.inputs[-1])


def test_specutils_asks_for_a_column_that_no_time_series_has(series, written, tmp_path):
    """Its reader (2.4) takes the pipeline's table, whose columns ours has, for one of many sources.

    Nothing else stands in the way: with a column SOURCE_TYPE it reads all integrations.
    """
    with pytest.raises(KeyError, match="SOURCE_TYPE"):
        SpectrumList.read(written, format="JWST x1d multi")
    path = tmp_path / "with_x1dints.fits"
    with fits.open(written) as hdus:
        table = hdus["EXTRACT1D"]
        kind = fits.Column("SOURCE_TYPE", "5A", array=np.full(len(series), "POINT"))
        other = fits.BinTableHDU.from_columns(table.columns + fits.ColDefs([kind]), name="EXTRACT1D")
        fits.HDUList([hdus[0], hdus["INT_TIMES"], other, hdus["ASDF"]]).writeto(path)
    spectra = SpectrumList.read(path, format="JWST x1d multi")
    assert len(spectra) == len(series)
    for spectrum, flux, error in zip(spectra, series.flux, series.flux_error, strict=True):
        np.testing.assert_array_equal(spectrum.flux.to_value("Jy"), flux)
        np.testing.assert_array_equal(spectrum.uncertainty.array, error)
        np.testing.assert_array_equal(spectrum.spectral_axis.to_value("um"), series.wavelength)


def test_specutils_has_all_integrations(series):
    spectrum = series.to_spectrum()
    np.testing.assert_array_equal(spectrum.flux.to_value("Jy"), series.flux)
    np.testing.assert_array_equal(spectrum.spectral_axis.to_value("um"), series.wavelength)
    np.testing.assert_array_equal(spectrum.uncertainty.array, series.flux_error)
    np.testing.assert_array_equal(spectrum.mask, (series.dq & 1) > 0)
