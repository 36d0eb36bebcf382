"""Optimal extraction of an image: traces, profiles, fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.engine.box import Sums, with_common_variance
from jdaviz_lrs.engine.optimal import fit_profiles
from jdaviz_lrs.engine.refine.advice import REFINEMENTS as TRIED
from jdaviz_lrs.engine.refine.advice import Answer, inspect_scene
from jdaviz_lrs.engine.refine.astray import is_moved, leads_astray, likeliest_flux
from jdaviz_lrs.engine.refine.blur import likeliest_blur
from jdaviz_lrs.engine.refine.flux_variance import shape_variance
from jdaviz_lrs.engine.refine.judging import FARTHER, Earned, Setting, refine_what_earns
from jdaviz_lrs.engine.refine.location import far_shift
from jdaviz_lrs.engine.refine.run import Step, add_sources, clean_pixels
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel
from jdaviz_lrs.engine.refine.smooth_fit import fit_with_smooth_background
from jdaviz_lrs.engine.refine.witness import Enclosed
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.advice import Advice, advise, say_astray, say_dropped
from jdaviz_lrs.extraction.conventions import PIPELINE, convention_of
from jdaviz_lrs.extraction.missing_wings import refine_with_wings
from jdaviz_lrs.extraction.optimal_report import describe_location, describe_refinement
from jdaviz_lrs.extraction.progress import say_step
from jdaviz_lrs.extraction.starting_scene import (
    background_order,
    check_order,
    frame_of,
    grid_of,
    locate,
    scene_of,
)
from jdaviz_lrs.extraction.traces import Traces, place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.pixels import blurs_of_nods, scaled_to

__all__ = ["FixedScene", "OptimalExtraction", "extract_optimal", "extract_with"]

Image = NDArray[np.float64]

LOCATED = 0.1
"""Pixels: a location known worse than this is no better start than the header's."""
SMOOTHING_LENGTH = 21
"""Rows over which the refinement smooths the background where `smoothing_length` is not given."""
FROM_THE_FREEST = ("width", "companions", "trace", "background", "variance", "outliers")
"""In which order refinements are given up that lead away from where all of them lead."""


@dataclass(frozen=True, eq=False)
class FixedScene:
    """What the optimal extraction of one image hands on to others of the same source.

    Attributes
    ----------
    frame : Frame
        What it was refined on.
    scene : SceneModel
        Traces and shapes as fitted.
    rejected : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        Pixels left out as outliers.
    variances : ndarray, (3, n_disp, n_xdisp), or None
        Of the model; None: those of the image that is extracted.
    shape_variance : ndarray, (n_source, n_disp), or None
        Of the fluxes, from the shape; None: it is found from the image that is extracted.
    """

    frame: Frame
    scene: SceneModel
    rejected: NDArray[np.bool_]
    variances: Image | None
    shape_variance: Image | None = None

    def with_shape_variance(self) -> FixedScene:
        """Find the variance that the shape adds from what it was fitted to, for all images alike."""
        added = shape_variance(self.scene, self.frame.data, self.weights(self.frame.good))
        return replace(self, shape_variance=added)

    def weights(self, good: NDArray[np.bool_]) -> Image:
        """Inverse variances of the model, or 1, for the good pixels, ([n_int,] n_disp, n_xdisp)."""
        kept = good & ~self.rejected
        if self.variances is None:
            return kept.astype(float)
        total = self.variances.sum(axis=0)
        return np.divide(1.0, total, out=np.zeros(kept.shape), where=kept & (total > 0))


