"""What becomes of a spectrum where pixels of its aperture, or under its profile, are lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE, FLUX_ESTIMATED
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.lost_light import LEAST_LEFT, fits_profile, light_left
from jdaviz_lrs.engine.neighbours import paired_median
from jdaviz_lrs.extraction.placement import Placement
from jdaviz_lrs.extraction.tabulate import made_up
from jdaviz_lrs.references.find import References
from jdaviz_lrs.references.pixels import on_pixels_of

__all__ = ["give_up_lost_light", "make_up_for_lost_light", "tell_of_estimates"]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEIGHBOURS = 15
"""Rows whose median tells the profile where no PSF does."""

CORE = 0.02
"""Of a profile's peak: pixels with more of the light are looked at together."""

FITTED_AGREEMENT = 0.04
"""Of the flux: less than for a PSF in the middle of a box, as the profile was fitted where the source is."""

BESIDE_GAP = 0.05
"""Of the light that is made up for in a rectified image: what is left beside a bad pixel holds some of its
light, or of its neighbours'; by so much bright sources with a saturated core were seen to be off."""

WORTH_TELLING = 0.01
"""Of the light under a profile: nearly every one of them reaches over some bad pixel far out."""


def make_up_for_lost_light(
    spectrum: ExtractedSpectrum,
    image: SpectralImage,
    references: References,
    placement: Placement,
    good: Mask,
    source: Image,
    known: Image | None = None,
) -> ExtractedSpectrum:
    """Give a box extraction the light that lost pixels would have had.

    A point source is spread as its PSF is, placed on the trace, or in the middle of the aperture where there
    is none; any other as it is at the neighbouring wavelengths.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
        The sums over the good pixels.
    image : SpectralImage
    references : References
    placement : Placement
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        The pixels that were summed.
    source : ndarray, same shape
        The image without its background.
    known : ndarray, (n_disp, n_xdisp), optional
        How the light is spread, where that was seen in other images of the source.

    Returns
    -------
    ExtractedSpectrum
        The same where no pixel is lost; NaN and DO_NOT_USE where less than half of the light is left, or
        where what is left of a point source does not look like the PSF, else FLUX_ESTIMATED; notes tell how
        often and how much.
    """
    weights, rows = placement.weights, spectrum.rows
    whole = weights.sum(axis=-1)[rows]
    pixels = np.divide(spectrum.npixels, whole, out=np.zeros_like(spectrum.npixels), where=whole > 0)
    some = (pixels > 0) & (pixels < 1.0)  # where none is left there is no flux already
    if not some.any():
        return spectrum
    used, fits = {}, np.ones(pixels.shape, bool)
    if known is not None:
        profile, by = known, "the mean profile of the series"
    elif image.observation.source_type == "POINT" and "psf" not in references.not_applicable:
        profile = _point_source(image, on_pixels_of(image, references.psf), placement)
        used, by = {"psf": references.psf.name}, "the PSF's share of the pixels left"
        variance = np.where(good, image.variances.sum(axis=0), 0.0)
        fits = fits_profile(source, variance, profile, weights, good)[..., rows]
    else:
        profile = paired_median(source, good, NEIGHBOURS)
        by = "the profile of the neighbouring wavelengths"
    left = np.where(some, light_left(profile, weights, good)[..., rows], pixels)
    enough = left >= LEAST_LEFT
    note = _told(left, some & enough & fits, some & ~enough, f"made up for by {by}", "the aperture")
    if unlike := int((some & enough & ~fits).sum()):
        note = (*note, _unlike(unlike, left.size))
    made_of = np.where(enough & fits, left, np.nan)
    spectrum = made_up(spectrum, np.where(some, made_of, 1.0), np.where(some, pixels, 1.0))
    return replace(
        _less_certain(spectrum, image, np.where(some, 1.0 - left, 0.0)),
        light_left=left,
        notes=(*spectrum.notes, *note),
        references={**spectrum.references, **used},
    )


