"""The section Best width, in the kernel."""

import numpy as np
import pytest
from jdaviz import App

from jdaviz_lrs.analysis.taper import tapered_aperture
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.width import section as width_view
from jdaviz_lrs.parameters import ExtractionParameters


@pytest.fixture(scope="module")
def loaded(observation):
    """One app for all tests here, which takes seconds to make; `active` puts it back."""
    app = App()
    app.load(str(observation["nod1_s2d"]), data_label="nod 1")
    return app


@pytest.fixture
def active(panel):
    """The panel as it was at first, and drawing."""
    inner = panel._obj
    panel.keep_active = False
    inner.width_view.opened = None
    inner.width_view.wavelength_min, inner.width_view.wavelength_max = 5.0, 12.0
    panel.dataset.selected = "nod 1"
    inner.update(parameters=inner.state.references.parameters)
    panel.keep_active = True
    return inner


@pytest.fixture
def view(active):
    """The section, open in an active panel."""
    active.use_source_posn, active.extract_width = True, 8.0
    active.width_view.opened = 0
    return active.width_view


def line(view, name):
    mark = view.chart.marks[name]
    return (mark.x, mark.y) if mark.visible else None


def test_a_closed_section_measures_nothing(active, monkeypatch):
    monkeypatch.setattr(width_view, "measure_widths", lambda *a, **k: pytest.fail("measured"))
    active.extract_width = 5.0
    assert active.width_view.best_text == ""


def test_scripts_need_not_open_it(panel):
    panel.use_source_posn, panel.extract_width = True, 8.0
    growth = panel.width_view.growth()
    assert panel.width_view.best_width == pytest.approx(growth.best, abs=0.05)
    assert growth.good[0] <= growth.best <= growth.good[1]


def test_the_curves_and_the_words(view):
    growth = view.growth()
    np.testing.assert_array_equal(line(view, "measured"), (growth.widths, growth.measured))
    np.testing.assert_array_equal(line(view, "expected")[1], growth.expected)
    assert line(view, "expected_snr")[1].max() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_array_equal(line(view, "best")[0], [growth.best] * 2)
    assert line(view, "current")[0] == pytest.approx([8.0, 8.0])
    assert view.best_text.startswith(f"{growth.best:.1f} px: S/N ")
    assert view.current_text.startswith("8.0 px: S/N ")
    assert "94 % of the light" in view.current_text
    assert view.problem == view.note == ""
    assert view.usable


def test_one_click_takes_the_best_width(view, active):
    center = active.state.plan.placement.center
    best = view.best_width
    view.vue_use_best_width()
    assert active.extract_width == best
    np.testing.assert_array_equal(active.state.plan.placement.center, center)
    assert line(view, "current")[0] == pytest.approx([best, best])
    assert view.current_text.startswith(f"{best:.1f} px")


def test_the_centre_of_a_bent_aperture_is_kept(view, active):
    active.use_source_posn = False
    active.src_coeff = [[26.5, 0.001], [33.5, 0.001]]
    width = view.use_best_width()
    lower, upper = active.parameters.src_coeff
    assert upper[0] - lower[0] == pytest.approx(width)
    assert 0.5 * (upper[0] + lower[0]) == pytest.approx(30.0)
    assert lower[1] == upper[1] == pytest.approx(0.001)
    assert active.problem == ""


@pytest.mark.parametrize("by", [3.0, -3.0])
@pytest.mark.parametrize("place", ["source", "hand", "edges"])
def test_beside_the_trace_the_trace_is_taken(view, active, place, by):
    """The numbers are those on the source before it is taken, and after."""
    trace = active.state.plan.placement.center.copy()
    middle = round(float(np.nanmean(trace)), 2)
    active.bkg_coeff = [[19.5], [22.5], [38.5], [42.5]]
    best, snr = view.best_width, view.growth().best_snr
    regions = active.state.layout.background_edges.copy()
    if place == "source":
        active.position_offset = by
        active.bkg_coeff = [[edge[0] - by] for edge in active.parameters.bkg_coeff]
    else:
        active.use_source_posn = False
        if place == "hand":
            active.xstart, active.xstop = middle + by - 3.0, middle + by + 3.0
        else:
            active.src_coeff = [[middle + by - 4.0], [middle + by + 4.0]]
        active.bkg_coeff = np.nanmean(regions, axis=2).ravel()[:, None].tolist()
    assert f"The trace lies {-by:+.1f} px from the aperture's centre" in view.note
    assert view.current_text.endswith("if it were on the trace")
    assert view.best_width == pytest.approx(best, rel=0.05)
    assert view.growth().best_snr == pytest.approx(snr, rel=0.05)
    width = view.use_best_width()
    assert (active.problem, view.problem, view.note) == ("", "", "")
    lower, upper = active.state.layout.edges[0]
    np.testing.assert_allclose(np.nanmean(upper + lower) / 2, middle, atol=0.15)
    assert np.nanmean(upper - lower) == pytest.approx(width, abs=0.01)
    assert view.growth().best_snr == pytest.approx(snr, rel=0.05)
    np.testing.assert_allclose(
        np.nanmean(active.state.layout.background_edges - regions, axis=2), 0.0, atol=0.05
    )


@pytest.mark.parametrize("use_source_posn", [True, False])
def test_beside_the_trace_the_taper_is_about_the_trace(view, active, use_source_posn):
    trace = active.state.plan.placement.center.copy()
    view.multiple = 1.5
    if use_source_posn:
        active.position_offset = 3.0
    else:
        active.use_source_posn = False
        active.xstart = active.xstop = round(float(np.nanmean(trace)), 2) + 3.0
    view.vue_use_tapered_aperture()
    assert (active.problem, view.problem) == ("", "")
    assert "The trace lies -3.0 px from the aperture's centre" in view.note
    lower, upper = active.state.layout.edges[0]
    np.testing.assert_allclose(np.nanmean((upper + lower) / 2 - trace), 0.0, atol=0.15)


