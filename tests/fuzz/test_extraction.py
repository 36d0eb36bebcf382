"""Extractions with parameters, planes and command lines that nobody meant."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import strategies as st

from jdaviz_lrs import extract, read
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.fuzz.search import attempt, differs, lengths, says_more, search

numbers = st.one_of(
    st.integers(-3, 50),
    st.floats(-10, 60),
    st.floats(),
    st.integers(),
    st.sampled_from([1e300, -1e300, 10**400]),
)
edges = st.lists(st.lists(st.floats(-60, 100), min_size=1, max_size=3), min_size=2, max_size=4)
odd = st.one_of(
    st.none(), st.text(max_size=4), st.booleans(), st.lists(numbers, max_size=3), st.binary(max_size=2),
    st.sampled_from([np.array([1, 0]), np.array([]), np.ones((2, 2)), {}, {"a": 1}, object, b"box", 1j]),
    st.just([[30], [30]]),
)  # fmt: skip
WORDS = {
    "bkg_fit": ("mean", "median", "poly"),
    "extraction_type": ("box", "optimal"),
    "independent_var": ("pixel", "wavelength"),
    "apcorr_method": ("reference", "psf"),
    "refinements": (("outliers",), ("trace",), "width"),
}
NAMES = sorted({*ExtractionParameters.names()} - {"bad_pixels"})


def value_of(name: str) -> st.SearchStrategy:
    """Mostly what could be meant: the other ends at the first check."""
    meant = {
        "src_coeff": edges,
        "bkg_coeff": edges,
        "sources": st.lists(st.floats(-50, 50), max_size=2),
    }
    if name in WORDS:
        return st.sampled_from(WORDS[name]) | odd
    default = ExtractionParameters.declarations()[name].kind
    switch = st.booleans() if default in ("switch", "tristate") else numbers
    return st.one_of(meant.get(name, switch), meant.get(name, switch), odd)


parameter_sets = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: value_of(name) for name in names})
)


@cache
def image_of(path):
    image = read(path)
    return image, find_references(image, crds=False)


def parameters(observation):
    image, references = image_of(observation["nod1_nobsub_s2d"])
    return parameter_sets, lambda given: attempt(lambda: extract(image, references=references, **given))


PLANES = ("data", "err", "var_poisson", "var_rnoise", "var_flat", "dq", "wht", "wavelength")
VALUES = (np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0, 1e30, -1e30, 1e-30, 5e-324)
SLICES = {
    "all": np.s_[:],
    "row": np.s_[100],
    "rows": np.s_[50:90],
    "column": np.s_[:, 30],
    "half": np.s_[:, ::2],
    "block": np.s_[95:105, 25:38],
    "pixel": np.s_[200, 31],
}
plane_changes = st.lists(
    st.tuples(st.sampled_from(PLANES), st.sampled_from(sorted(SLICES)), st.sampled_from(VALUES)),
    min_size=1,
    max_size=3,
)


@cache
def seen(subtracted: bool):
    return simulate(Scene(nod_subtracted=subtracted, bad_pixels=10), "s2d")


def _damaged(changes):
    model = to_model(seen(False))
    for plane, where, value in changes:
        if plane == "dq":
            model.dq = np.zeros(model.data.shape, np.uint32) if model.dq is None else model.dq.copy()
            model.dq[SLICES[where]] = int(np.clip(np.nan_to_num(value, nan=7), 0, 2**31))
        else:
            model[plane] = model[plane].copy()
            with np.errstate(all="ignore"):
                model[plane][SLICES[where]] = value
    return read(model)


def _plane_cases(kind):
    whole_image = _damaged(())
    references = find_references(whole_image, crds=False)
    given = {"extraction_type": kind, "use_source_posn": True, "bkg_coeff": [[2], [6]], "extract_width": 8}
    whole = extract(whole_image, references=references, **given)

    def holds(changes):
        spectrum = attempt(lambda: extract(_damaged(changes), references=references, **given))
        other_light = any(plane == "data" and np.isfinite(value) for plane, _, value in changes)
        other_noise = any(plane.startswith("var_") for plane, *_ in changes)
        if spectrum is None or other_light:
            return
        # other variances are other errors, and weights, but nothing to be told of
        if not other_noise and differs(spectrum, whole):
            assert says_more(spectrum, whole)
        if kind == "box" and other_noise and spectrum.flux.shape == whole.flux.shape:
            apart = ~(np.isclose(spectrum.flux, whole.flux, rtol=1e-6) | np.isnan(spectrum.flux))
            assert not (apart & (spectrum.dq == whole.dq)).any() or says_more(spectrum, whole)

    return plane_changes, holds


def box_planes(observation):
    return _plane_cases("box")


def optimal_planes(observation):
    return _plane_cases("optimal")


#: What once changed a number without a word: a pixel left out of a sum.
ALONE = ([("wavelength", "pixel", np.nan)], [("var_flat", "all", 1e-30), ("wavelength", "pixel", np.nan)])


@lengths(few=60)
def test_parameters(number, observation):
    search(number, *parameters(observation))


@lengths(few=12)
def test_planes_of_a_box(number):
    search(number, *box_planes(None), ALONE)


@lengths(few=10)
def test_planes_of_an_optimal_extraction(number):
    search(number, *optimal_planes(None))
