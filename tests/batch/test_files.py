import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from jdaviz_lrs import light_curves
from jdaviz_lrs.batch.files import SUMMARY, jobs_of
from jdaviz_lrs.cli import main
from jdaviz_lrs.products.x1dints import read_x1dints
from tests.slitless import write_segments


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_segments_are_a_series_and_others_are_each_for_itself(folder, observation):
    paths = write_segments(folder, (2, 2))
    broken = folder / paths[0].name.replace("seg001", "seg003")
    broken.write_bytes(b"SIMPLE")
    image = observation["nod1_s2d"]
    series, other = jobs_of([paths[1], image, broken, paths[0]], folder)
    assert (series.inputs, series.series) == ((paths[1], broken, paths[0]), True)  # as they were given
    assert series.output == folder / "jw00001001001_03101_00001_mirimage_x1dints.fits"
    assert (other.inputs, other.series, other.output.parent) == ((image,), False, folder)


def test_segments_of_one_name_but_another_subarray_are_refused_as_such(folder, capsys):
    paths = write_segments(folder, (2, 2))
    fits.setval(paths[1], "SUBARRAY", value="FULL")
    assert main(["extract", "*calints.fits"]) == 2
    assert "seg002_mirimage_calints.fits: its subarray (SUBARRAY) is 'FULL'" in capsys.readouterr().err
    assert not [*folder.glob("*x1dints.fits")]


def test_one_series_from_the_command_line(folder, capsys):
    write_segments(folder, (2, 2))
    assert main(["extract", "*calints.fits", "--resume", "parts"]) == 0
    assert "387 wavelengths, 4 integrations" in capsys.readouterr().out
    (path,) = folder.glob("*x1dints.fits")
    assert len(read_x1dints(path)) == 4
    assert main(["extract", "*calints.fits"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["light-curves", str(path), "--number", "3", "--range", "6", "12", "-o", "c.ecsv"]) == 0
    assert "4 integrations, 3 bins" in capsys.readouterr().out
    curves = light_curves(read_x1dints(path), number=3, wavelength_range=(6.0, 12.0))
    written = QTable.read("c.ecsv", format="ascii.ecsv")
    assert all(np.allclose(written[name], column) for name, column in curves.table().items())
    assert main(["light-curves", str(path), "-o", "c.ecsv"]) == 2
    assert main(["light-curves", str(path), "-o", "c.fits"]) == 2
    assert main(["light-curves", "c.ecsv", "-o", "d.ecsv"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert ["exists already" in told[0], "end with .ecsv" in told[1], "c.ecsv" in told[2]] == [True] * 3
    assert not (folder / "d.ecsv").exists()


def test_one_bad_file_does_not_stop_the_others(folder, observation, capsys):
    paths = [shutil.copy(observation[f"nod{nod}_s2d"], folder / f"a{nod}_s2d.fits") for nod in (1, 2)]
    (folder / "bad_s2d.fits").write_bytes(b"nothing")
    out = folder / "out"
    out.mkdir()
    names = [str(path) for path in (paths[0], folder / "bad_s2d.fits", paths[1])]
    assert main(["extract", *names, "-o", str(folder / "x.fits")]) == 2
    assert "give a folder that exists" in capsys.readouterr().err
    assert main(["extract", *names, "-o", str(out), "--set", "extraction_type=box"]) == 2
    told = capsys.readouterr()
    assert "bad_s2d.fits: not a complete FITS file" in told.err
    assert "extracted  2 of 3" in told.out
    table = Table.read(out / SUMMARY, format="ascii.ecsv")
    assert [bool(error) for error in table["error"].filled("")] == [False, True, False]
    assert (table["flux"][[0, 2]] > 0).all()
    assert {path.name for path in out.glob("*.fits")} == {"a1_extract1dstep.fits", "a2_extract1dstep.fits"}
