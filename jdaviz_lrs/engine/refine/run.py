"""The refinements in turn, each on the scene that the ones before have left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.order_statistics import MEDIAN_ERROR, median, scatter
from jdaviz_lrs.engine.refine.companions import (
    BANDS,
    CLOSEST,
    LEAST_RATIO,
    SIGNIFICANCE,
    Companion,
    add_companion,
    find_companion,
)
from jdaviz_lrs.engine.refine.geometry import spectrum_phase
from jdaviz_lrs.engine.refine.outliers import find_outliers
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel, linear_fit
from jdaviz_lrs.engine.refine.shape import fit_shape
from jdaviz_lrs.engine.refine.trace import Aligned, align
from jdaviz_lrs.engine.refine.variance import model_variances
from jdaviz_lrs.engine.refine.witness import Enclosed, weigh_witnesses

__all__ = ["Refined", "Step", "add_sources", "clean_pixels", "gain", "refine"]

Image = NDArray[np.float64]

MOST_SIGMA = 5.0
"""That a pixel's deviation counts for when two scenes are compared."""

MOST_COMPANIONS = 3
WAY = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Parts of the change of width at which the PSF is held against the aperture correction."""

INSPECTION_ORDER = 1
"""Least order of the background while looking for what is wrong: sky left in must not look like a source."""


@dataclass(frozen=True, eq=False)
class Refined:
    """What the refinements found.

    Attributes
    ----------
    scene : SceneModel
    rejected : ndarray of bool, (n_disp, n_xdisp)
        Pixels that no PSF explains.
    variances : ndarray, (3, n_disp, n_xdisp)
        Of the scene's model.
    aligned : Aligned
    companions : tuple of Companion
        Found, not those given by hand.
    left_out : tuple of Companion
        Found, but not to be fitted: they were told apart from trace, width and shape, no more.
    enclosed : Enclosed or None
        What the witnesses say of the light in the calibration aperture; None where the width was not fitted.
    complete : SceneModel
        With those that were left out.
    """

    scene: SceneModel
    rejected: NDArray[np.bool_]
    variances: Image
    aligned: Aligned
    companions: tuple[Companion, ...] = field(default=())
    left_out: tuple[Companion, ...] = field(default=())
    enclosed: Enclosed | None = None
    complete: SceneModel | None = None


@dataclass(frozen=True)
class Step:
    """What comes next in a refinement.

    Attributes
    ----------
    what : tuple of str
        Out of ``trace``, ``width``, ``fluxes``, ``outliers``, which are fitted; or ``shape``, of the PSF; or
        ``companions``, which are looked for.
    sources : int
        Number of sources in the scene.
    """

    what: tuple[str, ...]
    sources: int


def add_sources(scene: SceneModel, offsets: Sequence[float]) -> tuple[SceneModel, list[tuple[int, ...]]]:
    """Put further sources into a scene; returns it and which of its sources belong to each."""
    pairs = []
    for offset in offsets:
        before = len(scene.traces)
        scene = add_companion(scene, offset)
        pairs.append(tuple(range(before, len(scene.traces))))
    return scene, pairs


def clean_pixels(frame: Frame, scene: SceneModel) -> NDArray[np.bool_]:
    """Good pixels without those that no PSF explains, (n_disp, n_xdisp): to locate the traces with."""
    return frame.good & ~_look(frame, replace(scene, order=max(scene.order, INSPECTION_ORDER)))[1]


def refine(
    frame: Frame,
    scene: SceneModel,
    chosen: Collection[str],
    sources: Sequence[float] = (),
    starts: Sequence[float] = (),
    progress: Callable[[Step], None] | None = None,
    enclosed: Image | None = None,
) -> Refined:
    """Refine a scene.

    Parameters
    ----------
    frame : Frame
    scene : SceneModel
        Target and nods, as the header has them.
    chosen : collection of str
        Out of ``trace``, ``width``, ``outliers``, ``companions``.
    sources : sequence of float
        Further sources, by their offset from the target in pixels.
    starts : sequence of float
        First guesses of the shifts of target and nods.
    progress : callable, optional
        Is told what comes next; what it raises ends the refinement.
    enclosed : ndarray, (n_disp,), optional
        Share of the light in the calibration aperture by the aperture correction.

    Returns
    -------
    Refined

    Notes
    -----
    Pixels that no PSF explains are left out of every fit of trace, width and neighbours, whether or not they
    are to be left out of the flux.
    """
    order = scene.order
    tell = progress or (lambda step: None)
    trace, width, more = (name in chosen for name in ("trace", "width", "companions"))
    header = replace(scene, order=max(order, INSPECTION_ORDER))

    first_look = _shifted(header, starts) if trace else header

    def explain(offsets: Sequence[float], variances: Image, rejected: NDArray[np.bool_]) -> _Explained:
        """Fit trace, width and shape with further sources at some offsets."""
        weights = _weights(frame, variances, rejected)
        # which nods of a further source lie in the slit is told where the traces are, not where they were put
        start, pairs = add_sources(first_look, offsets)
        start = _shifted(start, [-shift for shift in starts]) if trace else start
        tell(Step(_fitted(trace, width), 1 + len(offsets)))
        if not trace:  # what was given by hand stays where it was put; what was found is known roughly
            pairs = pairs[len(sources) :]
        aligned = align(start, frame.data, weights, trace, width, pairs, starts)
        variances, rejected = _look(frame, aligned.scene)
        shaped = aligned.scene
        if trace or width or more:
            tell(Step(("shape",), 1 + len(offsets)))
            shaped = _with_shape(frame, shaped, _weights(frame, variances, rejected))
        return _Explained(tuple(offsets), aligned, pairs, shaped, variances, rejected)

    best = explain(sources, *_look(frame, add_sources(first_look, sources)[0]))
    found: list[Companion] = []
    while (trace or width or more) and len(found) < MOST_COMPANIONS:
        tell(Step(("companions",), 1 + len(best.offsets)))
        tried = [
            (explain((*best.offsets, candidate.offset), best.variances, best.rejected), candidate)
            for candidate in _candidates(frame, best)
        ]
        likelier = [
            (more_likely, both, candidate)
            for both, candidate in tried
            if (more_likely := _gain(frame, best, both)) > 0.5 * SIGNIFICANCE**2
            and _are_sources(frame, both, len(sources))
        ]
        if not likelier:
            break
        _, best, candidate = max(likelier, key=itemgetter(0))
        found.append(candidate)
    variances, rejected, pairs = best.variances, best.rejected, best.pairs
    current, witnesses = replace(best.aligned.scene, order=order), None
    if width:
        current, witnesses = _enclosing(replace(best.shaped, order=order), enclosed, frame)
        if pairs and current.shape is not None:
            # places of neighbours and wings depend on each other
            weights = _weights(frame, variances, rejected)
            inspected = replace(current, order=max(order, INSPECTION_ORDER))
            again = align(inspected, frame.data, weights, trace, width=False, pairs=pairs).scene
            current = _with_shape(frame, replace(again, order=order), weights)
        inspected = replace(current, order=max(order, INSPECTION_ORDER))
        variances, rejected = _look(frame, inspected)
    neighbours, complete = tuple(found), current
    if found and not more:
        # they pulled at trace, width and shape, but are not to be fitted
        own = len(add_sources(scene, sources)[0].traces)
        current = current.first_sources(own)
    fitted, left_out = (neighbours, ()) if more else ((), neighbours)
    return Refined(current, rejected, variances, best.aligned, fitted, left_out, witnesses, complete)


@dataclass(frozen=True, eq=False)
class _Explained:
    """The image explained by a number of sources: fitted along their traces, and with a shape of the PSF."""

    offsets: tuple[float, ...]
    aligned: Aligned
    pairs: list[tuple[int, ...]]
    shaped: SceneModel
    variances: Image
    rejected: NDArray[np.bool_]


def _candidates(frame: Frame, explained: _Explained) -> list[Companion]:
    """Peaks in what is left with the shape of the PSF fitted, then without it.

    A neighbour may hide in the shape, as a bump of it, and a wing that the PSF lacks may look like a
    neighbour.
    """
    weights = _weights(frame, explained.variances, explained.rejected)
    scenes = [explained.shaped, explained.aligned.scene]
    found: list[Companion] = []
    for scene in scenes if explained.shaped.shape is not None else scenes[1:]:
        fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights)
        companion = find_companion(scene, fit, weights)
        if companion is not None and all(abs(companion.offset - one.offset) > CLOSEST for one in found):
            found.append(companion)
    return found


def _are_sources(frame: Frame, explained: _Explained, given: int) -> bool:
    """Whether what was found beside target and given sources can be sources: apart from it, and not dark.

    A target beside its trace is explained by two of which one is negative.
    """
    scene = explained.shaped
    own = np.flatnonzero(scene.groups == 0)
    target, found = own[0], own[1 + given :]
    apart = np.abs(np.nanmean(scene.traces[found] - scene.traces[target], axis=1))
    weights = _weights(frame, explained.variances, explained.rejected)
    fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights)
    rows = np.flatnonzero((weights > 0).any(axis=1))
    return bool((apart > CLOSEST).all()) and not any(
        _is_dark(light[band], fit.flux[target][band])
        for light in fit.flux[found]
        for band in np.array_split(rows, BANDS)
    )


def _is_dark(light: Image, target: Image) -> bool:
    """Whether a flux is negative, beyond its noise and by what could be told of a neighbour."""
    middle = median(light)
    error = MEDIAN_ERROR * scatter(light) / np.sqrt(light.size)
    return bool(middle < -3.0 * error and middle < -LEAST_RATIO * median(np.abs(target)))


def _gain(frame: Frame, one: _Explained, other: _Explained) -> float:
    return gain(frame, one.variances, one.rejected & other.rejected, one.shaped, other.shaped)


def gain(
    frame: Frame, variances: Image, rejected: NDArray[np.bool_], one: SceneModel, other: SceneModel
) -> float:
    """Tell by how much another scene is likelier; what shapes cost is counted.

    Parameters
    ----------
    frame : Frame
    variances : ndarray, (3, n_disp, n_xdisp)
        Of the one scene's model.
    rejected : ndarray of bool, (n_disp, n_xdisp)
        Pixels that neither explains.
    one, other : SceneModel

    Returns
    -------
    float
        Logarithm of the ratio of the likelihoods.
    """
    weights = _weights(frame, variances, rejected)

    def cost(scene: SceneModel) -> float:
        fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights)
        # outliers that only one of them explains must not decide
        squares = np.minimum(weights * fit.residual**2, MOST_SIGMA**2)
        return 0.5 * float(squares.sum()) + (0.0 if scene.shape is None else scene.shape.cost)

    return cost(one) - cost(other)


def _enclosing(scene: SceneModel, tabulated: Image | None, frame: Frame) -> tuple[SceneModel, Enclosed]:
    """Give the light in the calibration aperture what the witnesses say of it."""
    widened = np.stack([_part_way(scene, part).enclosed_light for part in WAY])
    stretched = widened[-1]
    shaped = None if scene.shape is None else stretched * scene.shape_effect
    enclosed = weigh_witnesses(widened, tabulated, frame.good.any(axis=-1), shaped)
    due = np.divide(enclosed.due, stretched, out=np.ones_like(stretched), where=stretched > 0)
    return replace(scene, enclosed=due), enclosed


def _part_way(scene: SceneModel, part: float) -> SceneModel:
    """Return a scene with a part of the change from the PSF reference to the width that the data show."""
    blur = None if scene.blur is None else part * scene.blur
    return replace(scene, stretch=1.0 + part * (scene.stretch - 1.0), blur=blur)


def _fitted(trace: bool, width: bool) -> tuple[str, ...]:
    return (*(("trace",) * trace), *(("width",) * width)) or ("fluxes", "outliers")


def _with_shape(frame: Frame, scene: SceneModel, weights: Image) -> SceneModel:
    bare = scene if scene.shape is None else replace(scene, shape=None)
    if not scene.one_shape:
        return bare
    return replace(scene, shape=fit_shape(bare, frame.data, weights, spectrum_phase(frame.good)))


def _shifted(scene: SceneModel, starts: Sequence[float]) -> SceneModel:
    shifts = np.array([starts[g] if g < len(starts) else 0.0 for g in scene.groups])
    return replace(scene, traces=scene.traces + shifts[:, None])


def _look(frame: Frame, scene: SceneModel) -> tuple[Image, NDArray[np.bool_]]:
    """Noise that the scene should have, and what exceeds it."""
    variances = model_variances(scene, frame.variances, frame.good)
    return variances, find_outliers(scene, frame.data, variances.sum(axis=0), frame.good, frame.outlier_sigma)


def _weights(frame: Frame, variances: Image, rejected: NDArray[np.bool_]) -> Image:
    total = variances.sum(axis=0)
    usable = frame.good & ~rejected & (total > 0)
    return np.divide(1.0, total, out=np.zeros_like(total), where=usable)
