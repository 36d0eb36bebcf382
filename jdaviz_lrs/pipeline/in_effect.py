"""Which of the differences from the pipeline make one, for an image and parameters at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields, replace

import numpy as np

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import (
    NO_FLUX,
    NO_VARIANCES,
    OURS,
    PIPELINE,
    Convention,
    Difference,
    following,
)  # fmt: skip
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["differences_in_effect"]

SAME = 1e-9
"""Relative: two extractions that differ by less do the same."""


def differences_in_effect(
    image: SpectralImage, parameters: ExtractionParameters, references: References
) -> tuple[Difference, ...]:
    """Find the differences that change the spectrum.

    Each is tried apart: ours with that one point done as the pipeline does it, and the pipeline's with that
    one point done as here. What changes neither is not in effect; nor is any where the two are the same.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
        Those that the pipeline has, too.
    references : References

    Returns
    -------
    tuple of Difference
        Rows of the documentation's tables.
    """

    def extracted(convention: Convention) -> ExtractedSpectrum | None:
        with following(convention):
            try:
                return ExtractionPlan(image, parameters, references).extract()
            except LRSError:
                return None

    ours, theirs = extracted(OURS), extracted(PIPELINE)
    if _same(ours, theirs):
        return tuple(_kept(image, ours))

    def changes(name: str) -> bool:
        return not (
            _same(ours, extracted(replace(OURS, **{name: False})))
            and _same(theirs, extracted(replace(PIPELINE, **{name: True})))
        )

    def concerned(row: Difference) -> bool:
        return row.kind == parameters.extraction_type and row.concerns(image.resampled)

    rows = {one.name: [*filter(concerned, one.metadata["rows"])] for one in fields(Convention)}
    found = (row for name, those in rows.items() if those and changes(name) for row in those)
    return (*found, *_kept(image, ours))


def _kept(image: SpectralImage, ours: ExtractedSpectrum | None) -> Iterator[Difference]:
    """Tell of those that no switch undoes."""
    if not image.has_variances:
        yield NO_VARIANCES
    elif ours is not None and np.isnan(ours.flux).any():
        yield NO_FLUX


def _same(one: ExtractedSpectrum | None, other: ExtractedSpectrum | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.flux.shape != other.flux.shape or (one.limits is None) != (other.limits is None):
        return False
    pairs = [(getattr(one, name), getattr(other, name)) for name in COLUMNS]
    if one.limits is not None:
        pairs.append((astuple(one.limits), astuple(other.limits)))
    return all(np.allclose(*pair, rtol=SAME, atol=0, equal_nan=True) for pair in pairs)
