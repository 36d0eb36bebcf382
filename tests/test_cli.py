"""The command jdaviz-lrs: what it writes, what it says, and how it refuses."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from jdaviz_lrs import LRSError, along_slit, combine, correct_nods, extract, read_c1d, read_x1d, read_x1dints
from jdaviz_lrs.cli import main, parser
from jdaviz_lrs.cli.describe import describe
from jdaviz_lrs.cli.options import output_name
from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.verdicts import FINE, WRONG


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(capsys, here):
    """Run the command, which must refuse: one sentence on stderr, exit code 2, nothing written."""

    def run(*arguments) -> str:
        before = sorted(here.rglob("*"))
        assert main([str(one) for one in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "Traceback" not in err
        assert sorted(here.rglob("*")) == before
        return err

    return run


def each_set(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("a/jw1_s2d.fits", "jw1_extract1dstep.fits"),
        ("jw1_nobsub_cal.fits.gz", "jw1_nobsub_extract1dstep.fits"),
        ("image.fits", "image_extract1dstep.fits"),
        ("my_image.fits", "my_image_extract1dstep.fits"),
    ],
)
def test_output_is_named_as_by_the_pipeline(given, written):
    assert output_name(given) == Path(written)


def test_extract_writes_what_python_gives(observation, here, capsys):
    arguments = ["--override-extract1d", observation["extract1d"], "--override-apcorr", observation["apcorr"]]
    settings = each_set("extract_width=10", "use_source_posn=true")
    assert main([str(a) for a in ("extract", observation["nod1_s2d"], *arguments, *settings)]) == 0
    spectrum = extract(
        observation["nod1_s2d"],
        override_extract1d=observation["extract1d"],
        override_apcorr=observation["apcorr"],
        extract_width=10,
        use_source_posn=True,
    )
    written = read_x1d(output_name(observation["nod1_s2d"]))
    np.testing.assert_array_equal(written.flux, spectrum.flux)
    said = capsys.readouterr().out
    for word in ("10.00 px wide", "lrs_extract1d.json", "lrs_apcorr.fits", "extract1dstep.fits"):
        assert word in said


def test_integrations_of_a_slit_are_extracted_as_python_does(here, capsys):
    model = to_model(simulate(Scene(), "cal"))
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat"):
        setattr(model, name, np.stack([getattr(model, name)] * 2))
    model.data[1] *= 2
    model.save("jw1_calints.fits")
    series = extract(["jw1_calints.fits"], extract_width=8)
    assert main(["extract", "jw1_calints.fits", "--set", "extract_width=8"]) == 0
    np.testing.assert_array_equal(read_x1dints("jw1_x1dints.fits").flux, series.flux)
    said = capsys.readouterr().out
    assert all(note in said for note in series.notes)
    with pytest.raises(LRSError) as refused:
        extract("jw1_calints.fits", extract_width=-8)
    assert main(["extract", "jw1_calints.fits", "--set", "extract_width=-8", "--overwrite"]) == 2
    assert capsys.readouterr().err == f"{refused.value}\n"


def test_extract_says_that_a_built_in_model_was_used(observation, here, capsys):
    assert main(["extract", str(observation["nod1_s2d"]), "-o", "mine.fits"]) == 0
    assert "built-in" in capsys.readouterr().out
    assert fits.getheader("mine.fits", 0)["DATAMODL"] == "MultiSpecModel"


def test_the_verdict_is_said_where_it_can_be_told(observation):
    def said(verdict) -> list[str]:
        lines = describe(replace(spectrum, verdict=verdict, notes=(), references={}, inspect=None))
        return lines[2:]  # after what was extracted, and where

    spectrum = extract(observation["nod1_s2d"])
    assert said(None) == said(Verdict()) == []
    assert said(FINE) == [
        "verdict    flux / plain sum 1.0021 +- 0.0012, 0.999 +- 0.002, 1.004 +- 0.012; "
        "scatter / error 1.00, 1.10, 0.94 (5-8, 8-11, 11-13.5 um)",
        "           chi square 1.02, 1.01, 0.99; light lost 0, < 0.1, 0.3 %",
        "           trace +0.02 +- 0.01 px; enclosed light PSF 0.2 % above the correction; both followed",
        "           stand-ins apcorr, psf",
    ]
    assert said(WRONG)[-1] == "           stand-ins extract1d, apcorr, psf; dropped width, companions"
    assert said(Verdict(trace_offset=0.3)) == ["verdict    trace +0.30 px"]


def test_combine_writes_what_python_gives(observation, here, capsys):
    x1d = []
    for nod in (1, 2):
        keywords = {"override_apcorr": observation["apcorr"], "use_source_posn": True}
        x1d.append(extract(observation[f"nod{nod}_s2d"], **keywords).write(here / f"nod{nod}_x1d.fits"))
    capsys.readouterr()
    assert main(["combine", *map(str, x1d), "--set", "fit_scales=true"]) == 0
    written = read_c1d("nod1_combine1dstep.fits")
    both = combine(x1d, fit_scales=True)
    np.testing.assert_array_equal(written.flux, both.flux)
    said = capsys.readouterr().out
    for word in ("2 spectra", "nod2_x1d.fits: used at 387", "times 1.0", "chi square", "combine1dstep.fits"):
        assert word in said
    assert main(["combine", *map(str, x1d), "-o", "both_c1d.fits"]) == 0
    before = Path("both_c1d.fits").read_bytes()
    assert main(["combine", *map(str, x1d), "-o", "both_c1d.fits"]) == 2
    assert main(["combine", *map(str, x1d), "-o", str(x1d[0]), "--overwrite"]) == 2
    assert Path("both_c1d.fits").read_bytes() == before
    assert "is an input" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["none_x1d.fits", "-o", "c.fits"], "none_x1d.fits"),
        (["none_x1d.fits", "--set", "sigma=3"], "'sigma' is no setting"),
        (["none_x1d.fits", "--set", "sigma_clip=three"], "not a number"),
        (["none_x1d.fits", "--set", "fit_scales=1"], "neither true nor false"),
    ],
)
def test_combine_refuses(refused, arguments, named):
    assert named in refused("combine", *arguments)


def test_combine_refuses_a_single_spectrum(observation, here, refused):
    extract(observation["nod1_s2d"]).write(here / "a_x1d.fits")
    assert "at least two" in refused("combine", "a_x1d.fits", "-o", "c.fits")
    assert "DATAMODL" in refused("combine", "a_x1d.fits", observation["apcorr"], "-o", "c.fits")


def test_values_are_json_or_words(observation, here):
    settings = ["src_coeff=[[26.5],[34.5]]", "extraction_type=box", "apply_apcorr=false", "bkg_order=null"]
    assert main(["extract", str(observation["nod1_s2d"]), *each_set(*settings)]) == 0


def test_existing_output_is_kept_unless_told_otherwise(observation, here, refused):
    Path("mine.fits").write_text("precious")
    assert "mine.fits" in refused("extract", observation["nod1_s2d"], "-o", "mine.fits")
    assert Path("mine.fits").read_text() == "precious"
    assert main(["extract", str(observation["nod1_s2d"]), "-o", "mine.fits", "--overwrite"]) == 0


def test_images_stand_beside_the_spectrum(observation, here):
    flags = [
        w for name in ("profile", "scene_model", "residual_image") for w in ("--set", f"save_{name}=true")
    ]
    assert main(["extract", str(observation["nod1_s2d"]), *flags]) == 0
    root = output_name(observation["nod1_s2d"]).name.removesuffix("_extract1dstep.fits")
    for suffix in ("extract1dstep", "profile", "scene_model", "residual"):
        assert Path(f"{root}_{suffix}.fits").is_file()


def test_a_missing_file(refused):
    assert "absent_s2d.fits" in refused("extract", "absent_s2d.fits")


def test_a_file_of_another_kind(observation, refused):
    assert "lrs_apcorr.fits" in refused("extract", observation["apcorr"])


def test_no_fits_file(here, refused):
    Path("text.fits").write_text("no FITS")
    assert "text.fits" in refused("extract", "text.fits")


def test_a_truncated_file(observation, here, refused):
    Path("half_s2d.fits").write_bytes(observation["nod1_s2d"].read_bytes()[:200_000])
    assert "half_s2d.fits" in refused("extract", "half_s2d.fits")


def test_a_folder_that_is_not_there(observation, refused):
    assert "nowhere" in refused("extract", observation["nod1_s2d"], "-o", "nowhere/x1d.fits")


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("extract_widht=8", "extract_width"),
        ("extract_width=-8", "extract_width"),
        ("extract_width", "NAME=VALUE"),
        ("bkg_fit=cubic", "bkg_fit"),
        ("xstart=nan", "xstart"),
        ("src_coeff=[[26.5]]", "src_coeff"),
        ("references=1", "references"),
        ("smoothing_length=4", "smoothing_length"),
        (f"extract_width={'9' * 5000}", "extract_width"),
        (f"bkg_coeff={'[' * 100_000}", "bkg_coeff"),
    ],
)
def test_a_wrong_setting(observation, refused, setting, named):
    assert named in refused("extract", observation["nod1_s2d"], "--set", setting)


def test_an_aperture_with_start_after_stop(observation, refused):
    said = refused("extract", observation["nod1_s2d"], *each_set("xstart=34", "xstop=27"))
    assert "xstart" in said


def test_an_aperture_outside_the_image(observation, refused):
    outside = ("xstart=400", "xstop=410", "use_source_posn=false")
    said = refused("extract", observation["nod1_s2d"], *each_set(*outside))
    assert "xstart" in said


def test_a_wrong_reference_file(observation, refused):
    assert "lrs_psf.fits" in refused(
        "extract", observation["nod1_s2d"], "--override-apcorr", observation["psf"]
    )


def test_what_was_not_foreseen_is_a_sentence(observation, refused, monkeypatch):
    def fail(*_, **__):
        raise KeyError("of some library")

    monkeypatch.setattr("jdaviz_lrs.batch.files.extract", fail)
    said = refused("extract", observation["nod1_s2d"])
    assert said == "extract: KeyError ('of some library'), which was not foreseen; please report it.\n"


def test_simulate_repeats_itself_and_takes_settings(here, capsys):
    assert main(["simulate", "one", "--no-cal", "--seed", "3", "--set", "companion_ratio=0.5"]) == 0
    assert main(["simulate", "two", "--no-cal", "--seed", "3", "--set", "companion_ratio=0.5"]) == 0
    paths = sorted(Path("one").glob("*.fits"))
    assert len(paths) == 6
    for path in paths:
        if path.stem.endswith("s2d"):
            np.testing.assert_array_equal(fits.getdata(path), fits.getdata(Path("two", path.name)))
    assert str(paths[0]) in capsys.readouterr().out


def test_simulate_writes_a_series(here, capsys, refused):
    settings = ["--set", "integrations=3", "--set", "segments=1", "--set", "depth=0.01"]
    assert main(["simulate", "transit", "--series", *settings]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.split()]
    assert names[0].endswith("-seg001_mirimage_calints.fits")
    assert names[1:] == ["lrs_psf.fits", "truth.ecsv", "course.ecsv"]
    truth = QTable.read(here / "transit" / "truth.ecsv")
    assert truth.meta["scene"]["integrations"] == 3
    assert truth["depth"].max() == pytest.approx(0.012, rel=1e-3)
    assert "SeriesScene" in refused("simulate", "transit", "--series", "--set", "nod_offset=1")


@pytest.mark.parametrize("setting", ["brightnes=1", "brightness=bright", "psf_stretch=-1"])
def test_simulate_refuses(refused, setting):
    assert setting.split("=")[0] in refused("simulate", "scene", "--set", setting)


def test_help_imports_nothing_slow():
    slow = "{'jdaviz', 'numpy', 'astropy'}"
    code = f"import sys, jdaviz_lrs.cli as c; c.parser(); print({slow} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def has(address: str) -> bool:
    """Whether this machine can be called by an address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("ending", "host"),
    [
        pytest.param(signal.SIGINT, "localhost", id="Ctrl-C"),
        pytest.param(
            signal.SIGTERM, "::1", id="IPv6", marks=pytest.mark.skipif(not has("::1"), reason="no IPv6")
        ),
    ],
)
def test_demo_serves_and_ends_cleanly(tmp_path, ending, host):
    log = tmp_path / "log"
    command = [sys.executable, "-m", "jdaviz_lrs.cli", "demo", str(tmp_path / "demo"), "--no-browser"]
    command += ["--host", host]  # without a token, as it leads nowhere else
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            url = wait_for_address(process, log)
            with urllib.request.urlopen(url, timeout=30) as page:
                assert page.status == 200
            process.send_signal(ending)
            assert process.wait(30) == 0
        finally:
            process.kill()
    said = log.read_text()
    assert "extracted" in said
    assert "Traceback" not in said
    assert (tmp_path / "demo" / "extracted.png").stat().st_size > 20_000
    assert np.isfinite(read_x1d(tmp_path / "demo" / "extracted_x1d.fits").flux).any()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def wait_for_address(process: subprocess.Popen, log: Path) -> str:
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://"):
                return word
        time.sleep(0.3)
    raise AssertionError(f"the demo printed no address:\n{log.read_text()}")


