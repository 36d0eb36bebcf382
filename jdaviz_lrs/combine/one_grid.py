"""Spectra on one grid of wavelengths: as they are where their rows are the same, else resampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.nddata import VarianceUncertainty
from numpy.typing import NDArray
from specutils import Spectrum
from specutils.manipulation import FluxConservingResampler

from jdaviz_lrs.combine.inputs import SOURCES, VALUES, Input
from jdaviz_lrs.errors import LRSError

__all__ = ["Aligned", "align"]

Column = NDArray[np.float64]
Table = NDArray[np.float64]

SAME_ROWS = 0.02
"""Of a step in wavelength: below it rows are the same."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Inputs on one grid.

    Attributes
    ----------
    wavelength : ndarray, (n_wavelength,)
        In the order of the first input.
    tables : dict of str to ndarray, (n_input, n_wavelength)
        NaN where an input has nothing.
    dq : ndarray of uint32, (n_input, n_wavelength)
    resampled : dict of str to float
        Inputs that had to be resampled, and by how much of a step their wavelengths differ.
    """

    wavelength: Column
    tables: dict[str, Table]
    dq: NDArray[np.uint32]
    resampled: dict[str, float]


def align(inputs: Sequence[Input]) -> Aligned:
    """Bring inputs to one grid of wavelengths: that of the first, and what others have beyond its ends.

    Raises
    ------
    LRSError
        When the wavelengths of an input do not overlap those of the first.
    """
    first = inputs[0].wavelength
    if _same_rows(inputs):
        tables = {name: np.stack([one.columns[name] for one in inputs]) for name in VALUES}
        return Aligned(first, tables, np.stack([one.dq for one in inputs]), {})
    grid = np.sort(first)
    for one in inputs[1:]:
        grid = _extended(grid, one)
    step = _steps(grid)
    tables = {name: np.full((len(inputs), grid.size), np.nan) for name in VALUES}
    dq = np.zeros((len(inputs), grid.size), np.uint32)
    resampled = {}
    for number, one in enumerate(inputs):
        order = np.argsort(one.wavelength)
        wavelength = one.wavelength[order]
        place = _nearest(grid, wavelength)
        away = np.abs(grid[place] - wavelength) / step[place]
        if away.max() <= SAME_ROWS:
            for name in VALUES:
                tables[name][number, place] = one.columns[name][order]
            dq[number, place] = one.dq[order]
            continue
        resampled[one.name] = float(away.max())
        for name, column in _resampled(one, wavelength, order, grid).items():
            tables[name][number] = column
        dq[number] = _flags(one.dq[order], wavelength, grid)
    turn = slice(None, None, -1 if first[0] > first[-1] else 1)
    tables = {name: table[:, turn] for name, table in tables.items()}
    return Aligned(grid[turn], tables, dq[:, turn], resampled)


def _same_rows(inputs: Sequence[Input]) -> bool:
    """Whether all have the same rows, and nothing is to be done."""
    first = inputs[0].wavelength
    if any(one.wavelength.size != first.size for one in inputs):
        return False
    away = np.abs(np.stack([one.wavelength for one in inputs]) - first)
    return bool((away <= SAME_ROWS * _steps(first)).all())


def _steps(grid: Column) -> Column:
    return np.abs(np.gradient(grid)) if grid.size > 1 else np.ones_like(grid)


def _nearest(grid: Column, wavelength: Column) -> NDArray[np.intp]:
    upper = np.clip(np.searchsorted(grid, wavelength), 1, grid.size - 1)
    return upper - (wavelength - grid[upper - 1] < grid[upper] - wavelength)


def _extended(grid: Column, one: Input) -> Column:
    """Append what an input has beyond the ends of a grid, more than half a step away."""
    step, wavelength = _steps(grid), np.sort(one.wavelength)
    if wavelength[-1] < grid[0] or wavelength[0] > grid[-1]:
        raise LRSError(
            f"{one.name}: its wavelengths, {wavelength[0]:.2f} to {wavelength[-1]:.2f} um, do not overlap "
            f"those of the first spectrum ({grid[0]:.2f} to {grid[-1]:.2f} um); combine spectra that do."
        )
    below = wavelength[wavelength < grid[0] - 0.5 * step[0]]
    above = wavelength[wavelength > grid[-1] + 0.5 * step[-1]]
    return np.concatenate([below, grid, above])


def _resampled(one: Input, wavelength: Column, order: NDArray[np.intp], grid: Column) -> dict[str, Column]:
    """Columns of an input on another grid; a wavelength into which a bad one goes is bad."""
    resample = FluxConservingResampler()
    axis, target = wavelength * u.um, grid * u.um
    columns = {}
    for kind, value in (("flux", "flux"), ("sb", "surf_bright")):
        for source in SOURCES:
            name = f"{kind}_var_{source}"
            seen = Spectrum(
                flux=one.columns[value][order] * u.one,
                spectral_axis=axis,
                uncertainty=VarianceUncertainty(one.columns[name][order]),
            )
            with np.errstate(divide="ignore", invalid="ignore"):  # of variances that are zero
                found = resample(seen, target)
                columns[name] = 1.0 / found.uncertainty.array
            columns[value] = found.flux.value
    return {name: np.where(np.isfinite(columns["flux"]), column, np.nan) for name, column in columns.items()}


def _flags(dq: NDArray[np.uint32], wavelength: Column, grid: Column) -> NDArray[np.uint32]:
    """Or the flags of the two wavelengths on either side; none beyond the ends."""
    upper = np.clip(np.searchsorted(wavelength, grid), 1, wavelength.size - 1)
    inside = (grid >= wavelength[0]) & (grid <= wavelength[-1])
    return np.where(inside, dq[upper - 1] | dq[upper], 0).astype(np.uint32)
