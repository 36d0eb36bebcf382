"""Record: what the history keeps of an extraction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.data.fit_images import FitImages
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.optimal import SMOOTHING_LENGTH
from jdaviz_lrs.extraction.placement import subtracts_background
from jdaviz_lrs.extraction.starting_scene import background_order
from jdaviz_lrs.panel.sections.compare.reference import Reference
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["Record", "background_words", "record_of"]


@dataclass(frozen=True, eq=False)
class Record:
    """What one row of the table stands for.

    Attributes
    ----------
    label, dataset : str
        Of the spectrum, and of the 2-D spectrum it came from.
    overrides : Mapping of str to str
        The reference files given in the panel.
    parameters : ExtractionParameters
    spectrum : ExtractedSpectrum
        Without the pixels and the images of the fit, which would outlive their dataset.
    curve : Curve
    width, place : float
        Median number of pixels at a wavelength, and where the middle lies: a column of the file. NaN where
        there is none.
    """

    label: str
    dataset: str
    overrides: Mapping[str, str]
    parameters: ExtractionParameters
    spectrum: ExtractedSpectrum
    curve: Curve
    width: float
    place: float

    @classmethod
    def of(cls, result: ExtractedSpectrum, label: str, dataset: str, overrides: Mapping[str, str]) -> Record:
        """Keep of a result what the table shows and what it takes to repeat it."""
        parameters = ExtractionParameters(**result.parameters)
        box = parameters.extraction_type == "box"
        width = float(np.nanmedian(result.npixels)) if box else np.nan
        place = np.nan if result.center is None else result.center[1]
        images = dict.fromkeys((one.name for one in fields(FitImages)), None)
        light = copy(replace(result, inspect=None, **images))
        return cls(label, dataset, dict(overrides), parameters, light, Curve.of(result), width, place)

    def row(self, reference: Reference | None) -> dict[str, Any]:
        """Return the row; the bias is blank where there is no reference that fits."""
        bias, label = np.nan, ""
        if reference is not None:
            with suppress(LRSError):
                bias, label = 100.0 * (reference.compare(self.curve).overall.ratio - 1.0), reference.label
        curve = self.curve
        with np.errstate(divide="ignore", invalid="ignore"):
            snr = np.where(curve.error > 0, curve.flux / curve.error, np.nan)
        return {
            "label": self.label,
            "type": self.parameters.extraction_type,
            "width (px)": self.width,
            "place (px)": self.place,
            "background": background_words(self.parameters),
            "median S/N": float(np.nanmedian(snr)) if np.isfinite(snr).any() else np.nan,
            "bias (%)": bias,
            "reference": label,
            "dataset": self.dataset,
        }


def record_of(records: Iterable[Record], label: str) -> Record:
    """Return the extraction of this label.

    Raises
    ------
    LRSError
        When there is none.
    """
    known = {record.label: record for record in records}
    if label not in known:
        raise LRSError(
            f"{label!r} is no extraction in the history; there are: {', '.join(known) or 'none yet'}."
        )
    return known[label]


def background_words(parameters: ExtractionParameters) -> str:
    """Say in a few words which background was subtracted."""
    regions = len(parameters.bkg_coeff or ()) // 2
    optimal = parameters.extraction_type == "optimal"
    if not subtracts_background(parameters) or not (optimal or regions):
        return "none"
    length = parameters.smoothing_length
    if optimal:
        words = [f"order {background_order(parameters)}"]
        length = (length or SMOOTHING_LENGTH) if "background" in parameters.refinements else 0
    else:
        fit = parameters.bkg_fit or "poly"
        words = [f"order {parameters.bkg_order or 0}" if fit == "poly" else fit]
        words.append(f"{regions} region{'s' if regions != 1 else ''}")
    if length:
        words.append(f"smoothed over {length}")
    return ", ".join(words)
