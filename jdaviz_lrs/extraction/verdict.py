"""From an extraction to its verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.data.verdict import BANDS, Verdict
from jdaviz_lrs.engine.refine.companions import Brightest, even_weights, find_brightest
from jdaviz_lrs.engine.verdict import (
    NEAR,
    FittedBackground,
    Judged,
    compare_with_sum,
    fit_weights,
    left_unexplained,
    lost_light,
    sky_left,
)
from jdaviz_lrs.extraction.found_trace import source_at
from jdaviz_lrs.extraction.optimal import OptimalExtraction
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.references.find import References
from jdaviz_lrs.references.pixels import detector_pixels

__all__ = ["judge", "judge_box", "judge_optimal", "tabulated_light"]

Image = NDArray[np.float64]


def judge(
    judged: Judged,
    brightest: Brightest | None,
    bands: Sequence[NDArray[np.bool_]],
    used: NDArray[np.bool_] | None = None,
    **more: object,
) -> Verdict:
    """Judge an extraction.

    Parameters
    ----------
    judged : Judged
    brightest : Brightest or None
        The brightest trace in the image, where one stands out.
    bands : sequence of ndarray of bool, (n_disp,)
    used : ndarray of bool, (n_disp, n_xdisp), optional
        Pixels that the flux is made of, where those to judge it by are fewer.
    **more
        What else the verdict is to hold.

    Returns
    -------
    Verdict
    """
    agreements = compare_with_sum(judged, bands)
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
        lost_light=tuple(lost_light(judged if used is None else replace(judged, good=used), bands)),
        **place,
        **more,
    )


def judge_box(
    image: SpectralImage,
    references: References,
    placement: Placement,
    background: Image | None,
    spectrum: ExtractedSpectrum,
    good: NDArray[np.bool_],
) -> Verdict:
    """Judge a box extraction by the PSF at its trace, or in the middle of the aperture; of a stack its mean.

    Parameters
    ----------
    image : SpectralImage
    references : References
    placement : Placement
    background : ndarray, broadcastable to the image, or None
        What was subtracted.
    spectrum : ExtractedSpectrum
        With its aperture correction.
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        Pixels that were summed where the aperture lies.

    Returns
    -------
    Verdict
        What is told by the PSF alone where no aperture correction was made; nothing of sources that are no
        points.
    """
    stand_ins = tuple(references.stand_ins)
    if image.observation.source_type != "POINT":
        return Verdict(stand_ins=stand_ins)
    trace = np.where(placement.rows, placement.center, np.nan)
    scene = source_at(image, references.psf, trace)
    if not scene.grid.covered.any():
        return Verdict(stand_ins=stand_ins)
    data = image.filled if background is None else np.where(good, image.filled - background, 0.0)
    variance = np.where(image.good, image.variance, 0.0)
    flux, correction = np.full(image.n_disp, np.nan), np.zeros(image.n_disp)
    spectrum_flux, factor = spectrum.flux, spectrum.apcorr
    if image.data.ndim == 3:
        number = np.maximum(good.sum(axis=0), 1)
        data, variance, good = data.sum(axis=0) / number, variance.sum(axis=0) / number**2, good.any(axis=0)
        spectrum_flux = np.nanmean(spectrum.flux, axis=0)
        factor = None if factor is None or factor.ndim == 1 else factor.mean(axis=0)
    unit = image.pixel_area * 1e6 if image.unit == "MJy/sr" else 1.0
    flux[spectrum.rows] = spectrum_flux / unit
    correction[spectrum.rows] = 1.0 if factor is None else np.nan_to_num(factor)
    offset = image.xdisp_index - trace[:, None]
    reach = max(NEAR, scene.calibration_width / 2 + 0.5)
    columns = np.flatnonzero((placement.weights > 0).any(axis=0) | (np.abs(offset) < reach).any(axis=0))
    near = slice(columns[0], columns[-1] + 1)
    enclosed = tabulated_light(image, references)
    if enclosed is None or not np.isfinite(enclosed).all():
        by_psf = scene.enclosed_light
        enclosed = by_psf if enclosed is None else np.where(np.isfinite(enclosed), enclosed, by_psf)
    judged = Judged(
        data=data[:, near],
        variance=variance[:, near],
        good=good[:, near],
        profile=scene.grid.within(near).light(trace),
        offset=offset[:, near],
        flux=flux,
        flux_weights=placement.weights[:, near] * correction[:, None],
        enclosed=enclosed,
        width=scene.calibration_width,
    )
    brightest = find_brightest(scene, data, even_weights(variance, good))
    added = placement.weights.sum(axis=1) * correction
    sky = _sky(data, good, offset, scene.calibration_width, flux, added, image.band_rows)
    verdict = judge(judged, brightest, image.band_rows, stand_ins=stand_ins, **sky)
    if spectrum.apcorr is None:  # it is no flux of the whole source, by choice
        unknown = (np.nan,) * len(BANDS)
        verdict = replace(verdict, sum_ratio=unknown, sum_ratio_error=unknown, sum_scatter=unknown)
    return verdict


def _sky(*seen) -> dict[str, tuple[float, ...]]:
    """Put what `sky_left` finds under the names of the verdict."""
    shares, errors = zip(*sky_left(*seen), strict=True)
    return {"sky_left": shares, "sky_left_error": errors}


def tabulated_light(image: SpectralImage, references: References) -> Image | None:
    """Share of the light in the calibration aperture by the aperture correction, (n_disp,)."""
    apcorr = references.apcorr
    if apcorr is None or apcorr.refusal:
        return None
    scale = None
    if apcorr.size_unit.startswith("arcsec"):
        if image.pixel_scale is None:
            return None
        scale = image.pixel_scale / detector_pixels(image)
    return apcorr.light_within(image.mode.calibration_width, image.row_wavelength, scale)


def judge_optimal(
    image: SpectralImage,
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
    weights = (
        np.divide(1.0, variance, out=np.zeros_like(variance), where=good & (variance > 0))
        if fit.fixed.variances is not None
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
        background=FittedBackground(scene.basis, weights) if scene.order >= 0 else None,
    )
    witness = {}
    if fit.enclosed is not None:
        witness = {
            "witness_disagreement": fit.enclosed.disagreement,
            "witness_followed": fit.enclosed.followed,
        }
    seen = image.good.any(axis=0) if stack else image.good
    used = seen & scene.grid.covered & np.isfinite(fit.trace)[:, None] & ~rejected
    added = judged.flux_weights.sum(axis=1)
    width = scene.calibration_width
    sky = _sky(judged.data, good, judged.offset, width, flux, added, image.band_rows)
    more = {"stand_ins": tuple(stand_ins), "dropped": fit.dropped, **witness, **sky}
    brightest = find_brightest(scene, np.where(good, judged.data, 0.0), even_weights(variance, good))
    return judge(judged, brightest, image.band_rows, used, **more)
