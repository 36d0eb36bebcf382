import shutil

import pytest

from jdaviz_lrs import read
from jdaviz_lrs.references.beside import references_beside
from jdaviz_lrs.simulate import Scene, simulate, to_model


@pytest.fixture(scope="module")
def folder(observation, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    shutil.copy(observation["nod1_s2d"], folder / "target_s2d.fits")
    return folder


def test_files_of_the_right_kind_are_found_beside_the_data(observation, folder):
    for kind, ending in (("extract1d", "json"), ("apcorr", "fits"), ("psf", "fits")):
        shutil.copy(observation[kind], folder / f"my_{kind}.{ending}")
    shutil.copy(observation["psf"], folder / "no_apcorr.fits")  # called otherwise than it is
    (folder / "cut_psf.fits").write_bytes(observation["psf"].read_bytes()[:3000])
    (folder / "empty_extract1d.json").write_text("{}")
    found = references_beside(read(folder / "target_s2d.fits"))
    names = {kind: [path.name for path in paths] for kind, paths in found.items()}
    assert names == {
        "extract1d": ["my_extract1d.json"],
        "apcorr": ["my_apcorr.fits"],
        "psf": ["my_psf.fits"],
    }


def test_data_without_a_file_have_none_beside_them():
    image = read(to_model(simulate(Scene(), "s2d")))
    assert references_beside(image) == {"extract1d": [], "apcorr": [], "psf": []}