def test_where_nothing_is_there_it_says_so(view, active):
    active.position_offset = 13.0
    assert "No trace stands out of the noise within 9 px" in view.problem
    assert np.isnan(view.best_width)
    assert not view.usable
    view.vue_use_best_width()
    assert "No trace" in view.problem
    assert active.position_offset == 13.0


def test_several_regions_have_no_width(view, active):
    active.src_coeff = [[26.5], [30.0], [31.0], [33.5]]
    assert active.problem == ""
    assert not view.usable
    view.vue_use_best_width()
    assert "several regions" in view.problem


def test_a_changed_width_alone_is_not_measured_again(view, active, monkeypatch):
    monkeypatch.setattr(width_view, "measure_widths", lambda *a, **k: pytest.fail("measured"))
    active.extract_width = 5.0
    assert line(view, "current")[0] == pytest.approx([5.0, 5.0])


def test_the_background_counts(view, active):
    """Its error grows with the square of the width, so that narrower apertures are better."""
    before = view.growth()
    active.bkg_coeff = [[20.5], [23.5]]
    assert active.problem == ""
    assert view.growth().expected_snr[-1] < 0.8 * before.expected_snr[-1]
    assert view.best_width <= round(before.best, 1)


def test_the_wavelengths_that_count(view, panel):
    """The source is brighter in the blue; where its own photons make the noise, wider is better."""
    panel.width_view.wavelength_min = 9.0
    red = panel.width_view.best_width
    panel.width_view.wavelength_min, panel.width_view.wavelength_max = 5.0, 7.0
    assert panel.width_view.best_width > red
    panel.width_view.wavelength_min = 8.0
    assert view.problem == "No wavelength of the aperture lies between 8 and 7 um."
    assert line(view, "measured") is None
    assert not view.usable
    assert np.isnan(panel.width_view.best_width)
    with pytest.raises(LRSError, match="between 8 and 7"):
        panel.width_view.use_best_width()
    panel.width_view.wavelength_min = panel.width_view.wavelength_max = ""
    assert view.problem == ""


def test_optimal_extraction_has_no_width(view, active):
    active.extraction_type = "optimal"
    assert "no width" in view.problem
    assert view.chart.plot.legend == []
    assert line(view, "measured") is None
    active.extraction_type = "box"
    assert view.problem == ""


def test_sky_left_in_is_pointed_out(view, active, loaded, observation):
    loaded.load(str(observation["nod1_nobsub_s2d"]), data_label="with sky")
    active.dataset.selected = "with sky"
    active.use_source_posn = True
    assert "No background is subtracted" in view.note
    view.multiple = 1.5
    view.vue_use_tapered_aperture()
    assert active.src_coeff
    assert "No background is subtracted" in view.note
    active.src_coeff, active.extract_width = None, 8.0
    active.bkg_coeff = [[4.5], [10.5], [36.5], [41.5]]
    assert view.note == ""


def test_nothing_stale_is_left(view, active):
    def nothing():
        return line(view, "measured") is None and not view.best_text and not view.usable

    active.extract_width = -1
    assert nothing()
    active.extract_width = 6.0
    assert not nothing()
    active.keep_active = False
    assert nothing()
    active.keep_active = True
    view.opened = None
    assert nothing()


def test_without_data_there_is_no_best_width(app):
    panel = app.plugins["LRS Extraction"]
    assert np.isnan(panel.width_view.best_width)
    with pytest.raises(LRSError, match="Load a MIRI LRS spectrum"):
        panel.width_view.use_best_width()


def test_the_aperture_tapers_with_the_psf(view, active):
    parallel = active.state.layout.edges
    view.multiple = 1.5
    view.vue_use_tapered_aperture()
    assert (active.problem, view.problem) == ("", "")
    expected = tapered_aperture(1.5, image=active.image, psf=active.state.references.psf)
    assert active.parameters.src_coeff == ExtractionParameters(**expected).src_coeff
    ((lower, upper),) = active.state.layout.edges
    widths = (upper - lower)[np.isfinite(upper - lower)]
    assert np.ptp(widths) > 1 > np.ptp(parallel[0][1] - parallel[0][0])
    # about the source, as the parallel one was
    centre = np.nanmedian(upper + lower) - np.nanmedian(parallel[0][1] + parallel[0][0])
    assert abs(centre) < 0.1


@pytest.mark.parametrize("multiple", ["", 0.0, -1.0])
def test_a_multiple_that_cannot_be_meant(view, active, multiple):
    before = active.parameters
    view.multiple = multiple
    view.vue_use_tapered_aperture()
    assert "multiple" in view.problem
    assert active.parameters == before


def test_background_regions_stay_when_the_aperture_tapers(view, active):
    active.bkg_coeff = [[14.5], [18.5], [41.5], [44.5]]
    regions = active.state.layout.background_edges.copy()
    view.multiple = 1.5
    view.vue_use_tapered_aperture()
    assert (active.problem, view.problem) == ("", "")
    middle = np.nanmedian(active.state.layout.background_edges, axis=2)
    np.testing.assert_allclose(middle, np.nanmedian(regions, axis=2), atol=0.02)
    view.multiple = 3.0  # meets them
    before = active.parameters
    view.vue_use_tapered_aperture()
    assert "overlaps the aperture" in view.problem
    assert active.parameters == before
    active.src_coeff, active.independent_var = None, "pixel"
    active.bkg_coeff = [[10.0, 0.001], [15.0]]
    view.vue_use_tapered_aperture()
    assert "straight ones" in view.problem
