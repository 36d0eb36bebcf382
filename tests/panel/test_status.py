"""What stands at the foot of the panel, and what its fields say of themselves: no app is made here."""

import pytest

from jdaviz_lrs import read
from jdaviz_lrs.panel.fields import chosen_by, describe
from jdaviz_lrs.panel.inputs import Choice
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.state import PanelState, next_state
from jdaviz_lrs.panel.status import status_of
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.panel.bare import BarePanel


@pytest.fixture(scope="module")
def start():
    """The state of a panel with an image, extracted."""
    image = read(to_model(simulate(Scene(nod_subtracted=False), "s2d")))
    return BarePanel(VerdictSection).take(image, extract_width=8.0, use_source_posn=True).state


def put(state, **values):
    return next_state(state, values={**state.values, **values})


def shown(state) -> dict:
    fields = describe(state.values, chosen_by(state.plan, state.layout))
    return {field["name"]: field for field in fields if field["shown"]}


def test_what_is_extracted_in_a_sentence(start):
    done = status_of(start)
    assert done.kind == "done"
    assert done.text.startswith("Box, 8 px about column ")
    assert "Median S/N" in done.text
    regions = status_of(put(start, bkg_coeff=[[6.5], [12.5]]))
    assert (regions.kind, "background: order 0, 1 region" in regions.text) == ("waiting", True)
    optimal = put(start, extraction_type="optimal")
    assert status_of(optimal).text.startswith("Optimal, column ")
    assert status_of(next_state(put(start, extract_width=7.0), live=False)).text.endswith("press Extract.")
    assert status_of(PanelState()).text == ""


def test_what_is_wrong_and_in_which_field(start):
    wrong = status_of(put(start, extract_width=-1))
    assert (wrong.kind, wrong.place) == ("problem", "extract_width")
    given = next_state(start, choice=Choice(start.source.data, "bare", {"override_psf": "a/no.fits"}))
    missing = status_of(next_state(given, problem="a/no.fits: no such file; give another path."))
    assert (missing.kind, missing.place) == ("problem", "override_psf")
    assert status_of(next_state(given, problem="The aperture is elsewhere.")).place == ""


def test_automatic_says_what_it_comes_to(start):
    left = shown(put(start, use_source_posn=None, subtract_background=None))
    assert left["use_source_posn"]["automatic"] == "Automatic: on"  # a point source
    assert left["subtract_background"]["automatic"] == "Automatic: off"
    given = shown(put(start, bkg_coeff=[[6.5], [12.5]]))
    assert given["subtract_background"]["automatic"] == "Automatic: on"
    assert given["use_source_posn"]["automatic"] == "Automatic"  # it is not left to the data


def test_start_and_stop_are_absent_where_they_say_nothing(start):
    assert not {"xstart", "xstop"} & {*shown(start)}
    assert not {"xstart", "xstop"} & {*shown(put(start, use_source_posn=None))}
    assert {"xstart", "xstop"} <= {*shown(put(start, use_source_posn=False))}
    assert {"xstart", "xstop"} <= {*shown(put(start, extract_width=None))}
    # the regions are given from where start and stop have the source
    assert {"xstart", "xstop"} <= {*shown(put(start, bkg_coeff=[[6.5], [12.5]]))}
