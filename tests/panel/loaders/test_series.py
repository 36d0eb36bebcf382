"""Segments of a time series, as the loader takes them."""

import numpy as np
import pytest
from astropy.io import fits
from jdaviz.core.registries import loader_importer_registry
from specutils import Spectrum, SpectrumList

from jdaviz_lrs import read_series
from jdaviz_lrs.panel.inputs import Input
from tests.slitless import integrations, write_segments

LABEL = "jw00001001001_03101_00001_mirimage_calints"


@pytest.fixture
def whole_jdaviz():
    return True


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_segments(tmp_path_factory.mktemp("segments"))


@pytest.fixture
def segments(written, tmp_path):
    """Copies, of which a test may damage one."""
    return [_copy(path, tmp_path) for path in written]


def _copy(path, folder):
    (folder / path.name).write_bytes(path.read_bytes())
    return folder / path.name


def taken(app, label=LABEL):
    return Input.of(app._app.data_collection[label])


def test_a_segment_brings_those_beside_it_and_their_mean_is_shown(app, written):
    app.load(str(written[1]))
    source = taken(app)
    assert [one.path for one in source.series.segments] == written
    expected = read_series(written).image
    np.testing.assert_array_equal(source.image.data, expected.data)
    shown = app.datasets[LABEL].get_data()
    np.testing.assert_array_equal(shown.flux.value, source.display.plane(expected.data))
    assert f"{LABEL} (auto-ext)" in app._app.data_collection


@pytest.mark.parametrize("given", ["list", "pattern"])
def test_segments_by_a_list_or_a_pattern(app, written, given):
    several = [str(path) for path in written]
    several = several if given == "list" else str(written[0].parent / "jw*-seg*_calints.fits")
    app.load(several, format="JWST LRS series", auto_extract=False)
    assert taken(app).series.n_int == 12


def test_the_dialogue_tells_what_there_is_and_takes_other_names(app, written):
    loader = app.loaders["file"]
    loader.filepath = str(written[0])
    assert loader.format.selected == "JWST LRS series"
    importer = loader.importer._obj
    assert importer.segments == "jw00001001001_03101_00001-seg*_mirimage_calints.fits"
    assert "2 segments, 12 integrations" in importer.description
    assert importer.notes == []
    importer.segments = written[0].name
    assert "one file, 7 integrations" in importer.description
    assert any("Integrations 8 to 12" in note for note in importer.notes)
    assert importer.import_disabled_msg == ""
    importer.segments = "none*.fits"
    assert "no file has a name like this" in importer.import_disabled_msg
    importer.segments = "*.fits"
    assert importer.import_disabled_msg == ""


def test_jdaviz_does_not_read_a_series_whole_to_see_what_could_take_it(
    app, written, observation, monkeypatch
):
    """Its own importers and specutils read all integrations; where they are asked for, they are."""
    asked = []

    def importer(input, **more):
        if isinstance(input, fits.HDUList):  # it does nothing with a name
            asked.append("importer")
        raise ValueError("not this one")

    def reader(given, **more):
        asked.append("specutils")
        raise ValueError("not this one")

    monkeypatch.setitem(loader_importer_registry.members, "3D Spectrum", importer)
    monkeypatch.setattr(Spectrum, "read", reader)
    monkeypatch.setattr(SpectrumList, "read", reader)
    loader = app.loaders["file"]
    loader.filepath = str(written[0])
    assert loader.format.choices == ["JWST LRS series"]
    assert not asked
    loader.filepath = str(observation["nod1_s2d"])
    assert loader.format.choices[0] == "JWST LRS"
    assert len(loader.format.choices) > 1
    assert {*asked} == {"importer", "specutils"}
    asked.clear()
    loader.filepath = str(written[0])
    assert loader.format.choices == ["JWST LRS series"]
    assert not asked
    with pytest.raises(ValueError, match="not this one"):
        app.load(str(written[0]), format="3D Spectrum")
    assert "importer" in asked


def test_folders_and_names_with_brackets_are_no_patterns(app, written, tmp_path):
    folder = tmp_path / "run [2]"
    folder.mkdir()
    copies = [_copy(path, folder) for path in written]
    odd = copies[0].rename(folder / f"a[1]{copies[0].name}")
    app.load(str(odd), format="JWST LRS series", auto_extract=False)
    assert taken(app, f"a[1]{LABEL}").series.n_int == 7


def test_a_missing_middle_segment_is_told(app, tmp_path):
    paths = write_segments(tmp_path, (3, 3, 3))
    paths[1].unlink()
    loader = app.loaders["file"]
    loader.filepath = str(paths[0])
    (note,) = loader.importer._obj.notes
    assert note.startswith("Integrations 4 to 6 are missing between")


def _refused(app, path):
    with pytest.raises(ValueError, match="fits") as refusal:
        app.load(str(path))
    return str(refusal.value)


def test_a_segment_of_another_target_is_refused(app, segments):
    with fits.open(segments[1], mode="update") as hdus:
        hdus[0].header["TARGPROP"] = "OTHER"
    assert "its target (TARGPROP) is 'OTHER'" in _refused(app, segments[0])


def test_an_unreadable_segment_is_refused_by_its_name(app, segments):
    segments[1].write_bytes(segments[1].read_bytes()[:200_000])
    told = _refused(app, segments[0])
    assert told.startswith(str(segments[1]))
    assert "not a complete FITS file" in told


def test_rateints_are_refused_with_what_to_do(app, segments):
    for path in segments:
        with fits.open(path, mode="update") as hdus:
            hdus["SCI"].header["BUNIT"] = "DN/s"
    assert "run calwebb_spec2" in _refused(app, segments[0])


def test_absent_times_are_told(app, tmp_path):
    model = integrations(3)
    del model.int_times
    model.save(tmp_path / "star_calints.fits")
    loader = app.loaders["file"]
    loader.filepath = str(tmp_path / "star_calints.fits")
    assert loader.importer._obj.import_disabled_msg == ""
    (note,) = loader.importer._obj.notes
    assert "has no INT_TIMES" in note
