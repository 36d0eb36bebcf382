import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, read
from jdaviz_lrs.products.series import listed, read_integrations, read_series
from tests.slitless import EXPOSURE, START, write_segments

PLANES = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good", "wavelength")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_segments(tmp_path_factory.mktemp("slitless"))


@pytest.fixture
def segments(written, tmp_path):
    return [shutil.copy(path, tmp_path) for path in written]


@pytest.mark.parametrize("kind", [{}, {"cube": True}, {"slit": True}], ids=str)
def test_parts_are_those_of_the_whole_file(tmp_path, kind):
    paths = write_segments(tmp_path, (4, 3), **kind)
    series = read_series(str(tmp_path / "*_calints.fits"))
    whole = read(paths[1])
    part = read_integrations(paths[1], 1, 3, series.image)
    for name in PLANES:
        there = getattr(whole, name)
        np.testing.assert_array_equal(getattr(part, name), there if name == "wavelength" else there[1:3])
    for ours, theirs in zip(part.margins, whole.margins, strict=True):
        np.testing.assert_array_equal(ours, theirs[1:3])
    narrow = read_integrations(paths[1], 1, 3, series.image.narrowed(slice(9, 30)))
    np.testing.assert_array_equal(narrow.data, whole.data[1:3, :, 9:30])
    np.testing.assert_array_equal(narrow.xdisp_index, whole.xdisp_index[9:30])
    np.testing.assert_array_equal(narrow.row_wavelength, whole.row_wavelength)
    every = np.concatenate([read(p).data for p in paths])[:, series.image.good]
    # a pixel of which one integration was flagged has the mean of the others; no noise is rejected
    np.testing.assert_allclose(series.image.data[series.image.good], np.nanmean(every, axis=0), rtol=1e-6)


def test_segments_in_any_order_are_one_series(segments):
    series = read_series(segments[::-1])
    np.testing.assert_array_equal(series.int_num, np.arange(1, 13))
    np.testing.assert_array_equal(series.segment_num, [1] * 7 + [2] * 5)
    middle = series.int_times["int_mid_MJD_UTC"]
    np.testing.assert_allclose(middle, START + (np.arange(12) + 0.5) * EXPOSURE, rtol=1e-14)
    assert series.notes == ()
    assert series.number.max() == 12


def test_what_is_not_there_is_said(segments):
    assert read_series(segments[1:]).notes == ("Integrations 1 to 7 are not among the files.",)
    assert read_series(segments[:1]).notes == ("Integrations 8 to 12 are not among the files.",)
    fits.setval(segments[1], "INTSTART", value=9)
    notes = read_series(segments).notes
    assert notes[0].startswith("Integration 8 is missing between jw00001001001_03101_00001-seg001")
    assert "The times of the integrations are not known" in notes[-1]


def test_wrapped_numbers_are_mended(tmp_path):
    (path,) = write_segments(tmp_path, (5,))
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["INTSTART"], hdus[0].header["INTEND"] = 32766, 32770
        hdus["INT_TIMES"].data["integration_number"] = [32766, 32767, -32768, -32767, -32766]
    series = read_series([path])
    np.testing.assert_array_equal(series.int_times["integration_number"], np.arange(32766, 32771))
    np.testing.assert_array_equal(series.int_num, np.arange(32766, 32771))


@pytest.mark.parametrize(
    ("card", "value", "said"),
    [
        ("TARGNAME", "ANOTHER", r"seg002.*its target \(TARGNAME\) is 'ANOTHER'"),
        ("SUBARRAY", "SLITLESSPRISM_IP", r"its subarray \(SUBARRAY\)"),
        ("INTSTART", 7, r"begins with integration 7 \(INTSTART\), but .* has 1 to 7; give each"),
        ("DATAMODL", "ImageModel", "DATAMODL is 'ImageModel'"),
        ("INTSTART", "first", "seg002.*INTSTART is 'first', but counts from 1"),
        ("INTSTART", -3, "INTSTART is -3"),
        ("EXSEGNUM", "one", "EXSEGNUM is 'one'"),
        ("NINTS", 1.5, "NINTS is 1.5"),
    ],
)
def test_what_does_not_belong_together_is_refused(segments, card, value, said):
    fits.setval(segments[1], card, value=value)
    with pytest.raises(LRSError, match=said):
        read_series(segments)


def test_other_wavelengths_are_refused(segments):
    with fits.open(segments[1], mode="update") as hdus:
        hdus["WAVELENGTH"].data += 0.01
    with pytest.raises(LRSError, match=r"seg002.*its WAVELENGTH extension is not that of"):
        read_series(segments)


def test_broken_and_other_files_are_named(segments, tmp_path):
    rateints = shutil.copy(segments[0], tmp_path / "jw_rateints.fits")
    fits.setval(rateints, "BUNIT", value="DN/s", extname="SCI")
    with pytest.raises(LRSError, match=r"jw_rateints.*run calwebb_spec2"):
        read_series([rateints])
    with open(segments[1], "r+b") as file:
        file.truncate(2_000_000)
    with pytest.raises(LRSError, match=r"seg002.*not a complete FITS file"):
        read_series(segments)
    packed = tmp_path / "jw_calints.fits.gz"
    packed.write_bytes(gzip.compress((tmp_path / segments[0]).read_bytes(), 1))
    with pytest.raises(LRSError, match="unpack it first"):
        read_series([packed])
    with pytest.raises(LRSError, match="no file has a name like this"):
        listed(str(tmp_path / "nothing*.fits"))
    with pytest.raises(LRSError, match="named twice"):
        listed([segments[0], segments[0]])


def test_integrations_that_are_all_nan_spoil_nothing(segments):
    with fits.open(segments[0], mode="update") as hdus:
        hdus["SCI"].data[:2] = np.nan
    series = read_series(segments)
    assert series.number.max() == 10
    assert not read_integrations(series.segments[0].path, 0, 2, series.image).good.any()
