"""What speaks against a box extraction: outliers, neighbours in aperture and background, a wider source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.refine.advice import WORTH, Answer
from jdaviz_lrs.engine.refine.scene_model import SceneModel, linear_fit
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.advice import Advice, advise
from jdaviz_lrs.extraction.box_background import box_background
from jdaviz_lrs.extraction.box_outliers import inspect_outliers
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.extraction.verdict import tabulated_light
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["inspect_box"]

Image = NDArray[np.float64]

ON_SOURCE = 2.0
"""Pixels from the source's trace within which an aperture is meant for it."""


@single_thread()
def inspect_box(
    image: SpectralImage, parameters: ExtractionParameters, references: References, placement: Placement
) -> tuple[Advice, ...]:
    """See what a box extraction has summed that is not the source's.

    Parameters
    ----------
    image : SpectralImage
        Its good pixels are those that were summed.
    parameters : ExtractionParameters
    references : References
    placement : Placement

    Returns
    -------
    tuple of Advice
        ``outliers``, unless they were left out, and ``companions`` and ``width``, which optimal extraction
        can tell from the source.
    """
    asked = "outliers" in parameters.refinements
    found = () if asked else inspect_outliers(image, placement)
    return (*found, *_beside_the_psf(image, parameters, references, placement))


def _beside_the_psf(image, parameters, references, placement) -> tuple[Advice, ...]:
    """Ask a scene of sources, fitted with all refinements, what PSF and correction do not know of."""
    source = image.source
    if source is None or image.data.ndim == 3 or image.observation.source_type != "POINT":
        return ()
    if not np.nanmedian(np.abs(placement.center - source.trace)) < ON_SOURCE:
        return ()
    subtracted = image.observation.bkg_subtract == "COMPLETE"
    optimal = replace(
        parameters,
        extraction_type="optimal",
        refinements=(),
        sources=(),
        use_source_posn=True,
        subtract_background=not subtracted,
        bkg_fit="poly",
        bkg_order=1,
    )
    try:
        fit = extract_optimal(image, optimal, references.psf, enclosed=tabulated_light(image, references))
        refined = fit.look().refined
    except LRSError:
        return ()
    return (
        *_wider(image, parameters, fit.tabulated, refined),
        *_neighbours(image, parameters, placement, refined, fit.frame),
    )


def _wider(image, parameters, corrected, refined) -> tuple[Advice, ...]:
    """Light that a source wider than both references loses outside the aperture."""
    scene = refined.scene
    if not parameters.apply_apcorr or scene.enclosed is None:
        return ()
    if corrected is None:
        stretch, blur = np.ones_like(scene.stretch), None
        corrected = replace(scene, stretch=stretch, blur=blur, shape=None).enclosed_light
    held = scene.enclosed_light * scene.enclosed
    effect = _largest(image, np.divide(held, corrected, out=np.ones_like(held), where=corrected > 0) - 1.0)
    if abs(effect) < WORTH:
        return ()
    change, error = refined.aligned.term("width", 0)
    return (advise(Answer("width", {"psf_stretch": 1.0 + change, "psf_stretch_error": error}, effect)),)


def _largest(image: SpectralImage, effect: Image) -> float:
    """Median over the band in which an effect is largest."""
    return max((float(np.nanmedian(effect[band])) for band in image.band_rows if band.any()), key=abs)


def _neighbours(image, parameters, placement, refined, frame) -> tuple[Advice, ...]:
    """Light of further sources in the sum: in the aperture, less what the background took of it."""
    if not refined.companions:
        return ()
    target, others = _split(refined.scene, frame, refined.rejected)
    weights = np.where(image.good, placement.weights, 0.0)
    seen = replace(image, data=np.where(image.good, others, np.nan))
    background = box_background(seen, replace(parameters, bkg_sigma_clip=None), placement, weights)
    spilled = others if background is None else others - background.image
    part = np.vecdot(weights, np.nan_to_num(spilled))
    whole = np.vecdot(weights, target)
    share = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    effect = _largest(image, share)
    if abs(effect) < WORTH:
        return ()
    brightest = max(refined.companions, key=lambda one: one.ratio)
    values = {"companion_offset": brightest.offset, "companion_ratio": brightest.ratio}
    return (advise(Answer("companions", values, effect)),)


def _split(scene: SceneModel, frame, rejected: NDArray[np.bool_]) -> tuple[Image, Image]:
    """Models of the target and of all other sources, (n_disp, n_xdisp)."""
    variance = frame.variances.sum(axis=0)
    usable = frame.good & ~rejected & (variance > 0)
    weights = np.divide(1.0, variance, out=np.zeros_like(variance), where=usable)
    profiles = scene.profiles()
    fit = linear_fit(profiles, scene.basis, frame.data, weights)
    models = profiles * np.nan_to_num(fit.flux)[..., None]
    return models[0], models[1:].sum(axis=0)
