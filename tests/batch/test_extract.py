import gzip
import resource
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.batch.chunks import BOX_CHUNK, chunks_of
from jdaviz_lrs.batch.extract import extract_series
from jdaviz_lrs.batch.store import ChunkStore, extract_into
from jdaviz_lrs.data.flags import FLUX_ESTIMATED
from jdaviz_lrs.data.series import SERIES_COLUMNS
from jdaviz_lrs.products.series import read_series
from tests.slitless import write_segments

BACKGROUND = {"bkg_coeff": [[24.5], [29.5], [44.5], [49.5]], "bkg_fit": "mean"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_segments(tmp_path_factory.mktemp("slitless"), light=1e-3)


@pytest.fixture(scope="module")
def series(paths):
    return extract(paths, **BACKGROUND)


def assert_same(one, other):
    for name in SERIES_COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_series_is_what_the_stacks_in_memory_give(paths, series):
    assert_like_stacks(series, [extract(read(path), **BACKGROUND) for path in paths])


def test_a_few_integrations_are_looked_at_each_by_itself(tmp_path):
    """No median over time tells what sticks out of four."""
    paths = write_segments(tmp_path, (2, 2))
    with fits.open(paths[0], mode="update") as hdus:
        hdus["SCI"].data[1, 200, 37] += 3e4
    refined = {"refinements": ("outliers",)}
    series = extract(paths, **refined)
    assert_like_stacks(series, [extract(read(path), **refined) for path in paths])
    assert series.outliers[1] == series.outliers[0] + 1


def assert_like_stacks(ours, stacks):
    for name in SERIES_COLUMNS:
        theirs = np.concatenate([getattr(one, name) for one in stacks])
        np.testing.assert_allclose(getattr(ours, name), theirs, rtol=1e-12, atol=1e-15, err_msg=name)
    np.testing.assert_array_equal(ours.wavelength, stacks[0].wavelength)
    assert ours.verdict == ours.mean.verdict
    assert len(ours.inputs) >= 2


def test_chunks_of_any_size_give_the_same(paths, series):
    told = []
    small = extract(
        paths, chunk_size=3, done=lambda *done: told.append(done), save_residual_image=True, **BACKGROUND
    )
    assert_same(small, series)
    assert small.notes[-1] == "save_residual_image: no such images are made of a time series."
    assert told == [(3, 12), (6, 12), (7, 12), (10, 12), (12, 12)]


def test_no_chunk_lies_in_two_files(paths):
    segments = read_series(paths).segments
    chunks = chunks_of(segments, 4)
    assert [(c.path.name.split("-")[1][:6], c.first, c.stop, c.number, c.start) for c in chunks] == [
        ("seg001", 0, 4, 1, 0),
        ("seg001", 4, 7, 5, 4),
        ("seg002", 0, 4, 8, 7),
        ("seg002", 4, 5, 12, 11),
    ]
    for size in (0, 1.5, "many", True):
        with pytest.raises(LRSError, match="at least one integration"):
            chunks_of(segments, size)


def test_what_was_done_is_not_done_again(paths, series, tmp_path, monkeypatch):
    class CancelledError(Exception):
        pass

    def stop(done, total):
        if done > 5:
            raise CancelledError

    folder = tmp_path / "chunks"
    with pytest.raises(CancelledError):
        extract(paths, chunk_size=3, resume=folder, done=stop, **BACKGROUND)
    assert len([*folder.glob("*.npz")]) == 2
    did = []

    def watched(chunk, common):
        did.append(chunk.number)
        return extract_into(chunk, common)

    monkeypatch.setattr("jdaviz_lrs.batch.extract.extract_into", watched)
    again = extract(paths, chunk_size=3, resume=folder, **BACKGROUND)
    assert did == [7, 8, 11]
    assert_same(again, series)
    with pytest.raises(LRSError, match=r"chunks are of another extraction \(bkg_fit differs\)"):
        extract(paths, chunk_size=3, resume=folder, **BACKGROUND | {"bkg_fit": "median"})
    with pytest.raises(LRSError, match="it holds other files"):
        extract(paths, resume=paths[0].parent)


def test_damaged_finished_chunks_are_named(paths, tmp_path):
    folder = tmp_path / "chunks"
    extract(paths, chunk_size=6, resume=folder, **BACKGROUND)
    damaged = sorted(folder.glob("*.npz"))[1]
    for content in (b"", damaged.read_bytes()[:1000]):
        damaged.write_bytes(content)
        with pytest.raises(
            LRSError, match=rf"{damaged.name}: this finished chunk cannot be read .*remove it"
        ):
            extract(paths, chunk_size=6, resume=folder, **BACKGROUND)
    damaged.unlink()
    assert len(extract(paths, chunk_size=6, resume=folder, **BACKGROUND)) == 12
    for card in ("[1]", "{"):
        (folder / "series.json").write_text(card)
        with pytest.raises(LRSError, match="it cannot hold finished chunks"):
            extract(paths, chunk_size=6, resume=folder, **BACKGROUND)


@contextmanager
def files_of_at_most(size):
    """Let writing fail as on a full disk."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_leaves_nothing_half_written_and_the_finished_chunks(paths, series, tmp_path):
    folder, path = tmp_path / "chunks", tmp_path / "a_x1dints.fits"
    with (  # chunks of seven and five integrations have 380 and 272 kB
        files_of_at_most(400_000),
        pytest.raises(LRSError, match=r"a_x1dints.fits: cannot be written \(File too large\)"),
    ):
        extract(paths, resume=folder, **BACKGROUND).write(path)
    assert [one.name for one in tmp_path.iterdir()] == ["chunks"]
    assert len([*folder.glob("*.npz")]) == 2
    with files_of_at_most(10), pytest.raises(LRSError, match=r"series.json: cannot be written"):
        extract(paths, resume=tmp_path / "full", **BACKGROUND)
    with files_of_at_most(20_000), pytest.raises(LRSError, match=r"integrations_.*: cannot be written"):
        extract(paths, resume=tmp_path / "full", **BACKGROUND)
    again = extract(paths, resume=folder, **BACKGROUND)
    assert_same(again, series)
    assert len(fits.getdata(again.write(path), "EXTRACT1D")) == 12


def test_a_large_table_is_not_in_memory(paths, series, monkeypatch, tmp_path):
    monkeypatch.setattr("jdaviz_lrs.batch.store.IN_MEMORY", 1e4)
    again = extract(paths, chunk_size=4, **BACKGROUND)
    assert_same(again, series)
    folder = again.table._keep.name
    again.write(tmp_path / "a_x1dints.fits")
    flux = fits.getdata(tmp_path / "a_x1dints.fits", "EXTRACT1D")["FLUX"]
    np.testing.assert_array_equal(flux, series.flux)
    assert not again.table._columns[0].is_relative_to(paths[0].parent)
    again.table._keep.cleanup()
    assert not again.table._columns[0].parent.exists(), folder


def test_an_error_names_file_and_integrations(tmp_path):
    paths = write_segments(tmp_path, (4,))
    series = read_series(paths)
    with fits.open(paths[0], mode="update") as hdus:  # damaged since it was looked at
        hdus["VAR_RNOISE"].data[3, 100, 37] = -1.0
    with pytest.raises(LRSError, match=r"seg001.*, integrations 3 to 4: VAR_RNOISE is negative at 1 valid"):
        extract(series, chunk_size=2, **BACKGROUND)


def test_integrations_without_a_pixel_have_no_flux(tmp_path):
    paths = write_segments(tmp_path, (4,))
    with fits.open(paths[0], mode="update") as hdus:
        hdus["SCI"].data[2:] = np.nan
    series = extract(paths, chunk_size=2, **BACKGROUND)
    assert np.isnan(series.flux[2:]).all()
    assert (series.dq[2:] & 1).all()
    assert np.isfinite(series.flux[:2]).mean() > 0.95


def test_an_image_is_extracted_as_ever(paths):
    spectrum = extract(paths[1])
    assert spectrum.flux.shape == (5, 387)
    with pytest.raises(LRSError, match="resume can be given for time series alone"):
        extract(paths[1], resume="somewhere")


def test_store_of_nothing_knows_no_chunk(paths):
    chunks = chunks_of(read_series(paths).segments, BOX_CHUNK)
    store = ChunkStore(chunks, 387)
    assert chunks[0] not in store
    assert extract_series.__doc__


OPTIMAL = {"extraction_type": "optimal", "subtract_background": True, "bkg_order": 0}


@pytest.mark.parametrize("more", [{}, {"refinements": ("background",)}], ids=str)
def test_optimal_is_what_the_stack_in_memory_gives(paths, more):
    ours = extract(paths[1:], chunk_size=2, **OPTIMAL, **more)
    theirs = extract(read(paths[1]), **OPTIMAL, **more)
    for name in SERIES_COLUMNS:
        np.testing.assert_allclose(
            getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-15, err_msg=name
        )


def test_optimal_with_a_profile_refined_on_the_mean_scatters_as_told(tmp_path):
    paths = write_segments(tmp_path, (24,))
    series = extract(paths, extraction_type="optimal", refinements=("trace", "outliers", "variance"))
    expected = np.sqrt(series.flux_var_poisson + series.flux_var_rnoise).mean(axis=0)
    scatter = series.flux.std(axis=0, ddof=1)
    known = np.isfinite(scatter) & np.isfinite(expected)
    # the median, as a pixel that is bad once moves the flux there; of chi-square with 23 degrees
    # of freedom it is 0.971 of the mean, and 387 of these are known to 1.9 %
    ratio = np.median((scatter / expected)[known] ** 2) / 0.971
    assert ratio == pytest.approx(1.0, abs=0.06)
    assert series.report["segments"] == [paths[0].name]


def test_several_images_are_extracted_jointly(observation):
    """Two nods of one source, as files or read already, are no time series."""
    paths = [observation["nod1_cal"], observation["nod2_cal"]]
    spectrum = extract(paths, override_psf=observation["psf"], override_apcorr=observation["apcorr"])
    assert spectrum.flux.ndim == 1
    assert spectrum.parameters["extraction_type"] == "optimal"
    alone = extract(paths[0], override_psf=observation["psf"], extraction_type="optimal")
    # 1 / sqrt(2), and as much as the nods differ in their noise
    assert np.nanmedian(spectrum.flux_error / alone.flux_error) == pytest.approx(0.71, abs=0.05)
    with pytest.raises(LRSError, match="time series alone"):
        extract(paths[0], resume="somewhere")


def test_packed_images_are_no_series(observation, tmp_path):
    packed = [tmp_path / f"{name}.fits.gz" for name in ("nod1_s2d", "nod2_s2d")]
    for path in packed:
        path.write_bytes(gzip.compress(observation[path.name.removesuffix(".fits.gz")].read_bytes(), 1))
    assert extract(packed, override_psf=observation["psf"]).flux.ndim == 1


def test_what_single_integrations_lack_is_counted(series):
    flagged = int(((series.dq & FLUX_ESTIMATED) != 0).sum())
    assert flagged
    (note,) = [note for note in series.notes if "FLUX_ESTIMATED" in note and "all integrations" in note]
    assert note.startswith(f"Of the {series.dq.size} points of all integrations, {flagged} have")
