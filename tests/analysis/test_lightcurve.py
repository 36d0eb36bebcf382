import sys

import numpy as np
import pytest
from astropy.table import QTable, Table

from jdaviz_lrs import LRSError, light_curves
from jdaviz_lrs.data.series import SERIES_COLUMNS, ExtractedSeries
from jdaviz_lrs.products.x1dints import write_x1dints

NUMBER, SIGMA = 600, 0.01
TIMES = [f"int_{part}_{scale}" for scale in ("MJD_UTC", "BJD_TDB") for part in ("start", "mid", "end")]


@pytest.fixture(scope="module")
def series():
    draw = np.random.default_rng(12)
    wavelength = np.linspace(13.9, 4.0, 200)  # falling, as on the detector
    flux = 2.0 - 0.1 * wavelength + SIGMA * draw.standard_normal((NUMBER, wavelength.size))
    table = {name: np.zeros(flux.shape) for name in SERIES_COLUMNS}
    shares = {"flux_var_poisson": 0.7, "flux_var_rnoise": 0.3, "flux_var_flat": 50.0}
    table |= {"flux": flux} | {name: np.full(flux.shape, share * SIGMA**2) for name, share in shares.items()}
    mid = 60000.0 + np.arange(NUMBER) / 8640
    return ExtractedSeries(
        wavelength=wavelength,
        table=table,
        drift={"shift": np.zeros(NUMBER), "outliers": np.arange(NUMBER)},
        int_num=np.arange(1, NUMBER + 1),
        segment_num=np.ones(NUMBER, int),
        int_times=Table({"int_mid_MJD_UTC": mid, "int_mid_BJD_TDB": mid + 0.003}),
        file_name="a_calints.fits",
    )


@pytest.mark.parametrize("combination", ["sum", "inverse_variance"])
@pytest.mark.parametrize("normalised", [True, False])
def test_scatter_is_the_error_without_the_flat(series, combination, normalised):
    curves = light_curves(series, number=4, combination=combination, normalised=normalised)
    ratio = curves.flux.std(axis=0) / curves.error.mean(axis=0)
    np.testing.assert_allclose(ratio, 1.0, atol=0.1)  # known to 2.9 %
    np.testing.assert_allclose(curves.noise_ratio, 1.0, atol=0.12)
    middle = np.median(curves.flux, axis=0)
    np.testing.assert_allclose(middle, 1.0 if normalised else curves.level)


def test_sum_is_the_sum(series):
    curves = light_curves(series, edges=[6.0, 7.0, 8.0], normalised=False)
    inside = (series.wavelength >= 6.0) & (series.wavelength < 7.0)
    np.testing.assert_allclose(curves.flux[:, 0], series.flux[:, inside].sum(axis=1))
    np.testing.assert_allclose(curves.white, curves.flux.sum(axis=1))
    np.testing.assert_allclose(curves.error[:, 0], SIGMA * np.sqrt(inside.sum()))


def test_white_noise_averages_down(series):
    found = light_curves(series, number=2).averaged_scatter()
    np.testing.assert_array_equal(found.size, [1, 2, 4, 8, 16, 32])
    np.testing.assert_allclose(found.rms[:4] / found.expected[:4], 1.0, atol=0.25)
    steep = light_curves(series, number=2).averaged_scatter(model=np.linspace(0, 1, NUMBER)[:, None])
    assert (steep.rms[-1] > 20 * steep.expected[-1]).all()
    with pytest.raises(LRSError, match="from 1 to 600"):
        light_curves(series).averaged_scatter(sizes=[0])


def test_table_has_the_pipelines_columns_and_is_read_back(series, tmp_path):
    curves = light_curves(series, resolving_power=10)
    path = curves.write(tmp_path / "a_lc.ecsv")
    table = QTable.read(path)
    assert table.colnames[:3] == ["MJD_UTC", "BJD_TDB", "whitelight_flux"]
    np.testing.assert_array_equal(table["whitelight_flux"].value, curves.white)
    np.testing.assert_array_equal(table["BJD_TDB"], series.int_times["int_mid_BJD_TDB"])
    np.testing.assert_array_equal(table["outliers"], np.arange(NUMBER))
    assert table["shift"].unit == "pix"
    start, stop = curves.bins[0]
    np.testing.assert_array_equal(table[f"flux_{start:.4f}_{stop:.4f}um"], curves.flux[:, 0])
    np.testing.assert_allclose(table.meta["bins_um"], curves.bins)
    with pytest.raises(LRSError, match="the file exists"):
        curves.write(path)
    with pytest.raises(LRSError, match=r"end with \.ecsv"):
        curves.write(tmp_path / "a.csv")


def test_white_light_is_that_of_the_pipeline(series, tmp_path):
    from jwst.white_light.white_light import white_light
    from stdatamodels.jwst.datamodels import TSOMultiSpecModel

    times = Table({name: np.arange(9.0) for name in TIMES})
    times.add_column(np.arange(1, 10), name="integration_number", index=0)
    short = ExtractedSeries(
        wavelength=series.wavelength,
        table={name: column[:9] for name, column in series.table.items()},
        int_num=series.int_num[:9],
        segment_num=series.segment_num[:9],
        int_times=times,
    )
    write_x1dints(short, tmp_path / "a_x1dints.fits")
    with TSOMultiSpecModel(tmp_path / "a_x1dints.fits") as model:
        theirs = white_light(model, min_wave=5.0, max_wave=13.49)
    ours = light_curves(short, wavelength_range=(5.0, 13.49), normalised=False).table()
    for name in ("MJD_UTC", "BJD_TDB", "whitelight_flux"):
        np.testing.assert_allclose(np.asarray(ours[name]), np.asarray(theirs[name]), err_msg=name)


def test_bins_without_light_are_refused(series):
    with pytest.raises(LRSError, match=r"From 20 to 21 um there is no flux"):
        light_curves(series, edges=[20.0, 21.0])
    with pytest.raises(LRSError, match="must be 'sum' or"):
        light_curves(series, combination="mean")


class LightCurve:
    """What lightkurve's takes."""

    def __init__(self, time, flux, flux_err):
        self.time, self.flux, self.flux_err, self.meta = time, flux, flux_err, {}


def test_lightkurve_gets_time_flux_and_error(series, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightkurve", type(sys)("lightkurve"))
    sys.modules["lightkurve"].LightCurve = LightCurve
    curves = light_curves(series, number=2)
    one = curves.to_lightkurve(1)
    np.testing.assert_allclose(one.time.tdb.mjd, curves.bjd_tdb, rtol=1e-12)
    np.testing.assert_array_equal(one.flux.value, curves.flux[:, 1])
    assert curves.to_lightkurve().flux.unit == "Jy"
    assert one.meta["LABEL"] == "a_calints.fits 9.25 to 13.50 um"
    with pytest.raises(LRSError, match="no bin 2"):
        curves.to_lightkurve(2)


def test_without_lightkurve_one_sentence(series, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightkurve", None)
    with pytest.raises(LRSError, match="pip install lightkurve"):
        light_curves(series).to_lightkurve()