@dataclass(frozen=True, eq=False)
class OptimalExtraction:
    """An optimal extraction in the units of the image; rows are those of the image.

    Attributes
    ----------
    wavelength : ndarray, (n_disp,)
        Mean over the profile, in micron; NaN where the row has neither profile nor wavelength.
    sums : Sums
        Of the target: flux, background in its light, variances, effective number of pixels.
    profile : ndarray, (n_disp, n_xdisp)
        Of the target.
    nod_profile : ndarray, (n_disp, n_xdisp), or None
        Of what the subtraction of other nods has left of it: negative.
    scene, residual : ndarray, ([n_int,] n_disp, n_xdisp)
        All that was fitted, and the image minus it.
    variance : ndarray, ([n_int,] n_disp, n_xdisp)
        Of the image, as it was used; with it the residual can be had in sigma.
    rejected : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        Pixels left out as outliers.
    trace : ndarray, (n_disp,)
        Of the target, as fitted, in the file's columns.
    nod_traces : tuple of ndarray, (n_disp,)
    companions : tuple of Sums
        Of the further sources.
    companion_traces : tuple of ndarray, (n_disp,)
    notes : tuple of str
    report : Mapping of str to object
        What was fitted beyond the fluxes: plain numbers by name.
    frame : Frame
        The pixels that the scene was, or would be, refined on.
    sources : SceneModel
        Traces and shapes as fitted.
    tabulated : ndarray, (n_disp,), or None
        Share of the light in the calibration aperture by the aperture correction, at the phase of the trace.
    enclosed : Enclosed or None
        What was followed of the witnesses to it; None where no shape was fitted.
    dropped : tuple of str
        Refinements that did not earn their place.
    fixed : FixedScene or None
        What other images of the source can be extracted with.
    look, inspect, likeliest : callable or None
        Makes all refinements, sees which of them would change the flux, and tells the flux with all.
    """

    wavelength: Image
    sums: Sums
    profile: Image
    nod_profile: Image | None
    scene: Image
    residual: Image
    variance: Image
    rejected: NDArray[np.bool_]
    frame: Frame
    sources: SceneModel
    trace: Image
    nod_traces: tuple[Image, ...] = ()
    companions: tuple[Sums, ...] = ()
    companion_traces: tuple[Image, ...] = ()
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    tabulated: Image | None = None
    enclosed: Enclosed | None = None
    dropped: tuple[str, ...] = ()
    fixed: FixedScene | None = None
    look: Callable[..., Earned] | None = None
    inspect: Callable[..., tuple[Answer, ...]] | None = None
    likeliest: Callable[[Earned], Image] | None = None

    @single_thread()
    def advice(self) -> tuple[Advice, ...]:
        """See what the residual shows, and which refinements would answer it (in about the time of all)."""
        answers = self.inspect(self.look())
        return tuple(advise(answer) for answer in answers if answer.refinement not in self.dropped)

    @property
    def flux(self) -> Image:
        """Of the target, ([n_int,] n_disp); NaN where there is no solution."""
        return self.sums.flux

    @property
    def flux_var(self) -> Image:
        """Its variances, (3, [n_int,] n_disp): Poisson, read noise, flat."""
        return self.sums.variances

    @property
    def npixels(self) -> Image:
        """Effective number of pixels, ([n_int,] n_disp)."""
        return self.sums.npixels

    @property
    def background(self) -> Image:
        """Per pixel, ([n_int,] n_disp)."""
        return self.sums.background / np.where(self.npixels > 0, self.npixels, 1.0)

    @property
    def background_var(self) -> Image:
        """Variances of the background per pixel, (3, [n_int,] n_disp)."""
        return self.sums.background_variances / np.where(self.npixels > 0, self.npixels, 1.0) ** 2


@single_thread()
def extract_optimal(
    image: SpectralImage,
    parameters: ExtractionParameters,
    psf: SpectralPSF,
    progress: Callable[[str], None] | None = None,
    enclosed: Image | None = None,
    traces: Traces | None = None,
) -> OptimalExtraction:
    """Extract the source by its PSF.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
    psf : SpectralPSF
    progress : callable, optional
        Is told what comes next in a refinement; what it raises ends the extraction.
    enclosed : ndarray, (n_disp,), optional
        Share of the light in the calibration aperture by the aperture correction.
    traces : Traces, optional
        Where the header has the sources, if that is known already.

    Returns
    -------
    OptimalExtraction

    Raises
    ------
    LRSError
        Where no trace can be placed, or the PSF's wavelengths are not the image's.
    """
    traces = traces or place_traces(image, parameters)

    def as_chosen(*chosen: str) -> OptimalExtraction:
        asked = replace(parameters, refinements=chosen)
        return _extract_as_chosen(image, asked, psf, progress, enclosed, traces)

    chosen = parameters.refinements
    result = as_chosen(*chosen)
    if not chosen or set(TRIED) <= set(chosen) or result.look is None:
        return result
    return _led_back(result, chosen, as_chosen, image.band_rows, _told(progress))


