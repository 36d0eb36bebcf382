"""Reading 2-D products (s2d, cal) into a SpectralImage."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import angular_separation
from astropy.io import fits
from stdatamodels.jwst.datamodels import CubeModel, ImageModel, JwstDataModel, MultiSpecModel, SlitModel

import jdaviz_lrs.products.formats  # noqa: F401 - what is made of a product can be written
from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.image import Observation, SpectralImage
from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT
from jdaviz_lrs.products.door import COMPLAINT, one_sentence, open_fits
from jdaviz_lrs.products.sound import keep_sound

__all__ = ["VARIANCES", "checked_kind", "from_datamodel", "good_pixels", "negative", "open_datamodel", "read"]

HORIZONTAL = 1

VARIANCES = ("var_poisson", "var_rnoise", "var_flat")

MODELS = {"SlitModel": SlitModel, "ImageModel": ImageModel, "CubeModel": CubeModel}

PIXEL_AREA = (1e-15, 1e-11)
"""Steradian: squares of 0.007 and 0.65 arcsec."""
STERADIAN = (180.0 * 3600.0 / np.pi) ** 2
"""In arcsec^2."""
SAME_AREA = 0.01
SAME_ERROR = 0.1
"""Relative; in products the two are the same to a millionth."""

BESIDE = 1.0
"""Arcsec: twice the width of the slit; a source further off is not in it."""

MICRON = (0.5, 30.0)
"""What JWST sees; other numbers are of another unit."""

FOCAL_PLANE = "v2v3"
"""The frame of the telescope, which the WCS of a detector image passes through."""
RECTIFIED = {"detector", "slit_frame", "world"}
"""Frames of a rectified image, of MIRI and of NIRSpec."""


def read(path: str | Path | SpectralImage | JwstDataModel) -> SpectralImage:
    """Read a rectified (s2d) or calibrated (cal) LRS image.

    Parameters
    ----------
    path : path-like, or an image or data model that is already in memory

    Returns
    -------
    SpectralImage

    Raises
    ------
    LRSError
        For a file that is missing, cut short, no FITS file or no 2-D spectrum, that has no wavelengths, no
        valid pixel, or a unit that is neither MJy/sr nor Jy; whose planes differ in shape, or have negative
        variances.
    """
    if isinstance(path, SpectralImage):
        return path
    if isinstance(path, JwstDataModel):
        return from_datamodel(path)
    with open_datamodel(path, MODELS, "a 2-D spectrum") as model:
        return from_datamodel(model, Path(path))


@contextmanager
def open_datamodel(path: str | Path, kinds: Mapping[str, type], wanted: str) -> Iterator[JwstDataModel]:
    """Open a FITS file as one of several kinds of data model, or say in one sentence why not.

    Raises
    ------
    LRSError
        When it is missing, broken, or of another kind.
    """
    with open_fits(path) as hdus:
        kind = checked_kind(hdus, path, kinds, wanted)
        with one_sentence(path, f"cannot be opened as a {kind}"):
            # by its content: data models go by the ending otherwise, and know .fits alone
            model = kinds[kind](hdus)
        with model:
            yield model


def checked_kind(hdus: fits.HDUList, path: str | Path, kinds: Collection[str], wanted: str) -> str:
    """Return the kind of data model that a FITS file holds, once it is known to be wanted.

    Raises
    ------
    LRSError
        When it is of another kind, or holds nothing.
    """
    kind = hdus[0].header.get("DATAMODL")
    if kind not in kinds:
        raise LRSError(
            f"{path}: DATAMODL is {kind!r}, but {wanted} ({', '.join(kinds)}) is needed; give another file."
        )
    if len(hdus) == 1:
        raise LRSError(f"{path}: {COMPLAINT}")
    return kind


def from_datamodel(model: JwstDataModel, path: Path | None = None) -> SpectralImage:
    """Turn a SlitModel, ImageModel or CubeModel into a SpectralImage; see `read` for what is refused.

    Raises
    ------
    LRSError
        See `read`.
    """
    name = path.name if path else str(model.meta.filename or "the data model")
    with one_sentence(name):
        return _image(model, name, path)


def _image(model: JwstDataModel, name: str, path: Path | None) -> SpectralImage:
    if getattr(model, "data", None) is None or model.data.ndim not in (2, 3) or model.data.size == 0:
        raise LRSError(f"{name}: its SCI extension holds no image.")
    horizontal = model.meta.wcsinfo.dispersion_direction == HORIZONTAL
    unit = _unit(model, name)
    area, two_areas = _pixel_area(model, name)
    data = np.asarray(model.data, float)
    # A copy holds the tables of the WCS, which else are read from the file when it is long closed.
    wcs = deepcopy(model.meta.wcs)
    planes = {key: _plane(model, key, data.shape, name) for key in ("err", *VARIANCES, "dq", "wht")}
    dq, weight = planes.pop("dq"), planes.pop("wht")
    dq = np.zeros(data.shape, np.uint32) if dq is None else dq.astype(np.uint32)
    planes, notes = _without_empty(planes, good_pixels(data, dq, weight))
    good = good_pixels(data, dq, weight, *planes.values())
    box = wcs.bounding_box if wcs is not None else None
    box = None if box is None else tuple(tuple(float(edge) for edge in interval) for interval in box)
    wavelength = _wavelengths(model, wcs, data.shape[-2:], name)
    if horizontal:
        data, dq, good, wavelength = (np.swapaxes(a, -1, -2) for a in (data, dq, good, wavelength))
        planes = {k: None if p is None else np.swapaxes(p, -1, -2) for k, p in planes.items()}
    elif box is not None:
        box = box[::-1]
    resampled, contradiction = _is_rectified(model, wcs)
    contributing = _contributing(model, data.shape[-2:], horizontal) if resampled else None
    if box is None:
        box = ((-0.5, data.shape[-2] - 0.5), (-0.5, data.shape[-1] - 0.5))
    rows, columns = (slice(None),) * 2 if resampled else _cut(box, wavelength)
    _check_wavelengths(wavelength[rows, columns], name, horizontal)
    two_wavelengths = _other_wavelengths(wavelength, wcs, box, horizontal)
    keep = (..., rows, columns)
    wavelength, hole = _without_holes(wavelength)
    good &= ~hole
    dq = np.where(good[keep], dq[keep], dq[keep] | 1).astype(np.uint32)
    margins = _margins(np.where(good, data, np.nan), rows, columns)
    good = good[keep]
    if not (good & np.isfinite(wavelength[rows, columns])).any():
        raise LRSError(
            f"{name}: no pixel with a wavelength is valid; every one is NaN, DO_NOT_USE or has no weight."
        )
    variances = {key: _masked(planes[key], keep, good) for key in VARIANCES}
    _check_variances(variances, name)
    two_errors = _other_errors(planes, keep, good)
    image = SpectralImage(
        data=np.where(good, data[keep], np.nan),
        **variances,
        dq=dq,
        good=good,
        wavelength=wavelength[rows, columns],
        unit=unit,
        pixel_area=area,
        observation=_observation(model, contributing),
        wcs=wcs,
        bounding_box=box,
        resampled=resampled,
        horizontal=horizontal,
        origin=(rows.start or 0, columns.start or 0),
        file_shape=data.shape[-2:],
        margins=margins,
        contributing=contributing,
        missing=tuple(key for key in VARIANCES if planes[key] is None),
        notes=(*contradiction, *two_areas, *two_wavelengths, *two_errors, *notes),
        file_name=name,
        path=path,
        metadata=_primary_header(model),
    )
    beside = _beside_the_slit(image)
    return replace(image, notes=(*image.notes, *beside)) if beside else image


def _unit(model: JwstDataModel, name: str) -> str:
    unit = model.meta.bunit_data or ""
    with suppress(ValueError, TypeError):
        for known in ("MJy/sr", "Jy"):
            if u.Unit(unit) == u.Unit(known):
                return known
    raise LRSError(f"{name}: its unit (BUNIT) is {unit!r}; run the pipeline's photom step to have MJy/sr.")


def _pixel_area(model: JwstDataModel, name: str) -> tuple[float, tuple[str, ...]]:
    """Solid angle of a pixel (sr), and a note where the header has another one beside it."""
    photometry = model.meta.photometry
    area, other = photometry.pixelarea_steradians, photometry.pixelarea_arcsecsq
    if area is None:
        raise LRSError(
            f"{name}: PIXAR_SR, the solid angle of a pixel, is missing; without it there is no flux."
        )
    if not PIXEL_AREA[0] <= area <= PIXEL_AREA[1]:
        raise LRSError(
            f"{name}: PIXAR_SR, the solid angle of a pixel, is {area:.4g} sr, which is no pixel of JWST; "
            "correct the card, or run the pipeline's photom step."
        )
    in_arcsec = area * STERADIAN
    if other is None or np.isclose(other, in_arcsec, rtol=SAME_AREA, atol=0.0):
        return float(area), ()
    return float(area), (
        f"PIXAR_SR ({in_arcsec:.4g} arcsec^2) and PIXAR_A2 ({other:.4g} arcsec^2) contradict each other: "
        "the first is used.",
    )


def _is_rectified(model: JwstDataModel, wcs) -> tuple[bool, tuple[str, ...]]:
    """Whether the image is rectified, and a note where the header and the WCS contradict each other.

    The class does not tell: what was an ImageModel until jwst 2.0 is a SlitModel since. The frames of the WCS
    do; the header is asked where they are not known.
    """
    status = model.meta.cal_step.resample
    frames = set() if wcs is None else {*wcs.available_frames}
    if FOCAL_PLANE not in frames and not (frames and frames <= RECTIFIED):
        return status == "COMPLETE", ()
    rectified = FOCAL_PLANE not in frames
    if status is None or rectified == (status == "COMPLETE"):
        return rectified, ()
    kind = "a rectified image" if rectified else "a detector image"
    return rectified, (
        f"The header's S_RESAMP is {status}, but the WCS is that of {kind}, as it is taken for.",
    )


def _plane(model: JwstDataModel, key: str, shape: tuple[int, ...], name: str) -> np.ndarray | None:
    """Return a plane in the shape of the data, or None where the product has none."""
    plane = model[key] if model.hasattr(key) else None
    if plane is None or plane.size == 0:
        return None
    if plane.shape not in (shape, shape[-2:]):
        raise LRSError(
            f"{name}: {key.upper()} has the shape {plane.shape}, but SCI has {shape}; write the file anew, "
            "with planes of one shape."
        )
    return np.broadcast_to(plane, shape)


def _contributing(model: JwstDataModel, shape: tuple[int, int], horizontal: bool) -> np.ndarray | None:
    """Exposures in each pixel: the bits of the context; None where it is missing, or does not fit."""
    context = model.con if model.hasattr("con") else None
    if context is None or context.ndim != 3:
        return None
    if horizontal:
        context = np.swapaxes(context, -1, -2)
    if context.shape[-2:] != shape:
        return None
    bits = np.asarray(context).astype(np.uint32)[:, None] >> np.arange(32, dtype=np.uint32)[:, None, None] & 1
    exposures = bits.reshape(-1, *shape).astype(bool)
    return exposures[: int(np.flatnonzero(exposures.any(axis=(1, 2))).max(initial=-1)) + 1]


def _without_empty(planes: dict, usable: np.ndarray) -> tuple[dict, tuple[str, ...]]:
    """Leave out the planes that are not finite, or are zero, at every usable pixel, and name them."""
    empty = {}
    for key, plane in planes.items():
        if plane is not None and usable.any():
            if not np.isfinite(plane[usable]).any():
                empty[key] = "NaN"
            elif not plane[usable].any():
                empty[key] = "zero"
    notes = tuple(f"{key.upper()} is {of} at every pixel: it counts as missing." for key, of in empty.items())
    return planes | dict.fromkeys(empty), notes


def good_pixels(
    data: np.ndarray, dq: np.ndarray, weight: np.ndarray | None = None, *planes: np.ndarray | None
) -> np.ndarray:
    """Tell the pixels that are finite in data and planes, not DO_NOT_USE, and have a weight."""
    good = np.isfinite(data) & ((dq & DO_NOT_USE) == 0)
    if weight is not None:  # where no exposure contributes, whatever value stands there
        good &= ~(weight <= 0)
    for plane in planes:
        if plane is not None:
            good &= np.isfinite(plane)
    return good


def _check_variances(variances: dict[str, np.ndarray], name: str) -> None:
    for key, plane in variances.items():
        if number := int((plane < 0).sum()):
            raise LRSError(negative(name, key, number))


def negative(name: str | Path, key: str, number: int) -> str:
    """Say that a plane of variances is negative."""
    return (
        f"{name}: {key.upper()} is negative at {number} valid pixels, which no variance can be; make "
        "the file anew, or flag these pixels DO_NOT_USE."
    )


def _other_errors(planes: dict, keep: tuple, good: np.ndarray) -> tuple[str, ...]:
    """Return a note where ERR is not the root of the variances' sum, which it is in every product."""
    if any(plane is None for plane in planes.values()):
        return ()
    total = np.sqrt(sum(planes[key][keep][good].astype(float) for key in VARIANCES))
    apart = ~np.isclose(planes["err"][keep][good], total, rtol=SAME_ERROR, atol=0.0)
    if not apart.any():
        return ()
    return (
        f"ERR and the variances contradict each other at {apart.sum()} of {apart.size} pixels: the variances "
        "give the errors.",
    )


