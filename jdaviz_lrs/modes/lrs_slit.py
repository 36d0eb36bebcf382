"""The low resolution spectrometer of MIRI with its slit."""

from __future__ import annotations

from types import MappingProxyType

from jdaviz_lrs.modes.mode import Mode

__all__ = ["LRS_SLIT"]

LRS_SLIT = Mode(
    exposure_type="MIR_LRS-FIXEDSLIT",
    instrument="MIR_LRS",
    products=("SlitModel", "ImageModel"),  # `cal` is a SlitModel since jwst 2.0, an ImageModel before
    # the extract1d reference file in use since 2025-05-29, whose 8 px the flux calibration is tied to
    default_aperture=MappingProxyType({"bkg_order": 0, "dispaxis": 2, "xstart": 27, "xstop": 34}),
    calibration_width=8.0,
    plate_scale=0.11,
    detector_scale=0.11057,
    at_source=True,
    two_point_nods=("ALONG-SLIT-NOD", "2-POINT-NOD"),
    nearest_nod=2.0,  # the pipeline's limit
    psf_apertures=("ANY", "NONE", "MIR_LRS-FIXEDSLIT"),
    bands=((5.0, 8.0), (8.0, 11.0), (11.0, 13.5)),
    resolving_power=((5.0, 40.0), (12.0, 160.0)),
)
