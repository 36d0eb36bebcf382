"""Scenes by a generator that shares nothing with our simulator: what the project's own tests cannot draw.

WCS and header are those of the shared scene (in flight), the PSF is the one measured on sky; noise, sky, bad
pixels and everything odd about a source are drawn here. Rectified images are the pipeline's own work.
"""

from __future__ import annotations

import logging
import warnings
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from astropy.modeling.models import Identity
from astropy.stats import mad_std
from gwcs import WCS
from jwst.assign_wcs.pointing import v23tosky
from jwst.datamodels import ModelContainer
from jwst.resample import ResampleSpecStep
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from stdatamodels.jwst.datamodels import ImageModel, SlitModel
from stdatamodels.jwst.transforms.models import IdealToV2V3

from jdaviz_lrs import extract, read
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.references.apcorr import read_apcorr
from jdaviz_lrs.references.psf import read_psf
from tests.benchmarks.elsewhere import SHARED, SHARED_FILES, Seen, changes_of, compare, references_of

Image = NDArray[np.float64]

ROWS, COLUMNS = np.arange(7, 394), np.arange(303, 347)
"""Of the detector: where there is light."""
LIT = np.s_[ROWS[0] : ROWS[-1] + 1, COLUMNS[0] : COLUMNS[-1] + 1]

PER_PHOTON = 0.05
"""Surface brightness of one photon, MJy/sr: so is the variance over the brightness."""
READ_NOISE = 0.6
"""Of one exposure, MJy/sr."""
FLAT_NOISE = 0.002
"""Relative."""
BAD_PIXELS = 25

SECOND_NOD = -17.0
"""Pixels from the first nod's trace."""

DO_NOT_USE, SATURATED = 1, 2

VARIANCES = ("var_poisson", "var_rnoise", "var_flat")


@dataclass(frozen=True)
class Kind:
    """What is odd about a scene.

    Attributes
    ----------
    name : str
    brightness : float
        Of the source, relative to the shared scene's.
    companions : tuple of (float, float)
        Further sources: pixels from the first, and flux relative to it.
    nod_shift : float
        Pixels by which both nods are farther from the slit's middle.
    bend : float
        Pixels by which the trace leaves, at its ends and the other way in its middle, what the WCS tells.
    stretch : float
        Width of the source's profile over that of every reference.
    saturation : float
        Surface brightness above which a pixel has no value, MJy/sr.
    cosmic_rays : int
        Pixels that are hit in an exposure, and not flagged.
    present : frozenset of str
        Refinements that have something to do.
    expected : tuple of str
        Beginnings of notes about the flux that only tell what is there.
    """

    name: str
    brightness: float = 1.0
    companions: tuple[tuple[float, float], ...] = ()
    nod_shift: float = 0.0
    bend: float = 0.0
    stretch: float = 1.0
    saturation: float = np.inf
    cosmic_rays: int = 0
    present: frozenset[str] = frozenset()
    expected: tuple[str, ...] = ()


def _beside(name: str, offset: float, ratio: float = 0.5) -> Kind:
    expected = ("A neighbour at", *(("The brightest trace",) if ratio > 1 else ()))
    return Kind(name, companions=((offset, ratio),), present=frozenset({"companions"}), expected=expected)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("clean"),
        Kind("bright", brightness=25.0),
        Kind("faint", brightness=0.015),
        Kind("bent", bend=1.0, present=frozenset({"trace"})),
        _beside("neighbour-12", -12.0),
        _beside("neighbour-7", -7.0),
        _beside("neighbour+4.5", 4.5),
        Kind("end", nod_shift=8.5),
        Kind("saturated", brightness=25.0, saturation=14000.0, present=frozenset({"outliers"})),
        Kind("cosmic", cosmic_rays=40, present=frozenset({"outliers"})),
        Kind("wide15", stretch=1.15, present=frozenset({"width"}), expected=("PSF and aperture correction",)),
        _beside("brighter-9", -9.0, 2.0),
    )
}

SKY = ", not subtracted"
PRODUCTS = {
    "cal": "cal",
    "cal-sky": f"cal{SKY}",
    "s2d": "s2d",
    "s2d-sky": f"s2d{SKY}",
    "s2d-both": "s2d of both nods",
}
"""Short names to those that are printed."""


@dataclass(frozen=True, eq=False)
class Exposure:
    """Lit pixels of an exposure, or of the difference of two, in MJy/sr; `lost` are DQ flags."""

    data: Image
    var_poisson: Image
    var_rnoise: Image
    var_flat: Image
    lost: NDArray[np.uint32]

    def minus(self, other: Exposure) -> Exposure:
        """Subtract another as the pipeline's background step does: the variances add up."""
        variances = {name: getattr(self, name) + getattr(other, name) for name in VARIANCES}
        return Exposure(self.data - other.data, lost=self.lost | other.lost, **variances)


