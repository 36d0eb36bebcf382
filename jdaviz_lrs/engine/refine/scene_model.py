"""The scene that is refined: sources along their traces, one PSF shape, and the fit of their fluxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.optimal import invert_rows, polynomial_basis
from jdaviz_lrs.engine.profile import PlacedProfile, ProfileGrid

__all__ = ["Frame", "LinearFit", "SceneModel", "ShapeCorrection", "linear_fit"]

Image = NDArray[np.float64]

LEAST_LIGHT = 0.2
"""Share of the PSF's light in the calibration aperture that a shape must leave there."""

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
    outlier_sigma : float
        How far from the scene a pixel is left out; beyond 5 is by chance one in two million.
    """

    data: Image
    variances: Image
    good: NDArray[np.bool_]
    outlier_sigma: float


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
    cost : float
        What the prior holds against it, in units of half a chi-square.
    """

    knots: Image
    shares: Image
    phase: Image
    covariance: Image
    cost: float = 0.0

    def at(self, distance: Image) -> Image:
        """Light per pixel at distances (n_disp, n_xdisp)."""
        terms = [np.interp(distance, self.knots, share, left=0.0, right=0.0) for share in self.shares]
        return sum(term * self.phase[:, None] ** k for k, term in enumerate(terms))

    def covariance_by_row(self) -> Image:
        """Covariance of the light at the knots at every wavelength, (n_disp, n_knot, n_knot)."""
        n_term = len(self.shares)
        together = np.zeros((2 * n_term - 1, self.knots.size, self.knots.size))
        for term, other in np.ndindex(n_term, n_term):  # those with one power of the phase
            together[term + other] += self.covariance[term, :, other]
        powers = self.phase[:, None] ** np.arange(len(together))
        return np.tensordot(powers, together, axes=1)

    def weights(self, distance: Image) -> Image:
        """Weight of the share at every knot in the light at distances (..., ), (..., n_knot)."""
        each = np.eye(self.knots.size)
        return np.stack([np.interp(distance, self.knots, one, left=0.0, right=0.0) for one in each], axis=-1)


