import pytest

from jdaviz_lrs import extract
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.grip import Grip, borders, grip_at, moved, snapped, whole
from jdaviz_lrs.panel.layout import as_fitted, lay_out
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model

ROW = 150


@pytest.fixture(scope="module")
def image():
    return from_datamodel(to_model(simulate(Scene(), "s2d")))


def laid_out(image, **given):
    parameters = ExtractionParameters(**given)
    return parameters, lay_out(ExtractionPlan(image, parameters, find_references(image, crds=False)))


COLUMNS = {"xstart": 27, "xstop": 33, "use_source_posn": False}
SOURCE = {"use_source_posn": True}
ABOUT = SOURCE | {"src_coeff": [[-4.0], [4.0]]}
WHOLE, LOWER, UPPER = Grip("aperture"), Grip("aperture", 0, 0), Grip("aperture", 0, 1)
REGION = {"bkg_coeff": [[4.0], [10.5]]}


@pytest.mark.parametrize(
    ("given", "grip", "by", "expected"),
    [
        (COLUMNS, UPPER, 1.3, {"xstop": 34}),
        (COLUMNS, LOWER, 0.7, {"xstart": 28}),
        (COLUMNS, WHOLE, 1.4, {"xstart": 28, "xstop": 34}),
        (COLUMNS | {"xstart": 26.6, "xstop": 32.6}, WHOLE, 1.0, {"xstart": 28, "xstop": 34}),
        (COLUMNS | {"extract_width": 7}, UPPER, 1.2, {"extract_width": 8, "xstart": 27.5, "xstop": 33.5}),
        (COLUMNS | {"extract_width": 7}, LOWER, -1.2, {"extract_width": 8, "xstart": 26.5, "xstop": 32.5}),
        (COLUMNS | {"extract_width": 7}, WHOLE, 0.8, {"xstart": 28, "xstop": 34}),
        (COLUMNS | {"extract_width": 8}, WHOLE, 0.8, {"xstart": 27.5, "xstop": 33.5}),
        (COLUMNS | {"src_coeff": [[26.0], [34.5]]}, UPPER, 0.8, {"src_coeff": ((26.0,), (35.5,))}),
        (COLUMNS | {"src_coeff": [[26.0], [34.5]]}, LOWER, 0.8, {"src_coeff": ((26.5,), (34.5,))}),
        (COLUMNS | {"src_coeff": [[26.2, 0.002], [36]]}, LOWER, 0.8, {"src_coeff": ((27.2, 0.002), (36.0,))}),
        (COLUMNS | REGION, Grip("background", 0, 0), 0.8, {"bkg_coeff": ((4.5,), (10.5,))}),
        (COLUMNS | REGION, Grip("background"), -0.8, {"bkg_coeff": ((3.5,), (10.0,))}),
        (SOURCE | {"extract_width": 8}, UPPER, 1.2, {"extract_width": 9, "position_offset": 0.5}),
        (SOURCE | {"extract_width": 8}, WHOLE, 0.8, {"position_offset": 1.0}),
        (ABOUT, UPPER, 1.2, {"src_coeff": ((-4.5,), (4.5,)), "position_offset": 0.5}),
        (ABOUT, WHOLE, 0.7, {"position_offset": 0.5}),
        ({"extraction_type": "optimal"}, Grip("trace"), 1.2, {"position_offset": 1.0}),
        ({"extraction_type": "optimal", "sources": [7.2]}, Grip("source"), 0.7, {"sources": (8.0,)}),
    ],
)  # fmt: skip
def test_a_movement_comes_to_whole_or_half_pixels(image, given, grip, by, expected):
    parameters, layout = laid_out(image, **given)
    by = snapped(image, parameters, layout, grip, by)
    after = parameters.with_(moved(image, parameters, layout, grip, by))
    assert {name: getattr(after, name) for name in expected} == expected


def test_where_it_began_is_as_good_a_place(image):
    parameters, layout = laid_out(image, **COLUMNS | {"xstop": 33.3})
    assert snapped(image, parameters, layout, UPPER, 0.2) == 0.0
    assert snapped(image, parameters, layout, UPPER, 0.5) == pytest.approx(0.7)


def test_new_regions_come_to_borders_of_pixels(image):
    _, layout = laid_out(image, **COLUMNS)
    assert borders(layout, 4.3, 10.9) == (4.5, 10.5)


def test_what_lies_where(image):
    _, layout = laid_out(image, **COLUMNS | REGION)
    found = [grip_at(layout, column, ROW, 1.1) for column in (33.5, 30.0, 4.0, 7.0, 18.0)]
    assert found == [UPPER, WHOLE, Grip("background", 0, 0), Grip("background"), None]
    assert [grip and grip.cursor for grip in found] == ["ns-resize", "grab", "ns-resize", "grab", None]
    assert [[line[ROW] for line in grip.lines(layout)] for grip in found[:2]] == [[33.5], [26.5, 33.5]]
    assert Grip("background", 1).lines(layout) == Grip("trace").lines(layout) == []
    assert whole(layout) == WHOLE


def test_traces_and_sources(image):
    _, layout = laid_out(image, extraction_type="optimal", sources=[7.0])
    trace = layout.trace[ROW]
    found = [grip_at(layout, trace + by, ROW, 1.1) for by in (0.5, 6.0, 3.5)]
    assert found == [Grip("trace"), Grip("source"), None]
    assert [grip.lines(layout)[0][ROW] for grip in found[:2]] == [trace, trace + 7.0]
    assert whole(layout) == Grip("trace")


def test_a_source_that_the_extraction_found_is_seen_and_not_taken(image):
    _, layout = laid_out(image, extraction_type="optimal")
    spectrum = extract(image, extraction_type="optimal", sources=[7.0])
    drawn = as_fitted(layout, spectrum)
    (found,) = drawn.found
    assert drawn.companions == ()
    assert found[ROW] == pytest.approx(drawn.trace[ROW] + 7.0, abs=0.1)
    assert grip_at(drawn, found[ROW], ROW, 1.1) is None
    _, given = laid_out(image, extraction_type="optimal", sources=[7.0])
    drawn = as_fitted(given, spectrum)
    assert drawn.found == ()
    assert grip_at(drawn, found[ROW], ROW, 1.1) == Grip("source")