@dataclass(frozen=True, eq=False)
class Light:
    """What the scenes are drawn with: spectrum, PSF, and the shared exposure whose header they have."""

    wavelength: Image
    flux: Image
    psf: SpectralPSF
    header: SlitModel

    def shares(self, offset: Image, wavelength: Image, stretch: float) -> Image:
        """Share of the light in pixels at some distance from the source.

        The samples of the PSF are light per pixel, convolved with it, so that a pixel's share is that at its
        centre; a cubic between them is good to a few parts in a hundred thousand.
        """
        psf = self.psf
        place = (np.arange(psf.data.shape[1]) - psf.center_col) / psf.subpix
        total = psf.data.sum(axis=1, keepdims=True) / psf.subpix
        spline = RectBivariateSpline(psf.wavelength, place, psf.data / total, kx=1, ky=3, s=0)
        inside = np.abs(offset / stretch) <= min(-place[0], place[-1])
        return np.where(inside, spline.ev(wavelength, offset / stretch), 0.0) / stretch


@cache
def light() -> Light:
    """Read what the scenes are drawn with."""
    with np.load(SHARED / "truth.npz") as truth:
        order = np.argsort(truth["wave"])
        spectrum = truth["wave"][order], truth["flux"][order]
    with ImageModel(SHARED / SHARED_FILES["cal"]) as model:
        header = SlitModel(model)
    header.xstart = header.ystart = 1
    header.ysize, header.xsize = header.shape
    return Light(*spectrum, read_psf(SHARED / "psf.fits"), header)


def pointed(shift: float, nod: int) -> SlitModel:
    """Return the header of an exposure that has the target some pixels beside the shared one's trace."""
    model = light().header.copy()
    info, dither = model.meta.wcsinfo, model.meta.dither
    dither.position_number = nod
    model.meta.filename = f"nod{nod}_cal.fits"
    if shift == 0:
        return model
    wcs, target = model.meta.wcs, (dither.dithered_ra, dither.dithered_dec)
    to_v2v3 = IdealToV2V3(info.v3yangle, info.v2_ref, info.v3_ref, info.vparity)
    column, row = wcs.invert(*target, 10.0, with_bounding_box=False)
    place = wcs.get_transform("detector", "v2v3")(column + shift, row)
    dither.x_offset, dither.y_offset = (float(value) for value in to_v2v3.inverse(*place[:2]))
    before = np.array([info.ra_ref, info.dec_ref])
    for _ in range(3):  # the sky is flat enough for a second round to be exact
        turned = _looking(wcs, model)
        missed = np.subtract(target, turned(column + shift, row, with_bounding_box=False)[:2])
        info.ra_ref, info.dec_ref = float(info.ra_ref + missed[0]), float(info.dec_ref + missed[1])
    model.meta.wcs = _looking(wcs, model)
    info.s_region = _moved(info.s_region, np.array([info.ra_ref, info.dec_ref]) - before)
    return model


def _looking(wcs: WCS, model: SlitModel) -> WCS:
    """Return the same optics with the telescope pointed as a header tells."""
    turned = deepcopy(wcs)
    turned.set_transform("v2v3vacorr", "world", v23tosky(model) & Identity(1))
    turned.bounding_box = wcs.bounding_box
    return turned


def _moved(region: str, shift: NDArray[np.float64]) -> str:
    """Move a polygon on the sky."""
    *words, numbers = region.partition("ICRS")
    corners = np.array(numbers.split(), float).reshape(-1, 2) + shift
    return "".join(words) + "  " + " ".join(f"{value:.9f}" for value in corners.ravel())


def trace_of(model: SlitModel) -> tuple[Image, Image]:
    """Wavelength (micron) of each lit row, and the column where the WCS has the target."""
    dither, middle = model.meta.dither, int(COLUMNS.mean())
    wavelength = model.meta.wcs(np.full(ROWS.size, middle), ROWS, with_bounding_box=False)[2]
    place = np.full(ROWS.size, dither.dithered_ra), np.full(ROWS.size, dither.dithered_dec), wavelength
    return wavelength, model.meta.wcs.invert(*place, with_bounding_box=False)[0]


def bent(trace: Image, by: float) -> Image:
    """Bend a trace into an arc: some pixels to the right at its ends, half as many to the left midway."""
    along = np.linspace(-1.0, 1.0, trace.size)
    return trace + by * (1.5 * along**2 - 0.5)