def test_demo_refuses_a_port_in_use(here):
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "scene", "--no-browser", "--port", str(port)]) == 2
    assert not Path("scene").exists()


# --- response ---


@pytest.fixture
def star(observation, here):
    """A star extracted by the command, and a model of it: the simulated scene."""
    box = [f"--override-apcorr={observation['apcorr']}", *each_set("extract_width=4", "use_source_posn=true")]
    assert main(["extract", str(observation["nod1_s2d"]), *box, "-o", "star_x1d.fits"]) == 0
    wavelength = np.linspace(4.5, 14.5, 5000)
    Table({"wavelength": wavelength, "flux": Scene().flux(wavelength)}, units=("um", "Jy")).write(
        "model.ecsv"
    )
    return Path("star_x1d.fits"), Path("model.ecsv"), box


def test_response_is_found_and_applied(observation, star, capsys):
    path, model, box = star
    mask = ["--mask", "5", "7", "--mask", "8", "13.4", "--range", "5", "13.5"]
    command = ["response", str(path), str(model), "-o", "r.ecsv"]
    assert main([*command, "--range", "5.5", "12"]) == 0
    said = capsys.readouterr().out
    assert "response   SIMULATED (model.ecsv), 5.5" in said
    assert "wrote      r.ecsv" in said
    calibrated = ["extract", str(observation["nod1_s2d"]), *box, "--response", "r.ecsv", "-o", "c_x1d.fits"]
    assert main(calibrated) == 0
    assert "calibrated with the response of SIMULATED" in capsys.readouterr().out
    spectrum = read_x1d("c_x1d.fits")
    ratio = spectrum.flux / Scene().flux(spectrum.wavelength)
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.003)
    assert np.isnan(ratio).sum() > 100
    assert main([*command, *mask, "--overwrite", "--apcorr", "a.fits", *box[:1]]) == 0
    assert fits.getheader("a.fits")["DATAMODL"] == "MirLrsApcorrModel"


