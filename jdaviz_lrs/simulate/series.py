"""A time series of known truth without the slit, in segments in the pipeline's format."""

import os
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.table import QTable
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.products.files import whole_file
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate import render
from jdaviz_lrs.simulate.models import EXPOSURE_S, START_MJD, describe_exposure, describe_pointing
from jdaviz_lrs.simulate.psf import effective_profile, simulated_psf
from jdaviz_lrs.simulate.scene import Scene
from jdaviz_lrs.simulate.series_scene import SeriesScene
from jdaviz_lrs.simulate.wcs import SLITLESS, Pointing, detector_wcs

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import SlitModel

__all__ = ["SimulatedSeries", "write_series"]

Image = NDArray[np.float64]

SHAPE = (416, 72)
REFERENCE_COLUMNS = 4
CORNER = (529, 1)
"""(row, column) of the subarray's first pixel in the whole array, 1-indexed."""

INTEGRATION_S = 10.34
READ_SIGMA = 6.0
"""MJy/sr; photon noise is that of an exposure of the slit (`render`), of which this is so much shorter."""

PHOTON_VARIANCE = render.PHOTON_VARIANCE * EXPOSURE_S / INTEGRATION_S

BJD_LESS_MJD = 0.0031
"""Days: what the time scale and the way of the light make, taken as constant."""

SHIFT_STEP, WIDTH_STEP = 0.1, 0.02
"""Pixels, and of the width: between the profiles that integrations are interpolated from."""


class SimulatedSeries:
    """The images of a series, made when they are asked for.

    Parameters
    ----------
    scene : SeriesScene
    """

    def __init__(self, scene: SeriesScene | None = None):
        self.scene = scene or SeriesScene()
        self.pointing = Pointing(*SLITLESS.ideal, optics=SLITLESS)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Those with light, (n_disp,)."""
        first, last = SLITLESS.rows
        return np.arange(first, last + 1)

    @cached_property
    def wavelength(self) -> Image:
        """Of these, um, (n_disp,)."""
        return SLITLESS.wavelength_at(self.rows)

    @property
    def bounds(self) -> NDArray[np.intp]:
        """Where the segments begin, and the end, (n_segment + 1,)."""
        return np.linspace(0, self.scene.integrations, self.scene.segments + 1).round().astype(int)

    @cached_property
    def _profiles(self) -> tuple[Image, Image, Image, Image]:
        """The profile, and what a shift, its square and a width add to it, (n_disp, n_xdisp)."""
        offset = np.arange(SHAPE[1]) - SLITLESS.column_at(self.rows)[:, None]

        def at(shift: float = 0.0, stretch: float = 1.0) -> Image:
            return effective_profile(offset - shift, self.wavelength, stretch=stretch)

        here, before, after = at(), at(-SHIFT_STEP), at(SHIFT_STEP)
        wider = (at(stretch=1 + WIDTH_STEP) - at(stretch=1 - WIDTH_STEP)) / (2 * WIDTH_STEP)
        return (
            here,
            (after - before) / (2 * SHIFT_STEP),
            (after + before - 2 * here) / (2 * SHIFT_STEP**2),
            wider,
        )

    def signal(self, part: slice) -> Image:
        """Noise-free integrations, MJy/sr, (n_int, n_disp, n_xdisp)."""
        scene = self.scene
        each = (scene.shift(), scene.shift() ** 2, scene.width())
        here, *changes = self._profiles
        light = here + sum(by[part, None, None] * one for by, one in zip(each, changes, strict=True))
        dimmed = 1 - scene.covered()[part, None] * scene.transit_depth(self.wavelength)
        flux = scene.flux(self.wavelength) * dimmed * scene.level()[part, None]
        sky = Scene(background=scene.background).sky(self.wavelength[:, None], np.zeros((1, SHAPE[1])))
        return light * flux[..., None] / (render.PIXAR_SR * 1e6) + sky

    def segment(self, number: int) -> "SlitModel":
        """Make a segment, counted from 1, as the pipeline's calints."""
        from stdatamodels.jwst.datamodels import SlitModel

        scene, (first, stop) = self.scene, self.bounds[number - 1 : number + 1]
        signal = self.signal(slice(first, stop))
        draw, fixed = (np.random.default_rng([scene.seed, 2, one]) for one in (number, 0))
        dead = render.some_pixels(scene.bad_pixels, np.ones(signal.shape[1:], bool), fixed)
        dead[:, :REFERENCE_COLUMNS] = True
        planes = {
            "var_poisson": PHOTON_VARIANCE * signal,
            "var_rnoise": np.full_like(signal, READ_SIGMA**2),
            "var_flat": (render.FLAT_ERROR * signal) ** 2,
        }
        data = signal
        if scene.noise:
            pattern = 1 + render.FLAT_ERROR * fixed.standard_normal(signal.shape[1:])
            sigma = np.sqrt(planes["var_poisson"] + planes["var_rnoise"])
            data = signal * pattern + sigma * draw.standard_normal(signal.shape)
        data = data + _hits(scene.cosmic_rays, data.shape, ~dead, draw)
        model = SlitModel()
        for name, plane in {"data": data, "err": np.sqrt(sum(planes.values())), **planes}.items():
            model[name] = self._whole(np.where(dead, np.nan, plane)).astype(np.float32)
        model.dq = np.where(np.isfinite(model.data), 0, DO_NOT_USE).astype(np.uint32)
        wavelength = np.broadcast_to(self.wavelength[:, None], signal.shape[1:]).copy()
        wavelength[:, :REFERENCE_COLUMNS] = np.nan
        model.wavelength = self._whole(wavelength).astype(np.float32)
        self._describe(model, number, first, stop)
        return model

    def _whole(self, image: Image) -> Image:
        """Place rows with light in the subarray."""
        whole = np.full((*image.shape[:-2], *SHAPE), np.nan)
        whole[..., self.rows, :] = image
        return whole

    def _describe(self, model: "SlitModel", number: int, first: int, stop: int) -> None:
        meta = model.meta
        meta.wcs = detector_wcs(self.pointing)
        meta.bunit_data = meta.bunit_err = "MJy/sr"
        meta.photometry.pixelarea_steradians = render.PIXAR_SR
        meta.photometry.pixelarea_arcsecsq = render.PIXAR_A2
        describe_exposure(meta)
        describe_pointing(meta, self.pointing, meta.wcs)
        meta.exposure.type, meta.subarray.name = "MIR_LRS-SLITLESS", "SLITLESSPRISM"
        meta.subarray.ystart, meta.subarray.xstart = CORNER
        meta.subarray.ysize, meta.subarray.xsize = SHAPE
        model.ystart, model.xstart, (model.ysize, model.xsize) = *CORNER, SHAPE
        model.source_type, meta.visit.tsovisit = "POINT", True
        for step in ("assign_wcs", "flat_field", "photom", "srctype"):
            setattr(meta.cal_step, step, "COMPLETE")
        exposure = meta.exposure
        exposure.nints, exposure.segment_number = self.scene.integrations, number
        exposure.integration_start, exposure.integration_end = int(first + 1), int(stop)
        exposure.integration_time = INTEGRATION_S
        times = np.zeros(stop - first, model.get_dtype("int_times"))
        count = np.arange(first, stop)
        times["integration_number"] = count + 1
        for scale, zero in (("MJD_UTC", START_MJD), ("BJD_TDB", START_MJD + BJD_LESS_MJD)):
            for part, share in (("start", 0.0), ("mid", 0.5), ("end", 1.0)):
                times[f"int_{part}_{scale}"] = zero + (count + share) * INTEGRATION_S / 86400
        model.int_times = times


