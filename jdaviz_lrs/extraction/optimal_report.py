"""What was fitted beyond the fluxes, in names and numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.engine.refine.location import Location
from jdaviz_lrs.engine.refine.run import Refined
from jdaviz_lrs.engine.refine.scene_model import SceneModel
from jdaviz_lrs.engine.refine.witness import Enclosed
from jdaviz_lrs.extraction.missing_wings import FAR_APART

__all__ = ["describe_location", "describe_refinement"]


OVERLAPPING, UNUSUAL_BLUR = 6.0, 0.1
"""Pixels, and pixels squared beyond what the resampling does: with the right PSF 0.03 were seen at most, with
one that leans 0.2-0.3."""

WIDER = 0.07
"""Parts of the width: with a source that much wider than a PSF, a per cent more of its light lies outside the
aperture."""

WING_DISTANCE = 4.0
"""Pixels from the source."""

TOLD = 0.3
"""Part of what references contradict each other by that the data must show to decide."""


def describe_location(location: Location) -> dict[str, Any]:
    """Shifts that `optimize_psf_location` found."""
    if not location.converged:
        return {}
    report = {"psf_shift": location.shifts[0], "psf_shift_error": location.errors[0]}
    if len(location.shifts) > 1:
        report |= {"nod_shift": location.shifts[1], "nod_shift_error": location.errors[1]}
    return report


def describe_refinement(
    refined: Refined,
    header: SceneModel,
    chosen: Collection[str],
    good: NDArray[np.bool_],
    combined: bool,
    lent: Enclosed | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Report and notes of the refinements that were asked for.

    Parameters
    ----------
    refined : Refined
    header : SceneModel
        As it was before.
    chosen : collection of str
    good : ndarray of bool, (n_disp, n_xdisp)
    combined : bool
        Whether the image may be of several exposures.
    lent : Enclosed or None
        What the witnesses said before the PSF was lent wings; None where it has its own.

    Returns
    -------
    report : dict
        Pixels and fractions; errors are standard errors.
    notes : list of str
    """
    report: dict[str, Any] = {}
    notes: list[str] = []
    aligned = refined.aligned
    if lent is not None:
        notes.append(_lent_wings(refined.scene, header, lent))
    if "trace" in chosen:
        shift, shift_error = aligned.term("trace", 0)
        bend, bend_error = aligned.term("trace", 2)
        report |= {"trace_shift": shift, "trace_shift_error": shift_error}
        # from the middle of the spectrum to the mean of its ends: P2 rises there from -1/2 to 1
        report |= {"trace_bend": 1.5 * bend, "trace_bend_error": 1.5 * bend_error}
        if not any(b.kind == "trace" and 0 in b.members for b in aligned.blocks):
            notes.append(
                f"The data tell no better trace than the header's (to {shift_error:.2g} px); it is kept."
            )
    if "width" in chosen:
        stretch, error = aligned.term("width", 0)
        report |= {"psf_stretch": 1.0 + stretch, "psf_stretch_error": error}
        if not any(b.kind == "width" for b in aligned.blocks):
            notes.append(
                f"The data tell no better width than the PSF's (to {rounded(100 * error, 2)} %); it is kept."
            )
        report["psf_wing_light"] = _wing_light(refined.scene)
        notes += filter(None, [_wider_than_the_correction(refined, header), _contradiction_left(refined)])
    if "outliers" in chosen:
        report["rejected_pixels"] = int(refined.rejected.sum())
    if "companions" in chosen or len(refined.companions):
        leaders = refined.scene.traces
        positive = [k for k in range(1, len(leaders)) if refined.scene.groups[k] == 0]
        report["companion_offsets"] = [float(np.nanmean(leaders[k] - leaders[0])) for k in positive]
        report["companion_ratios"] = [c.ratio for c in refined.companions]
        report["companion_significances"] = [c.significance for c in refined.companions]
        if combined and (close := _close_on_blurred(refined.scene, header, report["companion_offsets"])):
            notes.append(close)
        if doubtful := _neighbour_or_wing(refined):
            notes.append(doubtful)
    return report, notes


def _wider_than_the_correction(refined: Refined, header: SceneModel) -> str | None:
    """Say where the correction was followed, though the source is wider than what it was made for."""
    scene, enclosed = refined.scene, refined.enclosed
    if enclosed is None or enclosed.followed != "apcorr":
        return None
    wider = _widening(scene, header)
    if wider < WIDER:
        return None
    width = scene.calibration_width
    return (
        f"PSF and aperture correction are {abs(enclosed.disagreement):.1%} apart on the light within "
        f"{width:g} px, which no width explains, and the source is {wider:.0%} wider than the PSF: the "
        "correction is followed, but of such a source 1-3 % more may lie outside."
    )


