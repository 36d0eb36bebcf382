"""A scene before its judge, and which refinements earn their place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.order_statistics import MEDIAN_ERROR, median, scatter
from jdaviz_lrs.engine.refine.run import Refined, Step, refine
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel, linear_fit
from jdaviz_lrs.engine.verdict import Agreement, Judged, compare_with_sum, fit_weights

__all__ = [
    "FARTHER",
    "Earned",
    "Setting",
    "fitting_weights",
    "judged_scene",
    "refine_what_earns",
    "weighs_alike",
]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

WORSE = 0.01
"""Of the flux: how far from the plain sum a refinement may lead where no refinement does not."""

WORSE_FIT = 25.0
"""Of the chi-square: what a scene may leave more than another by chance, five sigma of one parameter."""

FARTHER = 0.002
"""Of the flux: how much farther off a refinement may lead than none, which noise can."""

FURTHEST = 2.0
"""Pixels that a trace may be off from where it was located: four times what headers have been seen to be."""

NEGATIVE = 0.04
"""Of a profile's peak: how far below zero its wings may be, which light is not."""

PARTS, NEGATIVE_IN_PART = 4, 0.1
"""Of the spectrum; and how far in each, where the wings are known worse."""

DROPPED_FIRST = ("width", "companions", "trace")
"""What is given up in turn where the plain sum is met no more: from the freest to the surest."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What a refinement is given beside the scene.

    Attributes
    ----------
    frame : Frame
    sources : tuple of float
        Further sources, by their offset from the target in pixels.
    starts : tuple of float
        First guesses of the shifts of target and nods.
    tabulated : ndarray, (n_disp,), or None
        Share of the light in the calibration aperture by the aperture correction.
    bands : tuple of ndarray of bool, (n_disp,)
        Rows that are judged together.
    """

    frame: Frame
    sources: tuple[float, ...]
    starts: tuple[float, ...]
    tabulated: Image | None
    bands: tuple[Mask, ...]


@dataclass(frozen=True, eq=False)
class Earned:
    """Refinements that earned their place.

    Attributes
    ----------
    refined : Refined
    chosen : tuple of str
        What was kept of those asked for.
    dropped : dict of str to str
        What was not, and why: ``stretch``, ``negative``, ``beside``, ``far``, ``worse``, ``sum``,
        ``neighbour``, or ``weights``.
    """

    refined: Refined
    chosen: tuple[str, ...]
    dropped: dict[str, str]


def judged_scene(
    frame: Frame,
    scene: SceneModel,
    rejected: Mask,
    variance: Image,
    tabulated: Image | None = None,
    evenly: bool = False,
) -> Judged:
    """Fit the fluxes of a scene, and put its target before the judge.

    Parameters
    ----------
    frame : Frame
    scene : SceneModel
    rejected : ndarray of bool, (n_disp, n_xdisp)
    variance : ndarray, same shape
    tabulated : ndarray, (n_disp,), optional
        Share of the light in the calibration aperture, where another witness than the scene is to be heard.
    evenly : bool
        Whether all pixels weigh the same in the flux, or by the variance.

    Returns
    -------
    Judged
    """
    good = frame.good & ~rejected & (variance > 0)
    weights = fitting_weights(variance, good, evenly)
    profiles = scene.profiles()
    fit = linear_fit(profiles, scene.basis, frame.data, weights)
    flux = fit.flux[0]
    enclosed = scene.enclosed_light if scene.enclosed is None else scene.enclosed_light * scene.enclosed
    if tabulated is not None:
        enclosed = np.where(np.isfinite(tabulated), tabulated, enclosed)
    return Judged(
        data=fit.residual + flux[:, None] * profiles[0],
        variance=variance,
        good=good,
        profile=profiles[0],
        offset=scene.grid.columns - scene.traces[0][:, None],
        flux=np.where(good.any(axis=1), flux, np.nan),
        flux_weights=fit_weights(profiles[0], weights),
        enclosed=enclosed,
        width=scene.calibration_width,
    )


