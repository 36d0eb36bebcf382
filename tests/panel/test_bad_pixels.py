"""Pixels that a box extraction leaves out, in the panel: outliers, and those marked by hand."""

from dataclasses import replace

import numpy as np
import pytest


@pytest.fixture
def hit(active, observation):
    """The panel with an image that has two cosmic rays in the aperture, and else nothing to advise on."""
    active.override_psf, active.override_apcorr = str(observation["psf"]), str(observation["apcorr"])
    image = active.image
    data = image.data.copy()
    at = np.round(active.state.layout.trace if active.state.layout.trace is not None else 31).astype(int)
    rows = np.array([120, 200])
    data[rows, np.broadcast_to(at, image.n_disp)[rows]] += 4000.0
    source = replace(active.state.source, image=replace(image, data=data))
    active.update(kept=(), plan=replace(active.state.plan, image=source.image), source=source)
    return active


def test_a_box_has_the_refinement_that_leaves_outliers_out(active):
    def choices():
        return next(field["choices"] for field in active.fields if field["name"] == "refinements")

    assert choices() == ["outliers"]
    active.extraction_type = "optimal"
    assert len(choices()) == 6


def test_cosmic_rays_in_a_box_are_told_left_out_and_shown(hit):
    (advice,) = hit.inspect()
    assert advice["refinement"] == "outliers"
    assert advice["sentence"].startswith("2 pixels")
    hit.vue_refine("outliers")
    assert hit.refinements == ["outliers"]
    assert hit.advice == []
    (mark,) = hit.marks.image["rejected"].marks_list
    assert mark.x.size == 2
    assert any("Light lost to bad pixels at 2 of" in note for note in hit.notes)
    hit.refinements = []
    assert hit.inspect()
    hit.extraction_type = "optimal"
    assert hit.advice == []


@pytest.fixture
def click(loaded, active):
    viewer = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    tool = viewer.toolbar.tools["lrs:badpixels"]
    tool.activate()

    def act(column, row):
        x = int(np.flatnonzero(active.state.source.display.rows == row)[0])
        where = {"x": x + 0.2, "y": float(active.state.source.display.y(column)) - 0.3}
        tool.on_mouse({"event": "click", "domain": where})

    act.tool = tool
    return act


def test_a_click_marks_a_pixel_and_another_takes_it_back(active, click):
    assert click.tool.is_visible()
    before = active.compute()
    click(31, 150)
    click(30, 151)
    assert active.bad_pixels == [[31, 150], [30, 151]]
    (mark,) = active.marks.image["bad"].marks_list
    x = np.flatnonzero(np.isin(active.state.source.display.rows, [150, 151]))
    np.testing.assert_array_equal(np.sort(mark.x), x)
    np.testing.assert_array_equal(np.sort(mark.y), active.state.source.display.y([30, 31]))
    after = active.compute()
    np.testing.assert_array_equal(np.flatnonzero(after.npixels < before.npixels), [150, 151])
    assert not active.state.plan.seen.good[150, 31]  # in the profile and the growth curve as well
    click(31, 150)
    click(200, 150)  # beside the image
    assert active.bad_pixels == [[30, 151]]
    click.tool.deactivate()


def test_a_click_changes_nothing_while_something_else_is_wrong(active, click):
    active.extract_width = -1
    click(31, 150)
    assert active.bad_pixels == []
    assert active.problem.startswith("extract_width")


def test_a_path_is_given_by_its_field_and_refused_for_a_rectified_image(active, tmp_path):
    path = tmp_path / "bad pixels.txt"
    path.write_text("# yi xi\n8 331\n")
    active.bad_pixels = str(path)
    assert active.problem.startswith("bad_pixels: bad pixels.txt lists pixels of the detector")
    active.bad_pixels = "[[31, 150]]"
    assert active.problem == ""
    assert active.parameters.bad_pixels == ((31, 150),)
    active.bad_pixels = "[[31, 1500]]"
    assert "is not on the image" in active.problem
    active.bad_pixels = ""
    assert active.problem == ""


def test_python_repeats_them(active):
    active.bad_pixels = [[31, 150]]
    assert "    bad_pixels=[[31, 150]],\n" in active.to_python()


def test_paths_in_python_begin_at_the_root(tmp_path, monkeypatch):
    from jdaviz_lrs import ExtractionParameters
    from jdaviz_lrs.panel.sections.saving.as_python import as_python

    monkeypatch.chdir(tmp_path)
    given = ExtractionParameters(bad_pixels=["bad.txt", (3, 4)])
    text = as_python([tmp_path / "a_cal.fits"], {}, given, ExtractionParameters())
    assert f"    bad_pixels=[{str(tmp_path / 'bad.txt')!r}, [3, 4]],\n" in text
