"""The state of the panel, and its sections one by one: no app is made here."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from specutils import Spectrum

from jdaviz_lrs import ExtractionParameters, LRSError, read
from jdaviz_lrs.extraction import layout
from jdaviz_lrs.extraction.advice import Advice
from jdaviz_lrs.panel.actions import ACTIONS
from jdaviz_lrs.panel.inputs import Choice
from jdaviz_lrs.panel.parameter_traits import ParameterTraits
from jdaviz_lrs.panel.plugin import LRSExtraction
from jdaviz_lrs.panel.sections.compare.reference import Reference
from jdaviz_lrs.panel.sections.compare.section import CompareSection
from jdaviz_lrs.panel.sections.history.record import Record
from jdaviz_lrs.panel.sections.history.section import HistorySection
from jdaviz_lrs.panel.sections.profile.section import ProfileSection
from jdaviz_lrs.panel.sections.saving.section import SavingSection
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.sections.width.section import WidthSection
from jdaviz_lrs.panel.state import NO_DATA, PanelState, next_state
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.panel.bare import BarePanel

REGIONS = [[6.5], [12.5], [36.5], [42.5]]


@pytest.fixture(scope="module")
def image():
    return read(to_model(simulate(Scene(nod_subtracted=False), "s2d")))


@pytest.fixture
def state(image):
    """A state with the image, and no section to show it."""
    return BarePanel(VerdictSection).take(image, extract_width=8.0, use_source_posn=True).state


def test_three_classes_of_ours_at_most_make_the_panel():
    ours = [one for one in LRSExtraction.__mro__ if one.__module__.startswith("jdaviz_lrs")]
    assert ParameterTraits in ours  # which is made by `type`, and tells its module all the same
    assert len(ours) <= 3


def test_every_action_is_told_of_in_the_panels_docstring():
    told = {*re.findall(r"`+(\w+)`", LRSExtraction.__doc__)}
    assert {*ACTIONS} <= told
    assert {"save_x1d", "export_extract1d", "history"} <= {*ACTIONS}


def test_without_a_dataset_values_are_only_kept():
    state = next_state(PanelState(), values={**PanelState().values, "extract_width": -1})
    assert (state.plan, state.problem) == (None, "")
    with pytest.raises(LRSError, match="Load a MIRI LRS"):
        _ = state.ready
    assert NO_DATA.endswith(".")


def test_a_changed_parameter_makes_another_plan_and_the_one_before_is_kept(state):
    assert state.shown
    narrow = next_state(state, values={**state.values, "extract_width": 6})
    assert narrow.plan.parameters.extract_width == 6
    assert (narrow.spectrum, narrow.shown, narrow.wants_spectrum) == (None, False, True)
    assert state.plan.parameters.extract_width == 8  # nothing is changed in place
    again = next_state(narrow, parameters=state.parameters)
    assert again.plan is state.plan


def test_what_is_wrong_takes_the_plan_away_and_says_why(state):
    wrong = next_state(state, values={**state.values, "extract_width": -1})
    assert wrong.problem.startswith("extract_width")
    assert (wrong.plan, wrong.layout, wrong.spectrum, wrong.drawn) == (None,) * 4
    outside = next_state(state, values={**state.values, "use_source_posn": False, "xstart": 60, "xstop": 70})
    assert outside.layout is None
    assert outside.problem
    assert not outside.wants_spectrum


def test_another_choice_forgets_the_dataset_and_remembers_what_was_set(state):
    none = next_state(state, choice=Choice())
    assert (none.source, none.plan, none.spectrum, none.kept, none.notes) == (None, None, None, (), ())
    found = next_state(none, found=(state.source, state.references, None))
    assert found.parameters == state.parameters


def test_advice_is_kept_until_it_is_answered_or_does_not_apply(state):
    advised = next_state(state, advice=(Advice("outliers", "2 pixels", {}),))
    assert next_state(advised, values={**state.values, "extract_width": 6}).advice == advised.advice
    assert next_state(advised, values={**state.values, "refinements": ["outliers"]}).advice == ()
    assert next_state(advised, values={**state.values, "extraction_type": "optimal"}).advice == ()


def test_a_closed_panel_wants_no_spectrum(state):
    closed = next_state(state, active=False)
    assert (closed.drawn, closed.preview, closed.shown, closed.wants_spectrum) == (None, None, False, False)
    assert closed.spectrum is state.spectrum
    assert next_state(closed, active=True).wants_spectrum


def test_everything_is_placed_once_for_a_changed_parameter(image, monkeypatch):
    """By the layout, the extraction, and the open sections together."""
    done = Counter()

    def counted(name, function):
        def count(*args, **keywords):
            done[name] += 1
            return function(*args, **keywords)

        return count

    for name in ("place", "box_background", "bad_pixel_mask"):
        monkeypatch.setattr(layout, name, counted(name, getattr(layout, name)))
    panel = BarePanel(ProfileSection)
    others = [section(panel, app=panel.app) for section in (WidthSection, VerdictSection, SavingSection)]
    for section in (panel.section, *others):
        section.opened = 0
    panel.take(image, extract_width=8.0, bkg_coeff=REGIONS, bad_pixels=[[30, 150]])
    done.clear()
    panel.update(values={**panel.state.values, "extract_width": 6})
    for section in others:
        section.show(panel.state)
    assert panel.state.spectrum.parameters["extract_width"] == 6
    assert done == {"place": 1, "box_background": 1, "bad_pixel_mask": 1}


def test_the_best_width_is_an_action_that_returns_changes(image):
    panel = BarePanel(WidthSection).take(image, extract_width=12.0, use_source_posn=True)
    section = panel.section
    section.opened = 0
    assert section.current_text.startswith("12.0 px")
    before = panel.state
    changes, width = section.widened()
    assert panel.state is before
    assert changes["parameters"] == ExtractionParameters(**before.values).with_({"extract_width": width})
    section.vue_use_best_width()
    assert panel.state.plan.parameters.extract_width == width
    assert section.current_text.startswith(f"{width:.1f} px")


def test_the_profile_follows_the_state(image):
    panel = BarePanel(ProfileSection).take(image, use_source_posn=True)
    section = panel.section
    section.opened = 0
    panel.update(values={**panel.state.values, "extract_width": 6})
    assert np.ptp(section.chart.marks["aperture"].x) == pytest.approx(6.0)
    panel.update(active=False)
    assert not section.chart.marks["aperture"].visible


def test_the_verdict_follows_the_state(image):
    panel = BarePanel(VerdictSection)
    assert not panel.section.told
    panel.take(image)
    assert panel.section.told
    panel.update(values={**panel.state.values, "extract_width": "wide"})
    assert not panel.section.told


def test_the_comparison_follows_the_state(image):
    panel = BarePanel(CompareSection).take(image, extract_width=8.0, use_source_posn=True)
    section, ours = panel.section, panel.state.spectrum.to_spectrum()
    fainter = Spectrum(spectral_axis=ours.spectral_axis, flux=ours.flux / 1.25)
    panel.app.data_collection["fainter"] = fainter
    assert section.reference_selected == "fainter"  # a spectrum from elsewhere opens the section
    assert section.opened == 0
    section.show(panel.state)
    assert [row["ratio"] for row in section.rows] == ["1.2500"] * len(section.rows)
    assert panel.state.compared_with.label == "fainter"
    panel.update(values={**panel.state.values, "extract_width": "wide"})
    assert section.rows == []
    assert "no spectrum" in section.problem


def test_no_number_is_a_zero_with_a_minus(image):
    panel = BarePanel(CompareSection).take(image, extract_width=8.0, use_source_posn=True)
    ours = panel.state.spectrum.to_spectrum()
    panel.app.data_collection["same"] = Spectrum(
        spectral_axis=ours.spectral_axis, flux=ours.flux * (1 + 1e-9), uncertainty=ours.uncertainty
    )
    panel.section.show(panel.state)
    assert [row["sigma"] for row in panel.section.rows] == ["0.00"] * len(panel.section.rows)

    history = BarePanel(HistorySection).take(image, extract_width=8.0, use_source_posn=True)
    record = Record.of(history.state.spectrum, "one", "bare", {})
    brighter = replace(record.curve, flux=record.curve.flux * (1 + 1e-9))
    history.update(compared_with=Reference("same", brighter, ((5.0, 8.0),)))
    history.update(**history.section.with_record(record))
    assert history.section.table.items[0]["bias (%)"] == "0.00"


def test_the_history_follows_the_state(image):
    panel = BarePanel(HistorySection).take(image, extract_width=8.0, use_source_posn=True)
    section = panel.section
    records = [Record.of(panel.state.spectrum, label, "bare", {}) for label in ("first", "second")]
    for record in records:
        panel.update(**section.with_record(record))
    assert [row["label"] for row in section.table.items] == ["first", "second"]
    again = Record.of(panel.state.spectrum, "first", "bare", {})
    assert section.with_record(again) == {"records": (again, records[1])}
    assert section.record("second") is records[1]
    with pytest.raises(LRSError, match="first, second"):
        section.record("third")
    panel.update(records=())
    assert section.table.items == []


def test_a_chart_draws_along_its_own_axes(image):
    panel = BarePanel(ProfileSection).take(image, use_source_posn=True)
    panel.section.opened = 0
    panel.section.show(panel.state)
    axes = panel.section.chart.plot.viewer.scales
    for name, mark in panel.section.chart.marks.items():
        assert mark.scales["x"] is axes["x"], name
        upright = (mark.scales["y"].min, mark.scales["y"].max) == (0.0, 1.0)
        assert upright or mark.scales["y"] is axes["y"], name
    assert panel.section.chart.marks["data"].scales["y"] is axes["y"]
