"""What all tests share: no network, quiet logs, the simulated observation and the shared scene."""

import logging
import os
import tempfile
from pathlib import Path

import pytest

# Before jwst is imported: no test asks a server for reference files.
os.environ["CRDS_PATH"] = tempfile.mkdtemp(prefix="crds-")
os.environ["CRDS_SERVER_URL"] = "https://crds.invalid"
os.environ.setdefault("MPLBACKEND", "Agg")
# The tests run side by side; small matrices on shared cores are ten times slower with several threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SHARED_SCENE = Path(__file__).parents[2] / "shared" / "data" / "scene"


@pytest.fixture(autouse=True)
def quiet_pipeline():
    """Keep the pipeline's log out of the reports; its warnings still show."""
    for name in ("stpipe", "jwst", "stdatamodels", "CRDS"):
        logging.getLogger(name).setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def shared_scene() -> Path:
    """Folder of the shared scene and the pipeline's extractions of it; skips where it is not at hand."""
    if not SHARED_SCENE.is_dir():
        pytest.skip("the shared scene is not beside the repository")
    return SHARED_SCENE


@pytest.fixture(scope="session")
def shared_field(shared_scene) -> Path:
    """Folder of inputs as people meet them; what is right for each is in the README beside it."""
    return shared_scene.parent / "field"


@pytest.fixture(scope="session")
def observation(tmp_path_factory) -> dict[str, Path]:
    """Files of one simulated observation, by what they are; read them, never write them."""
    from jdaviz_lrs.simulate import Scene, write_observation

    return write_observation(tmp_path_factory.mktemp("observation"), Scene())
