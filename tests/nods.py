"""Nods of one scene, extracted and combined in several ways, against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.joint import JointImage, fit_jointly, own_sky
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.traces import place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.find import References, find_references
from jdaviz_lrs.simulate import Scene, SimulatedExposure, simulate, simulate_nods, simulated_psf, to_model

RANGE = (5.0, 13.5)
"""Micron."""

HIT = Scene(noisy_variance=True, cosmic_rays=40, fixed_flat=True)
"""A nodded star, forty cosmic rays in every exposure, on one detector."""

PLAIN = ExtractionParameters(extraction_type="optimal", use_source_posn=True)
REFINED = replace(PLAIN, refinements=("all",))


def references(image: SpectralImage) -> References:
    return replace(find_references(image, crds=False), psf=simulated_psf())


def images_of(scene: Scene, number: int, product: str = "cal") -> list[SpectralImage]:
    """Read simulated exposures, named by their place among them; reading is slow, and done once a nod."""
    exposures = simulate_nods(scene, number, product)
    first = [from_datamodel(to_model(one)) for one in exposures[:2]]
    images = first + [_with_planes_of(one, first[one.nod - 1]) for one in exposures[2:]]
    return [replace(one, file_name=f"nod{place}_{product}.fits") for place, one in enumerate(images, 1)]


def _with_planes_of(exposure: SimulatedExposure, image: SpectralImage) -> SpectralImage:
    keep = tuple(
        slice(origin - corner, origin - corner + size)
        for origin, corner, size in zip(image.origin, exposure.grid.corner, image.shape, strict=True)
    )
    planes = {
        name: getattr(exposure, name)[keep] for name in ("data", "var_poisson", "var_rnoise", "var_flat")
    }
    good = np.isfinite(planes["data"])
    return replace(image, **planes, good=good, dq=np.where(good, 0, 1).astype(np.uint32))


def extracted(images: Sequence[SpectralImage], parameters: ExtractionParameters) -> list[ExtractedSpectrum]:
    found = references(images[0])
    return [ExtractionPlan(one, parameters, found).extract() for one in images]


@dataclass(frozen=True)
class Agreement:
    """How fluxes compare with the truth, 5 to 13.5 um.

    Attributes
    ----------
    bias : float
        Median of flux over truth, less one, in percent.
    pull_width : float
        Half the range of the middle 68 % of the pulls.
    furthest : float
        Largest pull.
    beyond : int
        Points beyond 5 sigma.
    """

    bias: float
    pull_width: float
    furthest: float
    beyond: int


def compare(pairs: Sequence[tuple[NDArray, NDArray, NDArray]], scene: Scene, limit: float = 5.0) -> Agreement:
    """Compare spectra, each of wavelength, flux and error, with a scene."""
    ratios, pulls = [], []
    for wavelength, flux, error in pairs:
        used = (wavelength > RANGE[0]) & (wavelength < RANGE[1]) & np.isfinite(flux)
        truth = scene.flux(wavelength[used])
        ratios.append(flux[used] / truth - 1)
        pulls.append((flux[used] - truth) / error[used])
    pull = np.concatenate(pulls)
    low, high = np.percentile(pull, [15.865, 84.135])
    return Agreement(
        bias=100 * float(np.median(np.concatenate(ratios))),
        pull_width=float(high - low) / 2,
        furthest=float(np.abs(pull).max()),
        beyond=int((np.abs(pull) > limit).sum()),
    )


def columns(spectrum) -> tuple[NDArray, NDArray, NDArray]:
    return spectrum.wavelength, spectrum.flux, spectrum.flux_error


def good_data_used(combined, dirty: Sequence[ExtractedSpectrum], clean: Sequence[ExtractedSpectrum]) -> float:
    """Share of the values that no hit moves by half an error which are used."""
    moved = np.stack(
        [abs(one.flux - other.flux) > 0.5 * other.flux_error for one, other in zip(dirty, clean, strict=True)]
    )
    return float(combined.used[~moved].mean())


def cramer_rao(scene: Scene, number: int) -> tuple[NDArray, NDArray]:
    """Wavelengths, and the least standard deviation of the flux in Jy: of all pixels, without their noise."""
    found = []
    for place in range(number):
        observation = simulate(replace(scene, noisy_variance=False, cosmic_rays=0), "cal", 1 + place % 2)
        image = from_datamodel(to_model(observation))
        traces = place_traces(image, PLAIN)
        grid = simulated_psf().on(image.wavelength, image.xdisp_index)
        profiles = np.stack([grid.place(trace).value for trace in (traces.source, *traces.nods)])
        found.append(JointImage(image.filled, image.variances, image.good, profiles[0], profiles[1:], place))
    fit = fit_jointly(found, own_sky([np.empty((one.data.shape[1], 0)) for one in found]))
    return image.row_wavelength, np.sqrt(fit.flux_var.sum(axis=0)) * image.pixel_area * 1e6
