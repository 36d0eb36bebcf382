"""One spectrum from the detector pixels of several images of a source: nods, repeats, other positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.combine.inputs import check_alike, check_different, position_groups
from jdaviz_lrs.combine.joint_verdict import joint_verdict
from jdaviz_lrs.combine.notes import notes_of_all
from jdaviz_lrs.combine.positions import traces_of_positions
from jdaviz_lrs.data.flags import DO_NOT_USE, FLUX_ESTIMATED
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.joint import JointSpectrum
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.box import Sums, with_common_variance
from jdaviz_lrs.engine.joint import JointFit, JointImage, fit_jointly, own_sky, shared_sky, wide_design
from jdaviz_lrs.engine.lost_light import LEAST_LEFT, light_left
from jdaviz_lrs.engine.optimal import polynomial_basis
from jdaviz_lrs.engine.refine.flux_variance import shape_variance
from jdaviz_lrs.engine.refine.outliers import find_unexplained
from jdaviz_lrs.engine.refine.variance import model_variances
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.advice import say_verdict
from jdaviz_lrs.extraction.conventions import PIPELINE, convention_of
from jdaviz_lrs.extraction.lost_light import WORTH_TELLING
from jdaviz_lrs.extraction.optimal import OptimalExtraction, extract_optimal
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.tabulate import flag_outliers, missing_planes, tabulate
from jdaviz_lrs.extraction.traces import Traces
from jdaviz_lrs.extraction.verdict import judge_optimal, tabulated_light
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.origin import origin_of_image
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.find import References, find_references
from jdaviz_lrs.references.pixels import scale_note

__all__ = ["SKIES", "extract_jointly"]

Image = NDArray[np.float64]

SKIES = ("own", "shared", "positions")
"""Where the sky comes from: a polynomial in each image (`bkg_order`); one polynomial for all images; or,
free at every pixel, the images in which the source lies elsewhere."""

SAME_ROWS = 0.02
"""Of a step in wavelength: below it rows are the same."""


@dataclass(frozen=True, eq=False)
class _Part:
    """One image, extracted by itself, and ready for the joint fit."""

    plan: ExtractionPlan
    fit: OptimalExtraction
    pixels: JointImage

    @property
    def name(self) -> str:
        return self.plan.image.file_name or "the image"


@single_thread()
def extract_jointly(
    images: Iterable[SpectralImage | str | Path],
    parameters: ExtractionParameters | None = None,
    references: References | None = None,
    *,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
    sky: str = "own",
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> JointSpectrum:
    """Extract one spectrum from several images of a source at once.

    Each image has a trace, profile, background and traces of other nods of its own, found as by `extract`
    with ``extraction_type="optimal"``; those of more than two positions lie where the other images have
    theirs. Then one flux a wavelength is fitted to the good pixels of all of
    them, weighted by their inverse variances. Pixels are judged against all images.

    Parameters
    ----------
    images : iterable of SpectralImage or path-like
        Two or more, on the same rows: nods, repeats or further positions.
    parameters, references, override_extract1d, override_apcorr, override_psf, **changes
        As in `extract`; the same for all images.
    sky : {'own', 'shared', 'positions'}
        A polynomial of `bkg_order` in each image, where one is fitted; that polynomial, common to all; or a
        sky that is free at every pixel, told by the images in which the source lies elsewhere. The last two
        are for images that are not nod-subtracted.
    progress : callable, optional
        Is told what is under way; what it raises ends the extraction.

    Returns
    -------
    JointSpectrum

    Raises
    ------
    LRSError
        For fewer than two images; for such as are of different targets, modes, units, or rows; that have no
        errors, are stacks, or there twice; for parameters that do not go with it.

    Notes
    -----
    The variances are those of the fitted scene (`jdaviz_lrs.engine.refine.variance`), as weights that follow
    the noise would bias the flux. Nod-subtracted images of one pair hold the same photons twice: a negative
    trace is fitted with a flux of its own, so that none of them counts twice.
    """
    images = _gathered(images)
    if references is None:
        references = find_references(
            images[0], override_extract1d, override_apcorr, override_psf, progress=progress
        )
    parameters = (references.parameters if parameters is None else parameters).with_(
        {"extraction_type": "optimal"} | changes
    )
    _check(images, parameters, references, sky)
    plans = [ExtractionPlan(image, parameters, references) for image in images]
    parts = [
        _part(plan, number, traces, _naming(progress, plan.image.file_name))
        for plan, number, traces in zip(
            plans, _pixel_numbers(images), traces_of_positions(plans), strict=True
        )
    ]
    _check_rows(parts)
    if progress:
        progress("fitting all images at once")
    return _joined(parts, sky, _sky_design(parts, sky))


def _naming(progress: Callable[[str], None] | None, name: str) -> Callable[[str], None] | None:
    return None if progress is None else lambda what: progress(f"{name}: {what}")


def _gathered(images: Iterable[SpectralImage | str | Path]) -> list[SpectralImage]:
    if not isinstance(images, Iterable | SpectralImage | Path):
        raise LRSError("Give the images of a joint extraction as a list.")
    given = [images] if isinstance(images, SpectralImage | str | Path) else [*images]
    if len(given) < 2:
        number = len(given) or "none"
        raise LRSError(f"A joint extraction needs at least two images, but {number} was given; give more.")
    read_in = [read(one) for one in given]
    names = [one.file_name or f"image {number}" for number, one in enumerate(read_in, 1)]
    check_alike(names, [replace(origin_of_image(one), unit=one.unit) for one in read_in])
    check_different(names, [one.filled for one in read_in])
    return read_in


def _check(
    images: Sequence[SpectralImage], parameters: ExtractionParameters, references: References, sky: str
) -> None:
    if sky not in SKIES:
        raise LRSError(f"sky = {sky!r} is none of {', '.join(SKIES)}.")
    if parameters.extraction_type != "optimal" or "psf" in references.not_applicable:
        raise LRSError("A joint extraction fits the PSF; use extraction_type = optimal, and give a PSF.")
    if convention_of(parameters) is PIPELINE:
        raise LRSError("The pipeline has no joint extraction; set pipeline_compatible to false.")
    for one in images:
        if one.data.ndim != 2:
            raise LRSError(f"{one.file_name}: it is a stack of integrations; extract it by itself.")
        if not one.has_variances:
            raise LRSError(f"{one.file_name}: it has no variances, so that it cannot be weighed.")
        if one.resampled != images[0].resampled:
            raise LRSError(
                f"{one.file_name}: rectified images cannot go with detector images; give cal files, or s2d."
            )
        if sky != "own" and one.observation.bkg_subtract == "COMPLETE":
            raise LRSError(
                f"{one.file_name}: its background was subtracted already; sky = {sky!r} needs images before "
                "that."
            )
        if sky == "positions" and (one.resampled or one.shape != images[0].shape):
            raise LRSError(
                f"{one.file_name}: its pixels are not those of the first image; sky = 'positions' needs cal "
                "files."
            )


def _pixel_numbers(images: Sequence[SpectralImage]) -> list[int]:
    """Give images one number that lie on the same detector pixels: of rectified ones those at one place."""
    places = position_groups([origin_of_image(one) for one in images])
    keys = [
        (one.origin, one.shape, int(place) if one.resampled else 0)
        for one, place in zip(images, places, strict=True)
    ]
    return [keys.index(key) for key in keys]


def _part(plan: ExtractionPlan, pixels: int, traces: Traces, progress: Callable[[str], None] | None) -> _Part:
    image, references = plan.seen, plan.references
    enclosed = tabulated_light(image, references)
    fit = extract_optimal(image, plan.parameters, references.psf, progress, enclosed, traces)
    scene = fit.sources
    good = image.good & scene.grid.covered & np.isfinite(fit.trace)[:, None]
    profiles = scene.profiles()
    variances = model_variances(scene, image.variances, good)
    return _Part(plan, fit, JointImage(image.filled, variances, good, profiles[0], profiles[1:], pixels))


def _check_rows(parts: Sequence[_Part]) -> None:
    """See that all images have the same wavelengths in the same rows."""
    first = parts[0].fit.wavelength
    step = np.abs(np.gradient(first))
    for one in parts[1:]:
        wavelength = one.fit.wavelength
        same = wavelength.shape == first.shape
        if same:
            both = np.isfinite(wavelength) & np.isfinite(first) & np.isfinite(step)
            same = both.any() and (np.abs(wavelength - first)[both] <= SAME_ROWS * step[both]).all()
        if not same:
            raise LRSError(
                f"{one.name}: its rows have other wavelengths than those of {parts[0].name}; extract each by "
                "itself, and combine the spectra."
            )


def _sky_design(parts: Sequence[_Part], sky: str) -> Image:
    scenes = [one.fit.sources for one in parts]
    if sky == "positions":
        return shared_sky([np.eye(one.coordinate.size) for one in scenes])
    bases = [polynomial_basis(one.coordinate, one.order) for one in scenes]
    return own_sky(bases) if sky == "own" else shared_sky(bases)


def _joined(parts: Sequence[_Part], sky: str, design: Image) -> JointSpectrum:
    images = [one.pixels for one in parts]
    if sky == "shared" and not design.shape[1]:
        raise LRSError("sky = 'shared' needs a polynomial; set subtract_background to true, and bkg_order.")
    rejected = _outliers(images, design, parts[0].plan.parameters.outlier_sigma)
    images = [
        replace(one, good=one.good & ~hit & _enough(one, hit))
        for one, hit in zip(images, rejected, strict=True)
    ]
    fit = fit_jointly(images, design)
    if not np.isfinite(fit.flux).any():
        raise LRSError("The joint fit has no solution at any wavelength; lower bkg_order or use sky = 'own'.")
    fit = _with_shape_variance(fit, parts)
    separate = [_alone(one, hit, scene, weights, images[place]) for place, (one, hit, scene, weights) in
                enumerate(zip(parts, rejected, fit.scenes, fit.weights, strict=True))]  # fmt: skip
    return _told(parts, fit, images, rejected, separate, sky)


def _outliers(images: Sequence[JointImage], design: Image, sigma: float) -> list[NDArray[np.bool_]]:
    """Find pixels that the joint scene does not explain."""
    data = np.concatenate([one.data for one in images], axis=1)
    variance = np.concatenate([one.variances.sum(axis=0) for one in images], axis=1)
    good = np.concatenate([one.good for one in images], axis=1)
    basis = np.broadcast_to(design, (*data.shape, design.shape[1]))
    found = find_unexplained(wide_design(images), basis, data, variance, good, sigma)
    return np.split(found, np.cumsum([one.data.shape[1] for one in images])[:-1], axis=1)


def _left(one: JointImage, good: NDArray[np.bool_]) -> Image:
    return light_left(one.profile, np.ones(one.data.shape), good)


def _enough(one: JointImage, hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows in which an image has enough of the light to tell of it, (n_disp, 1)."""
    return (_left(one, one.good & ~hit) >= LEAST_LEFT)[:, None]