def _led_back(
    result: OptimalExtraction,
    chosen: Sequence[str],
    as_chosen: Callable[..., OptimalExtraction],
    bands: Sequence[NDArray[np.bool_]],
    progress: Callable[[Step], None] | None,
) -> OptimalExtraction:
    """Give up what leads away from where all refinements lead, as others are needed with it.

    With a wrong profile, fluxes are wrong in ways that may cancel, and what mends one of them alone then
    makes it worse.
    """
    candidates = [one for one in FROM_THE_FREEST if one in chosen and one not in result.dropped]
    unrefined = as_chosen()
    if not candidates:
        return replace(unrefined, notes=result.notes, dropped=result.dropped)
    before = _mean(unrefined.flux)
    if not is_moved(_mean(result.flux), before, bands):
        return result
    earned = result.look(progress=progress)
    likeliest = result.likeliest(earned)
    dropped, notes = [], []
    for name in candidates:
        number = 1 if result.flux.ndim == 1 else len(result.flux)
        error = np.sqrt(_mean(result.flux_var.sum(axis=0)) / number)
        if not leads_astray(_mean(result.flux), error, before, likeliest, bands):
            break
        dropped.append(name)
        notes.append(say_astray(name, result.inspect(earned, least=FARTHER)))
        result = as_chosen(*(one for one in chosen if one not in dropped))
    return replace(
        result,
        notes=(*result.notes, *notes),
        dropped=(*dropped, *result.dropped),
        look=lambda: earned,
    )


def _mean(column: Image) -> Image:
    """Return a column of the table, of a stack of integrations its mean, (n_disp,)."""
    return column if column.ndim == 1 else np.nanmean(column, axis=0)


def _extract_as_chosen(
    image: SpectralImage,
    parameters: ExtractionParameters,
    psf: SpectralPSF,
    progress: Callable[[str], None] | None,
    enclosed: Image | None,
    traces: Traces,
) -> OptimalExtraction:
    """Extract with the refinements that are chosen, as far as they earn their place."""
    convention = convention_of(parameters)
    psf = scaled_to(image, psf) if convention.scaled_to_pixels else psf
    grid = grid_of(image, psf, convention)
    good = image.good & grid.covered & np.isfinite(traces.source)[:, None]
    if not good.any():
        raise LRSError(
            f"{image.file_name or 'The image'}: no valid pixel has a trace and a PSF to extract with."
        )
    check_order(background_order(parameters), 1 + len(traces.nods) + len(parameters.sources), good)
    if not convention.pixels_from_file_origin:
        # it counts the trace from the bounding box's edge, the pixels from the first one inside
        left = image.bounding_box[1][0]
        half_pixel = np.ceil(left) - left
        traces = Traces(traces.source + half_pixel, tuple(n + half_pixel for n in traces.nods))

    report: dict[str, Any] = {}
    notes = list(traces.notes)
    everything = (traces.source, *traces.nods)
    scene = scene_of(image, grid, psf, everything, parameters)
    chosen = () if convention is PIPELINE else parameters.refinements
    looks = bool({"trace", "width", "outliers", "companions", "variance"} & set(chosen))
    frame = frame_of(image, good, scene, parameters)
    location = None
    if parameters.optimize_psf_location and convention.located_as_extracted:
        moved = far_shift(frame, scene)
        if moved:
            report["source_shift"] = moved
            notes.append(
                f"The source is {moved:+.1f} px from where the header has it; it is extracted there."
            )
            everything = tuple(trace + moved for trace in everything)
            scene = replace(scene, traces=scene.traces + moved)
    if parameters.optimize_psf_location:
        usable = clean_pixels(frame, scene) if looks else frame.good
        location = locate(image, grid, usable, everything, parameters)
        report |= describe_location(location)
        if not location.converged:
            notes.append("optimize_psf_location found no best place; the header's is used.")
    shifts = location.shifts if location and location.converged else (0.0,) * len(everything)
    placed = replace(scene, traces=scene.traces + np.array(shifts)[:, None])

    if placed.blur is not None and not psf.drizzled:
        blur = _blur_of_nods(image, frame, placed)
        scene, placed = (replace(one, blur=blur) for one in (scene, placed))

    if not convention.fitted_on_all_pixels:
        result = _pipelines_way(image, frame, placed, good, parameters, notes, report)
        _check_solved(image, result)
        return replace(result, fixed=FixedScene(frame, placed, np.zeros(good.shape[-2:], bool), None))
    if enclosed is not None:  # a table tells what whole pixels hold
        enclosed = enclosed * placed.phase_effect
    known = location is not None and max(location.errors) < LOCATED
    setting = Setting(frame, parameters.sources, tuple(shifts) if known else (), enclosed, image.band_rows)
    unrefined, _ = add_sources(placed, parameters.sources)
    refined = witnesses = None
    if looks:
        start = scene if "trace" in chosen else placed
        earned = refine_what_earns(start, unrefined, chosen, setting, _told(progress))
        witnesses = earned.refined.enclosed
        winged = refine_with_wings(earned, start, unrefined, chosen, setting, image, psf, _told(progress))
        if winged is not None:
            earned = winged
        refined, chosen = earned.refined, earned.chosen
        combined = image.observation.exposures != 1
        lent = None if winged is None else witnesses
        found, why = describe_refinement(refined, scene, chosen, good, combined, lent)
        report |= found
        notes += [*why, *say_dropped(earned.dropped)]
        final, rejected = refined.scene, refined.rejected & ("outliers" in chosen)
    else:
        final = unrefined
        rejected = np.zeros(good.shape[-2:], bool)
    variances = None
    if refined is not None and "variance" in chosen:
        variances = refined.variances * (np.maximum(good.sum(axis=0), 1) if image.data.ndim == 3 else 1)
    fixed = FixedScene(frame, final, rejected, variances)
    result = _extract(image, good, fixed, parameters, notes, report)
    _check_solved(image, result)
    return replace(
        result,
        fixed=fixed,
        dropped=tuple(earned.dropped) if looks else (),
        tabulated=enclosed,
        enclosed=witnesses,
        look=partial(refine_what_earns, scene, unrefined, TRIED, setting),
        likeliest=partial(likeliest_flux, setting=setting),
        inspect=partial(
            inspect_scene,
            unrefined=unrefined,
            setting=setting,
            flux=_mean(result.flux),
            chosen=[one for one in parameters.refinements if one != "variance" or one in chosen],
        ),
    )


