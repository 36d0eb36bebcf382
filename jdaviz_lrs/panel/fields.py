"""The inputs of the panel, one row per parameter, as they are declared in `jdaviz_lrs.parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jdaviz_lrs.extraction.placement import subtracts_background
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.layout import Layout
from jdaviz_lrs.parameters import Declaration, ExtractionParameters
from jdaviz_lrs.parameters.conditions import Values

__all__ = ["FIELDS", "chosen_by", "describe"]

#: Those that ask for images beside the x1d are in the section Save.
FIELDS = {
    name: declaration
    for name, declaration in ExtractionParameters.declarations().items()
    if declaration.section != "save"
}


def describe(values: Values, chosen: Mapping[str, bool] | None = None) -> list[dict[str, Any]]:
    """Return the fields as the template takes them, with `shown` and `choices` settled for these values.

    Parameters
    ----------
    values : Mapping of str to Any
    chosen : Mapping of str to bool, optional
        What "Automatic" comes to, by the name of the parameter that is left to it.
    """
    chosen = {name: value for name, value in (chosen or {}).items() if values[name] is None}
    settled = {**values, **chosen}
    return [_described(name, one, settled, chosen.get(name)) for name, one in FIELDS.items()]


def _described(
    name: str, declaration: Declaration, values: Values, chosen: bool | None = None
) -> dict[str, Any]:
    choices = [choice for choice in declaration.choices if declaration.choice_applies(choice, values)]
    return {
        "name": name,
        "section": declaration.section,
        "kind": declaration.kind,
        "pixels": declaration.unit == "pixels",
        "label": declaration.title,
        "hint": declaration.hint,
        "choices": choices,
        "choice_hints": [declaration.choices[choice] for choice in choices],
        "shown": bool(declaration.applies(values)),
        "automatic": "Automatic" if chosen is None else f"Automatic: {'on' if chosen else 'off'}",
    }


def chosen_by(plan: ExtractionPlan | None, layout: Layout | None) -> dict[str, bool]:
    """Return what is settled by the data where a parameter is left to them."""
    if plan is None or layout is None:
        return {}
    parameters, found = plan.parameters, {}
    if parameters.use_source_posn is None and layout.edges is not None:
        found["use_source_posn"] = layout.trace is not None
    if parameters.subtract_background is None:
        found["subtract_background"] = subtracts_background(parameters)
    return found
