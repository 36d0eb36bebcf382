"""Verifying: what is the same is found so, what is not is found and named, and failures are sentences."""

import json
import os
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract, read, verify
from jdaviz_lrs.cli import main
from jdaviz_lrs.data.spectrum import COLUMNS
from jdaviz_lrs.extraction.conventions import Convention
from jdaviz_lrs.pipeline import step_process, step_worker
from jdaviz_lrs.pipeline import verify as module
from jdaviz_lrs.pipeline.step_call import StepCall
from jdaviz_lrs.pipeline.step_process import StepResult, run_step
from tests.extraction.test_pipeline_parity import INPUTS

#: As good as equal: twice the rounding of the single precision in which the pipeline smooths.
SAME = 1.2e-7

#: What the pipeline has to be given, for a process that is not to get so far.
CALL = StepCall("a_s2d.fits", {"override_extract1d": "a.json"})


#: Of the step, to what it was asked.
ANSWERS = {}


@pytest.fixture
def in_process(monkeypatch, tmp_path):
    """Let the step run in the tests' own process, which has imported the pipeline; may plant a change."""
    planted = []

    def run(call, progress=None, integrations=None, meanwhile=None):
        meanwhile()
        aperture = Path(call.arguments["override_extract1d"])
        content = {"file": call.file, "arguments": dict(call.arguments), "integrations": integrations}
        key = json.dumps([content, aperture.read_text()]).replace(str(aperture), "")
        if key not in ANSWERS:
            request = tmp_path / "request.json"
            request.write_text(json.dumps({**content, "output": str(tmp_path / "out.npz")}))
            step_worker.answer(request)
            with np.load(tmp_path / "out.npz") as arrays:
                ANSWERS[key] = {name: arrays[name] for name in arrays.files}
        columns = {name: values.copy() for name, values in ANSWERS[key].items()}
        told = json.loads(str(columns.pop("result")))
        if "error" in told:
            raise LRSError(step_process._failed(told))
        for change in planted:
            change(columns)
        return StepResult(columns, told["jwst"], tuple(told["heard"]))

    monkeypatch.setattr(module, "run_step", run)
    return planted


def overrides(observation, *kinds):
    return {f"override_{kind}": observation[kind] for kind in kinds or ("extract1d", "apcorr", "psf")}


#: Of the eight: a width at the source, a smoothed background, and a taper.
FEW = ("ex2b", "ex3b", "ex4")


@pytest.mark.parametrize(
    "example",
    [pytest.param(one, marks=[pytest.mark.slow] * (one not in FEW)) for one in INPUTS],
)
def test_shared_examples_are_equal(example, shared_scene, in_process):
    report = verify(
        shared_scene / f"{INPUTS[example]}.fits",
        override_extract1d=shared_scene / "pipeline" / f"{example}.json",
        override_apcorr=shared_scene / "apcorr.fits",
        override_psf=shared_scene / "psf.fits",
    )
    assert report.equal
    assert max(column.largest for column in report.compatible) < SAME
    assert [column.name for column in report.compatible] == [*COLUMNS]
    assert report.default_equal == (example not in ("ex3b", "ex4"))
    named = {"ex3b": "error of a smoothed background", "ex4": "`src_coeff` about zero"}
    if example in named:
        assert named[example] in report.sentence
        assert not any("`cal`" in row.what for row in report.differences)


@pytest.mark.parametrize("file", ["nod2_nobsub_s2d", "nod1_cal"])
def test_simulated_exposures_are_equal(file, observation, in_process):
    report = verify(observation[file], **overrides(observation), extract_width=7.5, use_source_posn=True)
    assert report.equal
    assert max(column.largest for column in report.compatible) < SAME
    assert report.sentence.startswith(f"{observation[file].name}: equal to the pipeline's to ")
    if file == "nod1_cal":
        # the pipeline takes the trace some rows early
        assert not report.default_equal
        assert any(row.what.startswith("trace on `cal`") for row in report.differences)


@pytest.mark.slow  # forty extractions, to find which differences are in effect
def test_optimal_extraction_is_equal_as_far_as_the_search_goes(observation, in_process):
    report = verify(
        observation["nod1_cal"], **overrides(observation), extraction_type="optimal", refinements="all"
    )
    assert report.equal
    assert report.tolerance == 1e-4
    assert not report.default_equal
    assert {row.kind for row in report.differences} == {"optimal"}
    assert any("in ours by default only: refinements" in note for note in report.notes)


def test_built_in_models_are_given_to_the_pipeline_too(observation, in_process):
    report = verify(observation["nod1_s2d"])
    assert report.equal
    assert any("not verified" in note for note in report.notes)
    assert any("used instead of the files" in note for note in report.notes)
    assert report.call.arguments["override_apcorr"] == "apcorr.fits"


