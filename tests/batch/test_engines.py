"""Work on the workers of dask, in processes of their own."""

import os
import pickle
import signal
import socket

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, extract
from jdaviz_lrs.batch.chunks import OPTIMAL_CHUNK, chunks_of, extract_chunk
from jdaviz_lrs.batch.engines import client_of, results, workers
from jdaviz_lrs.batch.store import ChunkStore, extract_into
from jdaviz_lrs.data.series import DRIFT_COLUMNS, SERIES_COLUMNS
from jdaviz_lrs.extraction.extract import plan_of
from jdaviz_lrs.extraction.series import plan_series
from jdaviz_lrs.products.series import read_series
from tests.slitless import write_segments

LocalCluster = pytest.importorskip("distributed").LocalCluster


@pytest.fixture(scope="module")
def client():
    with workers(2) as engine:
        yield engine


def wait_and_tell(item, common):
    import time

    time.sleep(0.1)
    return item * common, os.getpid()


def kill_once(item, folder):
    """End the worker that comes first."""
    flag = folder / "killed"
    if item == 3 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item + 1


def extract_or_die(chunk, common):
    """Extract, but end the worker that comes to a chunk in the middle first."""
    flag = chunk.path.with_name("killed")
    if chunk.start == 4 and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return extract_into(chunk, common)


def extract_elsewhere(chunk, common):
    """Extract as a worker does on a machine that has another folder of that name."""
    plan, witness = common
    return extract_into(chunk, (plan, witness.with_name("not here")))


def lack(item, common):
    raise ModuleNotFoundError("No module named 'jdaviz_lrs'")


def refuse(item, common):
    raise LRSError(f"{item}: {common}.")


def test_two_workers_give_the_same_to_the_last_bit(client, tmp_path):
    paths = write_segments(tmp_path, (4, 3))
    told = []
    here = extract(paths, chunk_size=2)
    there = extract(paths, chunk_size=2, client=client, done=lambda *done: told.append(done))
    address = extract(paths, chunk_size=2, client=client.scheduler.address)
    for name in (*SERIES_COLUMNS, *DRIFT_COLUMNS):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)
        np.testing.assert_array_equal(getattr(address, name), getattr(here, name), err_msg=name)
    assert told[-1] == (7, 7)
    assert there.verdict == here.verdict


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_two_workers_find_the_same_outliers(client, tmp_path, kind):
    """What sticks out is told by integrations of other chunks, and of the other file."""
    paths = write_segments(tmp_path, (6, 4), light=1e-3)
    with fits.open(paths[0], mode="update") as hdus:
        hdus["SCI"].data[5, 100:110, 38] += 3e4
    parameters = {"extraction_type": kind, "refinements": ("outliers",)}
    here = extract(paths, **parameters)
    there = extract(paths, chunk_size=3, client=client, **parameters)
    for name in (*SERIES_COLUMNS, *DRIFT_COLUMNS):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)
    # 17,000 pixels of 10 integrations have one beyond 5 sigma by chance in ten such series
    assert here.outliers[5] - np.median(here.outliers) == pytest.approx(10, abs=1)


def test_work_is_divided(client):
    found = dict(results(wait_and_tell, range(10), 10, client))
    assert {item: value for item, (value, _) in found.items()} == {item: 10 * item for item in range(10)}
    assert len({process for _, process in found.values()}) == 2


def test_the_chunk_of_a_lost_worker_is_done_again(client, tmp_path):
    assert dict(results(kill_once, [1, 2, 3, 4], tmp_path, client)) == {1: 2, 2: 3, 3: 4, 4: 5}
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize("resume", [None, "chunks"])
def test_a_worker_killed_in_the_middle_of_a_series_changes_nothing(client, tmp_path, monkeypatch, resume):
    paths = write_segments(tmp_path, (4, 3))
    here = extract(paths, chunk_size=1)
    monkeypatch.setattr("jdaviz_lrs.batch.extract.extract_into", extract_or_die)
    there = extract(paths, chunk_size=1, client=client, resume=resume and tmp_path / resume)
    assert (tmp_path / "killed").exists()
    for name in (*SERIES_COLUMNS, *DRIFT_COLUMNS):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)


@pytest.mark.parametrize("function", [extract_into, extract_elsewhere], ids=["here", "elsewhere"])
def test_workers_store_what_they_did_where_the_folder_is_the_same(client, tmp_path, monkeypatch, function):
    paths = write_segments(tmp_path, (4, 3))
    here = extract(paths, chunk_size=2)
    sent = []

    def keep(store, chunk, columns):
        sent.append(chunk)
        original(store, chunk, columns)

    original = ChunkStore.__setitem__
    monkeypatch.setattr(ChunkStore, "__setitem__", keep)
    monkeypatch.setattr("jdaviz_lrs.batch.extract.extract_into", function)
    there = extract(paths, chunk_size=2, client=client, resume=tmp_path / "chunks")
    assert len(sent) == (0 if function is extract_into else 4)
    assert sorted(path.suffix for path in (tmp_path / "chunks").iterdir()) == [".json", *4 * [".npz"]]
    for name in (*SERIES_COLUMNS, *DRIFT_COLUMNS):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_little_moves_between_processes(tmp_path, kind):
    """Paths and the plan go, columns come: no image, and less than the file's 719 kB an integration."""
    series = read_series(write_segments(tmp_path, (6, 4)))
    keywords = {"extraction_type": kind, "refinements": ("outliers",)}
    overrides = dict.fromkeys(("extract1d", "apcorr", "psf"))
    how, _ = plan_series(plan_of(series.image, None, None, overrides, None, keywords), series.number)
    chunk, _ = chunks_of(series.segments, OPTIMAL_CHUNK, how.halo)
    assert len(pickle.dumps(extract_chunk(chunk, how))) < 60e3 * chunk.size
    assert len(pickle.dumps(chunk)) < 2e3
    assert len(pickle.dumps(how)) < 10e6  # once a worker


def test_workers_without_the_package_are_told_of(client):
    with pytest.raises(LRSError, match=r"the workers lack a package .*install jdaviz-lrs where they run"):
        [*results(lack, [1], None, client)]


def test_an_error_comes_back_as_it_is(client):
    with pytest.raises(LRSError, match=r"^1: not so\.$"):
        [*results(refuse, [1], "not so", client)]


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr("jdaviz_lrs.batch.engines.ANSWER", "1s")
    with pytest.raises(LRSError, match="the scheduler does not answer"), client_of("tcp://127.0.0.1:1"):
        pass
    with pytest.raises(LRSError, match="at least one"), workers(0):
        pass
    with pytest.raises(LRSError, match="give a dask client, or the address"), client_of(7):
        pass
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LRSError, match="the scheduler does not answer"), client_of(address):
            pass


def test_a_scheduler_without_workers(monkeypatch):
    monkeypatch.setattr("jdaviz_lrs.batch.engines.ANSWER", "1s")
    with (
        LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1") as cluster,
        pytest.raises(LRSError, match="the scheduler has no workers; start some"),
        client_of(cluster.scheduler_address),
    ):
        pass
