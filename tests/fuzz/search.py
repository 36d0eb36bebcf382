"""Look for an input that breaks a promise: some hundred in every run of the tests, many in the long."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from jdaviz_lrs import LRSError
from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.errors import LONGEST

#: Cases of one kind in a long search.
MANY = int(os.environ.get("FUZZ_CASES", "3000"))


@cache
def folder() -> str:
    """Return a folder for damaged files."""
    kept = tempfile.mkdtemp(prefix="fuzz-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    return kept


def lengths(few: int):
    """Parametrise a test by the number of cases: a few, always the same; and many, each time others."""
    return pytest.mark.parametrize("number", [few, pytest.param(MANY, marks=pytest.mark.slow, id="many")])


def search(number: int, cases: SearchStrategy, holds: Callable, seeds: Iterable = ()) -> None:
    """Try what once failed, and then a number of other cases."""

    def one(case) -> None:
        holds(case)

    for seed in seeds:
        one(seed)
    settings(
        max_examples=number,
        derandomize=number < MANY,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(cases)(one))()


def attempt(make: Callable) -> ExtractedSpectrum | None:
    """Return a spectrum that keeps what every spectrum promises, or None for a refusal in one sentence."""
    try:
        made = make()
    except LRSError as refusal:
        assert_sentence(str(refusal))
        return None
    if isinstance(made, ExtractedSpectrum):
        assert_kept(made)
    return made


def assert_sentence(said: str) -> None:
    assert said.isprintable()
    assert 10 < len(said) <= LONGEST
    assert said.endswith((".", "?"))


def assert_kept(spectrum: ExtractedSpectrum) -> None:
    """Whatever comes out is a number or NaN with a flag; errors, variances and counts are never negative."""
    shape = spectrum.flux.shape
    assert shape[-1] == spectrum.wavelength.size > 0
    assert np.isfinite(spectrum.wavelength).all()
    for name in COLUMNS:
        assert getattr(spectrum, name).shape in (shape, shape[-1:]), name
    assert_sound({name: getattr(spectrum, name) for name in COLUMNS})
    for note in spectrum.notes:
        assert note.isprintable()


def assert_sound(columns: Mapping[str, NDArray]) -> None:
    """Errors, variances and counts are never negative, no flux is infinite; where there is none is told."""
    for name, column in columns.items():
        if name in ("npixels", "n_input") or "_var_" in name or name.endswith("_error"):
            assert not (np.asarray(column) < 0).any(), name
    assert not np.isinf(columns["flux"]).any()
    assert ((columns["dq"] & 1) != 0)[np.isnan(columns["flux"])].all()


def differs(spectrum: ExtractedSpectrum, whole: ExtractedSpectrum, tolerance: float = 1e-6) -> bool:
    """Whether any number, not flagged, is other than in the spectrum of the undamaged file."""
    if spectrum.wavelength.size != whole.wavelength.size:
        return True
    if not np.allclose(spectrum.wavelength, whole.wavelength, rtol=tolerance):
        return True
    for name in ("flux", "flux_error", "npixels", "background"):
        ours, theirs = getattr(spectrum, name), getattr(whole, name)
        told = np.isnan(ours) | (spectrum.dq != whole.dq)
        scale = np.nanmax(np.abs(theirs))
        if not np.allclose(
            ours[~told], theirs[~told], rtol=tolerance, atol=tolerance * scale, equal_nan=True
        ):
            return True
    return False


def says_more(spectrum: ExtractedSpectrum, whole: ExtractedSpectrum) -> bool:
    """Whether a note, or the verdict, tells of something that the undamaged file's does not."""
    return bool({*spectrum.notes} - {*whole.notes})
