"""What a file says of its size is checked before it is read, and any damage is said in one sentence."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.products.door import local_file, one_sentence, open_fits


@pytest.fixture
def small(tmp_path):
    """A FITS file of two extensions."""
    path = tmp_path / "small.fits"
    images = [fits.ImageHDU(np.ones((10, 20), np.float32), name=name) for name in ("SCI", "ERR")]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    return path


def refusal(path) -> str:
    with pytest.raises(LRSError) as raised, open_fits(path) as hdus:
        assert not hdus
    return str(raised.value)


def with_card(path: Path, before: str, after: str) -> Path:
    old, new = (card.ljust(80).encode() for card in (before, after))
    content = path.read_bytes()
    assert old[:30] in content
    start = content.index(old[:30])
    path.write_bytes(content[:start] + new + content[start + 80 :])
    return path


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("NAXIS1  =                   -5", "in the extension SCI, NAXIS1 is -5"),
        ("NAXIS1  =                   20.5", "NAXIS1 is 20.5"),
        ("NAXIS1  =                    T", "NAXIS1 is True"),
        ("NAXIS1  = 'wide    '", "NAXIS1 is 'wide'"),
        ("COMMENT", "NAXIS1 is missing"),
        ("NAXIS1  =         900000000000", "not a complete FITS file"),
        (f"NAXIS1  = {'9' * 40}", "not a complete FITS file"),
        ("END", "NAXIS1 is missing"),
    ],
)
def test_sizes_that_cannot_be(small, card, reason):
    assert reason in refusal(with_card(small, "NAXIS1  =                   20", card))


@pytest.mark.parametrize("number", [-1, 1000, 10**24])
def test_columns_that_cannot_be(tmp_path, number):
    """Nobody waits for a reader to go through all the columns that are announced."""
    path = tmp_path / "table.fits"
    fits.BinTableHDU(np.zeros(3, [("a", float)]), name="TABLE").writeto(path)
    damaged = with_card(path, f"TFIELDS = {1:>20}", f"TFIELDS = {number:>20}")
    assert f"in the extension TABLE, TFIELDS is {number}" in refusal(damaged)


@pytest.mark.parametrize("card", ["BITPIX  =                  -33", "BITPIX  = 'float'"])
def test_pixels_that_cannot_be(small, card):
    assert "BITPIX is" in refusal(with_card(small, "BITPIX  =                  -32", card))


def test_compressed_image_that_cannot_be(tmp_path):
    path = tmp_path / "packed.fits"
    fits.CompImageHDU(np.ones((10, 20), np.int16), name="SCI").writeto(path)
    with open_fits(path) as hdus:
        assert hdus["SCI"].data.shape == (10, 20)
    content = path.read_bytes()
    before = f"ZNAXIS1 = {20:>20}".encode()
    assert before in content
    path.write_bytes(content.replace(before, f"ZNAXIS1 = {-20:>20}".encode()))
    assert "ZNAXIS1 is -20" in refusal(path)


def test_header_without_an_end(small):
    small.write_bytes(small.read_bytes().replace(b"END" + b" " * 77, b" " * 80))
    assert "not a complete FITS file" in refusal(small)


def test_more_extensions_than_a_product_has(tmp_path, monkeypatch):
    monkeypatch.setattr("jdaviz_lrs.products.door.MOST_EXTENSIONS", 2)
    path = tmp_path / "many.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(), fits.ImageHDU()]).writeto(path)
    assert "more than 2 extensions" in refusal(path)


def test_file_that_does_not_fit_into_memory(small, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=7 * 1600))
    with open_fits(small) as hdus:
        assert len(hdus) == 3
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=7 * 1600 - 1))
    assert "its 1.6e-06 GB of pixels need up to 1.12e-05 GB of memory, of which 1.12e-05 are free" in refusal(
        small
    )


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_checked_as_well(small, pack):
    whole = small.read_bytes()
    small.write_bytes(pack(whole))
    with open_fits(small) as hdus:
        assert hdus["ERR"].data.shape == (10, 20)
    small.write_bytes(pack(whole)[:-20])
    assert "not a complete FITS file" in refusal(small)
    small.write_bytes(pack(whole[:-2880]))
    assert "not a complete FITS file" in refusal(small)


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("https://example.org/a_s2d.fits", "(curl -LO https://example.org/a_s2d.fits)"),
        ("s3://stpubdata/a_s2d.fits", "(aws s3 cp --no-sign-request s3://stpubdata/a_s2d.fits .)"),
        (
            "mast:JWST/product/a_s2d.fits",
            "(Observations.download_file('mast:JWST/product/a_s2d.fits') of astroquery)",
        ),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_address_is_to_be_downloaded_first(address, command, kind):
    with pytest.raises(LRSError) as raised:
        read(kind(address))
    assert str(raised.value) == f"{address}: files are read from disk; download it first {command}."


def test_file_that_may_not_be_read(small, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(LRSError, match=r"you may not read it \(Permission denied\)"):
        local_file(small)


def test_folder_is_no_file(tmp_path):
    with pytest.raises(LRSError, match="no such file, but a folder of that name"):
        local_file(tmp_path)


@pytest.mark.parametrize("name", ["A_S2D.FITS", "a.fit", "a.fts", "a_s2d"])
def test_ending_of_a_name_does_not_matter(observation, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(observation["nod1_s2d"].read_bytes())
    np.testing.assert_array_equal(read(path).data, read(observation["nod1_s2d"]).data)


def test_names_of_any_bytes(observation, tmp_path):
    """Of the input, of a reference file and of the output; the header has them in ASCII."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9\xff_s2d.fits"))
    path.write_bytes(observation["nod1_s2d"].read_bytes())
    json = tmp_path / "é.json"
    json.write_bytes(observation["extract1d"].read_bytes())
    spectrum = extract(path, override_extract1d=json)
    written = spectrum.write(path.with_name("é_x1d.fits"))
    assert fits.getheader(written)["R_EXTR1D"] == r"\xe9.json"
    path.write_bytes(b"")
    with pytest.raises(LRSError) as raised:
        read(path)
    assert r"\udce9\udcff_s2d.fits" in str(raised.value)
    str(raised.value).encode("utf-8")