def test_response_refuses_in_a_sentence(observation, star, refused):
    path, model, _ = star
    Path("old.ecsv").write_text("precious")
    for arguments, told in {
        (path, model, "-o", "r.fits"): "r.fits: let the name end with .ecsv",
        (path, model, "-o", "old.ecsv"): "exists already",
        (path, "absent.ecsv", "-o", "r.ecsv"): "there is no such file",
        (path, "engelke:1", "-o", "r.ecsv"): "engelke:KELVIN:JANSKY",
        (model, model, "-o", "r.ecsv"): "model.ecsv",
        (path, model, "-o", "r.ecsv", "--range", "4", "9"): "model.ecsv: it reaches from 4.5 to 14.5 um",
        (path, model, "-o", "r.ecsv", "--apcorr", "a.ecsv"): "a.ecsv: let the name end with .fits",
    }.items():
        assert told in refused("response", *arguments)


def test_a_response_of_other_parameters_writes_nothing(observation, star, refused, capsys):
    path, model, _ = star
    assert main(["response", str(path), str(model), "-o", "r.ecsv"]) == 0
    capsys.readouterr()
    said = refused("extract", observation["nod1_s2d"], "--set", "extract_width=8", "--response", "r.ecsv")
    assert "width 4 and 8" in said
    assert "absent.ecsv" in refused("extract", observation["nod1_s2d"], "--response", "absent.ecsv")


