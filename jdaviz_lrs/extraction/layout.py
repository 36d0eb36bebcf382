"""ExtractionLayout: where everything lies before anything is summed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.background import Background
from jdaviz_lrs.extraction.box_background import box_background
from jdaviz_lrs.extraction.box_outliers import box_outliers
from jdaviz_lrs.extraction.conventions import OURS, convention_of
from jdaviz_lrs.extraction.placement import Placement, place
from jdaviz_lrs.extraction.traces import Traces, place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.bad_pixels import bad_pixel_mask
from jdaviz_lrs.references.find import References

__all__ = ["ExtractionLayout"]


@dataclass(frozen=True, eq=False)
class ExtractionLayout:
    """An image with what is to be extracted from it; where that lies is found once, when it is first asked.

    What is asked for may raise an `LRSError` that says why it cannot be.

    Attributes
    ----------
    image : SpectralImage
        As it was read.
    parameters : ExtractionParameters
    references : References
    """

    image: SpectralImage
    parameters: ExtractionParameters
    references: References

    def placed_on(self, image: SpectralImage) -> ExtractionLayout:
        """Return the layout of another image of the same geometry, or of some columns of it.

        Aperture, regions and bad pixels lie where they do here; they are not placed again.
        """
        first = image.origin[1] - self.image.origin[1]
        columns = slice(first, first + image.n_xdisp)
        other = ExtractionLayout(image, self.parameters, self.references)
        bad = self.bad_pixels
        vars(other)["bad_pixels"] = None if bad is None else bad[:, columns]
        if not self.optimal:
            vars(other)["placement"] = self.placement.narrowed(columns)
        return other

    def informed(self, rejected: NDArray[np.bool_], profile: NDArray[np.float64]) -> ExtractionLayout:
        """Return this layout where other images of the source have told what sticks out of this one.

        Parameters
        ----------
        rejected : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        profile : ndarray, (n_disp, n_xdisp)
            How the light is spread, for what is lost.
        """
        other = replace(self)
        vars(other).update(vars(self), rejected=self.seen.good & rejected, known_profile=profile)
        return other

    @property
    def optimal(self) -> bool:
        """Whether the PSF is fitted rather than pixels summed."""
        return self.parameters.extraction_type == "optimal" and "psf" not in self.references.not_applicable

    @cached_property
    def bad_pixels(self) -> NDArray[np.bool_] | None:
        """Those given beyond what the file has flagged, (n_disp, n_xdisp)."""
        given = self.parameters.bad_pixels
        return bad_pixel_mask(self.image, given) if given else None

    @cached_property
    def seen(self) -> SpectralImage:
        """The image without these."""
        if self.bad_pixels is None:
            return self.image
        _ = self.image.source  # asked of the image itself, it is known to all that are made of it
        return self.image.with_bad_pixels(self.bad_pixels)

    @cached_property
    def placement(self) -> Placement:
        """Of the aperture and the background regions, in box extraction."""
        return place(self.seen, self.parameters)

    @cached_property
    def traces(self) -> Traces:
        """Of the source and the other nod, in optimal extraction, where the header has them."""
        return place_traces(self.seen, self.parameters)

    @cached_property
    def rejected(self) -> NDArray[np.bool_] | None:
        """What sticks out of aperture and regions, if that is left out, ([n_int,] n_disp, n_xdisp)."""
        wanted = "outliers" in self.parameters.refinements and convention_of(self.parameters) is OURS
        return box_outliers(self.seen, self.placement, self.parameters.outlier_sigma) if wanted else None

    @cached_property
    def known_profile(self) -> NDArray[np.float64] | None:
        """How the light is spread, (n_disp, n_xdisp), where other images of the source have told."""
        return None

    @cached_property
    def summed(self) -> SpectralImage:
        """The image that a box extraction sums: without what is rejected."""
        return self.seen if self.rejected is None else self.seen.without(self.rejected)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Of the pixels in the aperture, zero where they are not good, ([n_int,] n_disp, n_xdisp)."""
        return np.where(self.summed.good, self.placement.weights, 0.0)

    @cached_property
    def background(self) -> Background | None:
        """What a box extraction subtracts."""
        return box_background(self.summed, self.parameters, self.placement, self.weights)
