"""Box extraction: the sum over an aperture."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.box import box_model, box_sums
from jdaviz_lrs.extraction.advice import say_verdict
from jdaviz_lrs.extraction.aperture_correction import correct_aperture
from jdaviz_lrs.extraction.box_advice import inspect_box
from jdaviz_lrs.extraction.conventions import PIPELINE, convention_of
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.lost_light import make_up_for_lost_light, tell_of_estimates
from jdaviz_lrs.extraction.tabulate import flag_outliers, missing_planes, tabulate
from jdaviz_lrs.extraction.verdict import judge_box

__all__ = ["extract_box", "sum_box"]


def extract_box(layout: ExtractionLayout) -> ExtractedSpectrum:
    """Sum an image over its aperture, and judge the sum; see `jdaviz_lrs.extract`."""
    parameters, references, placement = layout.parameters, layout.references, layout.placement
    image, seen, background = layout.seen, layout.summed, layout.background
    spectrum = sum_box(layout)
    if parameters.save_scene_model or parameters.save_residual_image:
        sums = box_sums(seen.filled, seen.variances, layout.weights, background)
        model = np.broadcast_to(box_model(sums, layout.weights, background), image.data.shape)
        spectrum = replace(spectrum, scene_model=model, residual=image.data - model, variance=image.variance)
    subtracted = None if background is None else background.image
    verdict = judge_box(image, references, placement, subtracted, spectrum, seen.good)
    return replace(
        spectrum,
        profile=placement.weights,
        parameters=parameters.asdict(),
        notes=(*spectrum.notes, *say_verdict(verdict)),
        references={"extract1d": references.extract1d.name, **spectrum.references},
        verdict=verdict,
        inspect=None
        if convention_of(parameters) is PIPELINE
        else partial(inspect_box, seen, parameters, references, placement),
    )


def sum_box(layout: ExtractionLayout) -> ExtractedSpectrum:
    """Sum an image, or each of a stack, over its aperture: the columns, and what is to be said of them."""
    parameters, references, placement = layout.parameters, layout.references, layout.placement
    image, seen, weights, background = layout.seen, layout.summed, layout.weights, layout.background
    convention, rejected = convention_of(parameters), layout.rejected
    sums = box_sums(seen.filled, seen.variances, weights, background)
    spectrum = tabulate(image, sums, placement.weights, placement.limits)
    if convention.light_made_up_for and (sums.npixels < placement.weights.sum(axis=-1)).any():
        source = seen.filled if background is None else seen.filled - background.image
        spectrum = make_up_for_lost_light(
            spectrum, image, references, placement, seen.good, source, layout.known_profile
        )
    if convention.light_made_up_for:
        spectrum = tell_of_estimates(spectrum, seen, placement.weights)
    spectrum = correct_aperture(spectrum, image, parameters, references, placement)
    if notes := (*_lost(spectrum), *missing_planes(image), *placement.notes):
        spectrum = replace(spectrum, notes=(*spectrum.notes, *notes))
    if rejected is None:
        return spectrum
    return replace(
        flag_outliers(spectrum, rejected & (placement.weights > 0)),
        rejected=rejected,
        report={"rejected_pixels": int(rejected.sum())},
    )


def _lost(spectrum: ExtractedSpectrum) -> tuple[str, ...]:
    if failed := int(np.isnan(spectrum.flux).sum()):
        return (f"No flux at {failed} of {spectrum.flux.size} wavelengths (NaN, flagged DO_NOT_USE).",)
    return ()
