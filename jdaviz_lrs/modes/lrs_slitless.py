"""The low resolution spectrometer of MIRI without its slit: time series of bright stars."""

from __future__ import annotations

from types import MappingProxyType

from jdaviz_lrs.modes.lrs_slit import LRS_SLIT
from jdaviz_lrs.modes.mode import Mode

__all__ = ["LRS_SLITLESS"]

LRS_SLITLESS = Mode(
    exposure_type="MIR_LRS-SLITLESS",
    instrument=LRS_SLIT.instrument,
    products=("SlitModel", "CubeModel"),  # `calints` is a SlitModel since jwst 2.0, a CubeModel before
    # the extract1d reference file, whose 12 px the flux calibration is tied to; it subtracts no background
    default_aperture=MappingProxyType({"bkg_order": 0, "dispaxis": 2, "xstart": 30, "xstop": 41}),
    calibration_width=12.0,
    plate_scale=LRS_SLIT.plate_scale,
    detector_scale=0.10984,
    at_source=False,  # the pipeline reads no dithered position, and the WCS has the star where it is
    two_point_nods=(),
    nearest_nod=LRS_SLIT.nearest_nod,
    psf_apertures=("ANY", "NONE", "MIR_LRS-SLITLESS"),
    bands=LRS_SLIT.bands,
    resolving_power=LRS_SLIT.resolving_power,
)
