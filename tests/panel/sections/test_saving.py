import ast
import warnings

import numpy as np
import pytest
from astropy.io import fits
from specutils import Spectrum

from jdaviz_lrs import ExtractionParameters, LRSError, LRSWarning, read_x1d
from jdaviz_lrs.panel.sections.saving.as_python import as_python

NAME = "jw00001001001_03101_00001_mirimage"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("JDAVIZ_START_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(code):
    names = {}
    exec(code, names)
    return names["spectrum"]


def test_names_are_the_pipelines(panel, here):
    assert panel.filename.value == f"{NAME}_extract1dstep.fits"
    assert panel._obj.sections["saving"].json_value == f"{NAME}_extract1d.json"
    path = panel.save_x1d()
    assert path == here / f"{NAME}_extract1dstep.fits"
    np.testing.assert_array_equal(read_x1d(path).flux, panel.extract(add_data=False).flux)


def test_images_go_beside_the_spectrum(panel, here):
    panel.save_scene_model = panel.save_residual_image = True
    assert panel._obj.sections["saving"].save_scene_model
    panel.save_x1d("mine")
    assert sorted(path.name for path in here.iterdir()) == [
        "mine.fits", "mine_residual.fits", "mine_scene_model.fits",
    ]  # fmt: skip
    image = panel._obj.image
    scene, residual = (fits.getdata(here / f"mine_{name}.fits") for name in ("scene_model", "residual"))
    assert scene.shape == image.file_shape
    good = np.isfinite(residual)
    np.testing.assert_allclose((scene + residual)[good], image.data[good], rtol=1e-4, atol=1e-3)


def test_nothing_is_overwritten_unasked(panel, here):
    saving = panel._obj.sections["saving"]
    saving.vue_write_x1d()
    assert saving.written == f"Written to {here}: {NAME}_extract1dstep.fits"
    path = here / f"{NAME}_extract1dstep.fits"
    before = path.stat().st_mtime_ns
    with pytest.raises(LRSError, match="exists"):
        panel.save_x1d()
    saving.vue_write_x1d()
    assert saving.overwrite_warn == "save"
    assert path.stat().st_mtime_ns == before
    saving.vue_write_over()
    assert saving.overwrite_warn == ""
    assert path.stat().st_mtime_ns > before
    saving.vue_write_x1d()
    saving.filename_value = "other.fits"  # another name takes the question away
    assert saving.overwrite_warn == ""


def test_an_image_in_the_way_keeps_the_spectrum_from_being_written(panel, here):
    panel.save_residual_image = True
    (here / "mine_residual.fits").write_text("mine")
    with pytest.raises(LRSError, match="mine_residual"):
        panel.save_x1d("mine.fits")
    assert not (here / "mine.fits").exists()


def test_a_folder_that_is_not_there(panel, here):
    with pytest.raises(LRSError, match="no folder"):
        panel.save_x1d(here / "nowhere" / "mine.fits")
    saving = panel._obj.sections["saving"]
    saving.json_value = "nowhere/mine.json"
    saving.vue_export_json()  # tells by a message
    assert list(here.iterdir()) == []


def test_the_folder_is_the_one_in_which_jdaviz_was_started(panel, here, monkeypatch):
    (here / "start").mkdir()
    monkeypatch.setenv("JDAVIZ_START_DIR", str(here / "start"))
    assert panel.save_x1d("mine.fits") == here / "start" / "mine.fits"


def test_extract1d_there_and_back(panel, here):
    panel.use_source_posn = True
    panel.position_offset = 0.5
    panel.extract_width = 7
    panel.bkg_coeff = [[3.5], [9.5]]
    before = panel.extract(add_data=False).flux
    path = panel.export_extract1d()
    assert path == here / f"{NAME}_extract1d.json"
    panel.extract_width = panel.bkg_coeff = None
    panel.import_extract1d(path)
    assert panel.use_source_posn is False  # the pipeline would centre elsewhere: absolute edges
    np.testing.assert_allclose(panel.extract(add_data=False).flux, before, rtol=1e-6)


def test_what_the_file_cannot_hold_is_said(panel, here):
    panel.extraction_type = "optimal"
    panel.refinements = ["trace"]
    saving = panel._obj.sections["saving"]
    saving.opened = 0
    assert any("refinements" in note for note in saving.export_notes)
    python, shell = (call["text"] for call in saving.calls)
    assert "extraction_type='optimal'" in python
    assert "--extraction_type=optimal" in shell
    with pytest.warns(LRSWarning) as told:
        panel.export_extract1d("mine.json")
    assert any("extraction_type='optimal'" in str(one.message) for one in told)


def test_the_run_of_the_pipeline_is_shown_and_printed(panel, here, observation, s2d, capsys):
    panel.override_apcorr = str(observation["apcorr"])
    saving = panel._obj.sections["saving"]
    saving.opened = 0
    panel.use_source_posn = False
    saving.json_value = "it's mine.json"
    python, shell = (call["text"] for call in saving.calls)
    path = panel.export_extract1d()
    assert path.name == "it's mine.json"
    assert capsys.readouterr().out == f"{python}\n\n{shell}\n"
    call = ast.parse(python).body[-1].value
    given = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    assert ast.literal_eval(call.args[0]) == str(s2d)
    assert given == {
        "override_apcorr": str(observation["apcorr"]),
        "override_extract1d": str(path),
        "use_source_posn": False,
    }
    saving.json_value = " "
    assert saving.calls == []


def test_a_dataset_without_a_file_is_named_as_the_header_has_it(app, s2d, here):
    app.load(str(s2d), format="2D Spectrum", auto_extract=False)
    saving = app.plugins["LRS Extraction"]._obj.sections["saving"]
    saving.opened = 0
    assert s2d.name in saving.calls[0]["text"]


def test_the_call_runs_as_written(panel, observation):
    panel.override_extract1d = str(observation["extract1d"])
    panel.override_apcorr = str(observation["apcorr"])
    panel.extract_width = 7.5
    panel.bkg_coeff = [[3.5], [9.5]]
    panel.smoothing_length = 5
    code = panel.to_python()
    assert "extract_width=7.5" in code
    assert "bkg_coeff=[[3.5], [9.5]]" in code
    assert "xstart" not in code  # as in the reference file
    np.testing.assert_array_equal(run(code).flux, panel.extract(add_data=False).flux)


def test_the_call_of_an_optimal_extraction(panel):
    panel.extraction_type = "optimal"
    panel.refinements = ["trace", "width"]
    code = panel.to_python()
    assert "refinements=['trace', 'width']" in code
    np.testing.assert_array_equal(run(code).flux, panel.extract(add_data=False).flux)


def test_the_section_shows_the_call_while_it_is_open(panel):
    saving = panel._obj.sections["saving"]
    panel.extract_width = 9
    assert saving.code == ""
    saving.opened = 0
    assert "extract_width=9" in saving.code
    panel.extract_width = 8.5
    assert "extract_width=8.5" in saving.code
    panel.extract_width = -1
    assert "not positive" in saving.problem


def test_a_dataset_without_a_file_has_no_call(app, s2d):
    app.load(str(s2d), format="2D Spectrum", auto_extract=False)
    panel = app.plugins["LRS Extraction"]
    with pytest.raises(LRSError, match="JWST LRS"):
        panel.to_python()
    panel._obj.sections["saving"].opened = 0
    assert "JWST LRS" in panel._obj.sections["saving"].code_problem


@pytest.mark.parametrize(
    "name",
    [
        'a "quoted" \\ name.fits',
        "it's.fits",
        "a'b\"c.fits",
        "a\nimport os; os.abort() #.fits",
        '")\nimport os; os.abort()\n("',
        "a\r\x0c\x1b[2J\x85\u2028.fits",
        "\u202etxt.fits",
        "raw\udcff.fits",
        "{braces} {0} %s $HOME `id`.fits",
        "\U0001f600 \u4e2d.fits",
    ],
)
def test_any_name_is_spelled_so_that_it_stays_one(name, tmp_path):
    path, reference = tmp_path / name, ExtractionParameters()
    parameters = ExtractionParameters(id=name, spectral_order="ANY", sources=[1.5, -2])
    code = as_python([path], {"override_psf": str(path), "override_apcorr": ""}, parameters, reference)
    assert all(line.isprintable() for line in code.split("\n"))
    importing, assignment = ast.parse(code).body
    call = assignment.value
    assert ast.unparse(importing) == "from jdaviz_lrs import extract"
    assert ast.literal_eval(call.args[0]) == str(path)
    assert {one.arg: ast.literal_eval(one.value) for one in call.keywords} == {
        "override_psf": str(path),
        "id": name,
        "spectral_order": "ANY",
        "sources": [1.5, -2],
    }


def test_jdaviz_exports_the_result(loaded, panel, here):
    panel.extract()
    label = panel.compare_with.choices[-1]
    export = loaded.plugins["Export"]
    export.dataset = label
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = export.export(str(here / "exported.fits"))
    back = Spectrum.read(path)
    result = panel.extract(add_data=False)
    np.testing.assert_allclose(back.flux.value, result.flux[np.argsort(result.wavelength)])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("   ", "names no file"),
        (".", "names no file"),
        ("x.fits.gz", "end with .fits"),
        (300 * "n", "cannot name a file"),
        (252 * "n", "cannot name a file"),  # with its ending
        ("~nosuchuser/x.fits", "cannot name a file"),
        ("a\0b", "names no file"),
        ("nowhere/x.fits", "no folder"),
    ],
)
def test_names_that_cannot_be(panel, here, name, words):
    saving = panel._obj.sections["saving"]
    with pytest.raises(LRSError, match=words):
        panel.save_x1d(name)
    saving.filename_value = name
    saving.vue_write_x1d()  # says so, and raises nothing
    assert saving.written == ""
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["Schrödinger.fits", f"{60 * '中'}.fits"])
def test_a_name_beyond_ascii(panel, here, name):
    path = panel.save_x1d(name)
    assert path.name == name
    np.testing.assert_array_equal(read_x1d(path).flux, panel.extract(add_data=False).flux)


def test_the_image_itself_is_never_overwritten(panel, here, s2d):
    before = s2d.read_bytes()
    with pytest.raises(LRSError, match="is an input of the extraction"):
        panel.save_x1d(s2d, overwrite=True)
    assert s2d.read_bytes() == before


def test_optimal_needs_no_place_for_a_box(panel, here):
    panel.xstart, panel.xstop, panel.use_source_posn = 60, 70, True
    panel.extraction_type = "optimal"
    assert panel._obj.problem == ""
    panel._obj.sections["saving"].opened = 0
    assert "extraction_type='optimal'" in panel._obj.sections["saving"].code
    panel.export_extract1d()
