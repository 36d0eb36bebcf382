"""What is printed for the pipeline, run as printed: the same spectrum."""

import ast
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import extract, read
from jdaviz_lrs.pipeline.export import export_extract1d
from jdaviz_lrs.pipeline.step_call import STEP_DEFAULTS, StepCall, step_defaults
from jdaviz_lrs.references.find import find_references
from tests.same_spectrum import assert_same_columns

BOX = ("wavelength", "flux", "flux_error", "surf_bright", "background", "npixels", "dq")
OPTIMAL = ("wavelength", "flux", "flux_error", "npixels")

REGIONS = {"bkg_coeff": [[0.5], [6.5], [38.5], [44.5]], "bkg_fit": "poly", "bkg_order": 1}
TAPER = {"src_coeff": [[-2.4456, -0.25795], [2.4456, 0.25795]], "independent_var": "wavelength"}
PSF = {"extraction_type": "optimal", "use_source_posn": True, "optimize_psf_location": True}
NODDED = {**PSF, "model_nod_pair": True}
UN_NODDED = {**PSF, "model_nod_pair": False, "subtract_background": True}

#: The worked examples: the simulated and the shared file, the aperture in the file, the step's arguments.
EXAMPLES = {
    "ex0": ("nod1_s2d", "l3_s2d", {"use_source_posn": False}, {}),
    "ex1": ("nod1_s2d", "l3_s2d", {"xstart": 25, "xstop": 36, "use_source_posn": False}, {}),
    "ex2a": ("nod1_s2d", "l2_s2d", {"xstart": 9, "xstop": 16, "use_source_posn": False}, {}),
    "ex2b": ("nod1_s2d", "l2_s2d", {"extract_width": 8, "use_source_posn": True}, {}),
    "ex3a": ("nod1_nobsub_s2d", "l2_s2d_nobsub", {**REGIONS, "use_source_posn": False}, {}),
    "ex3b": ("nod1_nobsub_s2d", "l2_s2d_nobsub", {**REGIONS, "use_source_posn": False}, {}),
    "ex4": ("nod1_s2d", "l2_s2d", {**TAPER, "use_source_posn": True}, {}),
    "ex5a": ("nod1_cal", "nod1_cal", {}, NODDED),
    "ex5b": ("nod1_nobsub_cal", "nod1_cal_nobsub", {"bkg_fit": "poly", "bkg_order": 1}, UN_NODDED),
}
EXAMPLES["ex3b"][2]["smoothing_length"] = 21


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Let ``Extract1dStep.call`` and strun run to the letter where there is no CRDS.

    Of what they would ask it for, they need nothing: parameter files of the step, copies of reference files
    fetched beforehand, and the name of the context for the log. To know a step by its short name, strun
    imports all of jwst, and with it synphot, after which jdaviz 5.0 draws no spectrum in this process.
    """
    import stpipe.crds_client
    import stpipe.utilities
    from jwst.extract_1d import Extract1dStep

    steps = {Extract1dStep.class_alias: "jwst.extract_1d.Extract1dStep"}
    monkeypatch.setattr(stpipe.utilities, "resolve_step_class_alias", steps.__getitem__)
    monkeypatch.setenv("STPIPE_DISABLE_CRDS_STEPPARS", "true")
    monkeypatch.setattr(Extract1dStep, "prefetch_references", False)
    monkeypatch.setattr(stpipe.crds_client, "get_context_used", lambda observatory: "none")
    monkeypatch.chdir(tmp_path)


def ready(file, overrides, folder, **parameters):
    """Extract, and export what gives the same in the pipeline."""
    image = read(file)
    references = find_references(image, **overrides, crds=False)
    given = references.parameters.with_(parameters)
    export = export_extract1d(image, given, references.extract1d, references.stand_ins)
    path = export.reference.write(folder / "exported.json")
    return extract(image, given, references), export, export.call(file, path, overrides)


def run(code):
    names = {}
    exec(code, names)
    return np.asarray(names["result"].spec[0].spec_table)


def told(code):
    """Return the arguments of a printed call."""
    call = ast.parse(code).body[-1].value
    assert ast.unparse(call.func) == "Extract1dStep.call"
    return [ast.literal_eval(one) for one in call.args], {
        one.arg: ast.literal_eval(one.value) for one in call.keywords
    }


def understood(command):
    """Return the step that strun makes of a command, and the file it would run it on; it does not run."""
    from stpipe import _cmdline

    program, *words = shlex.split(command)
    assert program == "strun"
    made = _cmdline._config_and_class_from_cmdline(words)
    return _cmdline._build_step_from_args(*made, words)


def check(file, overrides, folder, **parameters):
    """Run what is printed; compare the spectra, and what strun makes of the other line."""
    ours, export, call = ready(file, overrides, folder, **parameters)
    optimal = ours.parameters["extraction_type"] == "optimal"
    # where the location is optimised, the pipeline's simplex stops at about 1e-4 px
    assert_same_columns(ours, run(call.python), OPTIMAL if optimal else BOX, 1e-4 if optimal else 1e-6)
    files, arguments = told(call.python)
    step, positional = understood(call.strun)
    assert positional == files == [str(file)]
    assert {name: getattr(step, name) for name in arguments} == arguments
    assert {name: value for name, value in arguments.items() if not name.startswith("override_")} == (
        export.step_parameters
    )
    assert "override_apcorr" in arguments
    assert "override_psf" in arguments
    return export


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_printed_gives_our_spectrum(example, observation, offline, tmp_path):
    file, _, aperture, step = EXAMPLES[example]
    default = {"id": "MIR_LRS-FIXEDSLIT", "xstart": 27, "xstop": 34}
    (tmp_path / "given.json").write_text(json.dumps({"apertures": [{**default, **aperture}]}))
    overrides = {
        "override_extract1d": tmp_path / "given.json",
        "override_apcorr": observation["apcorr"],
        "override_psf": observation["psf"],
    }
    check(observation[file], overrides, tmp_path, pipeline_compatible=True, **step)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_printed_gives_our_spectrum_of_the_shared_scene(example, shared_scene, offline, tmp_path):
    _, file, _, step = EXAMPLES[example]
    overrides = {
        "override_extract1d": shared_scene / "pipeline" / f"{example}.json",
        "override_apcorr": shared_scene / "apcorr.fits",
        "override_psf": shared_scene / "psf.fits",
    }
    file = next(shared_scene.glob(f"{file}.fits*")).resolve()
    check(file, overrides, tmp_path, pipeline_compatible=True, **step)


def test_an_aperture_that_the_pipeline_would_misplace(observation, offline, tmp_path):
    overrides = {"override_apcorr": observation["apcorr"], "override_psf": observation["psf"]}
    taper = {**TAPER, "use_source_posn": True, "position_offset": 0.3}
    export = check(observation["nod1_s2d"], overrides, tmp_path, **taper)
    assert export.step_parameters == {"use_source_posn": False}  # at absolute edges, offset included


def test_the_command_runs(observation, offline, tmp_path):
    from stpipe import _cmdline

    overrides = {"override_apcorr": observation["apcorr"], "override_psf": observation["psf"]}
    ours, _, call = ready(observation["nod1_s2d"], overrides, tmp_path, extract_width=7, use_source_posn=True)
    _cmdline.step_from_cmdline(shlex.split(call.strun)[1:])
    (written,) = tmp_path.glob("*_extract1dstep.fits")
    assert_same_columns(ours, fits.getdata(written, 1), BOX)


def test_all_that_differs_is_named(observation):
    image = read(observation["nod1_nobsub_cal"])
    references = find_references(image, crds=False)
    given = references.parameters.with_({**UN_NODDED, "bkg_fit": "mean", "smoothing_length": 5})
    named = export_extract1d(image, given, references.extract1d).step_parameters
    assert named == {
        "subtract_background": True,
        "extraction_type": "optimal",
        "use_source_posn": True,
        "model_nod_pair": False,
        "smoothing_length": 5,
        "bkg_fit": "poly",  # as the file has it: of order 0, the mean
        "bkg_order": 0,
    }


def test_models_that_stand_in_are_told(observation):
    image = read(observation["nod1_s2d"])
    references = find_references(image, crds=False)
    for kind, parameters in {
        "apcorr": {},
        "psf": {"extraction_type": "optimal"},
        "": {"apply_apcorr": False},
    }.items():
        given = references.parameters.with_(parameters)
        export = export_extract1d(image, given, references.extract1d, references.stand_ins)
        notes = [note for note in export.notes if "built-in" in note]
        assert [f"takes its {kind} file" in note for note in notes] == [True] * bool(kind)


def test_defaults_are_those_of_the_installed_step():
    from jwst.extract_1d import Extract1dStep

    step = Extract1dStep()
    assert step_defaults() == {name: getattr(step, name) for name in STEP_DEFAULTS}


@pytest.mark.parametrize("origin", [None, "nowhere"])
def test_defaults_without_the_pipeline(monkeypatch, tmp_path, origin):
    from importlib.machinery import ModuleSpec

    spec = origin and ModuleSpec("jwst", None, origin=str(tmp_path / "jwst" / "__init__.py"))
    monkeypatch.setattr("jdaviz_lrs.pipeline.step_call.find_spec", lambda name: spec)
    assert step_defaults.__wrapped__() == STEP_DEFAULTS


NAMES = (
    "a b.fits", "it's.fits", 'say "so".fits', "a'b\"c.fits", "back\\slash.fits", "a,b.fits", "a#b's.fits",
    "'); import os; os.abort() #.fits", "$(touch x) `touch x` ;touch x.fits", "--help", "{name}%s.fits",
    "Schr\u00f6dinger \u4e2d \U0001f600.fits", " .fits ",
)  # fmt: skip

UNSPEAKABLE = (
    "a\nimport os.fits", "a\r\x1b[2J\x03.fits", "\u202etxt.fits", "raw\udcff.fits", "a,'b' \"c\".fits",
)  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, *UNSPEAKABLE])
def test_hostile_names_stay_names_in_python(name, tmp_path):
    path = str(tmp_path / name)
    call = StepCall(path, {"override_psf": path, "use_source_posn": True})
    assert told(call.python) == ([path], {"override_psf": path, "use_source_posn": True})
    assert all(line.isprintable() for line in call.python.split("\n"))
    assert len(call.python.split("\n")) == 2


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_names_in_the_shell(name, offline, tmp_path):
    path = str(tmp_path / name)
    call = StepCall(path, {"override_psf": path, "use_source_posn": True})
    assert call.strun.isprintable()
    step, positional = understood(call.strun)
    assert positional == [path]
    assert step.override_psf == path
    assert step.use_source_posn is True


@pytest.mark.parametrize("name", UNSPEAKABLE)
def test_names_that_no_command_holds(name, tmp_path):
    command = StepCall("a.fits", {"override_psf": str(tmp_path / name)}).strun
    assert command.startswith("# No command: the override_psf file")
    assert command.isprintable()


def test_relative_names_are_completed(observation, monkeypatch):
    image = read(observation["nod1_s2d"])
    references = find_references(image, crds=False)
    export = export_extract1d(image, references.parameters, references.extract1d)
    call = export.call("a.fits", "b.json", {"override_extract1d": "c.json", "override_psf": ""})
    assert call.file == str(Path.cwd() / "a.fits")
    assert call.arguments == {"override_extract1d": str(Path.cwd() / "b.json")}
