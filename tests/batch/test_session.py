"""What was worked on goes out and comes back: no app is made here."""

import json
import shutil

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, LRSError, extract, read_session, read_x1d
from jdaviz_lrs.batch.session import FORMAT, Extraction, Session
from jdaviz_lrs.cli import main

WANTED = ExtractionParameters(extract_width=6.5, bkg_coeff=[[3.5], [9.5]], refinements=["outliers"])


@pytest.fixture
def made(observation, tmp_path):
    """A session of a file beside it, and of a reference file elsewhere."""
    file = tmp_path / "nod1_s2d.fits"
    shutil.copy(observation["nod1_s2d"], file)
    given = {"override_apcorr": observation["apcorr"]}
    history = (
        Extraction("nod1_s2d", file, ExtractionParameters(), label="nod1_s2d LRS"),
        Extraction("nod1_s2d", file, WANTED, given, label="nod1 <wide>"),
    )
    return Session((Extraction("nod1_s2d", file, WANTED, given),), history)


def test_it_goes_out_and_comes_back(made, tmp_path):
    path = made.write(tmp_path / "work.lrs-session.json")
    assert read_session(path) == made
    assert read_session(path).missing == ()
    with pytest.raises(LRSError, match="exists"):
        made.write(path)
    with pytest.raises(LRSError, match="nothing to keep"):
        Session().write(tmp_path / "other.json")


def test_file_and_session_are_moved_together(made, tmp_path, observation):
    made.write(tmp_path / "work.json")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("work.json", "nod1_s2d.fits"):
        (tmp_path / name).rename(elsewhere / name)
    moved = read_session(elsewhere / "work.json")
    assert moved.missing == ()
    expected = extract(elsewhere / "nod1_s2d.fits", WANTED, override_apcorr=observation["apcorr"])
    np.testing.assert_array_equal(moved.history[1].extract().flux, expected.flux)


def test_files_that_are_missing_are_named(made, tmp_path):
    path = made.write(tmp_path / "work.json")
    (tmp_path / "nod1_s2d.fits").unlink()
    session = read_session(path)
    assert session.missing == (tmp_path / "nod1_s2d.fits",)
    with pytest.raises(LRSError, match=r"nod1_s2d\.fits is missing; put it back"):
        session.check_files()


def content(**changes):
    one = {"dataset": "a", "file": "a_s2d.fits", "parameters": {}, "label": "a LRS"}
    return {"jdaviz_lrs_session": FORMAT, "settings": [], "history": [one | changes]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("[1", "not a valid JSON"),
        ("[]", "no session of jdaviz-lrs"),
        (json.dumps({"apertures": []}), "no session of jdaviz-lrs"),
        (json.dumps({"jdaviz_lrs_session": FORMAT + 1}), "a later version of jdaviz-lrs wrote it"),
        (json.dumps({"jdaviz_lrs_session": True}), "is no number of a format"),
        (json.dumps({"jdaviz_lrs_session": 1, "history": {}}), "'history' is no list"),
        (json.dumps(content(parameters=None)), "without parameters"),
        (json.dumps(content(parameters={"extract_width": -1})), "extract_width"),
        (json.dumps(content(parameters={"width": 1})), "'width' is not a parameter"),
        (json.dumps(content(file=3)), "'file' of an extraction names no file"),
        (json.dumps(content(file="a\0b")), "'file' of an extraction names no file"),
        (json.dumps(content(override_psf=["a"])), "'override_psf' of an extraction names no file"),
        (json.dumps(content(label="")), "have no label"),
        (json.dumps(content(label="\x1b[2J")), "'label' of an extraction is missing or is no text"),
        (json.dumps(content(dataset=None)), "'dataset' of an extraction is missing"),
    ],
)
def test_what_is_no_session_is_refused(tmp_path, given, told):
    path = tmp_path / "work.json"
    path.write_text(given)
    with pytest.raises(LRSError, match=told) as refusal:
        read_session(path)
    assert str(refusal.value).startswith(f"{path}: ")


def test_the_command_repeats_it(made, tmp_path, capsys):
    path = made.write(tmp_path / "work.json")
    assert main(["repeat", str(path), "-o", str(tmp_path)]) == 0
    assert "nod1_wide_x1d.fits" in capsys.readouterr().out
    np.testing.assert_array_equal(
        read_x1d(tmp_path / "nod1_wide_x1d.fits").flux, made.history[1].extract().flux
    )
    assert (tmp_path / "nod1_s2d_LRS_x1d.fits").exists()
    assert main(["repeat", str(path), "-o", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    (tmp_path / "nod1_s2d.fits").unlink()
    assert main(["repeat", str(path), "-o", str(tmp_path), "--overwrite"]) == 2
    assert "nod1_s2d.fits is missing" in capsys.readouterr().err
