"""What was worked on, saved from one app and loaded in another."""

import json

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract

REGION = [[47.0], [53.0]]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("JDAVIZ_START_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def saved(loaded, panel, observation, here):
    """Two datasets, a reference file, two extractions; the first dataset is in view."""
    first = panel.dataset.selected
    panel.extract_width = 6.5
    panel.extract()
    loaded.load(str(observation["nod2_s2d"]), format="JWST LRS", auto_extract=False)
    panel.bkg_coeff = REGION
    panel.override_apcorr = str(observation["apcorr"])
    panel.extract()
    panel.dataset = first
    return panel.save_session()


def values(panel):
    return {name: getattr(panel, name) for name in ("extract_width", "bkg_coeff", "override_apcorr")}


def test_it_is_had_back_in_another_app(saved, panel, app, here):
    first = values(panel), panel.dataset.selected
    expected = {one.label: one.spectrum.flux for one in panel._obj.state.records}
    labels = list(panel.dataset.choices)
    for label in app._app.data_collection.labels:
        app._app.data_collection.remove(app._app.data_collection[label])
    panel._obj.update(records=())
    assert panel._obj.disabled_msg
    session = panel.load_session(saved.name)
    assert sorted(panel.dataset.choices) == sorted(labels)
    assert (values(panel), panel.dataset.selected) == first
    found = {one.label: one.spectrum.flux for one in panel._obj.state.records}
    assert [*found] == [*expected]
    for label, flux in expected.items():
        np.testing.assert_array_equal(found[label], flux)
        assert label in app._app.data_collection
    (other,) = {*labels} - {first[1]}
    panel.dataset = other
    assert panel.bkg_coeff == REGION
    assert len(session.history) == 2


def test_what_is_there_is_not_loaded_twice(saved, panel, app):
    before = list(app._app.data_collection.labels)
    panel.extract_width = 9
    panel.load_session(saved)
    assert list(app._app.data_collection.labels) == before
    assert panel.extract_width == 6.5
    assert len(panel._obj.state.records) == 2


def test_a_missing_file_is_named_and_nothing_is_changed(saved, panel, app, here):
    content = json.loads(saved.read_text())
    content["history"][0]["file"] = "gone_s2d.fits"
    (here / "other.json").write_text(json.dumps(content))
    before = values(panel), list(app._app.data_collection.labels)
    with pytest.raises(LRSError, match=r"gone_s2d\.fits is missing"):
        panel.load_session("other.json")
    section = panel._obj.sections["session"]
    section.vue_load("other.json")
    assert "gone_s2d.fits is missing" in section.problem
    assert (values(panel), list(app._app.data_collection.labels)) == before
    (here / "no.json").write_text("{}")
    section.vue_load("no.json")
    assert "no session of jdaviz-lrs" in section.problem


def test_the_buttons(panel, here):
    section = panel._obj.sections["session"]
    assert section.ready
    section.vue_save()
    assert section.written.endswith("work.lrs-session.json")
    section.vue_save()
    assert section.in_the_way
    section.opened = 0
    assert section.nearby == [str(here / "work.lrs-session.json")]
    section.vue_load(section.nearby[0])
    assert section.loaded.endswith("1 dataset, 0 extractions.")


@pytest.mark.parametrize("kind", ["box", "optimal"])
@pytest.mark.parametrize("ending", ["pdf", "png", "svg"])
def test_figure(panel, here, kind, ending):
    panel.extraction_type = kind
    path = panel.save_figure(f"seen.{ending}")
    assert path == here / f"seen.{ending}"
    assert path.stat().st_size > 5000
    section = panel._obj.sections["figure"]
    assert section.filename.endswith("_figure.pdf")
    section.vue_save()
    assert "Written to" in section.written
    section.vue_save()
    assert section.in_the_way
    section.vue_save()
    assert not section.in_the_way
    np.testing.assert_array_equal(panel.extract().flux, extract(panel._obj.image, extraction_type=kind).flux)
