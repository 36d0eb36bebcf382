"""One synchronised traitlet per extraction parameter, and what its value means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from traitlets import Any as AnyTrait
from traitlets import HasTraits

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.parameters import ExtractionParameters, checks

__all__ = ["DEFAULTS", "ParameterTraits", "as_meant", "as_typed", "same"]


def _plain(value: Any) -> Any:
    """Turn arrays and tuples to lists, which JSON knows."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def as_typed(parameters: ExtractionParameters) -> dict[str, Any]:
    """Turn parameters into what the input fields hold."""
    return {name: _plain(value) for name, value in parameters.asdict().items()}


#: What the fields hold at first.
DEFAULTS: Mapping[str, Any] = as_typed(ExtractionParameters())


def _required(name: str) -> bool:
    """Whether an empty field means the default, not "not given"."""
    if ExtractionParameters.declarations()[name].kind in ("switch", "choice"):  # these are never empty
        return False
    try:
        ExtractionParameters(**{name: None})
    except LRSError:
        return True
    return False


_REQUIRED = tuple(filter(_required, ExtractionParameters.names()))

#: What is a name, also where it looks like a number.
_NAMES = tuple(n for n, one in ExtractionParameters.declarations().items() if one.check is checks.text)


def as_meant(name: str, value: Any) -> Any:
    """Turn what the field of a parameter holds into its value: text to the number or list it spells.

    What cannot be read stays as it is, for `ExtractionParameters` to refuse by name.
    """
    value = _plain(value)
    if isinstance(value, str):
        value = None if not value.strip() else value if name in _NAMES else _spelled(value.strip())
    return DEFAULTS[name] if value is None and name in _REQUIRED else value


def _spelled(text: str) -> Any:
    for spelled in (json.loads, float):
        try:
            return spelled(text)
        except ValueError:
            continue
    return text


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same; one that is not a number is the same as another."""
    return bool(one is other or one == other or (one != one and other != other))


#: Any value is taken, so that what a user types is never lost; it is checked when parameters are made of it.
ParameterTraits = type(
    "ParameterTraits",
    (HasTraits,),
    {"__module__": __name__} | {name: AnyTrait(default).tag(sync=True) for name, default in DEFAULTS.items()},
)
