from dataclasses import replace

import pytest

from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.sections.verdict.section import NONE_YET
from tests.verdicts import FINE, WRONG


@pytest.fixture
def judged(monkeypatch, active):
    """The open panel, where an aperture moved by over 2 pixels is judged wrong."""
    extract = ExtractionPlan.extract

    def judging(plan, progress=None):
        beside = abs(plan.parameters.position_offset or 0) > 2
        return replace(extract(plan, progress), verdict=WRONG if beside else FINE)

    monkeypatch.setattr(ExtractionPlan, "extract", judging)
    active.extract_width = 7
    return active


def row(view, label):
    (found,) = [row for row in view.rows if row["label"] == label]
    return [(cell["value"], cell["error"], cell["passed"]) for cell in found["cells"]]


def test_it_follows_the_preview(judged):
    view = judged.sections["verdict"]
    assert (view.told, view.passed) == (True, False)
    assert view.summary.startswith("Agrees with the plain sum to 0.4 %")
    assert view.bands == ["5-8", "8-11", "11-13.5"]
    assert row(view, "flux / plain sum")[1] == ("0.999", "0.002", False)
    assert row(view, "trace") == [("+0.02 ± 0.01 px", "", False)]
    judged.position_offset = 6
    assert view.passed
    assert view.summary.startswith("5 beyond the limit")
    assert row(view, "light lost (%)")[2] == ("23.0", "", True)
    judged.position_offset = 0
    assert not view.passed


def test_the_same_rows_whatever_is_told(judged):
    view = judged.sections["verdict"]
    labels = [row["label"] for row in view.rows]
    judged.position_offset = 6
    assert [row["label"] for row in view.rows] == labels
    assert {row["span"] * max(len(row["cells"]), 1) for row in view.rows} == {3}


def test_there_is_none_without_a_spectrum(judged):
    view = judged.sections["verdict"]
    judged.xstart = 50
    assert judged.problem
    assert (view.told, view.passed, view.rows, view.summary) == (False, False, [], NONE_YET)
    judged.xstart = 27
    assert view.told
    judged.live_preview = False
    judged.extract_width = 6
    assert not view.told
    judged.extract()
    assert view.told


def test_it_belongs_to_its_dataset(loaded, judged, observation):
    assert judged.sections["verdict"].told
    loaded._app.data_item_remove(judged.dataset.selected)
    assert not judged.sections["verdict"].told


def test_a_script_gets_it_with_the_panel_closed(judged):
    judged.keep_active = False
    judged.position_offset = 6
    assert judged.extract(add_data=False).verdict is WRONG
    assert judged.sections["verdict"].passed
