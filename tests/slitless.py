"""Small time series in the pipeline's formats, made of the simulated slit exposure."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from astropy.modeling.models import Identity, Shift
from gwcs import WCS
from stdatamodels.jwst.datamodels import CubeModel, SlitModel

from jdaviz_lrs.simulate import Scene, simulate, to_model

#: Of the frame's first column in the subarray: it has the source in the subarray's column 36.8.
CORNER = 296
SHAPE = (416, 72)
PLANES = ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wavelength", "dq")
START = 59000.25
EXPOSURE = 10.3 / 86400


@cache
def frame():
    """One full-frame exposure, whose pixels are those of each integration but for the noise."""
    return to_model(simulate(Scene(brightness=0.05, cosmic_rays=0, bad_pixels=30), "cal"))


def subarray_wcs(wcs: WCS) -> WCS:
    """The same beginning at the subarray's corner."""
    (first, transform), *others = ((step.frame, step.transform) for step in wcs.pipeline)
    moved = WCS([(first, Shift(CORNER) & Identity(1) | transform), *others])
    (left, right), rows = (tuple(interval) for interval in wcs.bounding_box.bounding_box(order="F"))
    moved.bounding_box = ((left - CORNER, right - CORNER), rows)
    return moved


def integrations(size: int, seed: int = 1, slit: bool = False, cube: bool = False, light: float = 0.0):
    """Make a calints of `size` integrations; `light` more in each than in the one before."""
    seen, draw = frame(), np.random.default_rng(seed)
    model = CubeModel() if cube else SlitModel()
    cut = (slice(0, 402), slice(0, 356)) if slit else (slice(SHAPE[0]), slice(CORNER, CORNER + SHAPE[1]))
    for name in PLANES:
        plane = seen[name][cut]
        if name == "data":
            sigma = np.sqrt(np.nan_to_num(seen.var_poisson + seen.var_rnoise)[cut])
            trend = 1.0 + light * np.arange(size)[:, None, None]
            plane = plane * trend + sigma * draw.normal(size=(size, *plane.shape))
        elif name != "wavelength":
            plane = np.broadcast_to(plane, (size, *plane.shape)).copy()
        model[name] = plane.astype(np.uint32 if name == "dq" else np.float32)
    model.dq[draw.integers(size), draw.integers(50, 300, 9), 37 + slit * CORNER] |= 1
    model.update(seen, only="PRIMARY")
    model.meta.model_type = type(model).__name__
    model.meta.bunit_data = model.meta.bunit_err = "MJy/sr"
    model.meta.wcs = seen.meta.wcs if slit else subarray_wcs(seen.meta.wcs)
    model.meta.wcsinfo.dispersion_direction = 2
    model.meta.target.source_type = "POINT"
    model.meta.photometry.pixelarea_steradians = seen.meta.photometry.pixelarea_steradians
    model.meta.photometry.pixelarea_arcsecsq = seen.meta.photometry.pixelarea_arcsecsq
    if not slit:
        model.meta.exposure.type = "MIR_LRS-SLITLESS"
        model.meta.subarray.name = "SLITLESSPRISM"
        model.meta.subarray.xstart, model.meta.subarray.ystart = 1, 529
        model.meta.subarray.ysize, model.meta.subarray.xsize = SHAPE
        if not cube:
            model.source_type = "POINT"
    model.meta.visit.tsovisit = True
    number(model, 1, size)
    return model


def number(model, first: int, total: int, segment: int = 1) -> None:
    """Give the integrations their numbers and times."""
    size = len(model.data)
    exposure = model.meta.exposure
    exposure.nints, exposure.segment_number = total, segment
    exposure.integration_start, exposure.integration_end = first, first + size - 1
    times = np.zeros(size, model.get_dtype("int_times"))
    count = first + np.arange(size)
    times["integration_number"] = count
    for scale, zero in (("MJD_UTC", START), ("BJD_TDB", START + 0.004)):
        for part, share in (("start", 0.0), ("mid", 0.5), ("end", 1.0)):
            times[f"int_{part}_{scale}"] = zero + (count - 1 + share) * EXPOSURE
    model.int_times = times


def write_segments(folder: Path, sizes=(7, 5), **settings) -> list[Path]:
    """Write a series in segments of these sizes."""
    paths, first = [], 1
    for segment, size in enumerate(sizes, 1):
        model = integrations(size, seed=segment, **settings)
        number(model, first, sum(sizes), segment)
        path = folder / f"jw00001001001_03101_00001-seg{segment:03d}_mirimage_calints.fits"
        model.save(path)
        paths.append(path)
        first += size
    return paths
