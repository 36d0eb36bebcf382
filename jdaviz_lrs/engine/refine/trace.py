"""Trace and width: what is fitted, what of it is significant, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.engine.refine.geometry import Block, Geometry, fit_geometry
from jdaviz_lrs.engine.refine.scene_model import SceneModel

__all__ = ["STRETCH_LIMITS", "TRACE_ORDER", "WIDTH_ORDER", "Aligned", "align", "is_stretch"]

Image = NDArray[np.float64]

TRACE_ORDER, WIDTH_ORDER = 3, 2
"""Polynomial orders along the spectrum: a shift, a tilt, a bend and its asymmetry; a width that changes."""

TRACE_PRIOR, WIDTH_PRIOR = 0.5, 0.2
"""Pixels, and parts of the width, by which headers and PSFs have been seen to be off."""

BLUR_ORDER, BLUR_PRIOR = 7, 0.03
"""Along the spectrum, and pixels squared: resampling blurs by its phase, which goes round along the trace."""

STRETCH_LIMITS = (0.7, 1.4)
"""Of the PSF's width, anywhere along the spectrum: beyond these it is no PSF that was stretched. They leave
room for a reference and a source that are both off by a sixth, to opposite sides."""

ALONG = np.linspace(-1.0, 1.0, 101)
"""The spectrum from end to end."""

SIGNIFICANT = 3.0
"""Sigma; terms that do not reach it are left out, from the highest order down."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """A scene with its trace and width fitted.

    Attributes
    ----------
    scene : SceneModel
    blocks : tuple of Block
        What was significant.
    geometry : Geometry or None
        None where nothing was.
    first : Geometry or None
        Of the fit with all terms: how well the data could tell.
    first_blocks : tuple of Block
    """

    scene: SceneModel
    blocks: tuple[Block, ...] = ()
    geometry: Geometry | None = None
    first: Geometry | None = None
    first_blocks: tuple[Block, ...] = ()

    @property
    def too_wide(self) -> bool:
        """Whether the data ask for a width that no PSF is off by, so that it was left out."""
        first = _of_target(self.first_blocks, self.first, "width")
        last = _of_target(self.blocks, self.geometry, "width")
        mean = first is not None and not is_stretch(first[0][:1])
        return mean or (last is not None and not is_stretch(last[0]))

    def term(self, kind: str, order: int) -> tuple[float, float] | None:
        """Legendre coefficient of the target's block of a kind and its error; zero where insignificant."""
        full = _of_target(self.first_blocks, self.first, kind)
        if full is None or order >= full[1].size:
            return None
        found = _of_target(self.blocks, self.geometry, kind)
        if found is None or order >= found[0].size:
            return 0.0, float(full[1][order])
        return float(found[0][order]), float(found[1][order])


def is_stretch(change: ArrayLike) -> bool:
    """Whether a change of the PSF's width along the spectrum is within what a PSF may be off by.

    Parameters
    ----------
    change : array_like, (n_term,)
        Legendre coefficients, in parts of the width.

    Returns
    -------
    bool
    """
    stretch = 1.0 + legendre.legval(ALONG, np.asarray(change, float))
    return bool(stretch.min() >= STRETCH_LIMITS[0] and stretch.max() <= STRETCH_LIMITS[1])


def align(
    scene: SceneModel,
    data: Image,
    weights: Image,
    trace: bool,
    width: bool,
    pairs: Sequence[tuple[int, ...]] = (),
    starts: Sequence[float] = (),
) -> Aligned:
    """Fit trace and width as far as the data tell them.

    Parameters
    ----------
    scene : SceneModel
        As the header has it.
    data, weights : ndarray, (n_disp, n_xdisp)
    trace, width : bool
        What to fit.
    pairs : sequence of tuple of int
        Companions, each with what a subtracted nod left of it, whose offsets are fitted.
    starts : sequence of float
        First guess of the shift of every group.

    Returns
    -------
    Aligned
        With the header's trace, and the PSF's width, where the data do not tell better.
    """
    blocks: list[Block] = []
    if trace:
        for group in np.unique(scene.groups):
            members = tuple(np.flatnonzero(scene.groups == group))
            start = (starts[group],) if group < len(starts) else ()
            blocks.append(Block("trace", members, TRACE_ORDER, TRACE_PRIOR, start))
    blocks += [Block("trace", pair, 0, TRACE_PRIOR) for pair in pairs]
    if width:
        everyone = tuple(range(len(scene.traces)))
        blocks.append(Block("width", everyone, WIDTH_ORDER, WIDTH_PRIOR))
        if scene.blur is not None:
            blocks.append(Block("blur", everyone, BLUR_ORDER, BLUR_PRIOR))
    if not blocks:
        return Aligned(scene)
    if any(block.kind == "blur" for block in blocks):
        blocks = _with_starts(scene, data, weights, blocks)
    first = geometry = fit_geometry(scene, data, weights, blocks)
    kept = blocks
    for least in (0, -1):  # a shift may be clear where its bend is not, so no block goes at once
        fewer = _significant(kept, geometry, least)
        if not fewer:
            return Aligned(scene, (), None, first, tuple(blocks))
        if fewer != kept:
            geometry = fit_geometry(scene, data, weights, fewer)
        kept = fewer
    return Aligned(geometry.scene, tuple(kept), geometry, first, tuple(blocks))


def _with_starts(scene: SceneModel, data: Image, weights: Image, blocks: Sequence[Block]) -> list[Block]:
    """Give the blocks what a fit finds in which nothing changes along the spectrum, and the blur is known.

    Far from the width the blur takes its place, and there is no way back.
    """
    steady = [replace(block, order=0) for block in blocks if block.kind != "blur"]
    found = iter(fit_geometry(scene, data, weights, steady).coefficients)
    return [one if one.kind == "blur" else replace(one, start=tuple(next(found))) for one in blocks]


def _significant(blocks: Sequence[Block], geometry: Geometry, least: int) -> list[Block]:
    """Blocks up to their last clear term, or up to the order `least`."""
    kept = []
    for block, values, errors in zip(blocks, geometry.coefficients, geometry.errors, strict=True):
        if block.kind == "width":
            if not is_stretch(values[:1]):
                continue  # that is no PSF but something else
            while not is_stretch(values):  # blur and width along the spectrum do nearly the same
                values, errors = values[:-1], errors[:-1]
        clear = np.flatnonzero(np.abs(values) > SIGNIFICANT * errors)
        order = max(int(clear[-1]) if clear.size else -1, least)
        if order >= 0:
            kept.append(replace(block, order=order, start=tuple(values[: order + 1])))
    return kept


def _of_target(blocks: Sequence[Block], geometry: Geometry | None, kind: str):
    if geometry is None:
        return None
    for block, values, errors in zip(blocks, geometry.coefficients, geometry.errors, strict=True):
        if block.kind == kind and 0 in block.members:
            return values, errors
    return None
