"""What is handed to others: the wheel, the source, the citation, the address of the documentation."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import jdaviz_lrs
from jdaviz_lrs.panel import documentation
from jdaviz_lrs.panel.documentation import PAGES, page

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_is_of_this_version():
    cited = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", cited, re.M)[1] == PROJECT["version"] == jdaviz_lrs.__version__
    assert re.search(r"^license: (.+)$", cited, re.M)[1] == PROJECT["license"]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", PAGES)
def test_the_panel_leads_to_the_documentation(name, monkeypatch):
    repository = PROJECT["urls"]["Documentation"].partition("#")[0]
    link = page(name)
    assert link.startswith(f"{repository}/blob/v{PROJECT['version']}/")
    path, _, anchor = link.partition(f"/v{PROJECT['version']}/")[2].partition("#")
    assert anchor in {"", *anchors((ROOT / path).read_text())}
    assert (ROOT / "docs" / f"{name}.md").exists()  # where the site is
    site = Message()
    site["Project-URL"] = "Documentation, https://lrs.example.org/"
    monkeypatch.setattr(documentation, "metadata", lambda _: site)
    assert page(name) == f"https://lrs.example.org/{name}.html"


def run(folder: Path, *command: str | Path, **settings: str) -> str:
    """Run a command in a folder, where nothing of this project is found by being beside it."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=os.environ | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_clean_environment_accepts_wheel_and_source(tmp_path):
    run(tmp_path, sys.executable, "-m", "build", "--outdir", tmp_path / "dist", ROOT)
    (wheel,), (source,) = ([*(tmp_path / "dist").glob(ending)] for ending in ("*.whl", "*.tar.gz"))
    assert (
        run(tmp_path, sys.executable, "-m", "twine", "check", "--strict", wheel, source).count("PASSED") == 2
    )
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "jdaviz_lrs").rglob("*.[pv]*[ye]")}
    assert ours <= {*zipfile.ZipFile(wheel).namelist()}
    with tarfile.open(source) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert ours | {"README.md", "CITATION.cff", "docs/conf.py", "tests/conftest.py"} <= names

    # the dependencies are those of this environment: PYTHONPATH shows them, but not what is editable in it
    clean = tmp_path / "clean"
    run(tmp_path, sys.executable, "-m", "venv", clean)
    python, beside = clean / "bin" / "python", {"PYTHONPATH": sysconfig.get_path("purelib")}
    run(tmp_path, python, "-m", "pip", "install", "--quiet", "--no-deps", wheel)
    told = run(tmp_path, python, "-c", "import jdaviz_lrs; print(jdaviz_lrs.__file__)", **beside)
    assert Path(told.strip()).is_relative_to(clean)
    assert PROJECT["version"] in run(tmp_path, clean / "bin" / "jdaviz-lrs", "--version", **beside)
    code = "import jdaviz; print('LRS Extraction' in jdaviz.new_app().plugins)"
    assert run(tmp_path, python, "-c", code, **beside).splitlines()[-1] == "True"
