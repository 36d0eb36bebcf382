"""What spectra are compared with: a reference, and the wavelength ranges of the medians."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jdaviz_lrs.analysis.compare import Comparison, compare
from jdaviz_lrs.analysis.curve import Curve
from jdaviz_lrs.errors import LRSError

__all__ = ["Ranges", "Reference", "read_ranges", "write_ranges"]

Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Reference:
    """What spectra are compared with.

    Attributes
    ----------
    label : str
    curve : Curve
    ranges : tuple of (float, float)
        Wavelengths of the medians, in micron.
    """

    label: str
    curve: Curve
    ranges: Ranges

    def compare(self, curve: Curve) -> Comparison:
        """Compare a spectrum with it.

        Raises
        ------
        LRSError
            When they cannot be compared.
        """
        return compare(curve, self.curve, self.ranges)


def read_ranges(text: Any) -> Ranges:
    """Read wavelength ranges as a user writes them: ``5-8, 8-11, 11-13.5``; pairs of numbers pass.

    Raises
    ------
    LRSError
        For anything else, and for a range that ends before it starts.
    """
    if not isinstance(text, str):
        return read_ranges(write_ranges(text))
    ranges = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        match = re.fullmatch(r"([\d.]+)\s*(?:-|\N{EN DASH}|to|\s)\s*([\d.]+)", part)
        try:
            start, stop = map(float, match.groups())
        except (AttributeError, ValueError):
            raise LRSError(f"{part!r} is not a wavelength range; write 5-8, 8-11, 11-13.5.") from None
        if start >= stop:
            raise LRSError(f"The wavelength range {part} ends before it starts; exchange its numbers.")
        ranges.append((start, stop))
    if not ranges:
        raise LRSError("No wavelength range is given; write 5-8, 8-11, 11-13.5.")
    return tuple(ranges)


def write_ranges(ranges: Any) -> str:
    """Write wavelength ranges as the field shows them."""
    try:
        return ", ".join(f"{start:g}-{stop:g}" for start, stop in ranges)
    except (TypeError, ValueError):
        raise LRSError(
            f"{ranges!r} are no wavelength ranges; give pairs such as [[5, 8], [8, 11]], in micron."
        ) from None
