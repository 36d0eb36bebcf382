"""A figure of an extraction, to keep: the image with what was laid over it, the spectrum, the residual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.placement import place
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.files import whole_files

__all__ = ["FORMATS", "draw_figure", "figure_path", "save_figure", "write_figure"]

FORMATS = (".pdf", ".png", ".svg")
"""Endings of the files that a figure can be."""

APERTURE, BACKGROUND, TRACE, SPECTRUM = "#e69f00", "#56b4e9", "#ffffff", "#202020"
"""The colours of the panel (Okabe & Ito, safe for the colour-blind)."""

SIGMA = 5.0
"""The residual is drawn from minus to plus so many sigma."""


def draw_figure(spectrum: ExtractedSpectrum | ExtractedSeries) -> Figure:
    """Draw an extraction.

    Parameters
    ----------
    spectrum : ExtractedSpectrum or ExtractedSeries
        With the image it came from; of a stack the mean of the image and of the spectra is drawn, of a series
        what was extracted from its mean image.

    Returns
    -------
    matplotlib.figure.Figure
        The image with aperture or traces and background regions, the spectrum with its errors and, where the
        extraction has one, the residual in sigma.

    Raises
    ------
    LRSError
        For a spectrum without its image, such as one read from a file.
    """
    image = spectrum.image
    if isinstance(spectrum, ExtractedSeries) and image is not None:
        spectrum = spectrum.mean
    if image is None or image.data.size == 0:
        raise LRSError("The spectrum has no image to draw; extract it anew from the s2d or cal file.")
    residual = spectrum.residual is not None
    figure = Figure(figsize=(9, 8.5 if residual else 6.5), layout="constrained")
    axes = figure.subplots(3 if residual else 2, height_ratios=(1, 1.4, 1)[: 3 if residual else 2])
    _draw_image(axes[0], spectrum, image)
    _draw_spectrum(axes[1], spectrum)
    if residual:
        _draw_residual(axes[2], spectrum, image)
    figure.suptitle(f"{image.file_name}   {spectrum.parameters.get('extraction_type', '')}", fontsize=10)
    return figure


def figure_path(path: str | Path) -> Path:
    """Return the path of a figure to be written.

    Raises
    ------
    LRSError
        When its ending is none of `FORMATS`.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise LRSError(
            f"{path}: a figure is written as {', '.join(FORMATS)}; let the name end with one of them."
        )
    return path


def save_figure(spectrum: ExtractedSpectrum | ExtractedSeries, path: Path) -> None:
    """Draw an extraction into a file that is not there yet; see `draw_figure`."""
    draw_figure(spectrum).savefig(path, dpi=150)


def write_figure(
    spectrum: ExtractedSpectrum | ExtractedSeries, path: str | Path, overwrite: bool = False
) -> Path:
    """Draw an extraction into a file; see `draw_figure`.

    Raises
    ------
    LRSError
        When the ending is none of `FORMATS`, or the file exists and `overwrite` is not set.
    """
    path = figure_path(path)
    with whole_files([path], overwrite, spectrum.inputs) as (temporary,):
        save_figure(spectrum, temporary)
    return path


def _mean(plane: NDArray) -> NDArray[np.float64]:
    """Of a stack the mean of its integrations."""
    if plane.ndim < 3:
        return plane
    number = np.isfinite(plane).sum(axis=0)
    return np.divide(np.nansum(plane, axis=0), number, out=np.full(number.shape, np.nan), where=number > 0)


def _extent(image: SpectralImage) -> tuple[float, float, float, float]:
    rows, columns = image.disp_index, image.xdisp_index
    return rows[0] - 0.5, rows[-1] + 0.5, columns[0] - 0.5, columns[-1] + 0.5


def _draw_image(axes: Axes, spectrum: ExtractedSpectrum, image: SpectralImage) -> None:
    data = _mean(image.data)
    low, high = np.nanpercentile(data, [2.0, 99.5])
    shown = axes.imshow(
        data.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=_extent(image),
        cmap="gray",
        vmin=low,
        vmax=high,
    )
    axes.figure.colorbar(shown, ax=axes, label=image.unit, pad=0.01)
    rows = image.disp_index
    if spectrum.trace is None:
        placement = place(image, ExtractionParameters().with_(spectrum.parameters))
        for edge in placement.edges.reshape(-1, rows.size):
            axes.plot(rows, edge, color=APERTURE, lw=1.2)
        regions = placement.background_edges
        for edge in () if regions is None else regions.reshape(-1, rows.size):
            axes.plot(rows, edge, color=BACKGROUND, lw=1.0, ls="--")
    else:
        for trace in (spectrum.trace, *(one.trace for one in spectrum.companions)):
            axes.plot(rows, trace, color=APERTURE, lw=1.2, ls=":")
        for trace in spectrum.nod_traces:
            axes.plot(rows, trace, color=BACKGROUND, lw=1.0, ls=":")
    axes.set(xlabel="along the dispersion (pixels)", ylabel="across (pixels)", ylim=_extent(image)[2:])


def _draw_spectrum(axes: Axes, spectrum: ExtractedSpectrum) -> None:
    order = np.argsort(spectrum.wavelength)
    wavelength = spectrum.wavelength[order]
    flux, error = spectrum.flux, spectrum.flux_error
    if flux.ndim == 2:
        flux, error = np.nanmean(flux, axis=0), np.sqrt(np.nanmean(error**2, axis=0) / len(error))
    flux, error = 1e3 * flux[order], 1e3 * error[order]
    axes.fill_between(wavelength, flux - error, flux + error, color=APERTURE, alpha=0.4, lw=0)
    axes.plot(wavelength, flux, color=SPECTRUM, lw=1.0)
    shown = (wavelength >= 5.0) & np.isfinite(flux)
    if shown.any():  # below 5 um the calibration is poor
        low, high = np.percentile(flux[shown], [0.0, 100.0])
        margin = 0.08 * (high - low) or 1.0
        axes.set(xlim=(5.0, wavelength[shown][-1]), ylim=(low - margin, high + margin))
    axes.set(xlabel="wavelength (um)", ylabel="flux (mJy)")


def _draw_residual(axes: Axes, spectrum: ExtractedSpectrum, image: SpectralImage) -> None:
    variance = image.variance if spectrum.variance is None else spectrum.variance
    variance = np.where(np.isfinite(variance) & (variance > 0), variance, np.nan)
    sigma = _mean(spectrum.residual / np.sqrt(variance))
    shown = axes.imshow(
        sigma.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=_extent(image),
        cmap="RdBu_r",
        vmin=-SIGMA,
        vmax=SIGMA,
    )
    axes.figure.colorbar(shown, ax=axes, label="residual (sigma)", pad=0.01)
    axes.set(xlabel="along the dispersion (pixels)", ylabel="across (pixels)")
