"""Bad pixels given in a file or by hand, from there to the header."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, extract
from jdaviz_lrs.products.bad_pixels import bad_pixel_mask, read_bad_pixels
from jdaviz_lrs.references.find import find_references
from tests.exposures import exposure


@pytest.fixture(scope="module")
def cal():
    return exposure("cal", 0, True).image


@pytest.fixture(scope="module")
def s2d():
    return exposure("s2d", 0, True).image


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "badpix.txt"
    path.write_text("# yi xi\n8 331\n100 320\n\n100 321  # beside it\n900 5\n")
    return path


def test_a_file_says_which_column_is_which(tmp_path, table):
    expected = [[331, 8], [320, 100], [321, 100], [5, 900]]
    np.testing.assert_array_equal(read_bad_pixels(table), expected)
    other = tmp_path / "other.csv"
    other.write_text("x, y\n331, 8\n320, 100\n321,100\n5,900\n")
    np.testing.assert_array_equal(read_bad_pixels(other), expected)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("8 331\n", "first line be '# x y'"),
        ("", "first line be '# x y'"),
        ("# x y\n8\n", "line 2 of .* is '8'; give two whole numbers"),
        ("# x y\n8 3.5\n", "line 2"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, text, sentence):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(LRSError, match=rf"^bad_pixels: .*{sentence}"):
        read_bad_pixels(path)


def test_files_that_are_none(tmp_path):
    with pytest.raises(LRSError, match=r"^bad_pixels: .*none.txt cannot be read \(No such file"):
        read_bad_pixels(tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(LRSError, match="it is not text"):
        read_bad_pixels(tmp_path / "binary")


def places(image, given):
    rows, columns = np.nonzero(bad_pixel_mask(image, given))
    return sorted(zip(image.xdisp_index[columns], image.disp_index[rows], strict=True))


def test_pixels_of_the_detector_and_of_the_image(cal, table):
    assert places(cal, (str(table),)) == [(320, 100), (321, 100), (331, 8)]  # (5, 900) is not in the slit
    assert places(cal, ((330, 200), str(table))) == [(320, 100), (321, 100), (330, 200), (331, 8)]


def test_a_subarray_begins_later(cal, table):
    header = SimpleNamespace(meta=SimpleNamespace(subarray=SimpleNamespace(xstart=11, ystart=1)))
    assert places(replace(cal, metadata=header), (str(table),)) == [(310, 100), (311, 100), (321, 8)]


def test_in_a_horizontal_file_columns_run_along_the_dispersion(s2d):
    lying = replace(s2d, horizontal=True)
    np.testing.assert_array_equal(bad_pixel_mask(lying, ((100, 20),)), bad_pixel_mask(s2d, ((20, 100),)))


def test_a_rectified_image_has_other_pixels(s2d, table):
    assert places(s2d, ((20, 100),)) == [(20, 100)]
    with pytest.raises(LRSError, match="lists pixels of the detector, but this image is rectified"):
        bad_pixel_mask(s2d, (str(table),))


@pytest.mark.parametrize("pixel", [(46, 100), (20, 387)])
def test_pixels_beside_the_image_are_refused(s2d, pixel):
    with pytest.raises(LRSError, match=r"is not on the image, which has 46 columns and 387 rows"):
        bad_pixel_mask(s2d, (pixel,))


def test_further_pixels_are_left_out_and_the_geometry_stays(s2d):
    given = ((20, 100), (21, 100))
    source = s2d.source
    masked = s2d.with_bad_pixels(bad_pixel_mask(s2d, given))
    assert masked.source is source
    assert s2d.good.sum() - masked.good.sum() == 2
    assert (masked.dq != s2d.dq).sum() == 2


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_they_are_left_out(s2d, kind):
    references = find_references(s2d, crds=False)
    given = {"references": references, "extraction_type": kind, "use_source_posn": True}
    plain = extract(s2d, **given)
    row, column = 150, 31
    data = s2d.data.copy()
    data[row, column] = 1e5
    broken = replace(s2d, data=data)
    masked = extract(broken, **given, bad_pixels=[(column, row)], optimize_psf_location=False)
    at = int(np.flatnonzero(masked.rows == row)[0])
    assert masked.flux[at] == pytest.approx(plain.flux[at], rel=0.1)
    assert masked.npixels[at] < plain.npixels[at]


def test_they_are_kept_in_the_header(s2d, tmp_path):
    many = [(20, row) for row in range(300)]
    spectrum = extract(s2d, references=find_references(s2d, crds=False), bad_pixels=many)
    header = fits.getheader(spectrum.write(tmp_path / "a_x1d.fits"), "EXTRACT1D")
    assert header["LRS bad_pixels"].startswith("[[20, 0], [20, 1], ")
    assert header["LRS bad_pixels"].endswith("[20, 299]]")
