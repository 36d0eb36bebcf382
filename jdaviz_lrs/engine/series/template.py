"""What every integration of a series is compared with: the mean image, and how it changes with drift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from jdaviz_lrs.engine.neighbours import paired_median

__all__ = ["Template", "template_of_image", "template_of_profile"]

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 0.02
"""Of the light in a pixel: how far an integration may be from the mean for other reasons than noise."""

NEIGHBOURS = 15
"""Rows whose median stands for a bad pixel of the mean image."""

DARKEST = 10.0
"""Percentile of a row of the mean image that counts as its background."""


@dataclass(frozen=True, eq=False)
class Template:
    """The mean image of a series; shapes (n_disp, n_xdisp).

    Attributes
    ----------
    mean : ndarray
        Finite everywhere.
    light : ndarray
        Of the source in it.
    slope : ndarray
        Change of that with the source's place, per pixel towards larger columns.
    widening : ndarray
        Change of that with the width of the PSF, per unit of stretch.
    inverse : ndarray
        Inverse variance of a pixel in one integration; zero for what is not to be used.
    """

    mean: Image
    light: Image
    slope: Image
    widening: Image
    inverse: Image

    @cached_property
    def terms(self) -> Image:
        """Light, slope and widening, (3, n_disp * n_xdisp)."""
        return np.stack([self.light, self.slope, self.widening]).reshape(3, -1)

    @cached_property
    def projected(self) -> Image:
        """The same times the inverse variance, each without what others explain, (3, n_disp * n_xdisp).

        Taken off, in every row by itself, is a constant: the background; and off slope and widening also the
        light, whose level at every wavelength is free.
        """
        constant = np.ones_like(self.light)
        light = _without(self.light, constant, self.inverse)
        others = [
            _without(_without(one, constant, self.inverse), light, self.inverse)
            for one in (self.slope, self.widening)
        ]
        return (np.stack([light, *others]) * self.inverse).reshape(3, -1)

    @cached_property
    def normal(self) -> Image:
        """Products of the two, (3, 3)."""
        return self.projected @ self.terms.T

    @cached_property
    def tolerance(self) -> Image:
        """Standard deviation with what is tolerated, (n_disp * n_xdisp); infinite where not used."""
        variance = np.divide(
            1.0, self.inverse, out=np.full(self.inverse.shape, np.inf), where=self.inverse > 0
        )
        return np.sqrt(variance + (TOLERANCE * self.light) ** 2).ravel()


def _without(image: Image, other: Image, weights: Image) -> Image:
    """Take off what is in proportion to another image, row by row."""
    power = np.vecdot(weights * other, other)
    share = np.divide(np.vecdot(weights * other, image), power, out=np.zeros_like(power), where=power > 0)
    return image - share[:, None] * other


def template_of_profile(
    mean: Image, profile: Image, slope: Image, widening: Image, flux: Image, variance: Image, good: Mask
) -> Template:
    """Make a template where the profile of the source is known.

    Parameters
    ----------
    mean : ndarray, (n_disp, n_xdisp)
    profile, slope, widening : ndarray, same shape
        Share of the light per pixel, and its change with place and width.
    flux : ndarray, (n_disp,)
        Of the mean; NaN where there is none.
    variance : ndarray, (n_disp, n_xdisp)
        Of one integration, without what all have in common.
    good : ndarray of bool, same shape

    Returns
    -------
    Template
    """
    flux = np.nan_to_num(flux)[:, None]
    # what the star gets brighter by is seen in the image itself, whatever the profile lacks
    light = _above_background(np.where(good, mean, flux * profile))
    return Template(np.where(good, mean, 0.0), light, flux * slope, flux * widening, _inverse(variance, good))


def template_of_image(mean: Image, variance: Image, good: Mask) -> Template:
    """Make a template of the mean image alone.

    Parameters
    ----------
    mean, variance : ndarray, (n_disp, n_xdisp)
        See `template_of_profile`.
    good : ndarray of bool, same shape

    Returns
    -------
    Template

    Notes
    -----
    Between its pixels the image is a cubic spline along the slit; its derivative is the slope, and with the
    distance from the centre of light that of the width.
    """
    filled = np.where(good, mean, np.nan_to_num(paired_median(np.where(good, mean, 0.0), good, NEIGHBOURS)))
    light = _above_background(filled)
    columns = np.arange(mean.shape[1], dtype=float)
    rise = CubicSpline(columns, light, axis=1)(columns, 1)
    total = light.sum(axis=1)
    center = np.divide(light @ columns, total, out=np.full(total.shape, columns.mean()), where=total > 0)
    widening = -(light + (columns - center[:, None]) * rise)
    return Template(np.where(good, mean, 0.0), light, -rise, widening, _inverse(variance, good))


def _above_background(image: Image) -> Image:
    return image - np.percentile(image, DARKEST, axis=1, keepdims=True)


def _inverse(variance: Image, good: Mask) -> Image:
    return np.divide(1.0, variance, out=np.zeros_like(variance), where=good & (variance > 0))
