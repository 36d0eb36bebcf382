"""The scene that is refined: sources along their traces, one PSF shape, and the fit of their fluxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import median_filter

from jdaviz_lrs.engine.optimal import invert_rows, polynomial_basis
from jdaviz_lrs.engine.profile import PlacedProfile, ProfileGrid

__all__ = ["Frame", "LinearFit", "Scene", "ShapeCorrection", "linear_fit"]

Image = NDArray[np.float64]

STEADY_ROWS, STEADY_SNR = 25, 10.0
"""Rows that a faint flux is averaged over; S/N at which a row counts as much as its neighbours."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One image, ready for fitting; shapes (n_disp, n_xdisp).

    Attributes
    ----------
    data : ndarray
        Finite everywhere.
    variances : ndarray, (3, n_disp, n_xdisp)
        Poisson, read noise, flat; finite everywhere.
    good : ndarray of bool
    """

    data: Image
    variances: Image
    good: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ShapeCorrection:
    """What the true profile has beyond the PSF, against the distance from the source.

    Attributes
    ----------
    knots : ndarray, (n_knot,)
        Distances in pixels of an unstretched PSF; linear in between, zero beyond.
    shares : ndarray, (n_term, n_knot)
        Light per pixel; term k goes with the k-th power of `phase`.
    phase : ndarray, (n_disp,)
        -1 to 1 along the spectrum.
    covariance : ndarray, (n_term, n_knot, n_term, n_knot)
        Of the shares.
    """

    knots: Image
    shares: Image
    phase: Image
    covariance: Image

    def at(self, distance: Image) -> Image:
        """Light per pixel at distances (n_disp, n_xdisp)."""
        terms = [np.interp(distance, self.knots, share, left=0.0, right=0.0) for share in self.shares]
        return sum(term * self.phase[:, None] ** k for k, term in enumerate(terms))

    @property
    def light(self) -> Image:
        """All the light of the correction at every row, (n_disp,)."""
        areas = np.trapezoid(self.shares, self.knots, axis=1)
        return sum(area * self.phase**k for k, area in enumerate(areas))


@dataclass(frozen=True, eq=False)
class Scene:
    """Sources in the slit.

    Attributes
    ----------
    grid : ProfileGrid
    traces : ndarray, (n_source, n_disp)
        In columns; the first is the target.
    signs : ndarray, (n_source,)
        -1 for what a subtracted nod has left.
    groups : ndarray of int, (n_source,)
        Sources of one exposure have one number, and move together: 0 for the target's.
    stretch : ndarray, (n_disp,)
        Of the PSF's width.
    coordinate : ndarray, (n_xdisp,)
        Variable of the background polynomial.
    order : int
        Of that polynomial; -1 for none.
    shape : ShapeCorrection or None
    """

    grid: ProfileGrid
    traces: Image
    signs: Image
    groups: NDArray[np.intp]
    stretch: Image
    coordinate: Image
    order: int
    shape: ShapeCorrection | None = None

    @property
    def basis(self) -> Image:
        """Background polynomials, (n_disp, n_xdisp, order + 1)."""
        shape = (*self.grid.covered.shape, self.order + 1)
        return np.broadcast_to(polynomial_basis(self.coordinate, self.order), shape)

    def place(self, source: int) -> PlacedProfile:
        """Profile of one source, signed."""
        trace, sign = self.traces[source], self.signs[source]
        placed = self.grid.place(trace, self.stretch)
        value = placed.value
        if self.shape is not None:
            distance = (self.grid.columns - trace[:, None]) / self.stretch[:, None]
            lit = self.grid.covered & np.isfinite(distance)
            value = value + np.where(lit, self.shape.at(distance), 0.0) / self.stretch[:, None]
            scale = 1.0 / (1.0 + self.shape.light[:, None])
            value, placed = value * scale, replace(placed, slope=placed.slope * scale)
        return PlacedProfile(sign * value, sign * placed.slope, sign * placed.widening)

    def profiles(self) -> Image:
        """Profiles of all sources, signed, (n_source, n_disp, n_xdisp)."""
        return np.stack([self.place(k).value for k in range(len(self.traces))])

    def with_source(self, trace: Image, sign: float, group: int) -> Scene:
        """Return the scene with one more source."""
        return replace(
            self,
            traces=np.vstack([self.traces, trace]),
            signs=np.append(self.signs, sign),
            groups=np.append(self.groups, group),
        )


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Fluxes and background of a scene, everything else given.

    Attributes
    ----------
    design : ndarray, (n_disp, n_xdisp, n_term)
        Background polynomials, then profiles.
    weighted : ndarray, same shape
        The design times the weights.
    covariance : ndarray, (n_disp, n_term, n_term)
    coefficients : ndarray, (n_disp, n_term)
    model, residual : ndarray, (n_disp, n_xdisp)
    n_background : int
    """

    design: Image
    weighted: Image
    covariance: Image
    coefficients: Image
    model: Image
    residual: Image
    n_background: int

    @property
    def flux(self) -> Image:
        """Of the sources, (n_source, n_disp)."""
        return self.coefficients[:, self.n_background :].T

    @property
    def steady_flux(self) -> Image:
        """Fluxes that do not follow the noise of their own row, (n_source, n_disp).

        What multiplies a derivative must not: at a S/N of one half of its square would be noise, and shifts
        would seem better known than they are. Drawn to the median of the neighbours where the S/N is low.
        """
        flux = self.flux
        variance = np.einsum("rii->ir", self.covariance)[self.n_background :]
        mean = median_filter(flux, size=(1, STEADY_ROWS), mode="mirror")
        signal = mean**2
        return mean + (flux - mean) * signal / (signal + STEADY_SNR**2 * variance)

    def project_out(self, image: ArrayLike) -> Image:
        """Take the best linear fit to an image off it."""
        image = np.asarray(image)[..., None]
        amplitude = self.covariance @ (np.swapaxes(self.weighted, -1, -2) @ image)
        return (image - self.design @ amplitude)[..., 0]


def linear_fit(profiles: Image, basis: Image, data: Image, weights: Image) -> LinearFit:
    """Fit fluxes and background at every wavelength.

    Parameters
    ----------
    profiles : ndarray, (n_source, n_disp, n_xdisp)
    basis : ndarray, (n_disp, n_xdisp, n_background)
    data, weights : ndarray, (n_disp, n_xdisp)

    Returns
    -------
    LinearFit
        For use inside iterations: wavelengths without a solution have coefficients without a meaning.
    """
    design = np.concatenate([basis, np.moveaxis(profiles, 0, -1)], axis=-1)
    weighted = design * weights[..., None]
    transposed = np.swapaxes(weighted, -1, -2)
    covariance = invert_rows(transposed @ design)
    coefficients = covariance @ (transposed @ data[..., None])
    model = (design @ coefficients)[..., 0]
    return LinearFit(design, weighted, covariance, coefficients[..., 0], model, data - model, basis.shape[-1])
