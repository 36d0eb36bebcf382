"""Verdict: how far an extraction can be trusted, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from jdaviz_lrs.modes import DEFAULT

__all__ = [
    "BANDS", "LOST_LIMIT", "OFFSET_LIMIT", "RATIO_LIMIT", "SCATTER_LIMIT", "SIGNIFICANT",
    "SKY_LIMIT",
    "Verdict",
]  # fmt: skip

BANDS = DEFAULT.bands
"""Micron: ranges that are judged apart, as PSF and background differ between them."""

RATIO_LIMIT = 0.02
"""By which flux and plain sum may differ, as a part of the flux."""

SCATTER_LIMIT = 2.0
"""Times its errors that a flux may scatter."""

LOST_LIMIT = 0.1
"""Share of the light."""

SKY_LIMIT = 0.02
"""Share of the flux."""

OFFSET_LIMIT = 1.0
"""Pixels between the brightest trace and the place that was extracted."""

SIGNIFICANT = 3.0
"""Errors that a deviation must exceed to count, besides its limit."""


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
        How many times its errors the flux scatters, by its difference from the plain sum: one where they
        hold.
    chi_square : tuple of float
        What the model leaves near the source: mean squared residual over the variance.
    lost_light : tuple of float
        Share of the source's light that fell on pixels that are bad or were rejected, averaged over the band.
    sky_left, sky_left_error : tuple of float
        Share of the flux that is sky which was not subtracted, where it is seen beside the source.
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
    sky_left: tuple[float, ...] = (float("nan"),) * len(BANDS)
    sky_left_error: tuple[float, ...] = (float("nan"),) * len(BANDS)
    trace_offset: float = float("nan")
    trace_offset_error: float = float("nan")
    trace_ratio: float = float("nan")
    witness_disagreement: float = 0.0
    witness_followed: str = ""
    stand_ins: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def passed(self) -> tuple[tuple[str, int | None], ...]:
        """Which numbers pass their limit: name and place of the band, None where there are no bands.

        A chi-square has none: bright sources show PSFs to be wrong where their fluxes hardly are.
        What cannot be told passes none. An error that cannot be told leaves the limit alone to decide.
        """
        judged = {
            "sum_ratio": tuple(map(_ratio_passes, self.sum_ratio, self.sum_ratio_error)),
            "sum_scatter": tuple(scatter > SCATTER_LIMIT for scatter in self.sum_scatter),
            "lost_light": tuple(lost > LOST_LIMIT for lost in self.lost_light),
            "sky_left": tuple(map(_sky_passes, self.sky_left, self.sky_left_error)),
        }
        found = [(name, band) for name, each in judged.items() for band, passes in enumerate(each) if passes]
        if _passes(self.trace_offset, OFFSET_LIMIT, self.trace_offset_error):
            found.append(("trace_offset", None))
        return tuple(found)


def _ratio_passes(ratio: float, error: float) -> bool:
    return _passes(ratio - 1.0, RATIO_LIMIT, error)


def _sky_passes(share: float, error: float) -> bool:
    """Whether there is sky; what lies below zero is the trace of another nod."""
    return share > 0 and _passes(share, SKY_LIMIT, error)


def _passes(deviation: float, limit: float, error: float) -> bool:
    return abs(deviation) > limit and not abs(deviation) <= SIGNIFICANT * error
