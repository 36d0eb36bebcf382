"""PSF and trace → the share of a source's light in every pixel of the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["NormalisedPSF", "PlacedProfile", "ProfileGrid", "normalise", "profile_grid"]

Image = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlacedProfile:
    """The profile of one source on the image.

    Attributes
    ----------
    value : ndarray, (n_disp, n_xdisp)
        Share of the light per pixel.
    slope : ndarray, same shape
        Its change per pixel that the source moves towards larger columns.
    widening : ndarray, same shape
        Its change per unit of stretch.
    """

    value: Image
    slope: Image
    widening: Image


BLUR_STEP = 0.8
"""Pixels: half the extent of the kernel that blurs."""


@dataclass(frozen=True, eq=False)
class ProfileGrid:
    """A PSF made ready for the wavelengths of an image, so that placing it is fast.

    Attributes
    ----------
    samples : ndarray, (n_row, n_subpixel + 3)
        The PSF, in light per pixel, framed by zeros: at every wavelength it is known for or, where all pixels
        of an image's row share one wavelength, at every row.
    subpix, center : float
        Samples per pixel; the sample on which the source is centred.
    columns : ndarray, (n_xdisp,)
        The image's columns, in the units of the trace.
    first : ndarray of int, (n_disp, n_xdisp)
        Index, in the flattened samples, of the row just below every pixel's wavelength.
    fraction : ndarray, same shape, or None
        How far on its wavelength lies to the next row's; None where the samples are at the image's rows.
    covered : ndarray of bool, same shape
        Where the pixel's wavelength is within the PSF's.
    """

    samples: Image
    subpix: float
    center: float
    columns: Image
    first: NDArray[np.intp]
    fraction: Image | None
    covered: NDArray[np.bool_]

    def within(self, part: slice) -> ProfileGrid:
        """Return the grid of some of the image's columns."""
        return replace(
            self,
            columns=self.columns[part],
            first=self.first[:, part],
            fraction=None if self.fraction is None else self.fraction[:, part],
            covered=self.covered[:, part],
        )

    def place(self, trace: ArrayLike, stretch: ArrayLike = 1.0, within_image: bool = False) -> PlacedProfile:
        """Lay the PSF along a trace.

        Parameters
        ----------
        trace : array_like, (n_disp,)
            Where the source lies, in columns; the profile is zero where this is NaN.
        stretch : array_like, scalar or (n_disp,)
            Factor on the PSF's width; its light stays the same.
        within_image : bool
            Normalise to the light that falls on the image's columns, as the pipeline does, rather than to
            all light of the PSF.

        Returns
        -------
        PlacedProfile

        Notes
        -----
        Linear in wavelength and across it, as the pipeline interpolates. The samples are convolved with the
        pixel already (an effective PSF, Anderson & King 2000, PASP 112, 1360), so that a value at a pixel's
        centre is the light in that pixel.
        """
        width = np.broadcast_to(np.asarray(stretch, float), np.shape(trace))[:, None]
        distance = self.columns - np.asarray(trace, float)[:, None]
        value, rise, distance = self._sampled(distance, width, self.first, self.fraction, self.covered)
        gradient = rise * (self.subpix / width**2)
        if within_image:
            light = value.sum(axis=1, keepdims=True)
            scale = np.divide(1.0, light, out=np.zeros_like(light), where=light != 0)
            value, gradient = value * scale, gradient * scale
        return PlacedProfile(value, -gradient, -(value / width + distance * gradient))

    def light(self, trace: ArrayLike, stretch: ArrayLike = 1.0) -> Image:
        """Return the share of the light per pixel alone, (n_disp, n_xdisp); arguments as those of `place`."""
        width = np.broadcast_to(np.asarray(stretch, float), np.shape(trace))[:, None]
        distance = self.columns - np.asarray(trace, float)[:, None]
        return self._sampled(distance, width, self.first, self.fraction, self.covered)[0]

    def around(self, trace: ArrayLike, stretch: ArrayLike, reach: int) -> tuple[Image, Image]:
        """Return the PSF on the pixels around a trace, whether or not the image has them.

        Parameters
        ----------
        trace : array_like, (n_disp,)
            Where the source lies, in columns; the profile is zero where this is NaN.
        stretch : array_like, scalar or (n_disp,)
            Factor on the PSF's width.
        reach : int
            Pixels to either side of the one that the trace lies in.

        Returns
        -------
        distance : ndarray, (n_disp, 2 * reach + 1)
            Of the pixels' centres from the trace, in pixels.
        value : ndarray, same shape
            Share of the light per pixel, at the wavelength where the trace is.
        """
        trace = np.asarray(trace, float)
        seen = np.isfinite(trace)
        middle = np.rint(np.where(seen, trace, self.columns[0]))
        distance = middle[:, None] + np.arange(-reach, reach + 1) - np.where(seen, trace, middle)[:, None]
        # a trace beyond the image's or the slit's edge has the wavelength of the nearest pixel in it
        away = np.where(self.covered, np.abs(self.columns - middle[:, None]), np.inf)
        nearest = away.argmin(axis=1)[:, None]
        row = np.take_along_axis(self.first, nearest, 1)
        fraction = None if self.fraction is None else np.take_along_axis(self.fraction, nearest, 1)
        known = (seen & np.isfinite(away.min(axis=1)))[:, None]
        value, _, _ = self._sampled(
            distance, np.broadcast_to(stretch, trace.shape)[:, None], row, fraction, known
        )
        return distance, value

    @cached_property
    def curvature(self) -> ProfileGrid:
        """The change of every sample with blur, as a grid: the second difference of the profile."""
        lag = max(round(BLUR_STEP * self.subpix), 1)
        padded = np.pad(self.samples, ((0, 0), (lag, lag)))
        second = padded[:, 2 * lag :] + padded[:, : -2 * lag] - 2.0 * self.samples
        return replace(self, samples=second * (self.subpix / lag) ** 2)

    def blurred(self, blur: Image) -> ProfileGrid:
        """Blur the profile in the rows of an image whose pixels share one wavelength in every row.

        Parameters
        ----------
        blur : ndarray, (n_disp,)
            Half the variance of the kernel, in pixels squared: three points in a row, so that the profile
            stays positive and keeps its light.

        Returns
        -------
        ProfileGrid
        """
        most = 0.5 * BLUR_STEP**2
        samples = self.samples + np.clip(blur, -0.1 * most, most)[:, None] * self.curvature.samples
        return replace(self, samples=samples)

    def _sampled(self, distance, width, first, fraction, known) -> tuple[Image, Image, Image]:
        """Light per pixel at distances in pixels, its rise from sample to sample, and distances in widths.

        By hand, as a fit places profiles thousands of times and wants value and rise of the same two samples:
        two calls of `scipy.ndimage.map_coordinates` take five times as long.
        """
        distance = distance / width
        # one sample beyond either end is zero, and so is all that is farther out
        last = self.samples.shape[1] - 2
        sample = self.center + self.subpix * distance
        inside = (sample >= 1) & (sample <= last - 1) & known
        sample, distance = np.where(inside, sample, 0.0), np.where(inside, distance, 0.0)
        lower = sample.astype(np.intp)
        index = first + lower
        flat, row = self.samples.ravel(), self.samples.shape[1]
        left = _blend(flat, index, row, fraction)
        right = _blend(flat, index + 1, row, fraction)
        rise = np.where(inside, right - left, 0.0)
        return (left + (sample - lower) * rise) / width, rise, distance


