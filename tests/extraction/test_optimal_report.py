"""What is told of a refinement beyond its numbers."""

from dataclasses import replace

import pytest

from jdaviz_lrs.engine.refine.run import refine
from jdaviz_lrs.extraction.optimal_report import describe_refinement
from tests.gaussian_slit import COLUMNS, FLUX, WIDTH, gaussian, observe, source_and_nod

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


@pytest.mark.parametrize(
    ("lacking", "shown", "told"),
    [(0.08, 0.0, True), (0.08, 0.08, False), (-0.08, 0.0, True), (0.02, 0.0, False)],
)
def test_references_that_contradict_each_other_are_told_where_the_data_do_not_decide(lacking, shown, told):
    """Data with the wings that the PSF lacks by the correction do decide."""
    frame = observe(SCENE)
    distance = COLUMNS - SCENE.traces[0][:, None]
    wings = gaussian(distance, 3.0 * WIDTH.mean()) - SCENE.grid.place(SCENE.traces[0]).value
    frame = replace(frame, data=frame.data + 2.0 * shown * FLUX[:, None] * wings)
    refined = refine(frame, SCENE, ("trace", "width"), enclosed=SCENE.enclosed_light - lacking)
    assert refined.enclosed.followed == "apcorr"
    _, notes = describe_refinement(refined, SCENE, ("trace", "width"), frame.good, combined=False)
    assert any("the flux may be off by as much" in note for note in notes) == told
