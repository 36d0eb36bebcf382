"""The one orchestration: an image, parameters and reference files make a spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import OUTLIER
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.apcorr import LEAST_SHARE, pixel_fractions, profile_correction
from jdaviz_lrs.engine.box import Sums, box_model, box_sums
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.advice import say_verdict
from jdaviz_lrs.extraction.box_advice import inspect_box
from jdaviz_lrs.extraction.box_background import box_background
from jdaviz_lrs.extraction.box_outliers import box_outliers
from jdaviz_lrs.extraction.lost_light import give_up_lost_light, make_up_for_lost_light, tell_of_estimates
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.extraction.placement import Placement, place, uses_source_position
from jdaviz_lrs.extraction.tabulate import scaled, tabulate
from jdaviz_lrs.extraction.verdict import judge_box, judge_optimal, tabulated_light
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.bad_pixels import mask_bad_pixels
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.find import References, find_references
from jdaviz_lrs.references.pixels import detector_pixels, on_pixels_of, scale_note

__all__ = ["extract"]

Image = NDArray[np.float64]


def extract(
    image: SpectralImage | str | Path,
    parameters: ExtractionParameters | None = None,
    references: References | None = None,
    *,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> ExtractedSpectrum:
    """Extract a spectrum.

    Parameters
    ----------
    image : SpectralImage or path-like
        An s2d or cal file, or the image already read.
    parameters : ExtractionParameters, optional
        Without it, those of the extract1d reference file.
    references : References, optional
        Without it, found for the image with `find_references`.
    override_extract1d, override_apcorr, override_psf : path-like, optional
        Reference files, as in the pipeline.
    progress : callable, optional
        Is told, in a few words, what is under way where it takes long: reference files that are fetched, and
        each step of a refinement. What it raises ends the extraction.
    **changes
        Any parameter by the pipeline's name; wins over `parameters` and the reference file. As in the
        pipeline, ``extraction_type=None`` means optimal extraction where the source's position is used.

    Returns
    -------
    ExtractedSpectrum

    Raises
    ------
    LRSError
        With one sentence that names the file or parameter and what to do.
    """
    image = read(image)
    if references is None:
        references = find_references(
            image, override_extract1d, override_apcorr, override_psf, progress=progress
        )
    if parameters is None:
        parameters = references.parameters
    by_position = "extraction_type" in changes and changes["extraction_type"] is None
    if by_position:
        del changes["extraction_type"]
    parameters = parameters.with_(changes)
    if by_position:
        kind = "optimal" if uses_source_position(image, parameters) else "box"
        parameters = replace(parameters, extraction_type=kind)
    image = mask_bad_pixels(image, parameters.bad_pixels)
    if parameters.extraction_type == "optimal" and "psf" in references.not_applicable:
        spectrum = extract_box(image, replace(parameters, extraction_type="box"), references)
        kinds = {*spectrum.references, "psf"}
    elif parameters.extraction_type == "optimal":
        spectrum = extract_profile(image, parameters, references, progress)
        kinds = set(spectrum.references)
    else:
        spectrum = extract_box(image, parameters, references)
        kinds = set(spectrum.references)
    context = {} if references.context is None else {"context": references.context}
    scale = () if parameters.pipeline_compatible or not kinds & {"apcorr", "psf"} else scale_note(image)
    return replace(
        spectrum,
        references={**spectrum.references, **context},
        notes=(*spectrum.notes, *scale, *references.notes_on(kinds)),
    )


def extract_box(
    image: SpectralImage, parameters: ExtractionParameters, references: References
) -> ExtractedSpectrum:
    """Sum the image over the aperture; see `extract`."""
    placement = place(image, parameters)
    compatible = parameters.pipeline_compatible
    rejected, seen = None, image
    if "outliers" in parameters.refinements and not compatible:  # the others are optimal extraction's
        rejected = box_outliers(image, placement)
        seen = replace(image, good=image.good & ~rejected)
    weights = np.where(seen.good, placement.weights, 0.0)
    background = box_background(seen, parameters, placement, weights)
    sums = box_sums(seen.filled, seen.variances, weights, background)
    spectrum = tabulate(image, sums, placement.weights, placement.limits)
    if not compatible and (sums.npixels < placement.weights.sum(axis=-1)).any():
        source = seen.filled if background is None else seen.filled - background.image
        spectrum = make_up_for_lost_light(spectrum, image, references, placement, seen.good, source)
    if not compatible:
        spectrum = tell_of_estimates(spectrum, seen, placement.weights)
    spectrum = _aperture_corrected(spectrum, image, parameters, references, placement)
    notes = (*_notes(spectrum, image), *placement.notes)
    if parameters.save_scene_model or parameters.save_residual_image:
        model = np.broadcast_to(box_model(sums, weights, background), image.data.shape)
        spectrum = replace(spectrum, scene_model=model, residual=image.data - model, variance=image.variance)
    if rejected is not None:
        spectrum = replace(
            _outliers_flagged(spectrum, rejected & (placement.weights > 0)),
            rejected=rejected,
            report={"rejected_pixels": int(rejected.sum())},
        )
    subtracted = None if background is None else background.image
    verdict = judge_box(image, references, placement, subtracted, spectrum, seen.good)
    return replace(
        spectrum,
        profile=placement.weights,
        parameters=parameters.asdict(),
        notes=(*spectrum.notes, *notes, *say_verdict(verdict)),
        references={"extract1d": references.extract1d.name, **spectrum.references},
        verdict=verdict,
        inspect=None if compatible else partial(inspect_box, seen, parameters, references, placement),
    )


def _outliers_flagged(spectrum: ExtractedSpectrum, rejected: NDArray[np.bool_]) -> ExtractedSpectrum:
    """Flag the wavelengths at which pixels were rejected, ([n_int,] n_disp, n_xdisp)."""
    hit = rejected.any(axis=-1)[..., spectrum.rows]
    return replace(spectrum, dq=spectrum.dq | np.where(hit, OUTLIER, 0).astype(np.uint32))


def extract_profile(
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    progress: Callable[[str], None] | None = None,
) -> ExtractedSpectrum:
    """Fit the PSF at every wavelength; see `extract`."""
    fit = extract_optimal(image, parameters, references.psf, progress, tabulated_light(image, references))
    used = image.disp_index[fit.profile.any(axis=1)]
    first, last = image.xdisp_index[[0, -1]]
    # The pipeline counts one pixel too many: the end of its range, not the last pixel in it.
    last += parameters.pipeline_compatible
    limits = ApertureLimits(float(first), float(last), int(used[0]), int(used[-1]))

    def spectrum_of(sums: Sums, trace: Image) -> ExtractedSpectrum:
        spectrum = tabulate(
            image, sums, fit.profile, limits, wavelength=fit.wavelength, surface_brightness=False
        )
        return replace(
            _outliers_flagged(spectrum, fit.rejected & (fit.profile > 0)),
            trace=trace,
            parameters=parameters.asdict(),
            references={"extract1d": references.extract1d.name, "psf": references.psf.name},
            report=fit.report,
            notes=(*fit.notes, *_missing(image)),
        )

    verdict = judge_optimal(image, parameters, fit, references.stand_ins)
    spectrum = spectrum_of(fit.sums, fit.trace)
    spectrum = replace(
        spectrum,
        profile=fit.profile if fit.nod_profile is None else fit.profile + fit.nod_profile,
        scene_model=fit.scene,
        residual=fit.residual,
        variance=fit.variance,
        rejected=fit.rejected,
        nod_traces=fit.nod_traces,
        companions=tuple(map(spectrum_of, fit.companions, fit.companion_traces)),
        inspect=None if parameters.pipeline_compatible else fit.advice,
        verdict=verdict,
        notes=(*spectrum.notes, *say_verdict(verdict)),
    )
    if parameters.pipeline_compatible:
        return spectrum
    light = np.nan_to_num(fit.flux)[..., None] * fit.profile
    source = np.nan_to_num(fit.residual) + light
    return give_up_lost_light(tell_of_estimates(spectrum, image, fit.profile), image, fit.profile, source)


def _aperture_corrected(
    spectrum: ExtractedSpectrum,
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    placement: Placement,
) -> ExtractedSpectrum:
    """Correct for the light outside the aperture, whichever of its pixels are lost."""
    if not parameters.apply_apcorr:
        return spectrum
    if image.observation.source_type != "POINT":
        kind = image.observation.source_type or "not given"
        note = f"No aperture correction: the source type (SRCTYPE) is {kind}, not POINT."
        return replace(spectrum, notes=(*spectrum.notes, note))
    if parameters.apcorr_method == "reference" and "apcorr" in references.not_applicable:
        return replace(spectrum, references={**spectrum.references, "apcorr": "N/A"})
    notes: tuple[str, ...] = ()
    if parameters.apcorr_method == "reference" and references.apcorr is not None:
        correction = _reference_correction(spectrum, image, parameters, references, placement)
        name = references.apcorr.name
    else:
        correction = psf_correction(image, references.psf, placement)[spectrum.rows]
        name = f"computed from {references.psf.name}"
        lost = np.isnan(correction) & np.isfinite(spectrum.flux)
        if lost.any():
            notes = (_uncorrected(int(lost.sum()), lost.size, references.psf),)
    return replace(
        scaled(spectrum, correction),
        references={**spectrum.references, "apcorr": name},
        notes=(*spectrum.notes, *notes),
    )


def _reference_correction(
    spectrum: ExtractedSpectrum,
    image: SpectralImage,
    parameters: ExtractionParameters,
    references: References,
    placement: Placement,
) -> Image:
    """Look the correction up by the number of pixels, ([n_int,] n_wavelength).

    On pixels of another size than the detector's an aperture of the same width loses more light, or less: by
    how much, the PSF tells.
    """
    if image.pixel_scale is None and references.apcorr.size_unit.startswith("arcsec"):
        raise LRSError("The aperture correction is given in arcsec, but the image has no WCS to convert it.")
    size = detector_pixels(image, parameters.pipeline_compatible)
    scale = None if image.pixel_scale is None else image.pixel_scale / size
    # in the pipeline an aperture with a bad pixel is a smaller one
    same = parameters.pipeline_compatible or spectrum.light_left is None
    npixels = spectrum.npixels if same else placement.weights.sum(axis=-1)[spectrum.rows]
    correction = references.apcorr.at(npixels * size, spectrum.wavelength, scale)
    if size == 1.0:
        return correction
    half = 0.5 * size * placement.weights.sum(axis=-1)[spectrum.rows]
    there = psf_correction(image, references.psf, placement)[spectrum.rows]
    change = there * enclosed_fraction(references.psf, -half, half, spectrum.wavelength)
    return correction * np.where(np.isfinite(change), change, 1.0)


def _uncorrected(number: int, size: int, psf: SpectralPSF) -> str:
    first, last = psf.wavelength.min(), psf.wavelength.max()
    return (
        f"No aperture correction, and so no flux, at {number} of {size} wavelengths: they lie outside the "
        f"PSF's ({first:.1f} to {last:.1f} um), or the aperture has less than {LEAST_SHARE:.0%} of its light."
    )


def psf_correction(image: SpectralImage, psf: SpectralPSF, placement: Placement) -> Image:
    """Aperture correction for a source on the trace, or in the middle of the aperture where there is none.

    Parameters
    ----------
    image : SpectralImage
    psf : SpectralPSF
    placement : Placement

    Returns
    -------
    ndarray, (n_disp,)
        See `jdaviz_lrs.engine.apcorr.profile_correction`.
    """
    psf = on_pixels_of(image, psf)
    used = np.flatnonzero(placement.weights.any(axis=0))
    columns = slice(used[0], used[-1] + 1)
    offsets = image.xdisp_index[columns] - placement.center[:, None]
    profile = pixel_fractions(
        psf.data, psf.wavelength, psf.subpix, psf.center_col, offsets, image.row_wavelength
    )
    return profile_correction(profile, placement.weights[:, columns])


def _notes(spectrum: ExtractedSpectrum, image: SpectralImage) -> tuple[str, ...]:
    notes = []
    if failed := int(np.isnan(spectrum.flux).sum()):
        notes.append(f"No flux at {failed} of {spectrum.flux.size} wavelengths (NaN, flagged DO_NOT_USE).")
    return (*notes, *_missing(image))


def _missing(image: SpectralImage) -> tuple[str, ...]:
    missing = (f"The image has no {', '.join(image.missing)}.",) if image.missing else ()
    return (*missing, *image.notes)