def _blend(flat: Image, index: NDArray[np.intp], row: int, fraction: Image | None) -> Image:
    """Linear in wavelength, at one sample."""
    below = flat.take(index)
    if fraction is None:
        return below
    return below + fraction * (flat.take(index + row) - below)


@dataclass(frozen=True, eq=False)
class NormalisedPSF:
    """A PSF sorted by wavelength, every row with the light of one, without what is zero, framed by zeros.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        Micron, rising.
    samples : ndarray, (n_wavelength + 1, n_sample)
        So that neighbours exist at the ends.
    subpix, center : float
        Samples per pixel; the sample on which the source is centred.
    """

    wavelength: Image
    samples: Image
    subpix: float
    center: float


def normalise(
    data: Image, psf_wavelength: Image, subpix: float, center: float, trimmed: bool = False
) -> NormalisedPSF:
    """Make a PSF, (n_wavelength, n_subpixel), ready for any image; the arguments are those of `profile_grid`.

    Trimmed to its light it is faster to place. Then samples are counted from elsewhere, which moves the last
    digits and, at its ends, what is exactly zero: the pipeline's choice of pixels hangs on that.
    """
    order = np.argsort(psf_wavelength)
    samples = np.nan_to_num(np.asarray(data, float))[order]
    lit = np.flatnonzero(samples.any(axis=0))
    first, last = (lit[0], lit[-1] + 1) if trimmed and lit.size else (0, samples.shape[1])
    samples = samples[:, first:last]
    light = samples.sum(axis=1, keepdims=True) / subpix
    samples = np.divide(samples, light, out=np.zeros_like(samples), where=light != 0)
    # it falls to zero over one sample more, and farther out where it is blurred
    frame = int(np.ceil(BLUR_STEP * subpix)) + 2 if trimmed else 1
    samples = np.pad(samples, ((0, 1), (frame, frame + 1)))
    known = np.asarray(psf_wavelength, float)[order]
    return NormalisedPSF(known, samples, float(subpix), float(center) + frame - first)


def profile_grid(
    data: Image,
    psf_wavelength: Image,
    subpix: float,
    center: float,
    wavelength: Image,
    columns: Image,
    normalised: NormalisedPSF | None = None,
) -> ProfileGrid:
    """Prepare a PSF for an image.

    Parameters
    ----------
    data : ndarray, (n_wavelength, n_subpixel)
        The PSF, in any normalisation.
    psf_wavelength : ndarray, (n_wavelength,)
        Micron, in any order.
    subpix, center : float
        Samples per pixel; the sample on which the source is centred.
    wavelength : ndarray, (n_disp, n_xdisp)
        Of the image's pixels, in micron.
    columns : ndarray, (n_xdisp,)
        In the units of the traces to come.
    normalised : NormalisedPSF, optional
        What `normalise` makes of the PSF, where it was made before.

    Returns
    -------
    ProfileGrid
    """
    psf = normalise(data, psf_wavelength, subpix, center) if normalised is None else normalised
    known, samples = psf.wavelength, psf.samples
    position = np.interp(wavelength, known, np.arange(known.size, dtype=float), left=np.nan, right=np.nan)
    covered = np.isfinite(position)
    position = np.where(covered, position, 0.0)
    below = position.astype(np.intp)
    fraction = position - below
    first = below * samples.shape[1]
    lowest = np.where(covered, position, np.inf).min(axis=1)
    if np.all((position == lowest[:, None]) | ~covered):
        row = np.where(np.isfinite(lowest), lowest, 0.0)
        lower = row.astype(np.intp)
        part = (row - lower)[:, None]
        samples = samples[lower] + part * (samples[lower + 1] - samples[lower])
        first = np.broadcast_to((np.arange(row.size) * samples.shape[1])[:, None], covered.shape)
        fraction = None
    return ProfileGrid(
        samples=samples,
        subpix=psf.subpix,
        center=psf.center,
        columns=np.asarray(columns, float),
        first=first,
        fraction=fraction,
        covered=covered,
    )
