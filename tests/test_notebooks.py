"""The worked examples run from top to bottom, and are kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for all, which saves their imports; it forgets names and app in between."""
    empty = nbformat.v4.new_notebook()
    folder = tmp_path_factory.mktemp("kernel")
    client = NotebookClient(empty, timeout=300, resources={"metadata": {"path": folder}})
    with client.setup_kernel():
        yield client.km


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow if path.stem == "07_refinements" else ())
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_runs(path, tmp_path, kernel):
    notebook = nbformat.read(path, as_version=4)
    anew = f"%reset -f\n%cd -q {tmp_path}\nimport jdaviz\njdaviz.new_app()\ndel jdaviz"
    start = nbformat.v4.new_code_cell(anew)
    notebook.cells.insert(0, start)
    NotebookClient(notebook, timeout=300, km=kernel).execute(cleanup_kc=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_has_no_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs"), "clear the outputs before you commit"
        assert cell.get("execution_count") is None
