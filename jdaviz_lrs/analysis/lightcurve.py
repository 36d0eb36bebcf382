"""Light curves of a time series: white light and bins of wavelength, with the noise that they should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from astropy import units
from astropy.table import QTable
from astropy.time import Time
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.analysis.wavelength_bins import wavelength_bins
from jdaviz_lrs.data.series import DRIFT_COLUMNS, ExtractedSeries
from jdaviz_lrs.engine.series.light import difference_scatter, light_curve, rms_of_means
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT
from jdaviz_lrs.products.files import whole_files

if TYPE_CHECKING:
    from lightkurve import LightCurve

__all__ = ["USUAL_RANGE", "AveragedScatter", "LightCurves", "light_curves"]

USUAL_RANGE = (DEFAULT.bands[0][0], DEFAULT.bands[-1][1])
"""Micron, where spectra are judged: below the spectrum is folded upon itself, beyond is no light."""

Column = NDArray[np.float64]

Combination = Literal["sum", "inverse_variance"]

UNITS = {"shift": units.pix, "shift_error": units.pix}


@dataclass(frozen=True, eq=False)
class AveragedScatter:
    """Scatter of means over neighbouring integrations: an Allan-type curve.

    Attributes
    ----------
    size : ndarray of int, (n_size,)
        Integrations that are averaged.
    rms : ndarray, (n_size, n_bin)
    expected : ndarray, (n_size, n_bin)
        Of white noise: the propagated error of one integration over the root of the size.
    """

    size: NDArray[np.intp]
    rms: Column
    expected: Column


@dataclass(frozen=True, eq=False, repr=False)
class LightCurves:
    """Light curves in bins of wavelength, and white light.

    Attributes
    ----------
    bins : ndarray, (n_bin, 2)
        Start and stop of every bin, in micron.
    flux, error : ndarray, (n_int, n_bin)
        In Jy, or over `level` where they are normalised. Errors are those of Poisson and read noise: the
        flat field's uncertainty all integrations have in common.
    level : ndarray, (n_bin,)
        Median over time, in Jy.
    normalised : bool
    white, white_error : ndarray, (n_int,)
        The sum over all bins, in Jy.
    combination : str
        ``sum`` or ``inverse_variance``.
    mjd_utc, bjd_tdb : ndarray, (n_int,)
        Middle of every integration, both counted as MJD is, in days; NaN where not known.
    int_num : ndarray of int, (n_int,)
    drift : Mapping of str to ndarray, (n_int,)
        See `ExtractedSeries`.
    inputs : tuple of path-like
        Files that are never written over.
    name : str
        Of the file that the series is of.
    """

    bins: Column
    flux: Column
    error: Column
    level: Column
    normalised: bool
    white: Column
    white_error: Column
    combination: str
    mjd_utc: Column
    bjd_tdb: Column
    int_num: NDArray[np.intp]
    drift: Mapping[str, NDArray] = field(default_factory=dict)
    inputs: tuple[str | Path, ...] = ()
    name: str = ""

    def __repr__(self) -> str:
        return (
            f"<LightCurves: {len(self.flux)} integrations, {len(self.bins)} bins, "
            f"{self.bins[0, 0]:.2f} to {self.bins[-1, 1]:.2f} um>"
        )

    @property
    def wavelength(self) -> Column:
        """Middle of every bin, in micron, (n_bin,)."""
        return self.bins.mean(axis=1)

    @property
    def noise_ratio(self) -> Column:
        """Scatter from one integration to the next over the propagated error, (n_bin,); 1 for white noise."""
        return difference_scatter(self.flux) / np.sqrt(np.nanmean(self.error**2, axis=0))

    def averaged_scatter(
        self, model: ArrayLike | None = None, sizes: Sequence[int] | None = None
    ) -> AveragedScatter:
        """Find how the scatter goes down when neighbouring integrations are averaged.

        Parameters
        ----------
        model : array_like, (n_int, n_bin), optional
            What the light curves should be; by default their median over time, so that a transit counts as
            scatter.
        sizes : sequence of int, optional
            Integrations to average; by default powers of two up to a tenth of all.

        Returns
        -------
        AveragedScatter

        Raises
        ------
        LRSError
            When a size is not from 1 to the number of integrations.
        """
        number = len(self.flux)
        if sizes is None:
            sizes = 2 ** np.arange(int(np.log2(max(number / 10, 1))) + 1)
        size = np.asarray(sizes, int)
        if size.ndim != 1 or not size.size or size.min() < 1 or size.max() > number:
            raise LRSError(f"sizes must be from 1 to {number}, the number of integrations.")
        residual = self.flux - (np.nanmedian(self.flux, axis=0) if model is None else np.asarray(model))
        single = np.sqrt(np.nanmean(self.error**2, axis=0))
        rms = np.stack([rms_of_means(residual, one) for one in size])
        return AveragedScatter(size, rms, single / np.sqrt(size)[:, None])

    def table(self) -> QTable:
        """Return a table, a row an integration: times, white light, bins, drift.

        The first three columns are those of the pipeline's white-light table.
        """
        unit = units.dimensionless_unscaled if self.normalised else units.Jy
        columns = {
            "MJD_UTC": self.mjd_utc,
            "BJD_TDB": self.bjd_tdb,
            "whitelight_flux": self.white * units.Jy,
            "whitelight_error": self.white_error * units.Jy,
            "int_num": self.int_num,
        }
        for (start, stop), flux, error in zip(self.bins, self.flux.T, self.error.T, strict=True):
            columns |= {f"flux_{start:.4f}_{stop:.4f}um": flux * unit}
            columns |= {f"error_{start:.4f}_{stop:.4f}um": error * unit}
        columns |= {
            name: self.drift[name] * UNITS.get(name, 1) for name in DRIFT_COLUMNS if name in self.drift
        }
        meta = {
            "bins_um": self.bins.tolist(),
            "level_Jy": self.level.tolist(),
            "combination": self.combination,
            "normalised": self.normalised,
            "series": self.name,
        }
        return QTable(columns, meta=meta)

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the table as ECSV.

        Raises
        ------
        LRSError
            When the name does not end with ``.ecsv``, or the file exists, is an input, or cannot be written.
        """
        path = Path(path)
        if path.suffix != ".ecsv":
            raise LRSError(f"{path}: light curves are written as ECSV; let the name end with .ecsv.")
        with whole_files([path], overwrite, self.inputs) as (temporary,):
            self.table().write(temporary, format="ascii.ecsv")
        return path

    def to_lightkurve(self, number: int | None = None) -> LightCurve:
        """Return a light curve of lightkurve's, as lcviz opens it.

        Parameters
        ----------
        number : int, optional
            Of the bin, from 0; without it, white light.

        Raises
        ------
        LRSError
            When lightkurve is not installed, times are not known, or there is no such bin.
        """
        try:
            from lightkurve import LightCurve
        except ImportError:
            raise LRSError(
                "lightkurve is not installed, which this light curve is for; install it with: pip install "
                "lightkurve."
            ) from None
        if not np.isfinite(self.bjd_tdb).any():
            raise LRSError("The times of the integrations are not known: their files have no INT_TIMES.")
        if number is not None and not 0 <= number < len(self.bins):
            raise LRSError(f"There is no bin {number}; they are counted from 0 to {len(self.bins) - 1}.")
        flux, error, unit = self.white, self.white_error, units.Jy
        label = f"{self.name} white light".strip()
        if number is not None:
            flux, error = self.flux[:, number], self.error[:, number]
            unit = units.dimensionless_unscaled if self.normalised else units.Jy
            label = "{} {:.2f} to {:.2f} um".format(self.name, *self.bins[number]).strip()
        known = np.isfinite(self.bjd_tdb)
        time = Time(self.bjd_tdb[known], format="mjd", scale="tdb")
        curve = LightCurve(time=time, flux=flux[known] * unit, flux_err=error[known] * unit)
        curve.meta["LABEL"] = label
        return curve