def _with_shape_variance(fit: JointFit, parts: Sequence[_Part]) -> JointFit:
    """Add what the uncertain shapes of the profile add, which the images of one source have in common."""
    if all(one.fit.sources.shape is None for one in parts):
        return fit
    added = np.zeros(fit.flux.shape)
    for one, share, weights in zip(parts, fit.shares, fit.weights, strict=True):
        if one.fit.sources.shape is not None:
            added += share * np.sqrt(shape_variance(one.fit.sources, one.fit.frame.data, weights)[0])
    return replace(fit, shape_var=added**2)


def _alone(
    part: _Part,
    rejected: NDArray[np.bool_],
    scene: Image,
    weights: Image,
    pixels: JointImage,
) -> ExtractedSpectrum:
    """Return the spectrum of one image's pixels alone, under the joint choice of outliers."""
    sources = part.fit.sources
    basis = polynomial_basis(sources.coordinate, sources.order)
    fit = _with_shape_variance(fit_jointly([pixels], own_sky([basis])), [part])
    image, plan = part.plan.seen, part.plan
    sums = _sums(fit)
    residual = np.where(image.good, image.data - scene, np.nan)
    found = replace(
        part.fit, sums=sums, scene=scene, residual=residual, variance=pixels.variances.sum(axis=0),
        rejected=rejected, fixed=replace(part.fit.fixed, variances=pixels.variances),
    )  # fmt: skip
    verdict = judge_optimal(image, found, plan.references.stand_ins)
    table = _table(part, fit, rejected)
    return replace(
        table,
        trace=part.fit.trace,
        nod_traces=part.fit.nod_traces,
        profile=part.fit.profile,
        scene_model=scene,
        residual=residual,
        variance=found.variance,
        rejected=rejected,
        report=part.fit.report,
        verdict=verdict,
        file_name=part.plan.image.file_name,
        notes=(*part.fit.notes, *missing_planes(image)),
    )


