"""Bins of wavelength, by their edges, width, resolving power or number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.errors import LRSError

__all__ = ["wavelength_bins"]


def wavelength_bins(
    wavelength_range: tuple[float, float],
    edges: ArrayLike | None = None,
    width: float | None = None,
    resolving_power: float | None = None,
    number: int | None = None,
) -> NDArray[np.float64]:
    """Divide wavelengths into bins, in one of four ways; without any there is one bin.

    Parameters
    ----------
    wavelength_range : tuple of float
        First and last wavelength, in micron.
    edges : array_like, (n_bin + 1,), optional
        Rising, in micron; the range is not used then.
    width : float, optional
        Of every bin, in micron; what is left over at the end is not used.
    resolving_power : float, optional
        Wavelength over the width of a bin; what is left over at the end is not used.
    number : int, optional
        Of bins of equal width.

    Returns
    -------
    ndarray, (n_bin, 2)
        Start and stop of each.

    Raises
    ------
    LRSError
        When two ways are given, or what is given makes no bin.
    """
    ways = {"edges": edges, "width": width, "resolving_power": resolving_power, "number": number}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise LRSError(f"{' and '.join(given)} both tell the bins; give one of them.")
    start, stop = wavelength_range
    if not 0 <= start < stop:
        raise LRSError(f"wavelength_range is {start:g} to {stop:g}; give two wavelengths in micron, rising.")
    if edges is not None:
        found = np.asarray(edges, float)
        if found.ndim != 1 or found.size < 2 or not (np.diff(found) > 0).all():
            raise LRSError("edges must be two or more wavelengths in micron, rising.")
    elif number is not None:
        if isinstance(number, bool) or not float(number).is_integer() or number < 1:
            raise LRSError(f"number is {number}; a whole number of bins is needed, 1 or more.")
        found = np.linspace(start, stop, int(number) + 1)
    elif width is not None:
        _positive("width", width)
        found = _steps(start, stop, int((stop - start) / width * (1 + 1e-9)), lambda k: start + k * width)
    elif resolving_power is not None:
        _positive("resolving_power", resolving_power)
        # a bin from a to b has R = (a + b) / 2 / (b - a)
        ratio = (2 * resolving_power + 1) / (2 * resolving_power - 1) if resolving_power > 0.5 else np.inf
        steps = int(np.log(stop / start) / np.log(ratio) * (1 + 1e-9)) if start > 0 else 0
        found = _steps(start, stop, steps, lambda k: start * ratio**k)
    else:
        found = np.array([start, stop], float)
    return np.stack([found[:-1], found[1:]], axis=1)


def _positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise LRSError(f"{name} is {value}; a positive number is needed.")


def _steps(start: float, stop: float, steps: int, edge) -> NDArray[np.float64]:
    if steps < 1:
        raise LRSError(f"From {start:g} to {stop:g} um there is no room for one bin; make the bins narrower.")
    return edge(np.arange(steps + 1.0))
