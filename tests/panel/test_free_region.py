import numpy as np
import pytest

from jdaviz_lrs import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.free_region import add_free_region, free_region, lit_columns
from jdaviz_lrs.panel.layout import lay_out
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model

WIDTH = ExtractionParameters(extract_width=8.0, use_source_posn=True)


def seen(product="s2d", **scene):
    return from_datamodel(to_model(simulate(Scene(**scene), product)))


def regions(image, number, parameters=WIDTH):
    """The background regions after so many presses of the button, (number, 2) in the file's columns."""
    references = find_references(image, crds=False)
    for _ in range(number):
        layout = lay_out(ExtractionPlan(image, parameters, references))
        parameters = parameters.with_(add_free_region(image, parameters, layout))
    edges = lay_out(ExtractionPlan(image, parameters, references)).background_edges
    return np.nanmean(edges, axis=2)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_no_region_on_the_other_nod(product):
    image = seen(product)
    places = lay_out(ExtractionPlan(image, WIDTH, find_references(image, crds=False)))
    optimal = WIDTH.with_({"extraction_type": "optimal", "extract_width": None})
    nods = ExtractionPlan(image, optimal, find_references(image, crds=False)).traces.nods
    assert nods
    for lower, upper in regions(image, 2):
        for trace in (places.trace, *nods):
            assert not lower - 4 < np.nanmean(trace) < upper + 4


def test_light_that_the_header_does_not_know_is_found():
    alone, accompanied = seen(nod_subtracted=False), seen(nod_subtracted=False, companion_ratio=0.5)
    source = lit_columns(alone)
    assert len(source) == 1
    both = lit_columns(accompanied)
    assert sum(upper - lower for lower, upper in both) > source[0][1] - source[0][0]
    empty = seen(brightness=0.0, nod_subtracted=False)
    first, last = empty.xdisp_index[[0, -1]]
    assert all(
        upper < first + 4 or lower > last - 4 for lower, upper in lit_columns(empty)
    )  # the slit's ends


def test_beside_the_aperture_on_borders_of_pixels():
    assert free_region([(20.0, 28.0)], -0.5, 44.5) == (10.5, 16.5)
    assert free_region([(10.0, 18.0)], -0.5, 44.5) == (21.5, 27.5)
    assert free_region([(10.0, 18.0), (21.5, 27.5)], -0.5, 44.5) == (38.5, 44.5)


def test_no_room_is_told():
    with pytest.raises(LRSError, match="no room"):
        free_region([(2.0, 20.0), (23.0, 43.0)], -0.5, 44.5)
