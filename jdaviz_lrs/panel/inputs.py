"""What the panel extracts from: a dataset of the app as an image, with its references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from glue.core import Data
from specutils import Spectrum

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.loaders.image import IMAGE_KEY, SERIES_KEY, LRSImporter
from jdaviz_lrs.panel.loaders.series import SeriesImporter
from jdaviz_lrs.panel.viewer.display import Display
from jdaviz_lrs.products.series import Series
from jdaviz_lrs.products.specutils_spectrum import from_spectrum

__all__ = ["Choice", "Input", "displayed", "is_2d_spectrum"]

OURS = (LRSImporter.__name__, SeriesImporter.__name__)


def is_2d_spectrum(data) -> bool:
    """Whether a glue dataset is a 2-D spectrum that could be extracted from."""
    return data.ndim == 2 and "spectral_axis_index" in data.meta and "Trace" not in data.meta


def displayed(data) -> Display | None:
    """How the image of a dataset lies in the viewers; None for one that our loader did not read.

    Data derived from ours inherit its meta, but not its pixels.
    """
    image = getattr(data, "meta", {}).get(IMAGE_KEY)
    ours = image is not None and data.meta.get("_importer") in OURS
    return Display.of(image) if ours else None


@dataclass(frozen=True)
class Choice:
    """What was chosen in the panel.

    Attributes
    ----------
    data : glue.core.Data or None
    label : str
        Under which it was chosen.
    overrides : Mapping of str to str
        Paths of reference files, by the name of their input; empty ones are none.
    """

    data: Data | None = None
    label: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Input:
    """A dataset of the app.

    Attributes
    ----------
    data : glue.core.Data
    image : SpectralImage
    display : Display
    series : Series or None
        Of which the image is the mean.
    """

    data: Data
    image: SpectralImage
    display: Display
    series: Series | None = None

    @property
    def label(self) -> str:
        """The dataset's name now; it can be renamed."""
        return self.data.label

    @classmethod
    def of(cls, data) -> Input:
        """Take a glue dataset: with all its planes from our loader, with what there is from any other.

        Raises
        ------
        LRSError
            When it cannot be extracted from.
        """
        if (display := displayed(data)) is not None:
            return cls(data, display.image, display, data.meta.get(SERIES_KEY))
        image = from_spectrum(data.get_object(cls=Spectrum, statistic=None))
        return cls(data, image, Display(image, np.arange(image.n_disp)))