def _sums(fit: JointFit) -> Sums:
    sums = Sums(fit.flux, fit.flux_var, fit.background, np.zeros_like(fit.flux_var), fit.npixels)
    return sums if fit.shape_var is None else with_common_variance(sums, fit.shape_var)


def _table(part: _Part, fit: JointFit, rejected: NDArray[np.bool_]) -> ExtractedSpectrum:
    image, found = part.plan.seen, part.fit
    used = image.disp_index[found.profile.any(axis=1)]
    first, last = image.xdisp_index[[0, -1]]
    limits = ApertureLimits(float(first), float(last), int(used[0]), int(used[-1]))
    table = tabulate(
        image, _sums(fit), found.profile, limits, wavelength=found.wavelength, surface_brightness=False
    )
    return replace(
        flag_outliers(table, rejected & (found.profile > 0)),
        parameters=part.plan.parameters.asdict(),
        references={
            "extract1d": part.plan.references.extract1d.name,
            "psf": part.plan.references.psf.name,
        },
    )


def _told(
    parts: Sequence[_Part],
    fit: JointFit,
    images: Sequence[JointImage],
    rejected: Sequence[NDArray[np.bool_]],
    separate: Sequence[ExtractedSpectrum],
    sky: str,
) -> JointSpectrum:
    """Put the joint flux into a table, with its flags, and with what is to be known of it."""
    first, references = parts[0], parts[0].plan.references
    # an image may have been left out of a row: the best of them tells how much light there is
    left = np.max([_left(one, one.good) for one in images], axis=0)
    lost = left < LEAST_LEFT
    fit = replace(fit, flux=np.where(lost, np.nan, fit.flux))
    table = _table(first, fit, rejected[0])
    rows = table.rows
    dq = table.dq.copy()
    for one in separate:
        dq |= np.where(np.isfinite(table.flux), one.dq & ~np.uint32(DO_NOT_USE), one.dq)
    dq |= np.where((left < 1.0 - WORTH_TELLING) & ~lost, FLUX_ESTIMATED, 0)[rows].astype(np.uint32)

    fluxes = np.stack([one.flux for one in separate])
    spread = np.stack([one.flux_var_poisson + one.flux_var_rnoise for one in separate])
    known = np.isfinite(fluxes) & (spread > 0) & np.isfinite(table.flux)
    squares = (fluxes - table.flux) ** 2 / np.where(known, spread, 1.0)
    count = known.sum(axis=0)
    chi_square = np.where(known, squares, 0.0).sum(axis=0)
    freedom = max(int(np.maximum(count - 1, 0).sum()), 1)
    verdict = joint_verdict([one.verdict for one in separate])
    report = {
        "inputs": [one.name for one in parts],
        "sky": sky,
        "rejected_pixels": int(sum(hit.sum() for hit in rejected)),
        "chi_square": float(chi_square[count > 1].sum() / freedom),
        "shares": [float(np.nanmedian(share)) for share in fit.shares],
    }
    notes = [f"Extracted jointly from {len(parts)} images: {', '.join(one.name for one in parts)}."]
    if missing := int((~np.isfinite(table.flux)).sum()):
        notes.append(f"No flux at {missing} of {rows.size} wavelengths (NaN, flagged DO_NOT_USE).")
    if report["chi_square"] > 1.3:
        notes.append(
            "The images differ by more than their errors, which do not cover that (chi-square "
            f"{report['chi_square']:.2f} per degree of freedom)."
        )
    notes += notes_of_all([one.name for one in parts], [one.notes for one in separate])
    paths = [one.plan.image.path for one in parts if one.plan.image.path is not None]
    listed = [one for one in first.plan.parameters.bad_pixels if isinstance(one, str)]
    context = {} if references.context is None else {"context": references.context}
    kinds = {*table.references}
    told = (*notes, *scale_note(first.plan.image), *references.notes_on(kinds), *say_verdict(verdict))
    fields = {name: getattr(table, name) for name in table.__dataclass_fields__}
    return JointSpectrum(
        **fields
        | {
            "dq": dq,
            "trace": first.fit.trace,
            "nod_traces": first.fit.nod_traces,
            "report": report,
            "verdict": verdict,
            "notes": tuple(dict.fromkeys(told)),
            "references": {**table.references, **context},
            "inputs": (*paths, *references.paths, *listed),
        },
        parts=tuple(separate),
        chi_square=chi_square,
        n_input=count,
    )
