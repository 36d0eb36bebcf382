import os

import pytest

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.references.apcorr import read_apcorr
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D, read_extract1d
from jdaviz_lrs.references.psf import read_psf


def test_a_file_that_stays_is_read_once(observation):
    assert read_psf(observation["psf"]) is read_psf(observation["psf"])
    assert read_apcorr(observation["apcorr"], "FULL") is read_apcorr(observation["apcorr"], "FULL")


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_changes_is_read_anew(tmp_path, replaced):
    path = BUILT_IN_EXTRACT1D.write(tmp_path / "a.json")
    before = path.stat()
    assert read_extract1d(path).parameters("MIR_LRS-FIXEDSLIT").xstart == 27
    text = path.read_text().replace("27", "25")
    if replaced:
        path.unlink()
    path.write_text(text)
    if not replaced:  # a coarse clock would not tell, nor does the size
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert read_extract1d(path).parameters("MIR_LRS-FIXEDSLIT").xstart == 25


def test_a_file_that_is_gone_is_missed(tmp_path):
    path = BUILT_IN_EXTRACT1D.write(tmp_path / "a.json")
    read_extract1d(path)
    path.unlink()
    with pytest.raises(LRSError, match="no such file"):
        read_extract1d(path)


def test_extraction_from_memory_opens_no_file_twice(observation, monkeypatch):
    image = read(observation["nod1_s2d"])
    overrides = {f"override_{kind}": observation[kind] for kind in ("extract1d", "apcorr", "psf")}
    first = extract(image, **overrides)

    def refuse(*args, **keywords):
        raise AssertionError("a file was opened")

    monkeypatch.setattr("astropy.io.fits.open", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert extract(image, **overrides).flux.sum() == first.flux.sum()
