"""From sums over the image to the columns of the x1d table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE, FLUX_ESTIMATED, OUTLIER
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.box import Sums

__all__ = ["made_up", "scaled", "tabulate"]

Image = NDArray[np.float64]

#: MJy to Jy.
MEGA = 1e6

SOURCES = ("poisson", "rnoise", "flat")


def tabulate(
    image: SpectralImage,
    sums: Sums,
    profile: Image,
    limits: ApertureLimits,
    wavelength: Image | None = None,
    surface_brightness: bool = True,
) -> ExtractedSpectrum:
    """Fill the columns, in Jy and MJy/sr, for the rows that have a wavelength and a weight.

    Parameters
    ----------
    image : SpectralImage
    sums : Sums
        In the image's unit.
    profile : ndarray, (n_disp, n_xdisp)
        With which the wavelength and the centre are averaged.
    limits : ApertureLimits
    wavelength : ndarray, (n_disp,), optional
        Instead of the average over the profile; NaN for rows to leave out.
    surface_brightness : bool
        Whether `profile` are weights of an aperture over which the flux can be averaged; else the
        surface-brightness columns are zero, as in the pipeline's optimal extraction.

    Returns
    -------
    ExtractedSpectrum
    """
    known = np.isfinite(image.wavelength)
    profile = np.where(known & (profile > 0), profile, 0.0)
    total = profile.sum(axis=1)
    if wavelength is None:
        wavelength = np.divide(
            np.vecdot(profile, np.where(known, image.wavelength, 0.0)),
            total,
            out=np.full_like(total, np.nan),
            where=total > 0,
        )
    rows = np.flatnonzero(np.isfinite(wavelength))
    brightness = image.unit == "MJy/sr"
    area = image.pixel_area * MEGA
    per_pixel = (1.0 if brightness else 1.0 / area) / np.where(sums.npixels > 0, sums.npixels, 1.0)
    average = per_pixel if surface_brightness else np.zeros_like(per_pixel)
    told = 1.0 if image.has_variances else np.nan
    columns = {
        **_with_errors("flux", "flux_var", "flux_error", sums.flux, sums.variances * told, area**brightness),
        **_with_errors("surf_bright", "sb_var", "sb_error", sums.flux, sums.variances * told, average),
        **_with_errors(
            "background",
            "bkgd_var",
            "bkgd_error",
            np.where(np.isfinite(sums.background), sums.background, 0.0),
            sums.background_variances * told,
            per_pixel,
        ),
        "npixels": sums.npixels,
    }
    columns = {name: column[..., rows] for name, column in columns.items()}
    common = sums.common_variance
    if common is not None:
        columns["common_error"] = np.sqrt(common[..., rows]) * told * area**brightness
    return ExtractedSpectrum(
        wavelength=wavelength[rows],
        **columns,
        dq=_flags(columns["flux"]),
        rows=rows,
        limits=limits,
        center=_center(image, profile, total),
        image=image,
    )


def _with_errors(name: str, variance: str, error: str, value: Image, variances: Image, factor) -> dict:
    # no error of 0 beside a value that is not known
    scaled_variances = np.where(np.isnan(value), np.nan, variances * factor**2)
    return {
        name: value * factor,
        error: np.sqrt(scaled_variances.sum(axis=0)),
        **{f"{variance}_{source}": v for source, v in zip(SOURCES, scaled_variances, strict=True)},
    }


def _flags(flux: Image) -> NDArray[np.uint32]:
    return np.where(np.isnan(flux), DO_NOT_USE, 0).astype(np.uint32)


def _center(image: SpectralImage, profile: Image, total: Image) -> tuple[float, float]:
    whole = total.sum()
    return float(total @ image.disp_index / whole), float(profile.sum(axis=0) @ image.xdisp_index / whole)


def scaled(
    spectrum: ExtractedSpectrum, correction: Image, references: Mapping[str, str] | None = None
) -> ExtractedSpectrum:
    """Return the spectrum with a correction, (n_wavelength,), on flux, brightness and their errors.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    correction : ndarray, ([n_int,] n_wavelength)
    references : Mapping of str to str, optional
        With what the correction is from, instead of those of the spectrum.

    Returns
    -------
    ExtractedSpectrum
    """
    columns = _times(spectrum, correction, correction)
    references = spectrum.references if references is None else references
    return replace(spectrum, **columns, apcorr=correction, references=references)


def made_up(spectrum: ExtractedSpectrum, left: Image, pixels: Image) -> ExtractedSpectrum:
    """Return the spectrum with lost light made up for, and flagged.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    left : ndarray, ([n_int,] n_wavelength)
        Share of the light that the pixels in the sum have; NaN where it is too little.
    pixels : ndarray, ([n_int,] n_wavelength)
        Share of the aperture that they have: 1 where no pixel is lost.

    Returns
    -------
    ExtractedSpectrum
        Unchanged where no pixel is lost.
    """
    # the mean over the pixels left already stands for the others, but for the profile
    columns = _times(spectrum, 1.0 / left, pixels / left)
    estimated = np.isfinite(left) & (pixels < 1.0)
    columns["dq"] = columns["dq"] | np.where(estimated, FLUX_ESTIMATED, 0).astype(np.uint32)
    return replace(spectrum, **columns)


def _times(spectrum: ExtractedSpectrum, flux: Image, brightness: Image) -> dict[str, Image]:
    """Multiply flux and surface brightness, with their errors; flag what becomes NaN."""
    factors = (("flux", "flux", flux, flux**2), ("sb", "surf_bright", brightness, brightness**2))
    columns = {}
    for kind, value, factor, squared in factors:
        for name in (value, f"{kind}_error"):
            columns[name] = getattr(spectrum, name) * factor
        for source in SOURCES:
            name = f"{kind}_var_{source}"
            columns[name] = getattr(spectrum, name) * squared
    if spectrum.common_error is not None:
        columns["common_error"] = spectrum.common_error * flux
    return columns | {"dq": spectrum.dq | _flags(columns["flux"])}


def flag_outliers(spectrum: ExtractedSpectrum, rejected: NDArray[np.bool_]) -> ExtractedSpectrum:
    """Flag the wavelengths at which pixels were rejected, ([n_int,] n_disp, n_xdisp)."""
    hit = rejected.any(axis=-1)[..., spectrum.rows]
    return replace(spectrum, dq=spectrum.dq | np.where(hit, OUTLIER, 0).astype(np.uint32))


def missing_planes(image: SpectralImage) -> tuple[str, ...]:
    """Say what an image lacks, and what else is odd about it."""
    missing = (f"The image has no {', '.join(image.missing)}.",) if image.missing else ()
    return (*missing, *image.notes)
