"""Where everything lies on the image before anything is extracted, for box and optimal alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.extraction.plan import ExtractionPlan

__all__ = ["Layout", "as_fitted", "lay_out"]

Row = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layout:
    """What there is to draw, in the file's pixels.

    Attributes
    ----------
    edges, background_edges : ndarray or None, (n_regions, 2, n_disp)
    trace : ndarray or None, (n_disp,)
        Where the extraction has the source, if it goes by the source's position.
    nods, companions : tuple of ndarray, (n_disp,)
    found : tuple of ndarray, (n_disp,)
        Further sources that nobody gave, and the extraction found: seen, but not the mouse's to move.
    shift : float
        By how much the source's position moves aperture and regions from where the parameters put them.
    about_source : bool
        Whether the aperture's edges are given relative to the source.
    bad_pixels : ndarray of bool or None, (n_disp, n_xdisp)
        Those given beyond what the file has flagged.
    reported : str
        The extent as the pipeline reports it.
    notes : tuple of str
    """

    edges: NDArray | None = None
    background_edges: NDArray | None = None
    trace: Row | None = None
    nods: tuple[Row, ...] = ()
    companions: tuple[Row, ...] = ()
    found: tuple[Row, ...] = ()
    shift: float = 0.0
    about_source: bool = False
    bad_pixels: NDArray | None = None
    reported: str = ""
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[int, ...]:
        """How many apertures, background regions and further sources there are."""
        return tuple(
            0 if part is None else len(part) for part in (self.edges, self.background_edges, self.companions)
        )


def lay_out(plan: ExtractionPlan) -> Layout:
    """Place the aperture, or the traces of an optimal extraction.

    Raises
    ------
    LRSError
        When they do not lie on the image, nor the bad pixels that are given.
    """
    bad = plan.bad_pixels
    if plan.parameters.extraction_type == "optimal":
        traces = plan.traces
        companions = tuple(traces.source + offset for offset in plan.parameters.sources)
        return Layout(
            trace=traces.source, nods=traces.nods, companions=companions, bad_pixels=bad, notes=traces.notes
        )
    placement = plan.placement
    return Layout(
        edges=placement.edges,
        background_edges=placement.background_edges,
        trace=placement.trace,
        shift=float(np.nanmedian(placement.shift)),
        about_source=placement.about_source,
        bad_pixels=bad,
        reported=_reported(placement.limits, plan.image.horizontal),
        notes=placement.notes,
    )


def as_fitted(layout: Layout, spectrum: ExtractedSpectrum | None) -> Layout:
    """Return a layout with its traces where an optimal extraction has found them, and what it found more."""
    if spectrum is None or spectrum.trace is None or layout.trace is None:
        return layout
    traces, given = tuple(one.trace for one in spectrum.companions), len(layout.companions)
    return replace(
        layout,
        trace=spectrum.trace,
        nods=tuple(spectrum.nod_traces),
        companions=(*traces[:given], *layout.companions[len(traces) :]),
        found=traces[given:],
    )


def _reported(limits: ApertureLimits, horizontal: bool) -> str:
    across, along = ("rows", "columns") if horizontal else ("columns", "rows")
    return (
        f"{across} {limits.xdisp_start + 1:.6g} to {limits.xdisp_stop + 1:.6g}, "
        f"{along} {limits.disp_start + 1} to {limits.disp_stop + 1}"
    )
