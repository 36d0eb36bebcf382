import os

import pytest

from jdaviz_lrs import LRSError
from jdaviz_lrs.products.files import output_path, whole_file


def write(path, text="new", **settings):
    with whole_file(path, **settings) as temporary:
        temporary.write_text(text)
        assert temporary.name == path.name
        assert temporary != path


def test_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_existing_file_stays_unless_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(LRSError, match=r"a\.txt: the file exists"):
        write(path)
    assert path.read_text() == "old"
    write(path, overwrite=True)
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, LRSError, KeyboardInterrupt])
def test_failure_leaves_nothing_new(tmp_path, error):
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("old")

    def stop_halfway(path):
        with whole_file(path, overwrite=True) as temporary:
            temporary.write_text("half")
            raise error("stop")

    for path in (old, new):
        with pytest.raises(error):
            stop_halfway(path)
    assert os.listdir(tmp_path) == ["old.txt"]
    assert old.read_text() == "old"


def test_failure_of_the_disk_is_told(tmp_path):
    with (
        pytest.raises(LRSError, match=r"a\.txt: cannot be written \(No space left"),
        whole_file(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_nothing_written_is_told(tmp_path):
    with pytest.raises(LRSError, match="cannot be written"), whole_file(tmp_path / "a.txt"):
        pass
    assert os.listdir(tmp_path) == []


def test_no_such_folder(tmp_path):
    with pytest.raises(LRSError, match="there is no folder"):
        write(tmp_path / "none" / "a.txt")


def test_folder_in_the_way(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(LRSError, match=r"a\.txt: the file exists"):
        write(tmp_path / "a.txt")
    with pytest.raises(LRSError, match="no regular file"):
        write(tmp_path / "a.txt", overwrite=True)
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("jw1_s2d.fits", "jw1_extract1dstep.fits"),
        ("a/jw1_mirimage_cal.fits.gz", "a/jw1_mirimage_extract1dstep.fits"),
        ("plain.fits", "plain_extract1dstep.fits"),
        ("my_data.fits", "my_data_extract1dstep.fits"),
    ],
)
def test_output_is_named_as_the_pipeline_names_it(given, output):
    assert str(output_path(given)) == output
