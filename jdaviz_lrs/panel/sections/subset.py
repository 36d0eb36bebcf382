"""An aperture from a subset drawn on the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.edits import move_aperture
from jdaviz_lrs.panel.layout import lay_out
from jdaviz_lrs.panel.state import Changes, PanelState

__all__ = ["aperture_of_subset"]


def aperture_of_subset(state: PanelState, label: str) -> Changes:
    """Move the edges of the aperture to those of a subset across the dispersion.

    Parameters
    ----------
    state : PanelState
    label : str
        Of the subset.

    Raises
    ------
    LRSError
        When the subset has no pixel on the image, or a parameter is wrong.
    """
    first, last = _columns(state, label)
    plan = state.plan_of(state.parameters.with_({"extraction_type": "box"}))
    layout, rows = lay_out(plan), state.source.display.rows
    lower, upper = layout.edges[0, :, rows[rows.size // 2]]
    moved = move_aperture(plan.image, plan.parameters, layout, first - 0.5 - lower, last + 0.5 - upper)
    return {"plan": replace(plan, parameters=plan.parameters.with_(moved))}


def _columns(state: PanelState, label: str) -> tuple[float, float]:
    """First and last column of the file that most of a subset covers."""
    source = state.source
    mask = next((subset.to_mask() for subset in source.data.subsets if subset.label == label), None)
    if mask is None or not mask.any():
        raise LRSError(f"The subset {label!r} has no pixel on {source.label}; draw one across the trace.")
    here = mask[:, mask.any(axis=0)]
    if here.all():
        raise LRSError(
            f"The subset {label!r} covers the slit from end to end; draw a rectangle across the trace."
        )
    first = np.median(here.argmax(axis=0))
    last = np.median(here.shape[0] - 1 - here[::-1].argmax(axis=0))
    return tuple(float(column) for column in source.display.xdisp([first, last]))
