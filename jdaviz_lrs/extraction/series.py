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
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.box import sum_box
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.plan import ExtractionPlan

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
    """

    layout: ExtractionLayout
    wavelength: NDArray[np.float64]

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
        spectrum = sum_box(self.layout.placed_on(image))
        shape = (len(image.data), self.wavelength.size)
        return {name: np.broadcast_to(getattr(spectrum, name), shape) for name in SERIES_COLUMNS}


def plan_series(
    plan: ExtractionPlan, progress: Callable[[str], None] | None = None
) -> tuple[SeriesPlan, ExtractedSpectrum]:
    """Extract the mean image of a series, and tell how its integrations are.

    Parameters
    ----------
    plan : ExtractionPlan
        Of the mean image.
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
    if plan.optimal:
        raise LRSError("A time series is extracted by box alone as yet; set extraction_type to box.")
    mean = plan.extract(progress)
    if plan.parameters.extraction_type == "optimal" and not plan.optimal:  # there is no PSF for it
        plan = replace(plan, parameters=replace(plan.parameters, extraction_type="box"))
    # what sticks out is told by the neighbours, of which all are needed
    whole = bool(plan.parameters.refinements)
    columns = slice(None) if whole else plan.placement.columns
    layout = plan.placed_on(plan.image.narrowed(columns))
    return SeriesPlan(layout, mean.wavelength), mean
