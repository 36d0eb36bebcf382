"""What the residual of an extraction shows, and what answers it."""

from __future__ import annotations

from typing import Any

from jdaviz_lrs.panel.state import Changes, PanelState
from jdaviz_lrs.parameters import REFINEMENTS

__all__ = ["as_listed", "refine"]


def as_listed(state: PanelState) -> list[dict[str, str]]:
    """Return the advice as the template lists it: sentences, each with the refinement that answers it."""
    return [{"sentence": one.sentence, "refinement": one.refinement} for one in state.advice]


def refine(state: PanelState, refinement: str) -> Changes:
    """Turn a refinement on, or ``all`` of them."""
    chosen: set[Any] = {*(state.values["refinements"] or ()), refinement}
    refinements = [one for one in REFINEMENTS if one in chosen or "all" in chosen]
    return {"values": {**state.values, "refinements": refinements}}
