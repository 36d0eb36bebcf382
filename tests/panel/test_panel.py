import json

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, LRSError, extract


def test_the_panel_is_there_without_an_import(app):
    panel = app.plugins["LRS Extraction"]
    assert panel._obj.disabled_msg.startswith("Load a MIRI LRS spectrum")
    with pytest.raises(LRSError, match="Load a MIRI LRS spectrum"):
        panel.extract()


def test_one_attribute_per_parameter(panel):
    for name in ExtractionParameters.names():
        assert hasattr(panel, name), name


def test_every_parameter_has_words():
    from jdaviz_lrs.panel.fields import FIELDS
    from jdaviz_lrs.products.images import PRODUCTS

    assert {*FIELDS} | {*PRODUCTS} == {*ExtractionParameters.names()}
    assert {field.section for field in FIELDS.values()} == {
        "type",
        "source",
        "background",
        "correction",
        "advanced",
    }


def test_extract_gives_the_result_and_adds_the_spectrum(loaded, panel, s2d):
    panel.extract_width = 9
    label = panel.add_results.label
    result = panel.extract()
    np.testing.assert_array_equal(result.flux, extract(s2d, extract_width=9).flux)
    added = loaded.datasets[label].get_data()
    assert added.flux.unit == "Jy"
    assert added.meta["extract_width"] == 9
    assert label in loaded.viewers["1D Spectrum"]._obj.glue_viewer.data_menu.data_labels_visible
    assert panel.add_results.label != label


def test_the_first_spectrum_makes_its_viewer(app, s2d):
    app.load(str(s2d), auto_extract=False)
    app.plugins["LRS Extraction"].extract()
    assert "1D Spectrum" in app.viewers


def test_values_as_text_mean_what_they_spell(panel):
    panel.extract_width = "9.5"
    panel.bkg_coeff = "[[3.5], [9.5]]"
    panel.smoothing_length = ""
    parameters = panel._obj.parameters
    assert parameters.extract_width == 9.5
    assert parameters.bkg_coeff == ((3.5,), (9.5,))
    assert parameters.smoothing_length is None


BAD = [
    ("extract_width", -1),
    ("extract_width", "wide"),
    ("extract_width", float("nan")),
    ("xstart", 44),
    ("smoothing_length", 4),
    ("bkg_coeff", [[1], [2], [3]]),
    ("bkg_coeff", "[[1], "),
    ("position_offset", 1e9),
    ("spectral_order", "first"),
]


def test_bad_input_is_refused_in_a_sentence_and_adds_nothing(loaded, panel):
    before = len(loaded._app.data_collection)
    for name, value in BAD:
        good = getattr(panel, name)
        setattr(panel, name, value)
        assert panel._obj.problem.endswith("."), (name, value)
        with pytest.raises(LRSError):
            panel.extract()
        panel._obj.vue_extract()
        assert len(loaded._app.data_collection) == before
        setattr(panel, name, good)
        assert panel._obj.problem == "", (name, value)


def test_fields_that_do_not_apply_are_hidden(panel):
    def shown():
        return {field["name"] for field in panel._obj.fields if field["shown"]}

    assert {"xstart", "extract_width", "apcorr_method"} <= shown()
    assert "bkg_fit" not in shown()
    panel.bkg_coeff = [[3.5], [9.5]]
    assert {"bkg_fit", "bkg_order", "smoothing_length"} <= shown()
    panel.bkg_fit = "median"
    assert "bkg_order" not in shown()
    panel.extraction_type = "optimal"
    assert "model_nod_pair" in shown()
    assert not {"xstart", "bkg_coeff", "apply_apcorr"} & shown()


def test_the_reported_extent_is_one_indexed(panel):
    panel.use_source_posn = False
    panel.xstart, panel.xstop = 20, 27
    assert panel._obj.reported.startswith("columns 21 to 28, rows 1 to")


def test_references_are_named(panel, observation):
    used = {row["kind"]: row["name"] for row in panel._obj.references_used}
    assert "built-in" in used["extract1d"]
    badges = {row["kind"]: row["stand_in"] for row in panel._obj.references_used}
    assert badges["extract1d"] == ""
    assert "0.5% in correction" in badges["apcorr"]
    assert panel._obj.nearby == {}
    panel._obj.files_opened = 0  # only now are the files beside the data looked into
    assert str(observation["apcorr"]) in panel._obj.nearby["apcorr"]
    panel.override_apcorr = str(observation["apcorr"])
    used = {row["kind"]: row["name"] for row in panel._obj.references_used}
    assert used["apcorr"] == observation["apcorr"].name
    assert {row["kind"]: row["stand_in"] for row in panel._obj.references_used}["apcorr"] == ""
    panel.override_apcorr = "nowhere.fits"
    assert "nowhere.fits" in panel._obj.problem
    assert panel._obj.status["place"] == "override_apcorr"
    panel.override_apcorr = ""
    assert panel._obj.problem == ""


def test_stock_data_work_and_say_what_is_missing(app, s2d):
    app.load(str(s2d), format="2D Spectrum")
    panel = app.plugins["LRS Extraction"]
    assert "lacks var_poisson" in panel._obj.missing
    assert np.isfinite(panel.extract().flux).any()


