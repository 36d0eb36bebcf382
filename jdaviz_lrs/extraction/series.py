"""A time series: what is found once, on its mean image, and what follows for every integration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.series import DRIFT_COLUMNS, SERIES_COLUMNS
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.series.drift import follow
from jdaviz_lrs.engine.series.outliers import FEWEST, HALO, find_outliers_in_time
from jdaviz_lrs.engine.series.template import Template, template_of_image, template_of_profile
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.extraction.box import sum_box
from jdaviz_lrs.extraction.conventions import OURS, convention_of
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.optimal import FixedScene, extract_with
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.profile import tabulate_fit

__all__ = ["SeriesPlan", "plan_series"]

Mask = NDArray[np.bool_]

PART = 32
"""Integrations that are computed at a time: what they need then fits into the cache of a processor."""

LEAST_COLUMNS = 6
"""Pixels of a row, of which four go into flux, background, shift and width."""


@dataclass(frozen=True, eq=False)
class SeriesPlan:
    """How every integration of a series is extracted; small enough to be sent to where that is done.

    Attributes
    ----------
    layout : ExtractionLayout
        On those columns of the mean image that are used, without its WCS.
    wavelength : ndarray, (n_wavelength,)
        Micron.
    fixed : FixedScene or None
        Traces and shapes for optimal extraction.
    template : Template or None
        By which drift is measured and outliers are found; None where neither is.
    over_time : bool
        Whether pixels are left out that stick out of the integrations before and after.
    rejected : ndarray of bool, (n_disp, n_xdisp), or None
        Pixels that stick out of the mean image, and are left out of all integrations; None where each
        integration is looked at by itself.
    """

    layout: ExtractionLayout
    wavelength: NDArray[np.float64]
    fixed: FixedScene | None = None
    template: Template | None = None
    over_time: bool = False
    rejected: Mask | None = None

    @property
    def image(self) -> SpectralImage:
        """What the images of the integrations are like."""
        return self.layout.image

    @property
    def halo(self) -> int:
        """Integrations before and after those that are extracted which must be known, too."""
        return HALO if self.over_time else 0

    @single_thread()
    def extract(self, stacks: Sequence[SpectralImage], own: slice, start: int = 0) -> dict[str, NDArray]:
        """Extract some integrations.

        Parameters
        ----------
        stacks : sequence of SpectralImage
            Neighbouring integrations, (n_int, n_disp, n_xdisp) each, of the same part of the file as `image`
            here: those to be extracted, and as many as `halo` before and after.
        own : slice
            Which of them are extracted; they are in one stack.
        start : int
            Place in the series of the first of these, counted from 0.

        Returns
        -------
        dict of str to ndarray
            The columns of `SERIES_COLUMNS`, (n_int, n_wavelength), and of `DRIFT_COLUMNS`, (n_int,).
        """
        image = _stack_of(stacks, own)
        size = len(image.data)
        drift: dict[str, NDArray] = {}
        rejected = None
        if self.rejected is not None:
            rejected = np.broadcast_to(self.rejected, image.good.shape)
        if self.template is not None:
            drift, residual = self._follow(stacks)
            drift = {name: value[own] for name, value in drift.items()}
            if self.over_time:
                sigma = self.layout.parameters.outlier_sigma
                struck = find_outliers_in_time(residual, self.template, sigma, start - own.start)
                rejected = rejected | struck[own].reshape(image.good.shape)
        parts = [slice(at, min(at + PART, size)) for at in range(0, size, PART)]
        columns = [self._columns(image.integrations(part), rejected, part) for part in parts]
        whole = {name: np.concatenate([one[name] for one in columns]) for name in SERIES_COLUMNS}
        number = np.concatenate([one["outliers"] for one in columns])
        drift = {name: drift.get(name, np.full(size, np.nan)) for name in DRIFT_COLUMNS}
        return whole | drift | {"outliers": number}

    def _follow(self, stacks: Sequence[SpectralImage]) -> tuple[dict[str, NDArray], NDArray]:
        """Measure drift, part by part; also what is left of the integrations."""
        parts = [
            follow(stack.filled[at : at + PART], self._good(stack)[at : at + PART], self.template)
            for stack in stacks
            for at in range(0, len(stack.data), PART)
        ]
        names = vars(parts[0][0])
        drift = {name: np.concatenate([getattr(one, name) for one, _ in parts]) for name in names}
        return drift, np.concatenate([residual for _, residual in parts])

    def _good(self, image: SpectralImage) -> Mask:
        """Tell the good pixels: one that is bad in most integrations is bad in all."""
        return image.good & self.image.good

    def _columns(self, image: SpectralImage, rejected: Mask | None, part: slice) -> dict[str, NDArray]:
        if convention_of(self.layout.parameters) is OURS:
            image = image.without(~self.image.good)
        layout = self.layout.placed_on(image)
        if self.fixed is not None:
            fixed = self.fixed if rejected is None else replace(self.fixed, rejected=rejected[part])
            spectrum = tabulate_fit(layout, extract_with(fixed, layout.seen, layout.parameters))
        else:
            if rejected is not None:
                layout = layout.informed(rejected[part], self.template.light)
            spectrum = sum_box(layout)
        shape = (len(image.data), self.wavelength.size)
        columns = {name: np.broadcast_to(getattr(spectrum, name), shape) for name in SERIES_COLUMNS}
        number = 0 if spectrum.rejected is None else spectrum.rejected.sum(axis=(1, 2))
        return columns | {"outliers": np.broadcast_to(number, len(image.data))}


def _stack_of(stacks: Sequence[SpectralImage], own: slice) -> SpectralImage:
    """Find some integrations among stacks that follow each other."""
    first = 0
    for stack in stacks:
        if own.start < first + len(stack.data):
            return stack.integrations(slice(own.start - first, own.stop - first))
        first += len(stack.data)
    raise IndexError(own)


def plan_series(
    plan: ExtractionPlan, number: NDArray[np.intp], progress: Callable[[str], None] | None = None
) -> tuple[SeriesPlan, ExtractedSpectrum]:
    """Extract the mean image of a series, and tell how its integrations are.

    Parameters
    ----------
    plan : ExtractionPlan
        Of the mean image.
    number : ndarray of int, (n_disp, n_xdisp)
        Integrations that each pixel of it is the mean of.
    progress : callable, optional
        Is told what is under way.

    Returns
    -------
    SeriesPlan
    ExtractedSpectrum
        Of the mean image; its verdict is that of the series.

    Raises
    ------
    LRSError
        When it cannot be done.
    """
    mean = plan.extract(progress)
    ours = convention_of(plan.parameters) is OURS
    over_time = ours and "outliers" in plan.parameters.refinements and int(number.max()) >= FEWEST
    variance = _own_variance(plan.seen, number)
    if plan.optimal:
        fixed = plan.fit.fixed.with_shape_variance()
        if fixed.variances is not None:  # the flat field is as uncertain in one integration as in the mean
            times = np.stack([number, number, np.ones_like(number)])
            fixed = replace(fixed, variances=fixed.variances * np.maximum(times, 1))
        template = _template_of_fit(plan, variance) if ours else None
        layout = plan.placed_on(plan.image.narrowed(slice(None)))
        return SeriesPlan(layout, mean.wavelength, fixed, template, over_time, fixed.rejected), mean
    if plan.parameters.extraction_type == "optimal":  # there is no PSF for it
        plan = replace(plan, parameters=replace(plan.parameters, extraction_type="box"))
    # in a few integrations what sticks out is told by the neighbours along the slit, of which all are needed
    whole = bool(plan.parameters.refinements) and not over_time
    columns = slice(None) if whole else plan.placement.columns
    layout = plan.placed_on(plan.image.narrowed(columns))
    seen, variance = layout.seen, variance[:, columns]
    template = template_of_image(seen.filled, variance, seen.good) if ours and _wide(seen) else None
    over_time = over_time and template is not None
    rejected = plan.rejected[:, columns] if over_time else None
    return SeriesPlan(layout, mean.wavelength, None, template, over_time, rejected), mean


def _wide(image: SpectralImage) -> bool:
    return image.n_xdisp >= LEAST_COLUMNS


def _own_variance(image: SpectralImage, number: NDArray[np.intp]) -> NDArray[np.float64]:
    """Variance of one integration, without that of the flat field, which all have in common."""
    return image.variances[:2].sum(axis=0) * np.maximum(number, 1)


def _template_of_fit(plan: ExtractionPlan, variance: NDArray[np.float64]) -> Template:
    fit, image = plan.fit, plan.seen
    placed = fit.sources.place(0)
    good = image.good & ~fit.rejected & _covered(fit)
    return template_of_profile(
        image.filled, placed.value, placed.slope, placed.widening, fit.flux, variance, good
    )


def _covered(fit) -> Mask:
    """Tell the pixels that have a trace and a PSF."""
    return fit.sources.grid.covered & np.isfinite(fit.trace)[:, None]
