"""What a parameter may be: a check returns the value as it is kept, or says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

from jdaviz_lrs.errors import LRSError

__all__ = [
    "BOX_REFINEMENTS", "REFINEMENTS", "Coefficients",
    "bad_pixels", "boolean", "coefficients", "dispaxis", "none_or", "number", "numbers", "one_of",
    "order_or_any", "positive", "refinements", "smoothing", "text", "whole",
]  # fmt: skip

Coefficients = tuple[tuple[float, ...], ...]

#: What `refinements` may name; ``all`` stands for every one of them.
REFINEMENTS = ("trace", "width", "outliers", "companions", "variance", "background")

#: Those of them that a box extraction has.
BOX_REFINEMENTS = ("outliers",)


def none_or(check):
    """Let None pass, for "not given"."""
    return lambda name, value: None if value is None else check(name, value)


def number(name: str, value: Any) -> float:
    """Take a finite number."""
    try:
        if not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise LRSError(f"{name} = {value!r} is not a number; give a finite number.")


def positive(name: str, value: Any) -> float:
    """Take a number above zero."""
    if (given := number(name, value)) <= 0:
        raise LRSError(f"{name} = {given:g} is not positive; give a number above zero.")
    return given


def whole(name: str, value: Any) -> int:
    """Take 0, 1, 2 ..."""
    given = number(name, value)
    if given != int(given) or given < 0:
        raise LRSError(f"{name} = {value!r} is not a whole number; give 0, 1, 2 ...")
    return int(given)


def smoothing(name: str, value: Any) -> int:
    """Take an odd number of rows; 1 is none, as 0."""
    length = whole(name, value)
    if length in (0, 1):
        return 0
    if length % 2 == 0:
        raise LRSError(
            f"{name} = {length} is even; give an odd number of rows, {length - 1} or {length + 1}."
        )
    return length


def boolean(name: str, value: Any) -> bool:
    """Take true or false."""
    if hasattr(value, "__len__") or value not in (0, 1):
        raise LRSError(f"{name} = {value!r} is neither true nor false.")
    return bool(value)


def one_of(*choices: str):
    """Take one of some words."""

    def check(name: str, value: Any) -> str:
        if str(value).lower() not in choices:
            raise LRSError(f"{name} = {value!r} is not known; give one of {', '.join(choices)}.")
        return str(value).lower()

    return check


def text(name: str, value: Any) -> str:
    """Take a name."""
    if not isinstance(value, str) or not value:
        raise LRSError(f"{name} = {value!r} is not a name.")
    return value


def order_or_any(name: str, value: Any) -> int | str:
    """Take a spectral order, or ANY."""
    if value == "ANY":
        return value
    given = number(name, value)
    if given != int(given):
        raise LRSError(f"{name} = {value!r} is not a spectral order; give a whole number or 'ANY'.")
    return int(given)


def _sequence(name: str, value: Any) -> Sequence:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise LRSError(f"{name} = {value!r} is not a list.")
    return value


def coefficients(name: str, value: Any) -> Coefficients:
    """Take polynomials for lower and upper edges in turn."""
    lists = _sequence(name, value)
    if len(lists) == 0 or len(lists) % 2:
        raise LRSError(
            f"{name} has {len(lists)} lists of coefficients; give alternating lower and upper edges, "
            "an even number of lists."
        )
    edges = tuple(tuple(number(name, c) for c in _sequence(name, one)) for one in lists)
    if not all(edges):
        raise LRSError(f"{name} = {value!r} has an empty list; each edge needs at least a constant term.")
    return edges


def refinements(name: str, value: Any) -> tuple[str, ...]:
    """Take any of `REFINEMENTS`, or all, in their order."""
    chosen = (value,) if isinstance(value, str) else tuple(_sequence(name, value))
    for one in chosen:
        if one not in (*REFINEMENTS, "all"):
            raise LRSError(f"{name} = {one!r} is not known; give any of {', '.join(REFINEMENTS)}, or all.")
    return REFINEMENTS if "all" in chosen else tuple(r for r in REFINEMENTS if r in chosen)


def numbers(name: str, value: Any) -> tuple[float, ...]:
    """Take a list of numbers."""
    return tuple(number(name, one) for one in _sequence(name, value))


def bad_pixels(name: str, value: Any) -> tuple[tuple[int, int] | str, ...]:
    """Take pairs of column and row, and paths of files that list some."""
    if isinstance(value, str | PathLike):
        value = (fspath(value),) if fspath(value) else ()
    return tuple(_bad_pixel(name, one) for one in _sequence(name, value))


def _bad_pixel(name: str, value: Any) -> tuple[int, int] | str:
    if isinstance(value, str | PathLike):
        return text(name, fspath(value))
    try:
        column, row = (whole(name, one) for one in value)
    except (TypeError, ValueError):
        raise LRSError(
            f"{name} = {value!r} is no pixel; give [column, row] as whole numbers, or the path of a file."
        ) from None
    return column, row


def dispaxis(name: str, value: Any) -> int:
    """Take 1 or 2."""
    if value not in (1, 2) or not isinstance(value, Integral):
        raise LRSError(f"{name} = {value!r} is not known; give 1 (along x) or 2 (along y).")
    return int(value)
