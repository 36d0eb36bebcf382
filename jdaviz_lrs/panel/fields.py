"""The inputs of the panel, one row per parameter, as they are declared in `jdaviz_lrs.parameters`."""

from __future__ import annotations

from typing import Any

from jdaviz_lrs.parameters import Declaration, ExtractionParameters
from jdaviz_lrs.parameters.conditions import Values

__all__ = ["FIELDS", "describe"]

#: Those that ask for images beside the x1d are in the section Save.
FIELDS = {
    name: declaration
    for name, declaration in ExtractionParameters.declarations().items()
    if declaration.section != "save"
}


def describe(values: Values) -> list[dict[str, Any]]:
    """Return the fields as the template takes them, with `shown` and `choices` settled for these values."""
    return [_described(name, declaration, values) for name, declaration in FIELDS.items()]


def _described(name: str, declaration: Declaration, values: Values) -> dict[str, Any]:
    choices = [choice for choice in declaration.choices if declaration.choice_applies(choice, values)]
    return {
        "name": name,
        "section": declaration.section,
        "kind": declaration.kind,
        "label": declaration.title,
        "hint": declaration.hint,
        "choices": choices,
        "choice_hints": [declaration.choices[choice] for choice in choices],
        "shown": bool(declaration.applies(values)),
    }
