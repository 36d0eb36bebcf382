"""Two spectra against each other: their ratio, their difference in sigma, and both per wavelength range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.stats import mad_std
from numpy.typing import NDArray
from specutils import Spectrum

from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.order_statistics import MEDIAN_ERROR
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT

__all__ = ["RANGES", "Comparison", "RangeStatistics", "compare"]

Column = NDArray[np.float64]

#: Wavelength ranges, in micron, of the statistics unless others are given.
RANGES = DEFAULT.bands

#: Standard error, in units of sigma / sqrt(n), of `mad_std` of n normal values (Rousseeuw & Croux 1993, J.
#: Am. Stat. Assoc. 88, 1273).
SCATTER_ERROR = 1.1664


@dataclass(frozen=True)
class RangeStatistics:
    """Medians and scatter over a wavelength range; NaN where no point has both spectra.

    The scatter is told by the median absolute deviation, which outliers leave alone. The errors are
    those of independent points.

    Attributes
    ----------
    start, stop : float
        Micron, the stop excluded.
    number : int
        Points with both spectra.
    ratio, ratio_error, scatter, scatter_error : float
        Of the ratio.
    sigma, sigma_scatter : float
        Median and scatter of the difference in sigma; 0 and 1 for spectra that differ by noise alone.
    """

    start: float
    stop: float
    number: int
    ratio: float
    ratio_error: float
    scatter: float
    scatter_error: float
    sigma: float
    sigma_scatter: float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A spectrum against a reference, on the wavelengths of the spectrum.

    Attributes
    ----------
    wavelength : ndarray, (n,)
        Micron, increasing.
    spectrum, reference : Curve
        Both on these wavelengths.
    ratio, ratio_error : ndarray, (n,)
        Spectrum over reference; NaN where either has no flux.
    sigma : ndarray, (n,)
        Their difference in units of both errors added in quadrature; NaN where neither has an error.
    ranges : tuple of RangeStatistics
    overall : RangeStatistics
        From the start of the first range to the end of the last one.
    notes : tuple of str
        What to know when reading it, in plain sentences.
    """

    wavelength: Column
    spectrum: Curve
    reference: Curve
    ratio: Column
    ratio_error: Column
    sigma: Column
    ranges: tuple[RangeStatistics, ...]
    overall: RangeStatistics
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        one = self.overall
        return (
            f"<Comparison: {one.start:g}-{one.stop:g} um, ratio {one.ratio:.4f} +- {one.ratio_error:.4f}, "
            f"difference {one.sigma:+z.2f} sigma>"
        )


def compare(
    spectrum: ExtractedSpectrum | Spectrum | Curve,
    reference: ExtractedSpectrum | Spectrum | Curve,
    ranges: Sequence[tuple[float, float]] = RANGES,
) -> Comparison:
    """Set a spectrum against a reference.

    Parameters
    ----------
    spectrum, reference : ExtractedSpectrum, specutils.Spectrum or Curve
        In any units of flux density and wavelength. Where the wavelengths differ, the reference is
        interpolated linearly, and a note says so.
    ranges : sequence of (float, float)
        Wavelength ranges of the statistics, in micron.

    Returns
    -------
    Comparison

    Raises
    ------
    LRSError
        For units that are not those of a flux density, and for spectra without a wavelength in common.
    """
    ours, theirs = Curve.of(spectrum), Curve.of(reference)
    notes = []
    if ours.same_grid(theirs):
        theirs = Curve(ours.wavelength, theirs.flux, theirs.error)
    else:
        _check_overlap(ours, theirs)
        theirs = theirs.at(ours.wavelength)
        notes.append("The reference is interpolated to the spectrum's wavelengths.")
    if ours.has_errors and theirs.has_errors:
        notes.append(
            "Errors are added as if independent. Two extractions of one image share most of their noise: "
            "between them, noise alone makes less than one sigma."
        )
    elif ours.has_errors:
        notes.append("The reference has no errors: sigma is the spectrum's alone.")
    elif not theirs.has_errors:
        notes.append("Neither spectrum has errors: the difference in sigma is not known.")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(theirs.flux != 0, ours.flux / theirs.flux, np.nan)
        ratio_error = np.hypot(ours.error, ratio * theirs.error) / np.abs(theirs.flux)
        error = np.hypot(ours.error, theirs.error)
        sigma = np.where(error > 0, (ours.flux - theirs.flux) / error, np.nan)
    whole = (min(start for start, _ in ranges), max(stop for _, stop in ranges)) if ranges else (0.0, np.inf)
    statistics = [_statistics(ours.wavelength, ratio, sigma, *span) for span in (*ranges, whole)]
    return Comparison(
        wavelength=ours.wavelength,
        spectrum=ours,
        reference=theirs,
        ratio=ratio,
        ratio_error=ratio_error,
        sigma=sigma,
        ranges=tuple(statistics[:-1]),
        overall=statistics[-1],
        notes=tuple(notes),
    )


def _check_overlap(ours: Curve, theirs: Curve) -> None:
    if min(ours.wavelength.size, theirs.wavelength.size) < 2:
        raise LRSError("A spectrum with fewer than two wavelengths cannot be compared.")
    spans = [(curve.wavelength[0], curve.wavelength[-1]) for curve in (ours, theirs)]
    if max(first for first, _ in spans) > min(last for _, last in spans):
        (a, b), (c, d) = spans
        raise LRSError(
            f"The spectrum ({a:.4g} to {b:.4g} um) and the reference ({c:.4g} to {d:.4g} um) have no "
            "wavelength in common; choose another reference."
        )


def _statistics(
    wavelength: Column, ratio: Column, sigma: Column, start: float, stop: float
) -> RangeStatistics:
    inside = (wavelength >= start) & (wavelength < stop) & np.isfinite(ratio)
    number = int(inside.sum())
    middle, scatter = _middle(ratio[inside])
    root = np.sqrt(number) if number else np.nan
    return RangeStatistics(
        start,
        stop,
        number,
        middle,
        float(MEDIAN_ERROR * scatter / root),
        scatter,
        float(SCATTER_ERROR * scatter / root),
        *_middle(sigma[inside & np.isfinite(sigma)]),
    )


def _middle(values: Column) -> tuple[float, float]:
    if values.size == 0:
        return np.nan, np.nan
    return float(np.median(values)), float(mad_std(values))