def _widening(scene: SceneModel, header: SceneModel) -> float:
    """By how much a source is wider than the PSF, as a part of the PSF's width."""
    as_expected = replace(scene, stretch=np.ones_like(scene.stretch), blur=header.blur)
    used = np.isfinite(scene.traces[0])
    # by their peaks, which stretch and blur lower alike
    expected, found = (one.psf.samples.max(axis=1) / one.stretch for one in (as_expected, scene))
    return float(np.median((expected / found)[used])) - 1.0


def _lent_wings(scene: SceneModel, header: SceneModel, lent: Enclosed) -> str:
    """Say that the PSF was lent wings, and where these may not be those of the source."""
    wider = _widening(scene, header)
    known = "which tell the flux to 0.5-1 %"
    if wider >= WIDER:
        known = f"but the source is {wider:.0%} wider than the PSF: 1-2 % more or less of it may lie outside"
    return (
        f"PSF and aperture correction are {abs(lent.disagreement):.1%} apart on the light within "
        f"{scene.calibration_width:g} px, which no width explains: the PSF is given the wings of the "
        f"built-in model, {known}."
    )


def _contradiction_left(refined: Refined) -> str | None:
    """Say where the references contradict each other, and the data do not show what the PSF lacks."""
    enclosed = refined.enclosed
    if enclosed is None or enclosed.followed != "apcorr":
        return None
    lacking = -enclosed.disagreement  # of the PSF, outside the aperture
    if abs(lacking) < FAR_APART or _wing_light(refined.scene) * np.sign(lacking) > TOLD * abs(lacking):
        return None
    width = refined.scene.calibration_width
    return (
        f"PSF and aperture correction are {abs(lacking):.1%} apart on the light within {width:g} px, and the "
        "data do not show where the PSF would be wrong: the correction is followed, but the flux may be off "
        "by as much; give references that agree, or extract a box."
    )


def _neighbour_or_wing(refined: Refined) -> str | None:
    """Say where a faint neighbour beside the source may be a wing that the PSF lacks."""
    enclosed = refined.enclosed
    if enclosed is None or enclosed.followed != "apcorr":
        return None
    for found in refined.companions:
        if abs(found.offset) < OVERLAPPING and found.ratio < abs(enclosed.disagreement):
            return (
                f"The neighbour at {found.offset:+.1f} px, {rounded(found.ratio, 2)} as bright, may be a "
                "wing that the PSF lacks, by which PSF and aperture correction are "
                f"{abs(enclosed.disagreement):.1%} apart: then its light is the source's."
            )
    return None


def _close_on_blurred(scene: SceneModel, header: SceneModel, offsets: Sequence[float]) -> str | None:
    """Say where a neighbour overlaps the source in an image whose PSF only the image itself tells."""
    if scene.blur is None:
        return None
    near = [offset for offset in offsets if abs(offset) < OVERLAPPING]
    used = np.isfinite(scene.traces[0])
    beyond = np.sqrt(np.mean((scene.blur - header.blur)[used] ** 2))
    if not near or beyond < UNUSUAL_BLUR:
        return None
    return (
        f"A neighbour at {near[0]:+.1f} px overlaps the source, and the image is blurred otherwise than PSF "
        "and resampling have it: their shares may be off by some per cent; extract single nods."
    )


def _wing_light(scene: SceneModel) -> float:
    """By how much more of the light lies in the wings than in the reference, as a fraction of all."""
    if scene.shape is None:
        return 0.0
    grid, shape = scene.grid, scene.shape
    u = np.linspace(shape.knots[0], shape.knots[-1], 541)
    samples = np.arange(grid.samples.shape[1])
    reference = np.interp(grid.center + grid.subpix * u, samples, grid.samples.mean(axis=0))
    powers = np.array([np.mean(shape.phase**k) for k in range(len(shape.shares))])
    change = np.interp(u, shape.knots, powers @ shape.shares)
    wing, step = np.abs(u) > WING_DISTANCE, u[1] - u[0]
    before = reference[wing].sum() * step
    return float((before + change[wing].sum() * step) / (1.0 + change.sum() * step) - before)
