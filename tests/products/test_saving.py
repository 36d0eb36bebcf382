import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, extract
from jdaviz_lrs.products.files import whole_files
from jdaviz_lrs.products.saving import write_products

IMAGES = {"save_profile": True, "save_scene_model": True, "save_residual_image": True}
NAMES = ["z_profile.fits", "z_residual.fits", "z_scene_model.fits", "z_x1d.fits"]


@pytest.fixture(scope="module")
def spectrum(observation):
    return extract(observation["nod1_s2d"], extract_width=8, use_source_posn=True, **IMAGES)


def text(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def write_all(names, folder, content="new", **settings):
    with whole_files([folder / name for name in names], **settings) as files:
        for file in files:
            file.write_text(content)


def test_all_files_of_an_extraction(spectrum, tmp_path):
    written = write_products(spectrum, tmp_path / "z_x1d.fits")
    assert sorted(path.name for path in written) == sorted(os.listdir(tmp_path)) == NAMES


@pytest.mark.parametrize("taken", NAMES)
def test_one_name_taken_keeps_all_from_being_written(spectrum, tmp_path, taken):
    (tmp_path / taken).write_text("old")
    with pytest.raises(LRSError, match=f"{taken}: the file exists"):
        write_products(spectrum, tmp_path / "z_x1d.fits")
    assert text(tmp_path) == {taken: "old"}


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_an_input_is_never_written_over(observation, tmp_path, link):
    there = tmp_path / "z_residual.fits"  # what the residual of z_x1d.fits is called
    if link is None:
        there.write_bytes(observation["nod1_s2d"].read_bytes())
        image = there
    else:
        image = tmp_path / "z_s2d.fits"
        image.write_bytes(observation["nod1_s2d"].read_bytes())
        link(image, there)
    before = image.read_bytes()
    one = extract(image, extract_width=8, use_source_posn=True, **IMAGES)
    with pytest.raises(LRSError, match=r"z_residual\.fits: this file is an input"):
        write_products(one, tmp_path / "z_x1d.fits", overwrite=True)
    assert image.read_bytes() == before
    assert not (tmp_path / "z_x1d.fits").exists()


def test_a_reference_is_never_written_over(observation, tmp_path):
    reference = tmp_path / "z_profile.fits"
    reference.write_bytes(observation["psf"].read_bytes())
    one = extract(observation["nod1_s2d"], extract_width=8, override_psf=reference, **IMAGES)
    with pytest.raises(LRSError, match=r"z_profile\.fits: this file is an input"):
        write_products(one, tmp_path / "z_x1d.fits", overwrite=True)
    with pytest.raises(LRSError, match=r"z_profile\.fits: this file is an input"):
        one.write(reference, overwrite=True)
    assert os.listdir(tmp_path) == ["z_profile.fits"]
    assert reference.read_bytes() == observation["psf"].read_bytes()


def test_a_failure_on_the_way_takes_all_back(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").write_text("old")
    replace = os.replace

    def fail_at_c(here, there):
        if Path(there).name == "c" and not str(here).endswith(".before"):
            raise OSError(28, "No space left on device")
        replace(here, there)

    monkeypatch.setattr(os, "replace", fail_at_c)
    with pytest.raises(LRSError, match="No space left"):
        write_all(["a", "b", "c"], tmp_path, overwrite=True)
    assert text(tmp_path) == {"a": "old", "c": "old"}


def test_of_two_writers_the_second_is_refused(tmp_path):
    def write_late():
        with whole_files([tmp_path / "a", tmp_path / "b"]) as files:
            for file in files:
                file.write_text("late")
            write_all(["b"], tmp_path, "early")

    with pytest.raises(LRSError, match="another process has written it"):
        write_late()
    assert text(tmp_path) == {"b": "early"}


def test_one_name_for_two_files(tmp_path):
    with pytest.raises(LRSError, match="two files would have this name"):
        write_all(["a", "./a"], tmp_path)


def test_links_are_replaced_not_followed(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "dangling").symlink_to("nowhere")
    write_all(["link", "dangling"], tmp_path, overwrite=True)
    assert text(tmp_path) == {"there": "old", "link": "new", "dangling": "new"}
    assert not (tmp_path / "link").is_symlink()


def test_what_is_no_file_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LRSError, match="no regular file"):
        write_all(["pipe"], tmp_path, overwrite=True)
    with pytest.raises(LRSError, match="no regular file"):
        write_all(["full"], Path("/dev"), overwrite=True)


@pytest.fixture
def full_after():
    """Let no file grow beyond some bytes, as on a disk that is full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("old", ["", "old"])
@pytest.mark.parametrize(("kilobytes", "alone"), [(0, True), (20, True), (20, False), (110, False)])
def test_a_full_disk(spectrum, tmp_path, full_after, kilobytes, alone, old):
    names = ["z_x1d.fits"] if alone else NAMES
    if old:
        for name in names:
            (tmp_path / name).write_text(old)
    save = spectrum.write if alone else partial(write_products, spectrum)
    full_after(1000 * kilobytes)
    with pytest.raises(LRSError, match=r"z_x1d\.fits: cannot be written \(.*\)\.") as raised:
        save(tmp_path / "z_x1d.fits", overwrite=True)
    assert "\n" not in str(raised.value)
    assert text(tmp_path) == (dict.fromkeys(names, old) if old else {})


def test_strays_are_swept(tmp_path):
    old, young, own = ".lrs-elsewhere-1-abcdefgh", ".lrs-elsewhere-2-abcdefgh", ".lrs-backup"
    for stray in (old, young, own):
        (tmp_path / stray).mkdir()
        (tmp_path / stray / "half").write_text("half")
    for stray in (old, own):
        os.utime(tmp_path / stray, (time.time() - 7200,) * 2)
    write_all(["a"], tmp_path)
    # one of another machine may be at work, and another is the user's
    assert sorted(os.listdir(tmp_path)) == sorted([young, own, "a"])


def kill(command, folder, ending, delay):
    """Run a command that saves four products over old ones, and kill it some time after it began to."""
    before = {*folder.glob(".lrs-*")}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, **silent) as process:
        end = time.monotonic() + 120
        while process.poll() is None and {*folder.glob(".lrs-*")} <= before and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(ending)
        return process.wait(60)


@pytest.mark.parametrize(
    "number", [2, pytest.param(200, marks=pytest.mark.slow)], ids=lambda number: f"{number} times"
)
def test_killed_while_it_saves(observation, tmp_path, number):
    s2d = tmp_path / "z_s2d.fits"
    s2d.write_bytes(observation["nod1_s2d"].read_bytes())
    psf = tmp_path / "psf.fits"
    psf.write_bytes(observation["psf"].read_bytes())
    inputs = {path: path.read_bytes() for path in (s2d, psf)}
    settings = [f"--set={name}=true" for name in IMAGES]
    command = [sys.executable, "-m", "jdaviz_lrs.cli", "extract", str(s2d), "-o", "z_x1d.fits", "--overwrite",
               "--override-psf", str(psf), *settings]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    for time_number in range(number):
        ending = (signal.SIGKILL, signal.SIGTERM)[time_number % 2]
        code = kill(command, tmp_path, ending, 0.4 * time_number / number)
        assert code in (0, -signal.SIGKILL, 128 + signal.SIGTERM)
        if code == 128 + signal.SIGTERM:
            assert not [*tmp_path.glob(".lrs-*-*-*")][1:]  # at most that of a process killed before
        for name in NAMES:
            with fits.open(tmp_path / name) as hdus:  # each whole, old or new
                assert all(hdu.data is not None for hdu in hdus[1:])
        assert all(path.read_bytes() == content for path, content in inputs.items())
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert sorted(os.listdir(tmp_path)) == sorted([*NAMES, "psf.fits", "z_s2d.fits"])
