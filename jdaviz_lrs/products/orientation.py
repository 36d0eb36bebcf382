"""The one place that knows which way a file's dispersion runs."""

from __future__ import annotations

from dataclasses import replace

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["aperture_keywords", "to_image_axes"]

HORIZONTAL, VERTICAL = 1, 2


def to_image_axes(parameters: ExtractionParameters, image: SpectralImage) -> ExtractionParameters:
    """Return parameters whose x runs across the dispersion and whose y along it, as in the image."""
    if not image.horizontal:
        return parameters
    p = parameters
    return replace(p, xstart=p.ystart, xstop=p.ystop, ystart=p.xstart, ystop=p.xstop)


def aperture_keywords(limits: ApertureLimits, horizontal: bool) -> dict[str, float]:
    """``extraction_xstart`` .. ``extraction_ystop`` of the x1d header: the file's axes, one-indexed."""
    across = (limits.xdisp_start + 1, limits.xdisp_stop + 1)
    along = (limits.disp_start + 1, limits.disp_stop + 1)
    x, y = (along, across) if horizontal else (across, along)
    return {
        "extraction_xstart": x[0],
        "extraction_xstop": x[1],
        "extraction_ystart": y[0],
        "extraction_ystop": y[1],
    }