def sky(wavelength: Image) -> Image:
    """Surface brightness of the sky, MJy/sr: that of the shared scene, steeper at one end of the slit."""
    across = (COLUMNS - COLUMNS.mean()) / COLUMNS.size
    return 8.0 + 6.182 * np.exp((wavelength[:, None] - 10.0) / 1.1) * (1 + 0.3 * across)


def brightness(kind: Kind, wavelength: Image, trace: Image, pixel_area: float) -> Image:
    """Surface brightness of sky and sources in the lit pixels, MJy/sr, without noise."""
    given = light()
    seen = sky(wavelength)
    flux = kind.brightness * np.interp(wavelength, given.wavelength, given.flux) / (1e6 * pixel_area)
    for offset, ratio in ((0.0, 1.0), *kind.companions):
        away = COLUMNS - (bent(trace, kind.bend) + offset)[:, None]
        spread = np.broadcast_to(wavelength[:, None], away.shape)
        seen = seen + ratio * flux[:, None] * given.shares(away, spread, kind.stretch)
    return seen


def expose(
    kind: Kind, model: SlitModel, bad: NDArray[np.bool_], rng: np.random.Generator, noisy: bool
) -> Exposure:
    """Draw one exposure."""
    wavelength, trace = trace_of(model)
    level = brightness(kind, wavelength, trace, model.meta.photometry.pixelarea_steradians)
    data = PER_PHOTON * rng.poisson(level / PER_PHOTON).astype(float)
    data *= 1 + FLAT_NOISE * rng.standard_normal(data.shape)
    data += READ_NOISE * rng.standard_normal(data.shape)
    estimate = np.maximum(data, 0.0) if noisy else level
    lost = np.where(bad, DO_NOT_USE, 0) | np.where(level > kind.saturation, DO_NOT_USE | SATURATED, 0)
    return Exposure(
        data + hits(kind.cosmic_rays, trace, rng),
        var_poisson=PER_PHOTON * estimate,
        var_rnoise=np.full(data.shape, READ_NOISE**2),
        var_flat=(FLAT_NOISE * estimate) ** 2,
        lost=lost.astype(np.uint32),
    )


def hits(number: int, trace: Image, rng: np.random.Generator) -> Image:
    """Draw cosmic rays of 20 to 500 MJy/sr, within 10 px of the trace: farther off they do nothing."""
    image = np.zeros((ROWS.size, COLUMNS.size))
    away = np.abs(COLUMNS - trace[:, None])
    chosen = rng.choice(np.flatnonzero(away < 10), number, replace=False)
    image.flat[chosen] = np.exp(rng.uniform(np.log(20.0), np.log(500.0), number))
    return image


