"""Declaration: all that is said of a parameter: what it may be, how it is asked for, when it applies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jdaviz_lrs.parameters import conditions

__all__ = ["Declaration", "declared"]


@dataclass(frozen=True)
class Declaration:
    """What is said of a parameter.

    Attributes
    ----------
    check : callable
        Of name and value: returns the value as it is kept, or raises an `LRSError`.
    label, hint : str
        For the panel and the documentation, in plain words.
    unit : str
    source : tuple of str
        Where the pipeline has it: ``file`` (an aperture of the extract1d reference), ``step`` (an argument of
        the step), or nowhere.
    section, kind : str
        Where and how the panel asks for it: a kind is ``number``, ``text``, ``list``, ``regions``,
        ``switch``, ``tristate``, ``choice`` or ``checkboxes``.
    applies : callable
        Whether it does, from the values of all parameters.
    choices : Mapping of str to str
        What it may be chosen from, and what each means where that is to be said.
    choice_applies : callable
        Whether one of the choices does, from it and the values of all parameters.
    """

    check: Callable[[str, Any], Any]
    label: str
    hint: str
    unit: str = ""
    source: tuple[str, ...] = ()
    section: str = ""
    kind: str = "number"
    applies: Callable[[conditions.Values], bool] = conditions.always
    choices: Mapping[str, str] = field(default_factory=dict)
    choice_applies: Callable[[str, conditions.Values], bool] = conditions.any_choice

    @property
    def title(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def declared(default: Any, check: Callable[[str, Any], Any], label: str, hint: str, **more: Any) -> Any:
    """Declare a parameter, as a field of a dataclass; see `Declaration`."""
    return field(default=default, metadata={"declaration": Declaration(check, label, hint, **more)})
