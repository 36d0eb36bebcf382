"""The same exposure with its dispersion along x."""

from __future__ import annotations

from astropy import units as u
from astropy.modeling.models import Identity, Mapping
from gwcs import WCS
from gwcs import coordinate_frames as cf

PLANES = ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wavelength", "dq")


def transposed(model):
    """Return a copy of a data model, its images and its WCS with x and y exchanged."""
    copy = model.copy()
    for name in PLANES:
        if copy.hasattr(name) and copy[name] is not None and copy[name].ndim > 1:
            setattr(copy, name, copy[name].T.copy())
    wcs = model.meta.wcs
    forward = Mapping((1, 0)) | wcs.forward_transform
    forward.inverse = wcs.backward_transform | Mapping((1, 0)) | Identity(2)
    detector = cf.Frame2D(name="detector", axes_order=(0, 1), unit=(u.pix, u.pix))
    copy.meta.wcs = WCS([(detector, forward), (wcs.output_frame, None)])
    (x, y) = [tuple(interval) for interval in wcs.bounding_box]
    copy.meta.wcs.bounding_box = (y, x)
    copy.meta.wcsinfo.dispersion_direction = 1
    return copy
