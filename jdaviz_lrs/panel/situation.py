"""What the panel's views look at: an image and what is about to be extracted from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from numpy.typing import NDArray

from jdaviz_lrs.analysis.cross_section import background_image
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.extraction.placement import Placement, place
from jdaviz_lrs.panel.display import Display
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["Situation"]


@dataclass(frozen=True, eq=False)
class Situation:
    """A dataset with parameters that can be placed on it.

    Attributes
    ----------
    image : SpectralImage
    display : Display
    parameters : ExtractionParameters
    references : References
    """

    image: SpectralImage
    display: Display
    parameters: ExtractionParameters
    references: References

    @property
    def optimal(self) -> bool:
        """Whether the PSF is fitted rather than pixels summed."""
        return self.parameters.extraction_type == "optimal"

    @cached_property
    def placement(self) -> Placement | None:
        """Of the aperture, in box extraction."""
        return None if self.optimal else place(self.image, self.parameters)

    @cached_property
    def background(self) -> NDArray | None:
        """The background that box extraction subtracts, (n_disp, n_xdisp)."""
        return None if self.optimal else background_image(self.image, self.parameters, self.placement)