def _blur_of_nods(image: SpectralImage, frame: Frame, scene: SceneModel) -> Image:
    """Blur of a scene; where nods are combined, as their own traces show it."""
    nods = np.flatnonzero(scene.groups)
    apart = scene.traces[nods[0]] - scene.traces[0] if nods.size else None
    blurs = blurs_of_nods(image, None if apart is None else abs(float(np.nanmean(apart))))
    found = likeliest_blur(scene, frame, blurs) if len(blurs) else None
    return scene.blur if found is None else found


def _told(progress: Callable[[str], None] | None) -> Callable[[Step], None] | None:
    return None if progress is None else lambda step: progress(say_step(step))


def _pipelines_way(image, frame, scene, good, parameters, notes, report) -> OptimalExtraction:
    """Extract with equal weights for the pixels that a profile reaches, normalised on the image."""
    profiles = np.stack(
        [
            sign * scene.grid.place(trace, within_image=True).value
            for trace, sign in zip(scene.traces, scene.signs, strict=True)
        ]
    )
    weights = (good & (profiles != 0).any(axis=0)).astype(float)
    fit = fit_profiles(
        image.filled, image.variances, weights, profiles, scene.coordinate, scene.order, scaled=False
    )
    # zero where singular, NaN only where no pixel is left
    flux = np.where(np.isclose(fit.npixels, 0), np.nan, np.where(fit.singular, 0.0, fit.flux))
    if scene.order >= 0:  # its sums include pixels without a variance, also those outside the slit
        complete = image.good.all(axis=-1) & (image.file_shape == image.shape)
        fit = replace(fit, background_var=np.where(complete, fit.background_var, np.nan))
    rejected = np.zeros(good.shape, bool)
    return _result(
        image, frame, scene, replace(fit, flux=flux), profiles, rejected, image.variances, notes, report
    )


def extract_with(
    fixed: FixedScene, image: SpectralImage, parameters: ExtractionParameters
) -> OptimalExtraction:
    """Extract a stack of integrations with traces and shapes that are known.

    Parameters
    ----------
    fixed : FixedScene
        Of their mean; its variances are those of one integration.
    image : SpectralImage
    parameters : ExtractionParameters
        Those that it was found with.

    Returns
    -------
    OptimalExtraction
    """
    scene = fixed.scene
    good = image.good & scene.grid.covered & np.isfinite(scene.traces[0])[:, None]
    if not convention_of(parameters).fitted_on_all_pixels:
        return _pipelines_way(image, fixed.frame, scene, good, parameters, [], {})
    return _extract(image, good, fixed, parameters, [], {})