def test_what_the_pipeline_does_not_do_is_said(observation, in_process):
    in_process.append(dict.clear)
    report = verify(observation["nod1_s2d"], **overrides(observation))
    assert not report.equal
    assert report.sentence.startswith("jw00001001001_03101_00001_mirimage_s2d.fits: not compared; ")
    assert "not compared" in report.markdown()


def test_the_other_nod_is_not_modelled_there_on_rectified_images(observation, in_process):
    report = verify(observation["nod1_s2d"], **overrides(observation), extraction_type="optimal")
    assert report.equal
    assert not report.default_equal
    assert {"the same on `s2d`", "profile on `s2d`"} <= {row.what for row in report.differences}
    assert any("The negative nod will not be modeled" in note for note in report.notes)


def test_a_planted_difference_is_found_and_named(observation, in_process):
    def plant(columns):
        columns["flux"][100] *= 1 + 3e-5

    in_process.append(plant)
    report = verify(observation["nod1_s2d"], **overrides(observation))
    assert not report.equal
    (flux,) = (column for column in report.compatible if column.name == "flux")
    wavelength = extract(observation["nod1_s2d"], **overrides(observation)).wavelength[100]
    assert (flux.beyond, flux.wavelength) == (1, wavelength)
    assert flux.largest == pytest.approx(3e-5, rel=0.01)
    assert not any(column.beyond for column in report.compatible if column.name != "flux")
    assert "no known difference explains; please report it" in report.sentence
    assert f"at {wavelength:.2f} um (1 of 387 wavelengths)" in report.sentence


def test_a_number_that_only_one_has_is_a_difference(observation, in_process):
    def plant(columns):
        columns["background"][7] = np.nan

    in_process.append(plant)
    report = verify(observation["nod1_nobsub_s2d"], **overrides(observation))
    assert not report.equal
    assert "different in background where only one has a number" in report.sentence


def test_lost_light_is_named(tmp_path, observation, in_process):
    """A difference planted in the file: dead pixels under the source, whose light only we make up for."""
    from stdatamodels.jwst.datamodels import SlitModel

    with SlitModel(observation["nod1_s2d"]) as model:
        model.data[200, 31] = np.nan
        model.save(tmp_path / "dead_s2d.fits")
    report = verify(tmp_path / "dead_s2d.fits", **overrides(observation))
    assert report.equal
    (flux,) = (column for column in report.default if column.name == "flux")
    assert (flux.beyond, flux.largest > 0.05) == (1, True)
    assert [row.what for row in report.differences] == ["bad pixels in the aperture"]
    assert "(bad pixels in the aperture)" in report.sentence


def test_integrations_are_a_sample(tmp_path, observation, in_process):
    from stdatamodels.jwst.datamodels import CubeModel, SlitModel

    with SlitModel(observation["nod1_s2d"]) as model, CubeModel() as stack:
        stack.update(model)
        for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
            setattr(stack, name, np.stack([getattr(model, name) * factor for factor in (1, 2, 3)]))
        stack.wavelength, stack.dq = model.wavelength, np.zeros(stack.data.shape, np.uint32)
        stack.meta.wcs = model.meta.wcs
        image = replace(read(model), path=tmp_path / "a.fits")
        stack.save(tmp_path / "a.fits")
    planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    image = replace(image, **{name: np.stack([getattr(image, name)] * 3) for name in planes})
    image = replace(image, data=image.data * np.array([1, 2, 3])[:, None, None])
    report = verify(image, **overrides(observation), integrations=[1, 2])
    flux = next(column for column in report.compatible if column.name == "flux")
    assert (flux.size, flux.beyond, report.integrations) == (2 * 387, 0, (1, 2))
    for wrong, told in ([[3], "0 to 2"], [[], "0 to 2"]):
        with pytest.raises(LRSError, match=told):
            verify(image, integrations=wrong)
    with pytest.raises(LRSError, match="single integration"):
        verify(observation["nod1_s2d"], integrations=[0])


def test_every_convention_is_tried():
    """What has rows in the tables can be found in effect."""
    assert all(one.metadata["rows"] for one in fields(Convention))


# --- the report ---------------------------------------------------------------------------------------------


def test_report_is_written_whole_and_never_over_the_input(tmp_path, observation, in_process):
    report = verify(observation["nod1_s2d"], **overrides(observation), xstart=26)
    text = report.write(tmp_path / "report.md").read_text()
    for word in (
        *COLUMNS,
        "jwst 3",
        "lrs_apcorr.fits",
        "`xstart` = 26",
        "Extract1dStep.call",
        '"xstart": 26',
    ):
        assert word in text
    with pytest.raises(LRSError, match="exists"):
        report.write(tmp_path / "report.md")
    with pytest.raises(LRSError, match="input"):
        report.write(observation["nod1_s2d"], overwrite=True)


