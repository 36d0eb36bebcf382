"""From an extraction to its verdict."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.refine.companions import find_brightest
from jdaviz_lrs.engine.refine.scene import Scene
from jdaviz_lrs.engine.verdict import Judged, compare_with_sum, fit_weights, left_unexplained, lost_light
from jdaviz_lrs.optimal_extraction import OptimalExtraction
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.products.verdict import BANDS, Verdict

__all__ = ["band_rows", "judge", "judge_optimal"]

Image = NDArray[np.float64]


def band_rows(image: SpectralImage) -> list[NDArray[np.bool_]]:
    """Rows of an image in each band, (n_disp,)."""
    wavelength = image.row_wavelength
    return [(wavelength >= first) & (wavelength < last) for first, last in BANDS]


def judge(judged: Judged, scene: Scene, bands: list[NDArray[np.bool_]], **more: object) -> Verdict:
    """Judge an extraction.

    Parameters
    ----------
    judged : Judged
    scene : Scene
        With the target's trace.
    bands : list of ndarray of bool, (n_disp,)
    **more
        What else the verdict is to hold.

    Returns
    -------
    Verdict
    """
    agreements = compare_with_sum(judged, bands)
    usable = judged.good & (judged.variance > 0)
    weights = np.divide(1.0, judged.variance, out=np.zeros_like(judged.variance), where=usable)
    brightest = find_brightest(scene, np.where(judged.good, judged.data, 0.0), weights)
    place = {}
    if brightest is not None:
        place = {
            "trace_offset": brightest.offset,
            "trace_offset_error": brightest.error,
            "trace_ratio": brightest.ratio,
        }
    return Verdict(
        sum_ratio=tuple(a.ratio for a in agreements),
        sum_ratio_error=tuple(a.error for a in agreements),
        sum_scatter=tuple(a.scatter for a in agreements),
        chi_square=tuple(left_unexplained(judged, bands)),
        lost_light=tuple(lost_light(judged, bands)),
        **place,
        **more,
    )


def judge_optimal(
    image: SpectralImage,
    parameters: ExtractionParameters,
    fit: OptimalExtraction,
    stand_ins: Collection[str] = (),
) -> Verdict:
    """Judge an optimal extraction; of a stack its mean."""
    scene, stack = fit.sources, image.data.ndim == 3
    flux = fit.flux
    residual, variance, rejected = np.nan_to_num(fit.residual), fit.variance, fit.rejected
    if stack:
        number = flux.shape[0]
        flux = np.nanmean(flux, axis=0)
        residual, variance = residual.mean(axis=0), variance.mean(axis=0) / number
        rejected = rejected.all(axis=0)
    enclosed = scene.enclosed_light if scene.enclosed is None else scene.enclosed_light * scene.enclosed
    if fit.enclosed is None and fit.tabulated is not None:
        enclosed = np.where(np.isfinite(fit.tabulated), fit.tabulated, enclosed)
    good = fit.frame.good & ~rejected
    weighed = "variance" in parameters.refinements
    weights = (
        np.divide(1.0, variance, out=np.zeros_like(variance), where=good & (variance > 0))
        if weighed
        else good
    )
    judged = Judged(
        data=residual + np.nan_to_num(flux)[:, None] * fit.profile,
        variance=variance,
        good=good,
        profile=fit.profile,
        offset=image.xdisp_index - fit.trace[:, None],
        flux=flux,
        flux_weights=fit_weights(fit.profile, weights),
        enclosed=enclosed,
        width=scene.calibration_width,
    )
    witness = {}
    if fit.enclosed is not None:
        witness = {
            "witness_disagreement": fit.enclosed.disagreement,
            "witness_followed": fit.enclosed.followed,
        }
    return judge(judged, scene, band_rows(image), stand_ins=tuple(stand_ins), dropped=fit.dropped, **witness)