def _extract(image, good, fixed: FixedScene, parameters, notes, report) -> OptimalExtraction:
    """Fit the final scene."""
    frame, scene = fixed.frame, fixed.scene
    profiles = scene.profiles()
    weights = fixed.weights(good)
    if fixed.variances is None:
        variances = image.variances
    elif image.data.ndim == 3:
        variances = np.broadcast_to(fixed.variances[:, None], (3, *image.data.shape))
    else:
        variances = fixed.variances
    if "background" in parameters.refinements and scene.order >= 0:
        length = parameters.smoothing_length or SMOOTHING_LENGTH
        report["background_smoothing_length"] = length
        fit = fit_with_smooth_background(
            image.filled, variances, weights, profiles, scene.coordinate, scene.order, length
        )
    else:
        if "background" in parameters.refinements:
            notes.append("No background is fitted, so that none is smoothed; see subtract_background.")
        fit = fit_profiles(image.filled, variances, weights, profiles, scene.coordinate, scene.order)
    added = _shape_variance(fixed, weights)
    rejected = good & fixed.rejected
    return _result(image, frame, scene, fit, profiles, rejected, variances, notes, report, added)


def _check_solved(image: SpectralImage, fit: OptimalExtraction) -> None:
    """Refuse a fit without a solution anywhere."""
    if not np.isfinite(fit.flux)[..., np.isfinite(image.row_wavelength)].any():
        scene = fit.sources
        raise LRSError(
            f"The fit has no solution at any wavelength: a background of order {scene.order} and "
            f"{len(scene.traces)} traces cannot be told apart; lower bkg_order or take sources away."
        )


def _shape_variance(fixed: FixedScene, weights: Image) -> Image | None:
    """Variance of the fluxes from the shape, (n_source, [1,] n_disp); None where none was fitted."""
    if fixed.scene.shape is None:
        return None
    added = fixed.shape_variance
    if added is None:
        mean_weights = weights if weights.ndim == 2 else weights.mean(axis=0)
        added = shape_variance(fixed.scene, fixed.frame.data, mean_weights)
    return added if weights.ndim == 2 else added[:, None]


def _result(
    image, frame, scene, fit, profiles, rejected, variances, notes, report, shape_var=None
) -> OptimalExtraction:
    flux = fit.flux
    has_wavelength = np.isfinite(image.row_wavelength)
    lost = int((np.isnan(flux[0]) & has_wavelength).sum())
    if lost:
        notes = [*notes, f"No flux at {lost} of {flux[0].size} wavelengths (NaN, flagged DO_NOT_USE)."]
    sums = [
        Sums(flux[k], fit.flux_var[k], fit.background[k], fit.background_var[k], fit.npixels[k])
        for k in range(len(profiles))
    ]
    if shape_var is not None:
        sums = [with_common_variance(one, each) for one, each in zip(sums, shape_var, strict=True)]
    model = np.where(fit.singular[..., None], 0.0, fit.scene)
    leaders = [int(np.flatnonzero(scene.groups == g)[0]) for g in np.unique(scene.groups)]
    others = [k for k in range(len(profiles)) if scene.groups[k] == 0 and k != 0]
    nods = [k for k in leaders if k != 0]
    return OptimalExtraction(
        wavelength=_wavelength(image, profiles[0]),
        sums=sums[0],
        profile=profiles[0],
        nod_profile=profiles[nods].sum(axis=0) if nods else None,
        scene=model,
        residual=image.data - model,
        variance=variances.sum(axis=0),
        rejected=np.broadcast_to(rejected, image.data.shape),
        frame=frame,
        sources=scene,
        trace=scene.traces[0],
        nod_traces=tuple(scene.traces[nods]),
        companions=tuple(sums[k] for k in others),
        companion_traces=tuple(scene.traces[others]),
        notes=tuple(notes),
        report=report,
    )


def _wavelength(image: SpectralImage, profile: Image) -> Image:
    """Mean over the profile at every row, in micron; NaN where there is none."""
    weight = np.where(np.isfinite(image.wavelength), np.maximum(profile, 0.0), 0.0)
    total = weight.sum(axis=1)
    mean = (weight * np.nan_to_num(image.wavelength)).sum(axis=1)
    return np.divide(mean, total, out=np.full(image.n_disp, np.nan), where=total > 0)
