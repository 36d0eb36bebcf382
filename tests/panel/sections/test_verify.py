import asyncio

import pytest

from jdaviz_lrs import LRSError, verify
from jdaviz_lrs.panel.sections.verify import section as module
from jdaviz_lrs.panel.sections.verify.section import CANCELLED, VerifySection
from jdaviz_lrs.products.read import read
from tests.panel.bare import BarePanel
from tests.panel.test_reference_search import until


@pytest.fixture(scope="module")
def image(observation):
    return read(observation["nod1_s2d"])


@pytest.fixture(scope="module")
def found(image):
    """What the pipeline gives for the width 7."""
    return verify(image, extract_width=7, use_source_posn=True)


@pytest.fixture
def section(image):
    panel = BarePanel(VerifySection)
    panel.take(image, extract_width=7, use_source_posn=True)
    return panel.section


@pytest.fixture
def quick(monkeypatch, found):
    """The parameters of each verification; the pipeline is not run again."""
    asked = []

    def known(image, progress=None, **parameters):
        asked.append(parameters)
        return found

    monkeypatch.setattr(module, "verify", known)
    return asked


def test_it_is_asked_for_with_the_parameters_in_the_panel(section, quick):
    assert section.possible
    section.vue_verify()
    assert quick[0]["extract_width"] == 7
    assert quick[0]["override_psf"] is None
    assert section.equal
    assert section.sentence.startswith("jw")
    assert {row["name"] for row in section.rows} >= {"flux", "background"}
    assert all(float(row["compatible"]) < 1e-6 for row in section.rows)


def test_another_parameter_makes_it_stale(section, quick):
    section.verify()
    assert not section.stale
    state = section.panel.state
    section.panel.update(parameters=state.parameters.with_({"extract_width": 6}))
    assert section.stale
    section.panel.update(parameters=state.parameters.with_({"pipeline_compatible": True}))
    assert not section.stale


def test_the_report_is_saved(section, quick, found, tmp_path):
    with pytest.raises(LRSError, match="Nothing was verified"):
        section.save(tmp_path / "report.md")
    section.verify()
    path = section.save(tmp_path / "report.md")
    assert path.read_text() == found.markdown()
    with pytest.raises(LRSError, match="the file exists"):
        section.save(path)


def test_the_browser_goes_on_and_can_cancel(section, monkeypatch):
    def forever(image, progress=None, **parameters):
        progress("The pipeline extracts")
        while True:
            progress("still")

    monkeypatch.setattr(module, "verify", forever)

    async def scenario():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(module, "browser_loop", lambda: loop)
        section.vue_verify()
        await until(lambda: section.work_line == "still")
        section.vue_verify()  # is not heard
        section.vue_cancel()
        assert section.work_line == ""
        assert section.problem == CANCELLED

    asyncio.run(scenario())


def test_a_failure_is_told(section, monkeypatch):
    def fails(*_, **__):
        raise LRSError("The pipeline is not installed.")

    monkeypatch.setattr(module, "verify", fails)
    section.vue_verify()
    assert section.problem == "The pipeline is not installed."
    assert not section.sentence
