"""Draws of the noise of one scene, and what extractions of them come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.simulate import Scene, SimulatedExposure, simulate, to_model

BANDS = ((5.0, 8.0), (8.0, 11.0), (11.0, 13.5))
"""Micron."""

MISFIT = {"psf_skew": 0.05, "psf_halo": 0.01}
"""By which the simulated PSF differs from the reference beyond what stretch and shift describe."""

NOISY = {"noisy_variance": True}
"""As in real data, the variances follow the noisy pixels."""

SCENES = {
    "clean": Scene(**NOISY),
    "clean, another PSF": Scene(**NOISY, **MISFIT),
    "trace shifted 0.2 px, bent 0.6 px": Scene(**NOISY, **MISFIT, trace_shift=0.2, trace_bend=0.6),
    "PSF 15 % wider": Scene(**NOISY, **MISFIT, psf_stretch=1.15),
    "40 cosmic rays": Scene(**NOISY, **MISFIT, cosmic_rays=40),
    "companion, half as bright, 7 px away": Scene(
        **NOISY, **MISFIT, companion_ratio=0.5, companion_offset=-7.0
    ),
    "S/N 3 per wavelength": Scene(**NOISY, brightness=5.5e-6),
}
"""What no data can tell is not asked for: the faint source has the PSF of the reference."""


def draws(
    scene: Scene, number: int, product: str = "cal"
) -> Iterator[tuple[SpectralImage, SimulatedExposure]]:
    """Images of one scene with different noise, and the observations they are of."""
    base = simulate(scene, product)
    image = from_datamodel(to_model(base))
    corner = base.grid.corner
    keep = tuple(
        slice(first - edge, first - edge + size)
        for first, edge, size in zip(image.origin, corner, image.shape, strict=True)
    )
    for seed in range(number):
        one = base.noisy(1000 + seed)
        planes = {n: getattr(one, n)[keep] for n in ("data", "var_poisson", "var_rnoise", "var_flat")}
        good = np.isfinite(planes["data"])
        dq = np.where(good, 0, 1).astype(np.uint32)
        yield replace(image, **planes, good=good, dq=dq), one


def true_flux(image: SpectralImage, observation: SimulatedExposure) -> NDArray[np.float64]:
    """Jy, at every row of an image."""
    order = np.argsort(observation.truth.wavelength)
    return np.interp(image.row_wavelength, observation.truth.wavelength[order], observation.truth.flux[order])


@dataclass(frozen=True)
class Accuracy:
    """How an extraction of many draws compares with the truth, 5 to 13.5 um.

    Attributes
    ----------
    bias : tuple of float
        In percent, in each of `BANDS`: the median over wavelengths of the mean over draws.
    bias_error : float
        The largest standard error of these.
    scatter : float
        In percent: the median over wavelengths of the standard deviation over draws.
    pull_width : float
        Half the range of the middle 68 % of (flux - truth) / error.
    beyond : float
        Points beyond 10 sigma per spectrum.
    flux : ndarray, (n_draw, n_disp)
        Over the truth.
    """

    bias: tuple[float, ...]
    bias_error: float
    scatter: float
    pull_width: float
    beyond: float
    flux: NDArray[np.float64]


def accuracy(
    scene: Scene, parameters: ExtractionParameters, psf: SpectralPSF, number: int, product: str = "cal"
) -> Accuracy:
    """Extract draws of a scene and compare with the truth."""
    ratios, errors = [], []
    for image, observation in draws(scene, number, product):
        result = extract_optimal(image, parameters, psf)
        truth = true_flux(image, observation) / (image.pixel_area * 1e6)
        ratios.append(result.flux / truth)
        errors.append(np.sqrt(result.flux_var.sum(axis=0)) / truth)
    flux, error = np.array(ratios), np.array(errors)
    wavelength = image.row_wavelength
    bias, bias_error = [], []
    for first, last in BANDS:
        band = flux[:, (wavelength > first) & (wavelength < last)]
        bias.append(100 * float(np.nanmedian(band.mean(axis=0)) - 1))
        # a median is known 1.25 times worse than a mean
        bias_error.append(125 * float(np.nanmedian(band.std(axis=0))) / np.sqrt(band.size))
    used = (wavelength > BANDS[0][0]) & (wavelength < BANDS[-1][1])
    pull = (flux[:, used] - 1) / error[:, used]
    low, high = np.nanpercentile(pull, [15.865, 84.135])
    return Accuracy(
        bias=tuple(bias),
        bias_error=max(bias_error),
        scatter=100 * float(np.nanmedian(flux[:, used].std(axis=0, ddof=1))),
        pull_width=float(high - low) / 2,
        beyond=float((np.abs(pull) > 10).sum()) / number,
        flux=flux,
    )
