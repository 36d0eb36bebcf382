"""A simulated exposure as the pipeline's data model, with the header keywords of the real one."""

from typing import TYPE_CHECKING, Any

import numpy as np
from gwcs import WCS
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.simulate import wcs as geometry
from jdaviz_lrs.simulate.exposure import SimulatedExposure
from jdaviz_lrs.simulate.render import PIXAR_A2, PIXAR_SR

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ImageModel, SlitModel

__all__ = ["describe_exposure", "describe_pointing", "to_model"]

EXPOSURE_S = 332.9
START_MJD = 60994.61


def to_model(observation: SimulatedExposure, image_model: bool = False) -> "SlitModel | ImageModel":
    """Put an observation into the data model of its product.

    Parameters
    ----------
    observation : SimulatedExposure
        From `simulate`.
    image_model : bool
        Whether a cal is an ImageModel, as the pipeline wrote it before jwst 2.0.

    Returns
    -------
    SlitModel or ImageModel
        An s2d, or a full-frame cal (1024 x 1032), which is NaN outside the slit's spectrum.
    """
    from stdatamodels.jwst.datamodels import ImageModel, SlitModel

    rectified = observation.grid.product == "s2d"
    model = ImageModel() if image_model and not rectified else SlitModel()
    for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
        setattr(model, name, _whole(observation, getattr(observation, name)).astype(np.float32))
    lit = observation.grid.lit
    wavelength = np.broadcast_to(observation.grid.wavelength[:, None], lit.shape)
    model.wavelength = _whole(observation, wavelength).astype(np.float32)
    if rectified:
        model.wht = np.where(lit, 1 / observation.var_rnoise, 0).astype(np.float32)
        model.con = np.isfinite(observation.data).astype(np.int32)[None]
    else:
        if not image_model:
            model.xstart, model.ystart = 1, 1
            model.ysize, model.xsize = observation.grid.shape
        model.dq = _whole(observation, observation.dq, DO_NOT_USE).astype(np.uint32)
    model.meta.wcs = observation.grid.wcs
    model.meta.bunit_data = model.meta.bunit_err = "MJy/sr"
    model.meta.photometry.pixelarea_steradians = PIXAR_SR
    model.meta.photometry.pixelarea_arcsecsq = PIXAR_A2
    describe_exposure(model.meta)
    describe_pointing(model.meta, observation.pointing, observation.grid.wcs)
    _describe_nod(model.meta, observation)
    steps = ["assign_wcs", "flat_field", "pathloss", "photom", "srctype"]
    steps += ["bkg_subtract"] * observation.scene.nod_subtracted + ["resample"] * rectified
    for step in steps:
        setattr(model.meta.cal_step, step, "COMPLETE")
    if rectified:
        model.meta.resample.pointings = 1
        model.meta.resample.weight_type = "ivm"
        model.meta.resample.pixfrac = model.meta.resample.pixel_scale_ratio = 1.0
    return model


def _whole(observation: SimulatedExposure, image: NDArray, outside: float = np.nan) -> NDArray:
    """Place an image of the lit pixels in the whole array."""
    (row, column), shape = observation.grid.corner, observation.grid.shape
    whole = np.full(shape, outside)
    whole[row : row + image.shape[0], column : column + image.shape[1]] = image
    return whole


def describe_exposure(meta: Any) -> None:
    """Tell what was observed, when and how: one exposure of the whole array."""
    meta.telescope = "JWST"
    meta.instrument.name, meta.instrument.detector, meta.instrument.filter = "MIRI", "MIRIMAGE", "P750L"
    meta.exposure.type, meta.exposure.readpatt = "MIR_LRS-FIXEDSLIT", "FASTR1"
    meta.exposure.nints, meta.exposure.ngroups, meta.exposure.nframes, meta.exposure.groupgap = 1, 119, 1, 0
    for name in ("integration_time", "exposure_time", "effective_exposure_time", "elapsed_exposure_time"):
        setattr(meta.exposure, name, EXPOSURE_S)
    meta.exposure.measurement_time = meta.exposure.duration = EXPOSURE_S
    meta.exposure.start_time, meta.exposure.mid_time, meta.exposure.end_time = (
        START_MJD + np.array([0.0, 0.5, 1.0]) * EXPOSURE_S / 86400
    ).tolist()
    meta.observation.date, meta.observation.time = "2025-11-15", "14:38:24.000"
    meta.observation.program_number, meta.observation.observation_number = "00001", "001"
    meta.subarray.name, meta.subarray.fastaxis, meta.subarray.slowaxis = "FULL", 1, 2
    meta.subarray.xstart, meta.subarray.ystart = 1, 1
    meta.subarray.ysize, meta.subarray.xsize = 1024, 1032
    meta.target.catalog_name = "SIMULATED"
    meta.target.source_type = meta.target.source_type_apt = "POINT"


def describe_pointing(meta: Any, pointing: geometry.Pointing, wcs: WCS) -> None:
    """Tell where the telescope looks, and what part of the sky is seen."""
    optics = pointing.optics
    meta.target.ra, meta.target.dec = pointing.ra, pointing.dec
    meta.velocity_aberration.scale_factor = geometry.VELOCITY_ABERRATION
    info = meta.wcsinfo
    info.v2_ref, info.v3_ref = optics.v2_ref, optics.v3_ref
    info.v3yangle, info.vparity = optics.v3i_yang, geometry.VPARITY
    info.ra_ref, info.dec_ref = pointing.reference
    info.roll_ref = pointing.roll_ref
    info.dispersion_direction = 2
    info.specsys, info.velosys = "BARYCENT", 0.0
    (left, right), (bottom, top) = wcs.bounding_box
    # across its length the slit is 0.51 arcsec wide, which the transform does not know
    ra, dec, _ = wcs(np.array([left, right]), np.full(2, (bottom + top) / 2), with_bounding_box=False)
    half = 0.255 / 3600
    corners = zip(ra[[0, 1, 1, 0]], dec[[0, 1, 1, 0]] + [-half, -half, half, half], strict=True)
    info.s_region = "POLYGON ICRS  " + " ".join(f"{a:.9f} {d:.9f}" for a, d in corners)


def _describe_nod(meta: Any, observation: SimulatedExposure) -> None:
    pointing = observation.pointing
    meta.dither.primary_type = "ALONG-SLIT-NOD"
    meta.dither.position_number, meta.dither.total_points = observation.nod, 2
    meta.dither.x_offset, meta.dither.y_offset = pointing.x_offset, pointing.y_offset
    meta.dither.dithered_ra, meta.dither.dithered_dec = geometry.source_coordinates(pointing)