def give_up_lost_light(
    spectrum: ExtractedSpectrum, image: SpectralImage, profile: Image, source: Callable[[], Image]
) -> ExtractedSpectrum:
    """Take the flux of an optimal extraction away where too little of its profile lies on good pixels.

    So, too, where the pixels left do not look like the profile: those beside a gap that was resampled. The
    integrations of a series never are, and are not looked at so.

    Elsewhere the fit has made up for what is lost already; where that is more than a hundredth of the light,
    it is flagged and counted.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
        With what was `rejected`.
    image : SpectralImage
    profile : ndarray, (n_disp, n_xdisp)
        Of the source.
    source : callable
        Gives the image without background and other sources, ([n_int,] n_disp, n_xdisp).

    Returns
    -------
    ExtractedSpectrum
        NaN and DO_NOT_USE where less than half of the light in the slit is left.
    """
    good = image.good & ~spectrum.rejected
    weights = np.isfinite(image.wavelength).astype(float)
    left = light_left(profile, weights, good)[..., spectrum.rows]
    known = np.isfinite(spectrum.flux)
    told, enough = known & (left < 1.0 - WORTH_TELLING), left >= LEAST_LEFT
    if not told.any():
        return spectrum
    fits = np.ones(left.shape, bool)
    if image.resampled or image.data.ndim == 2:
        # what was rejected beside a gap is what does not look like the profile
        seen = image.good
        core = profile > CORE * profile.max(axis=-1, keepdims=True)
        variance = np.where(seen, np.nan_to_num(spectrum.variance), 0.0)
        fits = fits_profile(np.where(seen, source(), 0.0), variance, profile, core, seen, FITTED_AGREEMENT)
        gap = light_left(profile, weights, seen) < 1.0 - WORTH_TELLING
        fits = (fits | ~gap)[..., spectrum.rows]
    note = _told(left, told & enough & fits, told & ~enough, "made up for by the fit", "the profile")
    if unlike := int((told & enough & ~fits).sum()):
        note = (*note, _unlike(unlike, left.size))
    enough &= fits
    estimated = np.where(told & enough, FLUX_ESTIMATED, 0).astype(np.uint32)
    lost = np.where(enough, 0, DO_NOT_USE).astype(np.uint32)
    factor = np.where(enough, 1.0, np.nan)
    columns = {
        name: getattr(spectrum, name) * factor
        for name in ("flux", "flux_error", "flux_var_poisson", "flux_var_rnoise", "flux_var_flat")
    }
    return replace(
        _less_certain(replace(spectrum, **columns), image, np.where(told & enough, 1.0 - left, 0.0)),
        dq=spectrum.dq | estimated | lost,
        light_left=left,
        notes=(*spectrum.notes, *note),
    )


def _less_certain(spectrum: ExtractedSpectrum, image: SpectralImage, share: Image) -> ExtractedSpectrum:
    """Add to the errors, in a rectified image, what the share of the light that was made up may be off by."""
    if not image.resampled:
        return spectrum
    columns = {}
    for kind, value in (("flux", spectrum.flux), ("sb", spectrum.surf_bright)):
        more = (BESIDE_GAP * share * value) ** 2
        columns[f"{kind}_var_flat"] = getattr(spectrum, f"{kind}_var_flat") + more
        columns[f"{kind}_error"] = np.sqrt(getattr(spectrum, f"{kind}_error") ** 2 + more)
    return replace(spectrum, **columns)


def tell_of_estimates(spectrum: ExtractedSpectrum, image: SpectralImage, profile: Image) -> ExtractedSpectrum:
    """Flag and count the wavelengths to which pixels contribute that the pipeline has filled.

    They are used: the same flag has a pixel near saturation whose first frames were kept (``firstframe``).

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    image : SpectralImage
    profile : ndarray, (n_disp, n_xdisp)
        Weights of an aperture, or the share of the light in every pixel.
    """
    filled = (image.dq & FLUX_ESTIMATED) != 0
    if not filled.any():
        return spectrum
    hit = (filled & image.good & (profile > WORTH_TELLING)).any(axis=-1)[..., spectrum.rows]
    hit &= np.isfinite(spectrum.flux)
    if not hit.any():
        return spectrum
    note = (
        f"The pipeline has estimated pixels (FLUX_ESTIMATED) that go into the flux at {int(hit.sum())} of "
        f"{hit.size} wavelengths."
    )
    flags = np.where(hit, FLUX_ESTIMATED, 0).astype(np.uint32)
    return replace(spectrum, dq=spectrum.dq | flags, notes=(*spectrum.notes, note))


def _point_source(image: SpectralImage, psf: SpectralPSF, placement: Placement) -> Image:
    """PSF at the place of the source, (n_disp, n_xdisp); beyond its wavelengths as at the nearest."""
    wavelength = np.clip(image.row_wavelength, psf.wavelength.min(), psf.wavelength.max())
    offsets = image.xdisp_index - placement.center[:, None]
    return psf.fractions(offsets, wavelength)


def _unlike(number: int, size: int) -> str:
    return (
        f"No flux at {number} of {size} wavelengths where the pixels that bad ones have left do not look "
        "like the PSF."
    )


def _told(left: Image, estimated: Mask, given_up: Mask, how: str, where: str) -> tuple[str, ...]:
    notes = []
    if number := int(estimated.sum()):
        most = 1.0 - left[estimated].min()
        notes.append(
            f"Light lost to bad pixels at {number} of {left.size} wavelengths, {most:.0%} of it at most: "
            f"{how}, and flagged FLUX_ESTIMATED."
        )
    if number := int(given_up.sum()):
        notes.append(
            f"No flux at {number} of {left.size} wavelengths where bad pixels leave less than half of the "
            f"light in {where}."
        )
    return tuple(notes)
