from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jdaviz_lrs import LRSError, combine, read_c1d
from jdaviz_lrs.data.combined import C1D_COLUMNS
from tests.combine.made import spectra
from tests.verdicts import FINE

ARRAYS = (
    *C1D_COLUMNS.values(),
    *("flux_var_poisson", "flux_var_rnoise", "flux_var_flat", "chi_square"),
    *("input_flux", "input_error", "input_dq", "used", "scales", "scale_errors"),
)


@pytest.fixture
def combined():
    header = fits.Header({"TARGNAME": "A STAR", "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "EFFEXPTM": 100.0})
    three = spectra(3, hit=0.02)
    dq = three[1].dq.copy()
    dq[5] = 2**31 + 16
    three[1] = replace(three[1], dq=dq)
    three = [replace(one, origin=replace(one.origin, header=header), verdict=FINE) for one in three]
    return combine(three, fit_scales=True)


def test_what_was_written_is_read(combined, tmp_path):
    path = combined.write(tmp_path / "a_c1d.fits")
    again = read_c1d(path)
    for name in ARRAYS:
        # what stands in cards has 15 digits
        rtol = 1e-14 if "scale" in name else 0.0
        np.testing.assert_allclose(getattr(again, name), getattr(combined, name), rtol=rtol, err_msg=name)
    assert again.input_names == combined.input_names
    assert again.notes == combined.notes
    assert again.verdict.dropped == combined.verdict.dropped
    np.testing.assert_allclose(again.verdict.sum_ratio, combined.verdict.sum_ratio, rtol=1e-4)
    assert again.parameters["exptime_key"] == "inverse_variance"
    assert again.chi_square_per_freedom == pytest.approx(combined.chi_square_per_freedom)
    assert again.write(tmp_path / "b_c1d.fits").exists()


def test_the_file_is_the_pipelines(combined, tmp_path):
    path = combined.write(tmp_path / "a_c1d.fits")
    with datamodels.open(path) as model:
        assert type(model).__name__ == "MultiCombinedSpecModel"
        model.validate()
        assert model.meta.target.catalog_name == "A STAR"
        assert model.meta.cal_step.combine_1d == "COMPLETE"
        table = model.spec[0].spec_table
        assert table.dtype.names == tuple(C1D_COLUMNS)
        assert table.columns["FLUX"].unit == "Jy"
        np.testing.assert_array_equal(table["N_INPUT"], combined.n_input)


def test_a_file_of_the_pipelines_is_read(combined, tmp_path):
    path = combined.write(tmp_path / "a_c1d.fits")
    with fits.open(path) as hdus:
        del hdus["LRS_INPUTS"]
        hdus.writeto(tmp_path / "theirs_c1d.fits")
    theirs = read_c1d(tmp_path / "theirs_c1d.fits")
    np.testing.assert_array_equal(theirs.flux, combined.flux)
    assert theirs.input_flux.shape == (0, combined.flux.size)
    assert np.isnan(theirs.chi_square).all()


def test_files_that_exist_stay(combined, tmp_path):
    path = combined.write(tmp_path / "a_c1d.fits")
    before = path.read_bytes()
    with pytest.raises(LRSError, match="exists"):
        combined.write(path)
    assert path.read_bytes() == before
    with pytest.raises(LRSError, match=r"end with \.fits"):
        combined.write(tmp_path / "a.txt")
    with pytest.raises(LRSError, match="an input"):
        replace(combined, inputs=(path,)).write(path, overwrite=True)
    assert combined.write(path, overwrite=True) == path


def test_other_files_are_refused(tmp_path):
    with pytest.raises(LRSError, match="no such file"):
        read_c1d(tmp_path / "none.fits")
    fits.PrimaryHDU(header=fits.Header({"DATAMODL": "MultiSpecModel"})).writeto(tmp_path / "x1d.fits")
    with pytest.raises(LRSError, match="DATAMODL"):
        read_c1d(tmp_path / "x1d.fits")
