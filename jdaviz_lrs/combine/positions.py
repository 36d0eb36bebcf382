"""Negative traces of more than two positions: where the source lies in the other images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.traces import Traces

__all__ = ["traces_of_positions"]

SAME_POSITION = 0.5
"""Pixels between traces that are one."""


def traces_of_positions(plans: Sequence[ExtractionPlan]) -> list[Traces]:
    """Place the traces of several images of a source, those that a subtraction of the others has left too.

    Where an image's own header tells of its other nod, as that of a two-point nod does, nothing is added.

    Parameters
    ----------
    plans : sequence of ExtractionPlan

    Returns
    -------
    list of Traces
        One for each image.
    """
    placed = [plan.traces for plan in plans]
    images = [plan.seen for plan in plans]
    return [
        _with_others(plan, number, placed, images) if _lacks_others(plan, placed[number]) else placed[number]
        for number, plan in enumerate(plans)
    ]


def _lacks_others(plan: ExtractionPlan, traces: Traces) -> bool:
    """Whether an image was nod-subtracted, and its header does not tell by what."""
    asked = plan.parameters.model_nod_pair and traces.from_header and not traces.nods
    # the columns of rectified images are those of each alone
    return asked and not plan.seen.resampled and plan.seen.observation.bkg_subtract == "COMPLETE"


def _with_others(
    plan: ExtractionPlan, number: int, placed: Sequence[Traces], images: Sequence[SpectralImage]
) -> Traces:
    own = placed[number].source
    found: list[NDArray[np.float64]] = []
    for other, image in zip(placed, images, strict=True):
        if not other.from_header or image.resampled or other.source.shape != own.shape:
            continue
        known = [(own, plan.seen.mode.nearest_nod), *((one, SAME_POSITION) for one in found)]
        if all(abs(np.nanmean(other.source - one)) >= least for one, least in known):
            found.append(other.source)
    if not found:
        return placed[number]
    notes = (
        f"Negative traces of {len(found)} other positions are modelled, where the other images have them.",
    )
    kept = tuple(
        note for note in placed[number].notes if not note.startswith(("model_nod_pair", "The other nod"))
    )
    return replace(placed[number], nods=tuple(found), notes=(*kept, *notes))
