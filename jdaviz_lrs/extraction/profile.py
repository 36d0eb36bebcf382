"""Optimal extraction to the columns of the table: the spectra of a target and of the sources beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.box import Sums
from jdaviz_lrs.extraction.advice import say_verdict
from jdaviz_lrs.extraction.conventions import PIPELINE, convention_of
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.lost_light import give_up_lost_light, tell_of_estimates
from jdaviz_lrs.extraction.optimal import OptimalExtraction, extract_optimal
from jdaviz_lrs.extraction.tabulate import flag_outliers, missing_planes, tabulate
from jdaviz_lrs.extraction.verdict import judge_optimal, tabulated_light

__all__ = ["fit_and_extract", "tabulate_fit"]

Image = NDArray[np.float64]

BUILT_IN = 0.005
"""Of the flux, to which the built-in model tells it: that of the light outside the aperture."""


def fit_and_extract(
    layout: ExtractionLayout, progress: Callable[[str], None] | None = None
) -> tuple[ExtractedSpectrum, OptimalExtraction]:
    """Fit the PSF, and judge the fit: the spectrum, and what it was made with."""
    image, parameters, references = layout.seen, layout.parameters, layout.references
    enclosed = tabulated_light(image, references)
    fit = extract_optimal(image, parameters, references.psf, progress, enclosed, layout.traces)
    verdict = judge_optimal(image, fit, references.stand_ins)
    spectrum = _table(layout, fit, fit.sums, fit.trace)
    spectrum = replace(
        spectrum,
        profile=fit.profile if fit.nod_profile is None else fit.profile + fit.nod_profile,
        scene_model=fit.scene,
        residual=fit.residual,
        variance=fit.variance,
        rejected=fit.rejected,
        nod_traces=fit.nod_traces,
        companions=tuple(
            _table(layout, fit, *one) for one in zip(fit.companions, fit.companion_traces, strict=True)
        ),
        inspect=None if convention_of(parameters) is PIPELINE else fit.advice,
        verdict=verdict,
        notes=(*spectrum.notes, *say_verdict(verdict), *_known_worse_than_its_noise(spectrum, layout)),
    )
    return _without_lost_light(spectrum, layout, fit), fit


def _known_worse_than_its_noise(spectrum: ExtractedSpectrum, layout: ExtractionLayout) -> tuple[str, ...]:
    """Say of a bright source that a built-in model tells its flux worse than the noise does."""
    lit = spectrum.flux > 0
    if "psf" not in layout.references.stand_ins or not lit.any():
        return ()
    noise = float(np.nanmedian(spectrum.flux_error[lit] / spectrum.flux[lit]))
    if not noise < 0.5 * BUILT_IN:
        return ()
    return (
        f"The errors are of noise alone, {noise:.2%} of the flux, which by the built-in PSF may be off by "
        f"{BUILT_IN:.1%}; give a PSF reference.",
    )


def tabulate_fit(layout: ExtractionLayout, fit: OptimalExtraction) -> ExtractedSpectrum:
    """Turn the fit of a stack of integrations into the columns of the table, without judging it."""
    spectrum = replace(_table(layout, fit, fit.sums, fit.trace), rejected=fit.rejected, variance=fit.variance)
    return _without_lost_light(spectrum, layout, fit)


def _table(layout: ExtractionLayout, fit: OptimalExtraction, sums: Sums, trace: Image) -> ExtractedSpectrum:
    image, parameters, references = layout.seen, layout.parameters, layout.references
    used = image.disp_index[fit.profile.any(axis=1)]
    first, last = image.xdisp_index[[0, -1]]
    # The pipeline counts one pixel too many: the end of its range, not the last pixel in it.
    last += not convention_of(parameters).limits_of_the_slit
    limits = ApertureLimits(float(first), float(last), int(used[0]), int(used[-1]))
    spectrum = tabulate(image, sums, fit.profile, limits, wavelength=fit.wavelength, surface_brightness=False)
    return replace(
        flag_outliers(spectrum, fit.rejected & (fit.profile > 0)),
        trace=trace,
        parameters=parameters.asdict(),
        references={"extract1d": references.extract1d.name, "psf": references.psf.name},
        report=fit.report,
        notes=(*fit.notes, *missing_planes(image)),
    )


def _without_lost_light(
    spectrum: ExtractedSpectrum, layout: ExtractionLayout, fit: OptimalExtraction
) -> ExtractedSpectrum:
    image = layout.seen
    if not convention_of(layout.parameters).light_made_up_for:
        return spectrum

    def source() -> Image:
        return np.nan_to_num(fit.residual) + np.nan_to_num(fit.flux)[..., None] * fit.profile

    return give_up_lost_light(tell_of_estimates(spectrum, image, fit.profile), image, fit.profile, source)