def test_parameters_belong_to_their_dataset(loaded, panel, observation):
    panel.extract_width = 9
    first = panel.dataset.selected
    loaded.load(str(observation["nod2_s2d"]))
    panel.dataset = "jw00001001001_03101_00002_mirimage_s2d"
    assert panel.extract_width is None
    panel.dataset = first
    assert panel.extract_width == 9


def test_removing_the_dataset_empties_the_panel(loaded, active):
    loaded._app.data_item_remove(active.dataset.selected)
    assert active.disabled_msg
    assert all(mark.x.size == 0 for mark in drawn(active))


def test_json_there_and_back(panel, tmp_path):
    panel.use_source_posn = False
    panel.xstart, panel.xstop = 20, 27
    panel.bkg_coeff = [[3.5], [9.5]]
    path = panel.export_extract1d(tmp_path / "mine.json")
    assert json.loads(path.read_text())["apertures"][0]["xstart"] == 20
    panel.xstart, panel.bkg_coeff = 22, None
    panel.import_extract1d(path)
    assert panel.xstart == 20
    assert panel.bkg_coeff == [[3.5], [9.5]]
    with pytest.raises(LRSError, match="exists"):
        panel.export_extract1d(path)


def test_the_python_call_repeats_the_extraction(panel):
    panel.extract_width = 9
    names = {}
    exec(panel.to_python(), names)
    np.testing.assert_array_equal(names["spectrum"].flux, panel.extract(add_data=False).flux)


def test_specviz2d_with_one_line(s2d):
    from jdaviz import Specviz2d

    from jdaviz_lrs.panel import add_to_specviz2d

    helper = Specviz2d()
    add_to_specviz2d(helper)
    add_to_specviz2d(helper)
    helper.load(str(s2d))
    assert [item["name"] for item in helper._app.state.tray_items].count("lrs-extraction") == 1
    assert np.isfinite(helper.plugins["LRS Extraction"].extract().flux).any()


def drawn(panel):
    return [
        mark
        for marks in (*panel.marks.image.values(), *panel.marks.lines.values())
        for mark in marks.marks_list
    ]


def test_other_reference_files_leave_the_parameters(panel, observation, tmp_path):
    panel.extract_width, panel.bkg_coeff = 5, [[3.5], [9.5]]
    panel.override_psf = observation["psf"]  # a path as well as text
    panel.override_apcorr = str(observation["apcorr"])
    panel.override_extract1d = "/nowhere.json"
    assert "no such file" in panel._obj.problem
    panel.override_extract1d = ""
    assert (panel.extract_width, panel.bkg_coeff) == (5, [[3.5], [9.5]])
    panel.override_extract1d = observation["extract1d"]
    assert (panel.extract_width, panel.bkg_coeff) == (5, [[3.5], [9.5]])
    assert panel._obj.state.edited == ("extract_width", "bkg_coeff")
    panel.reset()
    assert panel.extract_width is None
    panel.undo()
    assert panel.extract_width == 5
    panel.override_apcorr = None
    assert panel.extract_width == 5


def test_changes_are_taken_back_and_made_again(panel):
    panel.extract_width = 9
    panel.extract_width = 10  # a script's changes are two
    panel.undo()
    assert panel.extract_width == 9
    panel.undo()
    assert panel.extract_width is None
    panel.undo()
    panel.redo()
    panel.redo()
    panel.redo()
    assert panel.extract_width == 10


def test_a_file_cut_short_is_told_of_once(panel, observation, tmp_path):
    short = tmp_path / "apcorr.fits"
    short.write_bytes(observation["apcorr"].read_bytes()[:3000])
    panel.override_apcorr = str(short)
    assert "not a complete FITS file" in panel._obj.problem
    panel.override_apcorr = ""
    assert panel._obj.problem == ""
    assert panel.extract(add_data=False).flux.size > 300


def test_a_renamed_dataset_stays_what_it_was(loaded, panel, s2d):
    panel.extract_width = 9
    old = panel.dataset.selected
    loaded._app.rename_data(old, "mine")
    panel.extract()
    record = panel._obj.state.records[-1]
    assert record.dataset == "mine"
    loaded.load(str(s2d))  # takes the old name
    panel.dataset = old
    assert panel.extract_width is None
    panel.dataset = "mine"
    assert panel.extract_width == 9
    panel.extract_width = 4
    panel.restore(record.label)
    assert panel.extract_width == 9


def test_arrays_are_as_good_as_lists(panel):
    panel.bkg_coeff = np.array([[3.5], [9.5]])
    panel.extract_width = np.float64(6)
    assert panel._obj.problem == ""
    assert panel._obj.parameters.bkg_coeff == ((3.5,), (9.5,))


def test_a_name_may_look_like_a_number(panel):
    panel._obj.id = "1"
    assert panel._obj.parameters.id == "1"


def test_a_number_no_float_can_hold(panel):
    panel.extract_width = 10**400
    assert "extract_width" in panel._obj.problem


def test_results_are_short_in_a_notebook(panel):
    assert len(repr(panel.extract())) < 200
    assert len(repr(panel.compare())) < 200
