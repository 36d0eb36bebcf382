"""The same exposure with its dispersion along x."""

from __future__ import annotations

from astropy.modeling.models import Mapping
from gwcs import WCS

PLANES = ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wavelength", "dq", "wht")


def transposed(model):
    """Return a copy of a data model, its images and its WCS with x and y exchanged."""
    copy = model.copy()
    for name in PLANES:
        if copy.hasattr(name) and copy[name] is not None and copy[name].ndim > 1:
            setattr(copy, name, copy[name].T.copy())
    wcs = model.meta.wcs
    first, *others = wcs.pipeline
    turned = Mapping((1, 0)) | first.transform
    turned.inverse = first.transform.inverse | Mapping((1, 0), n_inputs=2)
    copy.meta.wcs = WCS([(first.frame, turned), *((step.frame, step.transform) for step in others)])
    (x, y) = [tuple(interval) for interval in wcs.bounding_box]
    copy.meta.wcs.bounding_box = (y, x)
    copy.meta.wcsinfo.dispersion_direction = 1
    return copy
