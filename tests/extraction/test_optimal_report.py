"""What is told of a refinement beyond its numbers."""

from dataclasses import replace

import pytest

from jdaviz_lrs.engine.refine.run import refine
from jdaviz_lrs.extraction.optimal_report import describe_refinement
from tests.gaussian_slit import FLUX, observe, source_and_nod

SCENE = source_and_nod()
EVERYTHING = ("trace", "width", "outliers", "companions")


@pytest.mark.parametrize(
    ("lacking", "ratio", "told"), [(0.08, 0.05, True), (0.08, 0.3, False), (0.0, 0.05, False)]
)
def test_neighbour_that_may_be_a_wing_is_told(lacking, ratio, told):
    """A faint one beside the source, of a PSF that the correction says to lack more light than that."""
    frame = observe(SCENE)
    light = ratio * FLUX[:, None] * SCENE.grid.place(SCENE.traces[0] + 5.0).value
    frame = replace(frame, data=frame.data + light)
    refined = refine(frame, SCENE, EVERYTHING, enclosed=SCENE.enclosed_light - lacking)
    assert len(refined.companions) == 1
    _, notes = describe_refinement(refined, SCENE, EVERYTHING, frame.good, combined=False)
    assert any("may be a wing that the PSF lacks" in note for note in notes) == told