class StrangeError(Exception):
    """What no library has raised yet."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StrangeError(), "StrangeError"),
        (KeyError("SCI"), "KeyError SCI"),
        (AssertionError(), "AssertionError"),
        (RecursionError("maximum recursion depth exceeded"), "maximum recursion depth exceeded"),
        (ValueError("first line.\nsecond line"), "first line"),
        (StrangeError("very " * 1000), "very very"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_whatever_is_raised_becomes_one_sentence(error, said):
    with pytest.raises(LRSError) as raised, one_sentence("a.fits"):
        raise error
    sentence = str(raised.value)
    assert sentence.startswith("a.fits: cannot be read")
    assert said in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 300
    assert raised.value.__cause__ is error


def test_own_sentence_and_an_interruption_pass():
    for error in (LRSError("Mine."), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, one_sentence("a.fits"):
            raise error
        assert raised.value is error


def test_error_is_one_line_of_bounded_length():
    sentence = str(LRSError(f"{'long' * 200}\n\x07: cannot be read; give another file."))
    assert len(sentence) == 300
    assert sentence.startswith("longlong")
    assert sentence.endswith(r"long \x07: cannot be read; give another file.")


def test_a_fault_of_ours_is_no_damaged_file():
    with pytest.raises(LRSError, match="fault of jdaviz-lrs and not") as raised, one_sentence("good.fits"):
        raise NameError("name 'wavelenght' is not defined")
    assert "NameError" in str(raised.value)
    assert "download" not in str(raised.value)


@pytest.mark.parametrize(("module", "ours"), [("jdaviz_lrs.products.read", True), ("asdf.schema", False)])
def test_what_may_be_a_fault_of_ours_is_told_so(module, ours):
    with pytest.raises(LRSError, match=r"s2d\.fits: cannot be read \(") as raised, one_sentence("s2d.fits"):
        exec("None.meta", {"__name__": module})
    assert ("this AttributeError is a fault of jdaviz-lrs; please report it." in str(raised.value)) is ours
    assert ("download it again" in str(raised.value)) is not ours


READ = """
import sys
from jdaviz_lrs import LRSError
from jdaviz_lrs.products.door import open_fits

try:
    with open_fits(sys.argv[1]) as hdus:
        hdus[0].header
        print("open", flush=True)
        input()
        print(hdus["WAVE"].data[0], hdus["PSF"].data.sum())
except LRSError as error:
    print(error)
"""


def test_a_file_cut_by_others_while_it_is_read(observation, tmp_path):
    path = tmp_path / "psf.fits"
    path.write_bytes(observation["psf"].read_bytes())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", READ, str(path)], **pipes) as process:
        while process.stdout.readline() != "open\n":
            assert process.poll() is None
        os.truncate(path, 2880)
        said, complaints = process.communicate("\n", timeout=60)
    assert process.returncode == 0, complaints  # no SIGBUS, as a map into memory would end in
    assert said.startswith(f"{path}: cannot be read")
    assert said.count("\n") == 1
