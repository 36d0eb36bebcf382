"""Columns of spectra times a response; of a series as they are asked for, so that memory holds no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE

__all__ = ["CalibratedTable", "calibrated_columns"]

SOURCES = ("poisson", "rnoise", "flat")
KINDS = {"flux": "flux", "sb": "surf_bright"}
"""What errors and variances begin with, to the column that they are of."""

CHANGED = {
    "flux": ("flux",),
    "surf_bright": ("sb",),
    "dq": ("flux",),
    **{f"{kind}_error": (kind,) for kind in KINDS},
    **{f"{kind}_var_{source}": (kind,) for kind in KINDS for source in SOURCES},
}
"""Columns that calibration changes, to the kinds that they follow from."""


def calibrated_columns(
    column: Callable[[str], NDArray],
    factor: NDArray[np.float64],
    error: NDArray[np.float64],
    kinds: tuple[str, ...] = tuple(KINDS),
) -> dict[str, NDArray]:
    """Multiply columns by a response, whose error is added to the variances by flat field.

    Parameters
    ----------
    column : callable
        Gives a column by its name, (..., n_wavelength).
    factor, error : ndarray, (n_wavelength,)
    kinds : tuple of str
        ``flux``, ``sb``: with their errors and variances.

    Returns
    -------
    dict of str to ndarray
        And with the flux ``dq``, DO_NOT_USE where there is none.
    """
    columns: dict[str, NDArray] = {}
    for kind in kinds:
        before = column(KINDS[kind])
        variances = {name: column(f"{kind}_var_{name}") * factor**2 for name in SOURCES}
        variances["flat"] = variances["flat"] + (before * error) ** 2
        columns[KINDS[kind]] = before * factor
        columns[f"{kind}_error"] = np.sqrt(sum(variances.values()))
        columns |= {f"{kind}_var_{name}": variance for name, variance in variances.items()}
    if "flux" in columns:
        columns["dq"] = column("dq") | np.where(np.isnan(columns["flux"]), DO_NOT_USE, 0).astype(np.uint32)
    return columns


class CalibratedTable(Mapping[str, NDArray]):
    """The table of a series times a response; a column is made when it is asked for.

    Parameters
    ----------
    table : Mapping of str to ndarray, (n_int, n_wavelength)
    factor, error : ndarray, (n_wavelength,)
    """

    def __init__(
        self, table: Mapping[str, NDArray], factor: NDArray[np.float64], error: NDArray[np.float64]
    ) -> None:
        self._table: Any = table
        self._response = factor, error
        if hasattr(table, "parts"):
            self.parts = self._parts

    def __getitem__(self, name: str) -> NDArray:
        """Return a column, (n_int, n_wavelength)."""
        if name not in CHANGED:
            return self._table[name]
        return calibrated_columns(self._table.__getitem__, *self._response, CHANGED[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def _parts(self) -> Iterator[tuple[slice, dict[str, NDArray]]]:
        """Go through the table without having it all in memory."""
        for part, columns in self._table.parts():
            yield part, columns | calibrated_columns(columns.__getitem__, *self._response)
