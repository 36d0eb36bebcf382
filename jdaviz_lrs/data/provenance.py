"""How a spectrum was made, as keywords and values for headers and metadata."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from typing import Any

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.data.verdict import Verdict

__all__ = ["PREFIX", "provenance", "read_verdict"]

#: Before every keyword of ours in the x1d header (``HIERARCH LRS ...``).
PREFIX = "LRS"

#: Before the names of the verdict's numbers.
VERDICT = "verdict_"

#: Significant digits of the verdict's numbers: more than they mean, and few enough for a card.
DIGITS = 5


def provenance(spectrum: ExtractedSpectrum) -> dict[str, Any]:
    """Program, version, input, references, every parameter given, what was fitted, the notes and the verdict.

    Returns
    -------
    dict
        Names as in Python to strings, numbers and booleans; lists as JSON text. None is left out, and so is
        what is not finite, for which FITS has no value; within lists it is null.
    """
    verdict = {} if spectrum.verdict is None else asdict(spectrum.verdict)
    entries = {
        "program": "jdaviz-lrs",
        "version": version("jdaviz-lrs"),
        "input": spectrum.image.file_name if spectrum.image is not None else None,
        **{f"reference_{kind}": name for kind, name in spectrum.references.items()},
        **spectrum.parameters,
        **{f"report_{name}": value for name, value in spectrum.report.items()},
        **{f"{VERDICT}{name}": _rounded(value) for name, value in verdict.items() if value not in ("", ())},
        **{f"note_{number}": note for number, note in enumerate(spectrum.notes, 1)},
        **{f"advice_{number}": advice.sentence for number, advice in enumerate(spectrum.advice, 1)},
    }
    plain = {name: _plain(value) for name, value in entries.items()}
    return {name: value for name, value in plain.items() if value is not None}


def read_verdict(entries: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict among the entries of `provenance`, None where there is none that can be read."""
    names = [one.name for one in fields(Verdict) if f"{VERDICT}{one.name}" in entries]
    try:
        found = {name: _from_plain(entries[f"{VERDICT}{name}"]) for name in names}
    except ValueError:
        return None
    read = Verdict(**found)
    return read if found and _whole(read) else None


def _whole(verdict: Verdict) -> bool:
    """Whether every entry is what it should be: a damaged file may hold less of a list, or another thing."""
    band, bands = Verdict.bands[0], verdict.bands
    if not isinstance(bands, tuple) or not _alike(bands, (band,) * len(bands)):
        return False
    for one in fields(Verdict):
        value, like = getattr(verdict, one.name), one.default
        if like == ():  # of names, as many as there are
            like = ("",) * len(value) if isinstance(value, tuple) else like
        elif isinstance(like, tuple):
            like = (like[0],) * len(bands)
        if not _alike(value, like):
            return False
    return True


def _alike(value: Any, like: Any) -> bool:
    """Whether a value is of the kind and, through all its parts, of the size of another."""
    if isinstance(like, tuple):
        return isinstance(value, tuple) and len(value) == len(like) and all(map(_alike, value, like))
    return isinstance(value, float | int if isinstance(like, float) else type(like))


def _plain(value: Any) -> str | int | float | bool | None:
    if hasattr(value, "tolist"):
        value = value.tolist()
    value = _finite(value)
    return value if value is None or isinstance(value, str | bool | int | float) else json.dumps(value)


def _finite(value: Any) -> Any:
    """Put None in place of what is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def _from_plain(value: Any) -> Any:
    """Turn JSON text into tuples, NaN where it has null; plain values pass."""
    if isinstance(value, str) and value.startswith("["):
        return _from_plain(json.loads(value))
    if isinstance(value, list):
        return tuple(math.nan if one is None else _from_plain(one) for one in value)
    return value
