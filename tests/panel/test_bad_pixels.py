"""Pixels that a box extraction leaves out, in the panel: outliers, and those marked by hand."""

from dataclasses import replace

import numpy as np
import pytest


@pytest.fixture
def hit(active):
    """The panel with an image that has two cosmic rays in the aperture."""
    image = active.image
    data = image.data.copy()
    at = np.round(active._layout.trace if active._layout.trace is not None else 31).astype(int)
    rows = np.array([120, 200])
    data[rows, np.broadcast_to(at, image.n_disp)[rows]] += 4000.0
    active._input = replace(active._input, image=replace(image, data=data))
    active._results.clear()
    active.on_parameters()
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
    (mark,) = hit.marks._image["rejected"].marks_list
    assert mark.x.size == 2
    assert any("Light lost to bad pixels at 2 of" in note for note in hit.notes)
    hit.refinements = []
    assert hit.inspect()
    hit.extraction_type = "optimal"
    assert hit.advice == []