@dataclass(frozen=True, eq=False)
class SceneModel:
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
    blur : ndarray, (n_disp,), or None
        Of the PSF on a rectified image, by its resampling: half the variance of its kernel, in pixels
        squared. None on a detector image. Unlike a stretch it leaves the wings where they are.
    calibration_width : float
        Pixels: of the aperture that the flux calibration is tied to. What is fitted of the shape moves light
        about inside it, and does not change how much lies there.
    one_shape : bool
        Whether the profile has one shape in all pixels, so that it may be fitted. On pixels of another
        size than the detector's it changes from one to the next, with the phase between the two.
    seen : ndarray, (n_group, n_disp, n_xdisp), or None
        Where exposures are combined, the share of those in each pixel that sources of a group are in: what a
        subtracted nod has left lies in the exposures of the other nod alone. None where all are in all.
    enclosed : ndarray, (n_disp,), or None
        Factor on the light inside that aperture, where another witness than the PSF tells how much lies
        there.

    Notes
    -----
    Pixels sample the profile at one sub-pixel phase in every row, on a rectified image at the same one in all
    of them. What a free shape does between the pixels no data tell, so that its light is counted on the
    pixels themselves (`scales`), never by an integral over the shape.
    """

    grid: ProfileGrid
    traces: Image
    signs: Image
    groups: NDArray[np.intp]
    stretch: Image
    coordinate: Image
    order: int
    shape: ShapeCorrection | None = None
    blur: Image | None = None
    calibration_width: float = 8.0
    one_shape: bool = True
    seen: Image | None = None
    enclosed: Image | None = None

    @property
    def basis(self) -> Image:
        """Background polynomials, (n_disp, n_xdisp, order + 1)."""
        shape = (*self.grid.covered.shape, self.order + 1)
        return np.broadcast_to(polynomial_basis(self.coordinate, self.order), shape)

    @cached_property
    def psf(self) -> ProfileGrid:
        """The PSF as the image has it, before stretch and shape."""
        return self.grid if self.blur is None else self.grid.blurred(self.blur / self.stretch**2)

    @cached_property
    def blurring(self) -> Image:
        """Change of the profiles with blur, signed, (n_source, n_disp, n_xdisp)."""
        changes = [self.grid.curvature.light(trace, self.stretch) for trace in self.traces]
        return self.share * (self.scales / self.stretch**2)[..., None] * np.stack(changes)

    @cached_property
    def share(self) -> Image:
        """Sign of every source, times the share of exposures that it is in, (n_source, n_disp, n_xdisp).

        The last two are of length one where all pixels have the same.
        """
        signs = self.signs[:, None, None]
        return signs if self.seen is None else signs * self.seen[self.groups]

    def place(self, source: int) -> PlacedProfile:
        """Profile of one source, signed."""
        placed = self.psf.place(self.traces[source], self.stretch)
        share, scale = self.share[source], self.scales[source][:, None]
        value, widening = self._shaped(placed.value, source), share * (placed.widening * scale)
        if self.blur is not None:  # a stretch takes only the source along, not what the resampling does
            widening = widening - (2.0 * self.blur / self.stretch)[:, None] * self.blurring[source]
        return PlacedProfile(value, share * (placed.slope * scale), widening)

    def _shaped(self, value: Image, source: int) -> Image:
        """Give the light of the PSF at a source its shape, its due in the aperture, its sign and share."""
        trace = self.traces[source]
        if self.shape is not None:
            distance = (self.grid.columns - trace[:, None]) / self.stretch[:, None]
            lit = self.grid.covered & np.isfinite(distance)
            value = value + np.where(lit, self.shape.at(distance), 0.0) / self.stretch[:, None]
        return self.share[source] * (value * self.scales[source][:, None])

    @cached_property
    def scales(self) -> Image:
        """Factors on PSF and shape that give the light in the aperture its due, (n_source, n_disp)."""
        if self.shape is None and self.enclosed is None:
            return np.ones(self.traces.shape)
        due = 1.0 if self.enclosed is None else self.enclosed
        return np.stack([self._scale(trace) for trace in self.traces]) * due

    def _scale(self, trace: Image) -> Image:
        if self.shape is None:
            return np.ones(trace.shape)
        distance, weights, before = self._calibration(trace)
        beyond = self.shape.at(distance / self.stretch[:, None]) / self.stretch[:, None]
        after = np.maximum(before + (weights * beyond).sum(axis=1), LEAST_LIGHT * before)
        return np.divide(before, after, out=np.ones_like(before), where=before > 0)

    def _calibration(self, trace: Image) -> tuple[Image, Image, Image]:
        """Distances of pixels around a trace, their weights in the aperture, and the PSF's light there."""
        half = self.calibration_width / 2 + 0.5
        distance, light = self.psf.around(trace, self.stretch, int(np.ceil(half)))
        weights = np.clip(half - np.abs(distance), 0.0, 1.0)
        return distance, weights, (weights * light).sum(axis=1)

    @property
    def enclosed_light(self) -> Image:
        """Share of the PSF's light, as stretched, in the calibration aperture about the target, (n_disp,)."""
        return self._calibration(self.traces[0])[2]

    @property
    def phase_effect(self) -> Image:
        """Factor on the light that whole pixels hold of the target, for how they sample it, (n_disp,).

        An aperture whose edges cut pixels counts parts of them. The first diffraction ring lies on the edges
        of the 8 px of the LRS slit: by the phase of the trace its light there changes by up to 0.6 %.
        """
        edge = 0.5 * (1.0 + self.calibration_width)  # whole pixels have theirs half-way between columns
        aligned = np.floor(self.traces[0] - edge) + edge
        here, whole = (self._share_inside(trace) for trace in (self.traces[0], aligned))
        return np.divide(here, whole, out=np.ones_like(whole), where=whole > 0)

    @property
    def shape_effect(self) -> Image:
        """Factor on the light in the calibration aperture by what the shape has outside of it, (n_disp,)."""
        trace = self.traces[0]
        before, after = self._share_inside(trace), self._share_inside(trace, self.shape)
        return np.divide(after, before, out=np.ones_like(before), where=before > 0)

    def _share_inside(self, trace: Image, shape: ShapeCorrection | None = None) -> Image:
        """Light in the calibration aperture as a share of that on all pixels, (n_disp,).

        Of a PSF all pixels hold all light at any phase; of a reference with a step in it they do not.
        """
        farthest = max(self.psf.center, self.psf.samples.shape[1] - self.psf.center) / self.psf.subpix
        distance, light = self.psf.around(trace, self.stretch, int(np.ceil(farthest * self.stretch.max())))
        if shape is not None:
            light = light + shape.at(distance / self.stretch[:, None]) / self.stretch[:, None]
        weights = np.clip(self.calibration_width / 2 + 0.5 - np.abs(distance), 0.0, 1.0)
        inside, everywhere = np.vecdot(weights, light), light.sum(axis=1)
        return np.divide(inside, everywhere, out=np.zeros_like(inside), where=everywhere > 0)

    def light_of_knots(self) -> Image:
        """Change of the light in the calibration aperture with every share, in units of that due there.

        Returns
        -------
        ndarray, (n_disp, n_source, n_knot)
        """
        width = self.stretch[:, None]
        parts = []
        for trace in self.traces:
            distance, weights, before = self._calibration(trace)
            knots = (weights[..., None] * self.shape.weights(distance / width)).sum(axis=1) / width
            parts.append(knots / np.where(before > 0, before, 1.0)[:, None])
        due = 1.0 if self.enclosed is None else self.enclosed[:, None, None]
        return np.stack(parts, axis=1) / due

    def profiles(self) -> Image:
        """Profiles of all sources, signed, (n_source, n_disp, n_xdisp); not to be changed in place."""
        return self._profiles

    @cached_property
    def _profiles(self) -> Image:
        light = (self.psf.light(trace, self.stretch) for trace in self.traces)
        profiles = np.stack([self._shaped(value, source) for source, value in enumerate(light)])
        profiles.flags.writeable = False  # it is kept
        return profiles

    def first_sources(self, number: int) -> SceneModel:
        """Return the scene with the first sources alone."""
        return replace(
            self, traces=self.traces[:number], signs=self.signs[:number], groups=self.groups[:number]
        )

    def with_source(self, trace: Image, sign: float, group: int) -> SceneModel:
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
        mean = running_median(flux, STEADY_ROWS)
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
    data, weights : ndarray, ([n_int,] n_disp, n_xdisp)

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