def bad_pixels(rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw pixels that are bad in every exposure, and flagged."""
    bad = np.zeros((ROWS.size, COLUMNS.size), bool)
    bad.flat[rng.choice(bad.size, BAD_PIXELS, replace=False)] = True
    return bad


def filled(model: SlitModel, exposure: Exposure, subtracted: bool) -> SlitModel:
    """Put an exposure under a header: a cal file as it comes from the pipeline."""
    model = model.copy()
    lost = exposure.lost > 0
    for name in ("data", *VARIANCES):
        image = np.full(model.shape, np.nan, np.float32)
        image[LIT] = np.where(lost, np.nan, getattr(exposure, name))
        setattr(model, name, image)
    model.err = np.sqrt(sum(getattr(model, name) for name in VARIANCES))
    model.dq = np.full(model.shape, DO_NOT_USE, np.uint32)
    model.dq[LIT] = exposure.lost
    model.meta.cal_step.bkg_subtract = "COMPLETE" if subtracted else None
    return model


def rectified(*models: SlitModel) -> SlitModel:
    """Let the pipeline resample one exposure, or several into one image."""
    step = ResampleSpecStep()
    step.pixel_scale_ratio = 1.0
    copies = [model.copy() for model in models]
    return step.process(copies[0] if len(copies) == 1 else ModelContainer(copies))


def draw(kind: Kind, seed: int, noisy_variance: bool = True) -> tuple[SlitModel, SlitModel, SlitModel]:
    """Draw both nods of a scene.

    Parameters
    ----------
    kind : Kind
    seed : int
        Another one is another draw of all that is random.
    noisy_variance : bool
        Whether the variances follow the noisy pixels, as the pipeline's do, or are exact, as those of the
        shared scene.

    Returns
    -------
    tuple of SlitModel
        The first nod as exposed, the first without the second, and the second without the first.
    """
    rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
    headers = pointed(kind.nod_shift, 1), pointed(SECOND_NOD - kind.nod_shift, 2)
    bad = bad_pixels(rng)
    first, second = (expose(kind, header, bad, rng, noisy_variance) for header in headers)
    return (
        filled(headers[0], first, subtracted=False),
        filled(headers[0], first.minus(second), subtracted=True),
        filled(headers[1], second.minus(first), subtracted=True),
    )


def products(
    kind: Kind, seed: int, names: tuple[str, ...] = tuple(PRODUCTS), noisy_variance: bool = True
) -> Iterator[tuple[str, Seen]]:
    """Draw a scene and make of it what is asked for.

    Parameters
    ----------
    kind : Kind
    seed : int
    names : tuple of str
        Keys of `PRODUCTS`.
    noisy_variance : bool
        See `draw`.

    Yields
    ------
    tuple of (str, Seen)
        A name of `PRODUCTS`, and the image with its truth and references. The resampling's own broadening of
        the profile counts as present in rectified images.
    """
    alone, subtracted, other = draw(kind, seed, noisy_variance)
    makers = {
        "cal": lambda: subtracted,
        "cal-sky": lambda: alone,
        "s2d": lambda: rectified(subtracted),
        "s2d-sky": lambda: rectified(alone),
        "s2d-both": lambda: rectified(subtracted, other),
    }
    given = light()
    truth = given.wavelength, kind.brightness * given.flux
    apcorr = read_apcorr(SHARED / "apcorr.fits", "FULL")
    for name in names:
        image = read(makers[name]().copy())
        present = kind.present | ({"width"} if image.resampled else set())
        yield name, Seen(image, *truth, given.psf, apcorr, frozenset(present))


def main() -> None:
    """Print how the clean scene compares with the shared one, which another generator drew."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    if not SHARED.is_dir():
        print("The shared scene is not beside the repository, and without it there are none of these.")
        return
    with np.load(SHARED / "truth.npz") as truth:
        there = truth["trace1"][ROWS], truth["trace2"][ROWS]
    for name, shift, trace in zip(("first", "second"), (0.0, SECOND_NOD), there, strict=True):
        off = np.abs(trace_of(pointed(shift, 1))[1] - trace).max()
        print(f"Trace of the {name} nod: at most {off:.1e} px from the shared scene's.")
    print_residual()
    for exact in (True, False):
        print(f"\nVariances {'exact, as in the shared scene' if exact else 'from noisy pixels'}")
        for name, seen in products(KINDS["clean"], 1, noisy_variance=not exact):
            shared = read(SHARED / SHARED_FILES[PRODUCTS[name]])
            print_likeness(name, seen, replace(seen, image=shared))


def print_residual() -> None:
    """Print what the shared exposure has beyond the clean scene without noise, over its errors."""
    image = read(SHARED / SHARED_FILES[PRODUCTS["cal-sky"]])
    model = pointed(0.0, 1)
    expected = brightness(KINDS["clean"], *trace_of(model), model.meta.photometry.pixelarea_steradians)
    source = expected - sky(trace_of(model)[0])
    pull = (image.data - expected) / np.sqrt(image.variance)
    print("The shared exposure less the clean scene without noise, over its errors:")
    for where, inside in (("everywhere", source >= 0), ("in the trace", source > 0.1 * source.max())):
        there = pull[inside & image.good]
        error = 1 / np.sqrt(there.size)
        print(f"   {where}: median {np.median(there):.3f} +- {1.25 * error:.3f}, width {mad_std(there):.3f}")


def print_likeness(name: str, drawn: Seen, shared: Seen) -> None:
    """Print how two images' profiles and errors differ, and what extractions make of both."""
    profiles, errors = [], []
    for seen in (drawn, shared):
        image = seen.image
        rows = (image.wavelength > 6) & (image.wavelength < 10)
        profiles.append(np.nanmedian(np.where(rows & image.good, image.data, np.nan), axis=0))
        errors.append(np.nanmedian(np.sqrt(image.variance[rows & image.good])))
    off = np.nanmax(np.abs(profiles[0] - profiles[1])) / np.nanmax(profiles[1])
    print(f"{name}: median profile within {off:.1%} of its peak, ratio of errors {errors[0] / errors[1]:.3f}")
    for kind in ("box", "none", "all"):
        for whose, seen in (("drawn", drawn), ("shared", shared)):
            spectrum = extract(
                seen.image, references=references_of(seen, "right"), **changes_of(seen.image, kind)
            )
            found = compare(spectrum, seen)
            numbers = "".join(f"{bias:8.2f}" for bias in found.bias)
            print(
                f"   {kind:5}{whose:7}{numbers} +- {max(found.bias_error):.2f}  pulls {found.pull_width:.2f}"
            )


if __name__ == "__main__":
    main()
