import numpy as np
import pytest
from astropy.table import QTable

from jdaviz_lrs import ExtractionParameters, LRSError
from jdaviz_lrs.panel.sections.history.record import background_words


@pytest.fixture
def auto_extract():
    return True


@pytest.fixture
def two(panel):
    """Two extractions besides the one that the loader made."""
    panel.extract()
    panel.extract_width = 5
    panel.bkg_coeff = [[3.5], [9.5]]
    panel.bkg_fit = "median"
    panel.extract()
    return panel


def test_every_extraction_has_a_row(loaded, two, tmp_path):
    table = two.history.export_table()
    dataset = two.dataset.selected
    assert list(table["label"]) == [f"{dataset} (auto-ext)", f"{dataset} LRS", f"{dataset} LRS (1)"]
    assert list(table["type"]) == ["box"] * 3
    np.testing.assert_allclose(table["width (px)"], [8, 8, 5], atol=0.1)
    np.testing.assert_allclose(table["place (px)"], 30.5, atol=1)
    assert list(table["background"]) == ["none", "none", "median, 1 region"]
    assert np.all(table["median S/N"] > 10)
    assert "LRS Extraction: extractions" in loaded.plugin_tables
    for name in ("extractions.ecsv", "extractions.csv"):
        two.history.export_table(str(tmp_path / name))
        assert list(QTable.read(tmp_path / name)["label"]) == list(table["label"])


def test_jdaviz_exports_the_table(loaded, two, tmp_path):
    export = loaded.plugins["Export"]
    export.plugin_table = "LRS Extraction: extractions"
    export.plugin_table_format = "ecsv"
    path = export.export(str(tmp_path / "history"))
    assert len(QTable.read(path)) == 3


def test_bias_follows_the_reference(two):
    first, last = two.compare_with.choices[0], two.compare_with.choices[-1]
    two.compare_with = first
    table = two.history.export_table()
    assert table["bias (%)"][0] == 0
    assert set(table["reference"]) == {first}
    assert two.history._obj.items[0]["bias (%)"] == "0.00"
    two.compare_with = last
    assert two.history.export_table()["bias (%)"][-1] == 0


def test_a_row_restores_its_parameters(two):
    label = two.history.export_table()["label"][1]
    two.extraction_type = "optimal"
    two.restore(label)
    assert two.extraction_type == "box"
    assert two.extract_width is None
    assert two.bkg_coeff is None
    two.history.select_rows(2)
    two.restore()
    assert (two.extract_width, two.bkg_fit) == (5, "median")


def test_a_row_restores_its_dataset_and_reference_files(loaded, two, observation):
    first = two.dataset.selected
    loaded.load(str(observation["nod2_s2d"]))
    two.dataset = "jw00001001001_03101_00002_mirimage_s2d"
    two.override_extract1d = str(observation["extract1d"])
    two.extract()
    label = str(two.history.export_table()["label"][-1])
    two.restore(f"{first} LRS (1)")
    assert two.dataset.selected == first
    assert two.override_extract1d == ""
    assert two.extract_width == 5
    two.restore(label)
    assert two.dataset.selected == "jw00001001001_03101_00002_mirimage_s2d"
    assert two.override_extract1d == str(observation["extract1d"])


def test_what_cannot_be_restored_says_why(loaded, two):
    history = two._obj.sections["history"]
    with pytest.raises(LRSError, match="no extraction in the history"):
        two.restore("nothing")
    two.history.select_rows(0)
    loaded._app.data_item_remove(two.dataset.selected)
    history.vue_restore()
    assert "not in the app any more" in history.problem


def test_clearing_and_overwriting(two):
    label = str(two.history.export_table()["label"][1])
    two.add_results.label = label
    two.extract()
    table = two.history.export_table()
    assert len(table) == 3
    assert table["width (px)"][1] == pytest.approx(5, abs=0.1)
    two.history.clear_table()
    assert len(two.history._obj) == 0
    with pytest.raises(LRSError, match="none yet"):
        two.restore(label)


def test_a_renamed_spectrum_keeps_its_row(loaded, two):
    old = str(two.history.export_table()["label"][1])
    loaded._app.rename_data(old, "mine")
    assert "mine" in two.history.export_table()["label"]
    two.restore("mine")
    assert two.extract_width is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "none"),
        ({"subtract_background": True}, "none"),
        ({"bkg_coeff": [[3], [9]]}, "order 0, 1 region"),
        (
            {"bkg_coeff": [[3], [9], [40], [44]], "bkg_order": 1, "smoothing_length": 7},
            "order 1, 2 regions, smoothed over 7",
        ),
        ({"extraction_type": "optimal", "subtract_background": True}, "order 0"),
    ],
)
def test_background_in_words(given, words):
    assert background_words(ExtractionParameters(**given)) == words
