"""A time series: what is found once, on its mean image, and what follows for every integration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.series import SERIES_COLUMNS
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.threads import single_thread
from jdaviz_lrs.extraction.box import sum_box
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.optimal import FixedScene, extract_with
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.profile import tabulate_fit

__all__ = ["SeriesPlan", "plan_series"]


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
    """

    layout: ExtractionLayout
    wavelength: NDArray[np.float64]
    fixed: FixedScene | None = None

    @property
    def image(self) -> SpectralImage:
        """What the images of the integrations are like."""
        return self.layout.image

    @single_thread()
    def extract(self, image: SpectralImage) -> dict[str, NDArray]:
        """Extract a stack of integrations.

        Parameters
        ----------
        image : SpectralImage
            The same part of the file as `image` here, (n_int, n_disp, n_xdisp).

        Returns
        -------
        dict of str to ndarray, (n_int, n_wavelength)
            The columns of `SERIES_COLUMNS`.
        """
        layout = self.layout.placed_on(image)
        if self.fixed is None:
            spectrum = sum_box(layout)
        else:
            spectrum = tabulate_fit(layout, extract_with(self.fixed, layout.seen, layout.parameters))
        shape = (len(image.data), self.wavelength.size)
        return {name: np.broadcast_to(getattr(spectrum, name), shape) for name in SERIES_COLUMNS}


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
    if plan.optimal:
        fixed = plan.fit.fixed
        if fixed.variances is not None:  # the flat field is as uncertain in one integration as in the mean
            times = np.stack([number, number, np.ones_like(number)])
            fixed = replace(fixed, variances=fixed.variances * np.maximum(times, 1))
        return SeriesPlan(plan.placed_on(plan.image.narrowed(slice(None))), mean.wavelength, fixed), mean
    if plan.parameters.extraction_type == "optimal":  # there is no PSF for it
        plan = replace(plan, parameters=replace(plan.parameters, extraction_type="box"))
    # what sticks out is told by the neighbours, of which all are needed
    whole = bool(plan.parameters.refinements)
    columns = slice(None) if whole else plan.placement.columns
    return SeriesPlan(plan.placed_on(plan.image.narrowed(columns)), mean.wavelength), mean