def refine_what_earns(
    scene: SceneModel,
    unrefined: SceneModel,
    chosen: Collection[str],
    setting: Setting,
    progress: Callable[[Step], None] | None = None,
) -> Earned:
    """Refine a scene, and give up what leads away from the data.

    Parameters
    ----------
    scene : SceneModel
        Target and nods where the refinement starts.
    unrefined : SceneModel
        As it would be extracted without any.
    chosen : collection of str
    setting : Setting
    progress : callable, optional
        See `refine`.

    Returns
    -------
    Earned

    Notes
    -----
    Each part of a refinement has been held against noise before: terms of trace and width below 3 sigma, a
    shape without evidence and neighbours that do not make the data likelier are left out. Here they are held
    against the plain sum, which needs none of them, and what leaves out a neighbour against the fit with it:
    a better trace or width may take up more of the neighbour's light than the header's does.
    """
    kept = tuple(chosen)
    dropped: dict[str, str] = {}

    def attempt() -> Refined:
        frame, sources, starts = setting.frame, setting.sources, setting.starts
        start = scene if "trace" in kept else unrefined.first_sources(len(scene.traces))
        return refine(frame, start, kept, sources, starts, progress, setting.tabulated)

    refined = attempt()
    impossible = dict(_impossible(refined, scene, setting.starts, kept))
    if impossible.get("width") == "negative" and "trace" in kept and "trace" not in impossible:
        # beside its place a source has a profile that must be negative on one side
        kept, both = _without(kept, "trace"), kept
        at_its_place = attempt()
        if dict(_impossible(at_its_place, scene, setting.starts, kept)):
            kept = both
        else:
            refined, impossible, dropped = at_its_place, {}, {"trace": "beside"}
    for name, why in impossible.items():
        kept, dropped = _without(kept, name), dropped | {name: why}
    if impossible:
        refined = attempt()
    # where the PSF lacks what only a width or shape could give, a trace may settle beside its best place
    if "trace" in kept and "width" not in kept and _explains_worse(refined, unrefined, setting.frame):
        kept, dropped = _without(kept, "trace"), dropped | {"trace": "worse"}
        refined = attempt()
    kept, dropped = _weighed_as_earned(refined, setting, kept, dropped)
    evenly = "variance" not in kept
    before = _distance(unrefined, refined, setting, setting.tabulated, evenly)
    while _distance(refined.complete, refined, setting, None, evenly) > max(before, 0.0) + WORSE:
        name = next((n for n in DROPPED_FIRST if n in kept), None)
        if name is None:
            break
        kept, dropped = _without(kept, name), dropped | {name: "sum"}
        refined = attempt()
    while refined.left_out and _farther(refined, unrefined, setting, evenly):
        name = next(n for n in DROPPED_FIRST if n in kept)
        kept, dropped = _without(kept, name), dropped | {name: "neighbour"}
        refined = attempt()
    kept, dropped = _weighed_as_earned(refined, setting, kept, dropped)
    return Earned(refined, kept, dropped)