def light_curves(
    series: ExtractedSeries,
    *,
    edges: ArrayLike | None = None,
    width: float | None = None,
    resolving_power: float | None = None,
    number: int | None = None,
    wavelength_range: tuple[float, float] | None = None,
    combination: Combination = "sum",
    normalised: bool = True,
) -> LightCurves:
    """Make light curves of a time series.

    Parameters
    ----------
    series : ExtractedSeries
        Extracted, or read with `read_x1dints`.
    edges : array_like, (n_bin + 1,), optional
        Of the bins, in micron. Or:
    width : float, optional
        Of every bin, in micron. Or:
    resolving_power : float, optional
        Wavelength over the width of a bin. Or:
    number : int, optional
        Of bins of equal width. Without any of these there is one bin.
    wavelength_range : tuple of float, optional
        In micron; by default where spectra are judged, 5 to 13.5 um.
    combination : {"sum", "inverse_variance"}
        How the wavelengths of a bin are put together: their fluxes added, or their relative light curves
        weighted by what each is known to. Weights are the same at all times.
    normalised : bool
        Whether light curves are over their median in time.

    Returns
    -------
    LightCurves

    Raises
    ------
    LRSError
        When bins cannot be made of what is given, or one has no wavelength with a flux.
    """
    if combination not in ("sum", "inverse_variance"):
        raise LRSError(f"combination is {combination!r}; it must be 'sum' or 'inverse_variance'.")
    bins = wavelength_bins(wavelength_range or USUAL_RANGE, edges, width, resolving_power, number)
    flux, variance = series.flux, series.flux_var_poisson + series.flux_var_rnoise
    weighted = combination == "inverse_variance"
    curves = []
    for start, stop in bins:
        inside = (series.wavelength >= start) & (series.wavelength < stop)
        if not np.isfinite(flux[:, inside]).any():
            raise LRSError(f"From {start:.4g} to {stop:.4g} um there is no flux; choose other bins.")
        curves.append(light_curve(flux[:, inside], variance[:, inside], weighted))
    inside = (series.wavelength >= bins[0, 0]) & (series.wavelength < bins[-1, 1])
    white, white_error, _ = light_curve(flux[:, inside], variance[:, inside])
    level = np.array([one[2] for one in curves])
    scale = 1.0 / level if normalised else np.ones(level.size)
    return LightCurves(
        bins=bins,
        flux=np.stack([one[0] for one in curves], axis=1) * scale,
        error=np.stack([one[1] for one in curves], axis=1) * np.abs(scale),
        level=level,
        normalised=normalised,
        white=white,
        white_error=white_error,
        combination=combination,
        mjd_utc=_times(series, "int_mid_MJD_UTC"),
        bjd_tdb=_times(series, "int_mid_BJD_TDB"),
        int_num=series.int_num,
        drift=series.drift,
        inputs=series.inputs,
        name=series.file_name,
    )


def _times(series: ExtractedSeries, name: str) -> Column:
    if series.int_times is None:
        return np.full(len(series), np.nan)
    return np.asarray(series.int_times[name], float)