def _hits(count: int, shape: tuple[int, ...], lit: NDArray[np.bool_], draw: np.random.Generator) -> Image:
    """Single-pixel hits, `count` in each of the integrations, 1e3 to 1e5 MJy/sr, even in the logarithm."""
    hits = np.zeros((shape[0], shape[1] * shape[2]))
    where = draw.choice(np.flatnonzero(lit), (shape[0], count))
    np.put_along_axis(hits, where, 10 ** draw.uniform(3.0, 5.0, where.shape), axis=1)
    return hits.reshape(shape)


def write_series(directory: str | os.PathLike, scene: SeriesScene | None = None) -> dict[str, Path]:
    """Write a time series, its PSF and its truth.

    Parameters
    ----------
    directory : path-like
        Made if it does not exist; files of the same names are replaced.
    scene : SeriesScene, optional
        The settings; by default those of `SeriesScene`.

    Returns
    -------
    dict of str to pathlib.Path
        ``seg001``, ``seg002`` ..., ``psf``, ``truth`` (flux and depth at every wavelength) and ``course``
        (what every integration has: time, share of the planet in front, place, width).
    """
    made, directory = SimulatedSeries(scene), Path(directory)
    scene = made.scene
    directory.mkdir(parents=True, exist_ok=True)
    paths, times = {}, []
    for number in range(1, scene.segments + 1):
        path = directory / f"jw00001001001_03101_00001-seg{number:03d}_mirimage_calints.fits"
        with made.segment(number) as model, whole_file(path, overwrite=True) as temporary:
            model.save(temporary)
            times.append(np.array(model.int_times["int_mid_MJD_UTC"]))
        paths[f"seg{number:03d}"] = path
    paths["psf"] = write_psf(simulated_psf(), directory / "lrs_psf.fits")
    meta = {"scene": asdict(scene)}
    tables = {
        "truth": QTable(
            {
                "wavelength": made.wavelength * units.um,
                "flux": scene.flux(made.wavelength) * units.Jy,
                "depth": scene.transit_depth(made.wavelength),
            },
            meta=meta,
        ),
        "course": QTable(
            {
                "MJD_UTC": np.concatenate(times) * units.d,
                "covered": scene.covered(),
                "level": scene.level(),
                "shift": scene.shift() * units.pix,
                "width": scene.width(),
            },
            meta=meta,
        ),
    }
    for name, table in tables.items():
        paths[name] = directory / f"{name}.ecsv"
        with whole_file(paths[name], overwrite=True) as temporary:
            table.write(temporary)
    return paths
