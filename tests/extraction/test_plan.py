import gc
import weakref
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, extract, read
from jdaviz_lrs.extraction import layout
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model

BACKGROUND = {"bkg_coeff": ((6.5,), (12.5,), (36.5,), (42.5,)), "use_source_posn": False}
COUNTED = ("place", "place_traces", "box_background", "box_outliers", "bad_pixel_mask")


@pytest.fixture(scope="module")
def image():
    return read(to_model(simulate(Scene(nod_subtracted=False), "s2d")))


@pytest.fixture(scope="module")
def references(image):
    return find_references(image, crds=False)


@pytest.fixture
def calls(monkeypatch):
    """How often each of the steps of a plan was done."""
    done = Counter()

    def counted(name, function):
        def count(*args, **keywords):
            done[name] += 1
            return function(*args, **keywords)

        return count

    for name in COUNTED:
        monkeypatch.setattr(layout, name, counted(name, getattr(layout, name)))
    return done


def test_everything_is_found_once(image, references, calls):
    parameters = ExtractionParameters(
        **BACKGROUND, extract_width=8, refinements=("outliers",), bad_pixels=((30, 200),)
    )
    plan = ExtractionPlan(image, parameters, references)
    assert not calls
    for _ in range(2):
        assert plan.placement.weights.any()
        assert plan.background.image.any()
        assert plan.extract() is plan.spectrum
    assert calls == {"place": 1, "box_background": 1, "box_outliers": 1, "bad_pixel_mask": 1}


def test_traces_are_placed_once(image, references, calls):
    parameters = ExtractionParameters(extraction_type="optimal", subtract_background=True)
    plan = ExtractionPlan(image, parameters, references)
    assert np.isfinite(plan.traces.source).any()
    assert plan.spectrum is plan.extract()
    assert calls == {"place_traces": 1}


def test_it_extracts_what_extract_does(image, references):
    parameters = ExtractionParameters(**BACKGROUND, extract_width=8)
    there = extract(image, parameters, references)
    np.testing.assert_array_equal(ExtractionPlan(image, parameters, references).spectrum.flux, there.flux)


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_nothing_outlives_it(image, references, kind):
    mine = replace(image)
    plan = ExtractionPlan(mine, ExtractionParameters(extraction_type=kind, use_source_posn=True), references)
    assert np.isfinite(plan.spectrum.flux).any()
    gone = weakref.ref(mine)
    del mine, plan
    gc.collect()
    assert gone() is None
