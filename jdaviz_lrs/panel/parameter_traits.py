"""One synchronised traitlet per extraction parameter, generated from `ExtractionParameters`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any

import numpy as np
from traitlets import Any as AnyTrait
from traitlets import HasTraits

from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["ParameterTraits"]


def as_typed(value: Any) -> Any:
    """Turn a parameter into what an input field holds: tuples to lists, which JSON knows."""
    return [as_typed(v) for v in value] if isinstance(value, list | tuple) else value


def as_meant(value: Any) -> Any:
    """Turn what an input field holds into a parameter: empty to None, text to the number or list it spells.

    What cannot be read stays as it is, for `ExtractionParameters` to refuse by name.
    """
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    for spelled in (json.loads, float):
        try:
            return spelled(text)
        except ValueError:
            continue
    return text


#: Where an empty field means the default, not "not given".
_REQUIRED = {
    name: getattr(ExtractionParameters(), name)
    for name in (
        "position_offset", "sources", "refinements", "bad_pixels", "id", "region_type", "independent_var"
    )
}  # fmt: skip

#: What is a name, also where it looks like a number.
_NAMES = ("id", "region_type")

_DEFAULTS = {name: as_typed(value) for name, value in ExtractionParameters().asdict().items()}


class _Traits(HasTraits):
    """Base of the generated class, with the way from traitlets to parameters and back."""

    _filling = False

    @property
    def values(self) -> dict[str, Any]:
        """Every parameter as it is meant, unchecked."""
        values = {name: as_meant(getattr(self, name)) for name in _DEFAULTS}
        values |= {name: getattr(self, name) for name in _NAMES if values[name] is not None}
        return values | {name: default for name, default in _REQUIRED.items() if values[name] is None}

    @property
    def parameters(self) -> ExtractionParameters:
        """The parameters in the panel, checked.

        Raises
        ------
        LRSError
            The first thing that is wrong, in one sentence.
        """
        return ExtractionParameters(**self.values)

    def fill(self, parameters: ExtractionParameters) -> None:
        """Show these parameters; observers are told once, by `on_parameters`."""
        with self.filling():
            for name, value in parameters.asdict().items():
                setattr(self, name, as_typed(value))

    @contextmanager
    def filling(self):
        """Change several parameters as one."""
        self._filling, before = True, self._filling
        try:
            yield
        finally:
            self._filling = before
        if not before:
            self.on_parameters()

    def on_parameters(self, change: dict | None = None) -> None:
        """React to changed parameters; for the panel to override."""


#: Any value is taken, so that what a user types is never lost; it is checked when parameters are made of it.
ParameterTraits = type(
    "ParameterTraits",
    (_Traits,),
    {name: AnyTrait(default).tag(sync=True) for name, default in _DEFAULTS.items()},
)