# --- figures, nods, the slit, progress ---


def test_a_figure_stands_beside_the_spectrum(observation, here, capsys):
    assert main(["extract", str(observation["nod1_s2d"]), "--figure", "seen.svg"]) == 0
    assert "wrote      seen.svg" in capsys.readouterr().out
    assert "flux (mJy)" in Path("seen.svg").read_text()
    assert output_name(observation["nod1_s2d"]).is_file()


def test_of_several_each_is_drawn(observation, here, capsys):
    paths = [str(observation[f"nod{nod}_s2d"]) for nod in (1, 2)]
    assert main(["extract", *paths, "--figure", "seen.png"]) == 0
    assert capsys.readouterr().err == ""  # no progress where nobody looks on
    roots = [output_name(path).name.removesuffix("_extract1dstep.fits") for path in paths]
    assert {path.name for path in here.glob("*.png")} == {f"{root}_seen.png" for root in roots}


def test_without_its_figure_no_spectrum_is_written(observation, refused, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    Path("old.png").write_text("precious")
    s2d = observation["nod1_s2d"]
    assert "seen.png: exists" not in refused("extract", s2d, "--figure", "nowhere/seen.png")
    assert "old.png: exists already" in refused("extract", s2d, "--figure", "old.png")
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    assert "No space left" in refused("extract", s2d, "--figure", "seen.png")
    monkeypatch.setattr("jdaviz_lrs.batch.files.extract", fail)
    assert "let the name end with one of them" in refused("extract", s2d, "--figure", "seen.jpg")


def test_nods_are_corrected_as_in_python(observation, here, refused, capsys):
    s2d = str(observation["nod1_s2d"])
    assert main(["extract", s2d, "--correct-nods", *each_set("extract_width=8"), "-o", "c_x1d.fits"]) == 0
    corrected = correct_nods(extract(s2d, extract_width=8))
    np.testing.assert_array_equal(read_x1d("c_x1d.fits").flux, corrected.flux)
    assert "Over-subtraction by other nods" in capsys.readouterr().out
    assert "not nod-subtracted" in refused("extract", observation["nod1_nobsub_s2d"], "--correct-nods")


def test_nods_are_extracted_jointly_as_in_python(observation, here, refused, capsys):
    nods = [str(observation[f"nod{n}_cal"]) for n in (1, 2)]
    psf = f"--override-psf={observation['psf']}"
    drawn = ["-o", "j_x1d.fits", "--figure", "j.png"]
    assert main(["extract", *nods, "--joint", psf, *each_set("use_source_posn=true"), *drawn]) == 0
    assert "Extracted jointly from 2 images" in capsys.readouterr().out
    joint = extract(nods, override_psf=observation["psf"], use_source_posn=True)
    np.testing.assert_array_equal(read_x1d("j_x1d.fits").flux, joint.flux)
    assert Path("j.png").stat().st_size > 1000
    for arguments, told in {
        (*nods, "--sky", "own"): "give --joint, too",
        (nods[0], "--joint"): "at least two images",
        (*nods, "--joint", "--sky", "shared", psf): "subtracted already",
        (*nods, "--joint", psf, "--set", "extraction_type=box"): "extraction_type = optimal",
        (*nods, "--joint", psf, "--correct-nods", "--set", "model_nod_pair=false"): "model_nod_pair to true",
        (nods[0], observation["nod2_s2d"], "--joint", psf): "rectified images cannot go",
    }.items():
        assert told in refused("extract", *arguments, "-o", "no_x1d.fits")
        assert not Path("no_x1d.fits").exists()


def test_an_extended_source_is_extracted_along_the_slit(observation, here, refused, capsys):
    s2d = str(observation["nod1_nobsub_s2d"])
    assert main(["along-slit", s2d, "--width", "9", "--start", "10", "--stop", "36"]) == 0
    assert "extracted  3 stretches of 9 px, 14.0 to 32.0" in capsys.readouterr().out
    (path,) = here.glob("*_along_slit.fits")
    np.testing.assert_allclose(fits.getdata(path), along_slit(s2d, 9, 10, 36).surf_bright, rtol=1e-6)
    assert "exists already" in refused("along-slit", s2d, "--width", "9")
    assert "is set by the stretches" in refused(
        "along-slit", s2d, "--width=9", "-oo.fits", "--set", "xstart=3"
    )
    assert "give the s2d file" in refused("along-slit", observation["nod1_cal"], "--width", "3", "-oo.fits")


def on_terminal(*arguments: str) -> str:
    """Return what the command writes to a terminal of its own as standard error."""
    end, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stderr, pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stderr", stderr)
        assert main([*arguments]) == 0
    with os.fdopen(end, "rb", buffering=0) as read:
        return read.read(100_000).decode()


def test_progress_is_shown_on_a_terminal(observation, here):
    paths = [str(observation[f"nod{nod}_s2d"]) for nod in (1, 2)]
    shown = on_terminal("extract", *paths)
    assert "(50.00%)" in shown
    assert shown.endswith("\x1b[K")  # nothing of it stays
    refined = each_set("extraction_type=optimal", 'refinements=["trace"]')
    assert "trace" in on_terminal("extract", paths[0], *refined, "-o", "r_x1d.fits")


def test_a_log_is_kept_if_asked_for(observation, here, capsys):
    assert main(["-v", "extract", *(str(observation[f"nod{nod}_s2d"]) for nod in (1, 2))]) == 0
    assert "jdaviz_lrs 1 of 2 extractions" in capsys.readouterr().err
    told = parser().parse_args(["combine", "a", "b", "-v"]), parser().parse_args(["combine", "a", "b"])
    assert [one.verbose for one in told] == [True, False]