def _without(chosen: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(one for one in chosen if one != name)


def _impossible(refined: Refined, start: SceneModel, starts: Sequence[float], chosen: Collection[str]):
    """Names and reasons of what cannot be."""
    scene = refined.scene
    if "width" in chosen:
        if refined.aligned.too_wide:
            yield "width", "stretch"
        elif scene.shape is not None and _negative(scene):
            yield "width", "negative"
    if "trace" in chosen:
        used = np.isfinite(scene.traces[0])
        first = starts[0] if starts else 0.0
        moved = scene.traces[0] - start.traces[0] - first
        if np.nanmax(np.abs(moved[used])) > FURTHEST:
            yield "trace", "far"


def _negative(scene: SceneModel) -> bool:
    """Whether the mean profile is negative anywhere, or that of a part of the spectrum clearly so."""
    profile = scene.profiles()[0]
    distance = np.rint(scene.grid.columns - scene.traces[0][:, None])
    lit = scene.grid.covered & np.isfinite(distance)
    rows = np.flatnonzero(lit.any(axis=1))
    return _dips(profile, distance, lit, NEGATIVE) or any(
        _dips(profile[part], distance[part], lit[part], NEGATIVE_IN_PART)
        for part in np.array_split(rows, PARTS)
    )


def _dips(profile: Image, distance: Image, lit: Mask, limit: float) -> bool:
    """Whether the mean profile of some rows goes below zero by a part of its peak."""
    bins = (distance[lit] + distance.shape[1]).astype(int)
    light = np.bincount(bins, profile[lit]) / np.maximum(np.bincount(bins), 1)
    return bool(light.min(initial=0.0) < -limit * light.max(initial=0.0))


def _distance(
    scene: SceneModel, refined: Refined, setting: Setting, tabulated: Image | None, evenly: bool
) -> float:
    """How far a scene's flux is from the plain sum in the worst band, beyond three errors."""
    variance = refined.variances.sum(axis=0)
    judged = judged_scene(setting.frame, scene, refined.rejected, variance, tabulated, evenly)
    agreements = compare_with_sum(judged, list(setting.bands))
    return max((_excess(a) for a in agreements), default=0.0)


def _explains_worse(refined: Refined, unrefined: SceneModel, frame: Frame) -> bool:
    """Whether a scene leaves more than the unrefined one, beyond noise; both with the neighbours found."""
    variance = refined.variances.sum(axis=0)
    weights = fitting_weights(variance, frame.good & (variance > 0), evenly=False)
    complete = refined.complete
    for source in range(len(unrefined.traces), len(complete.traces)):
        one = complete.traces[source], complete.signs[source], complete.groups[source]
        unrefined = unrefined.with_source(*one)
    left, left_before = (
        np.sum(weights * linear_fit(one.profiles(), one.basis, frame.data, weights).residual ** 2)
        for one in (complete, unrefined)
    )
    return bool(left > left_before + WORSE_FIT)


def fitting_weights(variance: Image, usable: Mask, evenly: bool) -> Image:
    """Return weights of the usable pixels, all alike or by their variance, (n_disp, n_xdisp)."""
    if evenly:
        return usable.astype(float)
    return np.divide(1.0, variance, out=np.zeros_like(variance), where=usable)


def _weighed_as_earned(
    refined: Refined, setting: Setting, kept: tuple[str, ...], dropped: dict[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Give up weights by the noise where the flux depends on the weights."""
    if "variance" not in kept or weighs_alike(refined, setting):
        return kept, dropped
    return _without(kept, "variance"), dropped | {"variance": "weights"}


def weighs_alike(refined: Refined, setting: Setting) -> bool:
    """Whether weights by the noise give the flux that even ones do, in every band.

    Both do where the scene is that of the data. Where it is not, neither is right, and what is weighed by the
    noise, in which the faint pixels between the sources count most, as a rule is less so.
    """
    frame, scene, variance = setting.frame, refined.scene, refined.variances.sum(axis=0)
    usable = frame.good & ~refined.rejected & (variance > 0)
    weighed, evenly = (
        linear_fit(scene.profiles(), scene.basis, frame.data, fitting_weights(variance, usable, even)).flux[0]
        for even in (False, True)
    )
    used = usable.any(axis=1) & (evenly > 0)
    changes = [weighed[rows] / evenly[rows] - 1.0 for rows in (band & used for band in setting.bands)]
    return all(
        abs(median(change)) < WORSE + 3.0 * MEDIAN_ERROR * scatter(change) / np.sqrt(change.size)
        for change in changes
        if change.size > 1
    )


def _farther(refined: Refined, unrefined: SceneModel, setting: Setting, evenly: bool) -> bool:
    """Whether a flux without a neighbour is farther than the unrefined one from that with it, in any band."""
    frame, variance = setting.frame, refined.variances.sum(axis=0)
    usable = frame.good & ~refined.rejected & (variance > 0)
    weights = fitting_weights(variance, usable, evenly)
    with_it, without, before = (
        linear_fit(one.profiles(), one.basis, frame.data, weights).flux[0]
        for one in (refined.complete, refined.scene, unrefined)
    )
    used = usable.any(axis=1) & (with_it > 0)
    off, off_before = (
        [abs(median(flux[rows] / with_it[rows]) - 1.0) for rows in (band & used for band in setting.bands)]
        for flux in (without, before)
    )
    return any(now > then + FARTHER for now, then in zip(off, off_before, strict=True))


def _excess(agreement: Agreement) -> float:
    if not np.isfinite(agreement.ratio):
        return 0.0
    return abs(agreement.ratio - 1.0) - 3.0 * agreement.error
