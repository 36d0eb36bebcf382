"""Numbers in sentences: as many digits as they are known to, and no powers of ten."""

from __future__ import annotations

__all__ = ["rounded"]


def rounded(value: float, digits: int) -> str:
    """Round to so many digits, and write 1070 where Python's ``g`` writes 1.07e+03.

    Parameters
    ----------
    value : float
    digits : int
    """
    return f"{float(f'{value:.{digits}g}'):g}"