def test_command_and_its_exit_codes(tmp_path, observation, in_process, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = [f"--override-{kind}={observation[kind]}" for kind in ("extract1d", "apcorr", "psf")]
    command = ["verify", str(observation["nod1_s2d"]), *options, "--set", "xstart=26"]
    assert main([*command, "-o", "report.md"]) == 0
    assert "equal to the pipeline's" in capsys.readouterr().out
    assert main([*command, "-o", "report.md"]) == 2
    assert "exists already" in capsys.readouterr().err
    in_process.append(lambda columns: columns["npixels"].__iadd__(1))
    assert main(command) == 1
    assert main(["verify", "absent_s2d.fits"]) == 2
    assert main(["verify", str(observation["nod1_s2d"]), "--set", "xstrat=1"]) == 2


# --- the process -------------------------------------------------------------------------------------------


@pytest.mark.slow  # jwst is imported anew
def test_process_of_its_own_gives_the_same(observation):
    told = []
    report = verify(observation["nod1_s2d"], **overrides(observation), progress=told.append)
    assert report.equal
    assert report.default_equal
    assert told.index("the pipeline is imported") < told.index("the pipeline extracts")


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """Let another script stand for the worker."""

    def stand_in(code: str) -> None:
        path = tmp_path / "worker.py"
        path.write_text(code)
        monkeypatch.setattr(step_process, "WORKER", path)

    return stand_in


def test_what_the_process_leaves_is_brought_back(worker):
    worker(
        "import json, sys, numpy as np\n"
        "request = json.load(open(sys.argv[1]))\n"
        "print('log of the pipeline')\n"
        "print('@ the pipeline extracts', flush=True)\n"
        "told = {'jwst': '3', 'heard': ['a', 'b', 'a']}\n"
        "np.savez(request['output'], result=json.dumps(told), flux=request['integrations'])\n"
    )
    told, done = [], []
    result = run_step(CALL, told.append, [3, 4], lambda: done.append(True))
    assert (result.version, result.warnings, done) == ("3", ("a", "b"), [True])
    assert result.columns["flux"].tolist() == [3, 4]
    assert told[0] == "the pipeline starts"
    assert "the pipeline extracts" in told
    assert "log of the pipeline" not in told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL .* memory"),
        ("raise SystemExit(-1)", "code 255"),
        ("raise KeyError('x')", "code 1 and without a result: KeyError: 'x'"),
        ("pass", "code 0 and without a result"),
    ],
)
def test_a_process_that_ends_without_a_result_is_a_sentence(worker, code, told):
    worker(code)
    with pytest.raises(LRSError, match=told):
        run_step(CALL)


def test_what_crds_does_not_answer_is_a_sentence(in_process, observation, monkeypatch):
    from jwst.extract_1d import Extract1dStep

    def ask(*_):
        import logging

        logging.getLogger("stpipe").error("CRDS server cannot be reached")
        raise SystemExit(-1)

    monkeypatch.setattr(Extract1dStep, "process", ask)
    ANSWERS.clear()
    with pytest.raises(LRSError, match=r"asked CRDS .* cannot be reached.* override_extract1d"):
        verify(observation["nod1_s2d"], **overrides(observation))
    ANSWERS.clear()


def test_cancelling_ends_the_process(worker, tmp_path):
    worker(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    class CancelError(Exception):
        pass

    def cancel(words):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise CancelError

    start = time.monotonic()
    with pytest.raises(CancelError):
        run_step(CALL, cancel)
    assert time.monotonic() - start < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_process_ends_with_the_one_that_waits(tmp_path):
    """The worker ends when nobody is at the other end of its standard input."""
    import subprocess

    code = (
        "import sys, threading, time\n"
        f"sys.path.insert(0, {str(step_process.WORKER.parents[2])!r})\n"
        "from jdaviz_lrs.pipeline import step_worker\n"
        "step_worker.answer = lambda path: time.sleep(60)\n"
        "step_worker.main('x')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        process.stdin.close()
        assert process.wait(30) == 1


def test_without_the_pipeline_it_is_a_sentence(observation, monkeypatch):
    monkeypatch.setattr(step_process, "find_spec", lambda name: None)
    with pytest.raises(LRSError, match="The pipeline is not installed; "):
        verify(observation["nod1_s2d"])


def test_an_image_of_no_file_is_refused(observation):
    image = replace(read(observation["nod1_s2d"]), path=None)
    with pytest.raises(LRSError, match="comes from no file"):
        verify(image)
