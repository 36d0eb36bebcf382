"""Optimal extraction of an image: traces, profiles, fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.optimal import ProfileFit, fit_profiles
from jdaviz_lrs.engine.profile import ProfileGrid, profile_grid
from jdaviz_lrs.engine.refine.location import fit_location
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.optimal_placement import place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.references.psf import SpectralPSF

__all__ = ["OptimalExtraction", "extract_optimal"]

Image = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OptimalExtraction:
    """An optimal extraction in the units of the image; rows are those of the image.

    Fluxes are sums over pixels; variances are listed as Poisson, read noise, flat.

    Attributes
    ----------
    wavelength : ndarray, (n_disp,)
        Mean over the profile, in micron; NaN where the row has no wavelength.
    flux : ndarray, ([n_int,] n_disp)
        NaN where there is no solution.
    flux_var : ndarray, (3, [n_int,] n_disp)
    background : ndarray, ([n_int,] n_disp)
        Per pixel.
    background_var : ndarray, (3, [n_int,] n_disp)
        Of the background per pixel.
    npixels : ndarray, ([n_int,] n_disp)
        Effective number of pixels.
    profile : ndarray, (n_disp, n_xdisp)
        Of the source.
    nod_profile : ndarray, (n_disp, n_xdisp), or None
        Of what the subtraction of other nods has left: negative.
    scene, residual : ndarray, ([n_int,] n_disp, n_xdisp)
        All that was fitted, and the image minus it; zero and the image itself where nothing was fitted.
    rejected : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        Pixels left out as outliers.
    trace : ndarray, (n_disp,)
        Of the source, as fitted, in the file's columns.
    nod_traces : tuple of ndarray, (n_disp,)
    notes : tuple of str
    report : Mapping of str to object
        What was fitted beyond the fluxes: plain numbers by name.
    """

    wavelength: Image
    flux: Image
    flux_var: Image
    background: Image
    background_var: Image
    npixels: Image
    profile: Image
    nod_profile: Image | None
    scene: Image
    residual: Image
    rejected: NDArray[np.bool_]
    trace: Image
    nod_traces: tuple[Image, ...] = ()
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


def extract_optimal(
    image: SpectralImage, parameters: ExtractionParameters, psf: SpectralPSF
) -> OptimalExtraction:
    """Extract the source by its PSF.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
    psf : SpectralPSF

    Returns
    -------
    OptimalExtraction

    Raises
    ------
    LRSError
        Where no trace can be placed, or the PSF's wavelengths are not the image's.
    """
    compatible = parameters.pipeline_compatible
    traces = place_traces(image, parameters)
    grid = _grid(image, psf, compatible)
    good = image.good & grid.covered & np.isfinite(traces.source)[:, None]
    if not good.any():
        raise LRSError(
            f"{image.file_name or 'The image'}: no valid pixel has a trace and a PSF to extract with."
        )
    source, nods = traces.source, traces.nods
    if compatible:
        # it counts the trace from the bounding box's edge, the pixels from the first one inside
        left = image.bounding_box[1][0]
        half_pixel = np.ceil(left) - left
        source, nods = source + half_pixel, tuple(n + half_pixel for n in nods)

    report: dict[str, Any] = {}
    notes = list(traces.notes)
    if parameters.optimize_psf_location:
        (source, *nods), found, why = _optimize(
            image, grid, good, (source, *nods), background_order(parameters), compatible
        )
        report.update(found)
        notes.extend(why)

    profiles = _profiles(grid, (source, *nods), compatible)
    profiles = np.stack([profiles[0], *([sum(profiles[1:])] if nods else [])])
    fit = _fit(image, profiles, good, parameters)
    return _result(image, profiles, fit, good, source, tuple(nods), compatible, notes, report)


def background_order(parameters: ExtractionParameters) -> int:
    """Order of the background polynomial fitted along; -1 for none."""
    wanted = parameters.subtract_background
    if wanted is None:
        wanted = parameters.bkg_coeff is not None
    if not wanted:
        return -1
    return 0 if parameters.bkg_fit == "mean" else parameters.bkg_order or 0


def background_coordinate(image: SpectralImage, compatible: bool) -> Image:
    """From -1 to 1 over the image, or over the whole frame as in the pipeline."""
    if not compatible or image.file_shape is None:
        return np.linspace(-1.0, 1.0, image.n_xdisp)
    first = image.origin[1]
    return np.linspace(-1.0, 1.0, image.file_shape[1])[first : first + image.n_xdisp]


def _grid(image: SpectralImage, psf: SpectralPSF, compatible: bool) -> ProfileGrid:
    wavelength = image.wavelength
    if compatible:  # the pipeline's cutout ends before the bounding box's upper edges
        (_, last), (_, right) = image.bounding_box
        inside = (image.disp_index < np.ceil(last))[:, None] & (image.xdisp_index < np.ceil(right))
        wavelength = np.where(inside, wavelength, np.nan)
    grid = profile_grid(psf.data, psf.wavelength, psf.subpix, psf.center_col, wavelength, image.xdisp_index)
    if not grid.covered.any():
        shortest, longest = np.nanmin(psf.wavelength), np.nanmax(psf.wavelength)
        raise LRSError(
            f"PSF {psf.name}: it covers {shortest:.2f} to {longest:.2f} um, the image "
            f"{np.nanmin(wavelength):.2f} to {np.nanmax(wavelength):.2f} um; give another."
        )
    return grid


def _signs(number: int) -> tuple[float, ...]:
    """Signs of the traces that the header places: the source, then subtracted nods."""
    return (1.0,) + (-1.0,) * (number - 1)


def _profiles(grid: ProfileGrid, traces, compatible: bool) -> list[Image]:
    return [
        sign * grid.place(trace, within_image=compatible).value
        for sign, trace in zip(_signs(len(traces)), traces, strict=True)
    ]


def _optimize(image, grid, good, traces, order, compatible):
    """Shift the traces to where they fit best; in a stack the first integration tells."""
    first = (0,) if image.data.ndim == 3 else ()
    location = fit_location(
        image.filled[first],
        image.variances[(1, *first)] if compatible else image.variances[(slice(None), *first)].sum(axis=0),
        good[first],
        grid,
        traces,
        _signs(len(traces)),
        background_coordinate(image, False),
        0 if compatible else max(order, 0),
        within_image=compatible,
    )
    if not location.converged:
        return traces, {}, ["optimize_psf_location found no best place; the header's is used."]
    moved = tuple(trace + shift for trace, shift in zip(traces, location.shifts, strict=True))
    report = {"psf_shift": location.shifts[0], "psf_shift_error": location.errors[0]}
    if len(traces) > 1:
        report |= {"nod_shift": location.shifts[1], "nod_shift_error": location.errors[1]}
    return moved, report, []


def _fit(image, profiles, good, parameters) -> ProfileFit:
    compatible = parameters.pipeline_compatible
    weights = (good & (profiles != 0).any(axis=0) if compatible else good).astype(float)
    return fit_profiles(
        image.filled,
        image.variances,
        weights,
        profiles,
        background_coordinate(image, compatible),
        background_order(parameters),
        scaled=not compatible,
    )


def _result(image, profiles, fit, good, source, nods, compatible, notes, report) -> OptimalExtraction:
    flux, npixels = fit.flux[0], fit.npixels[0]
    background_var = fit.background_var[0]
    if compatible:  # zero where singular, NaN only where no pixel is left
        flux = np.where(np.isclose(npixels, 0), np.nan, np.where(fit.singular, 0.0, flux))
        if fit.coefficients.size:  # its sums include pixels without a variance, also those outside the slit
            complete = image.good.all(axis=-1) & (image.file_shape == image.shape)
            background_var = np.where(complete, background_var, np.nan)
    weight = np.where(np.isfinite(image.wavelength), np.maximum(profiles[0], 0.0), 0.0)
    total = weight.sum(axis=1)
    mean = (weight * np.nan_to_num(image.wavelength)).sum(axis=1)
    elsewhere = np.full(image.n_disp, np.nan) if compatible else image.row_wavelength
    wavelength = np.divide(mean, total, out=elsewhere.copy(), where=total > 0)

    lost = int((np.isnan(flux) & np.isfinite(wavelength)).sum())
    if lost:
        notes = [*notes, f"{lost} wavelengths have no solution and are NaN, flagged DO_NOT_USE."]
    per_pixel = np.where(npixels > 0, npixels, 1.0)
    scene = np.where(fit.singular[..., None], 0.0, fit.scene)
    return OptimalExtraction(
        wavelength=wavelength,
        flux=flux,
        flux_var=fit.flux_var[0],
        background=fit.background[0] / per_pixel,
        background_var=background_var / per_pixel**2,
        npixels=npixels,
        profile=profiles[0],
        nod_profile=profiles[1] if len(profiles) > 1 else None,
        scene=scene,
        residual=image.data - scene,
        rejected=np.zeros(image.data.shape, bool),
        trace=source,
        nod_traces=nods,
        notes=tuple(notes),
        report=report,
    )