def _masked(plane: np.ndarray | None, keep: tuple, good: np.ndarray) -> np.ndarray:
    return np.where(good, 0.0 if plane is None else plane[keep].astype(float), np.nan)


def _wavelengths(model: JwstDataModel, wcs, shape: tuple[int, int], name: str) -> np.ndarray:
    wavelength = _plane(model, "wavelength", shape, name)
    if wavelength is None or not np.any(np.nan_to_num(wavelength) > 0):
        if wcs is None or wcs.output_frame.naxes < 3:
            raise LRSError(f"{name}: neither a WAVELENGTH extension nor a spectral WCS gives it wavelengths.")
        y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
        wavelength = wcs(x, y)[2]
    wavelength = np.asarray(wavelength, float)
    return np.where(np.isfinite(wavelength) & (wavelength > 0), wavelength, np.nan)


def _without_holes(wavelength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill pixels without a wavelength that have one on either side, along the slit, and tell which.

    They lie in the aperture like any other bad pixel: what they had of the light is missing from its sum.
    """
    given, columns = np.isfinite(wavelength), np.arange(wavelength.shape[1])
    before = np.maximum.accumulate(np.where(given, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(given, columns, columns.size)[:, ::-1], axis=1)[:, ::-1]
    hole = ~given & (before >= 0) & (after < columns.size)
    if not hole.any():
        return wavelength, hole
    low, high = (
        np.take_along_axis(wavelength, side.clip(0, columns.size - 1), axis=1) for side in (before, after)
    )
    share = (columns - before) / np.maximum(after - before, 1)
    return np.where(hole, low + share * (high - low), wavelength), hole


def _beside_the_slit(image: SpectralImage) -> tuple[str, ...]:
    """Return a note where the header has the source elsewhere on the sky than the slit's pixels are.

    Any position has a column: that of the nearest point of the slit, however far.
    """
    if image.source is None:
        return ()
    position = image.observation.source_position()
    there = image.world(*image.pixel(*position, image.source.wavelength))[:2]
    away = np.degrees(angular_separation(*np.radians([*position, *there]))) * 3600.0
    if not away > BESIDE:
        return ()
    return (
        f"The header has the source (DITH_RA, DITH_DEC) {rounded(away, 3)} arcsec beside the slit: it is "
        "placed at the nearest point of it.",
    )


def _other_wavelengths(wavelength: np.ndarray, wcs, box: tuple, horizontal: bool) -> tuple[str, ...]:
    """Return a note where the file's wavelengths are not those of its WCS, by more than a pixel's."""
    if wcs is None or wcs.output_frame.naxes < 3:
        return ()
    middle = int(np.mean(box[1]))
    row = np.arange(len(wavelength), dtype=float)
    column = np.full_like(row, middle)
    theirs = wcs(row, column)[2] if horizontal else wcs(column, row)[2]
    ours = wavelength[:, middle]
    apart, steps = np.abs(ours - theirs), np.abs(np.diff(ours))
    apart, steps = apart[np.isfinite(apart)], steps[np.isfinite(steps)]
    if not apart.size or not steps.size or np.median(apart) <= np.median(steps):
        return ()
    return (
        f"The WAVELENGTH extension and the WCS differ by {np.median(apart):.3g} um: the first gives the "
        "wavelengths, the second the source's position.",
    )


def _check_wavelengths(wavelength: np.ndarray, name: str, horizontal: bool) -> None:
    """Refuse wavelengths, (n_disp, n_xdisp) in micron, of another unit, axis or order than a spectrum has."""
    given = wavelength[np.isfinite(wavelength)]
    if given.size and not (MICRON[0] <= given.min() and given.max() <= MICRON[1]):
        raise LRSError(
            f"{name}: its wavelengths run from {given.min():.4g} to {given.max():.4g}, in micron not all "
            f"between {MICRON[0]:g} and {MICRON[1]:g}; write the WAVELENGTH extension anew."
        )
    along, across = (np.diff(wavelength, axis=axis) for axis in (0, 1))
    along, across = along[np.isfinite(along)], across[np.isfinite(across)]
    if across.size and along.size and np.abs(across).mean() > np.abs(along).mean():
        raise LRSError(
            f"{name}: DISPAXIS is {1 if horizontal else 2}, but the wavelengths change along "
            f"{'y' if horizontal else 'x'}; correct the card, or the WAVELENGTH extension."
        )
    wrong = min((along <= 0).sum(), (along >= 0).sum())
    if wrong:
        raise LRSError(
            f"{name}: its wavelengths neither rise nor fall throughout, at {wrong} pixels they are out of "
            "order or repeated; write the WAVELENGTH extension anew."
        )


def _cut(box: tuple, wavelength: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns inside the bounding box."""
    return tuple(
        slice(max(int(np.ceil(first)), 0), min(int(np.floor(last)) + 1, size))
        for (first, last), size in zip(box, wavelength.shape, strict=True)
    )


def _margins(data: np.ndarray, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray] | None:
    if rows == slice(None):
        return None
    return data[..., : rows.start, columns].copy(), data[..., rows.stop :, columns].copy()


def _observation(model: JwstDataModel, contributing: np.ndarray | None) -> Observation:
    meta = model.meta
    combined = None if contributing is None else len(contributing) or None  # where the header is silent
    exposure_type = meta.exposure.type or DEFAULT.exposure_type
    source_type = (getattr(model, "source_type", None) if isinstance(model, SlitModel) else None) or (
        meta.target.source_type
    )
    return Observation(
        exposure_type=exposure_type,
        source_type=source_type.upper() if source_type else None,
        slit_name=(getattr(model, "name", None) if isinstance(model, ImageModel) else None) or exposure_type,
        spectral_order=meta.wcsinfo.spectral_order or 1,
        subarray=meta.subarray.name,
        photom=meta.cal_step.photom,
        bkg_subtract=meta.cal_step.bkg_subtract,
        dithered_ra=meta.dither.dithered_ra,
        dithered_dec=meta.dither.dithered_dec,
        target_motion=_target_motion(meta.wcsinfo),
        exposures=meta.resample.pointings or combined,
        x_offset=meta.dither.x_offset,
        y_offset=meta.dither.y_offset,
        primary_type=meta.dither.primary_type,
        v2_ref=meta.wcsinfo.v2_ref,
        v3_ref=meta.wcsinfo.v3_ref,
        v3yangle=meta.wcsinfo.v3yangle,
        vparity=meta.wcsinfo.vparity,
    )


def _target_motion(info) -> tuple[float, float] | None:
    """From the moving target's place during the exposure to that among all; the pipeline's assign_mtwcs."""
    if None in (info.mt_ra, info.mt_dec, info.mt_avra, info.mt_avdec):
        return None
    ra = (info.mt_avra - info.mt_ra + 180.0) % 360.0 - 180.0
    dec = info.mt_avdec - info.mt_dec
    return (ra, dec) if ra or dec else None


def _primary_header(model: JwstDataModel) -> MultiSpecModel:
    header = MultiSpecModel()
    header.update(model, only="PRIMARY")
    keep_sound(header.instance)
    return header
