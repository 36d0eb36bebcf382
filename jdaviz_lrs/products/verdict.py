"""Verdict: how far an extraction can be trusted, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BANDS", "Verdict"]

BANDS = ((5.0, 8.0), (8.0, 11.0), (11.0, 13.5))
"""Micron: ranges that are judged apart, as PSF and background differ between them."""


@dataclass(frozen=True)
class Verdict:
    """How far to trust a spectrum; one value per band, NaN where it cannot be told.

    Attributes
    ----------
    bands : tuple of tuple of float
        First and last wavelength of each band, in micron.
    sum_ratio, sum_ratio_error : tuple of float
        Flux over the plain corrected sum: that of the aperture which the flux calibration is tied to, without
        background and further sources, times its correction.
    sum_scatter : tuple of float
        Scatter of the difference between the two over its error: one where the errors hold.
    chi_square : tuple of float
        What the model leaves near the source: mean squared residual over the variance.
    lost_light : tuple of float
        Share of the source's light that fell on pixels that are bad or were rejected, averaged over the band.
    trace_offset, trace_offset_error : float
        Where the brightest trace lies, in pixels from the place that was extracted.
    trace_ratio : float
        How bright it is, relative to the place that was extracted.
    witness_disagreement : float
        Share of the light by which aperture correction and PSF reference disagree about the light in the
        calibration aperture (correction minus PSF, the largest of all wavelengths).
    witness_followed : {'', 'apcorr', 'psf', 'both'}
        Which of them tells how much of the light lies there; empty where nothing else than the PSF was asked.
    stand_ins : tuple of str
        Kinds of reference file for which a built-in model stood in.
    dropped : tuple of str
        Refinements that were asked for and did not earn their place.
    """

    bands: tuple[tuple[float, float], ...] = BANDS
    sum_ratio: tuple[float, ...] = (float("nan"),) * len(BANDS)
    sum_ratio_error: tuple[float, ...] = (float("nan"),) * len(BANDS)
    sum_scatter: tuple[float, ...] = (float("nan"),) * len(BANDS)
    chi_square: tuple[float, ...] = (float("nan"),) * len(BANDS)
    lost_light: tuple[float, ...] = (float("nan"),) * len(BANDS)
    trace_offset: float = float("nan")
    trace_offset_error: float = float("nan")
    trace_ratio: float = float("nan")
    witness_disagreement: float = 0.0
    witness_followed: str = ""
    stand_ins: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
