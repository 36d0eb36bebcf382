"""A standard star and a target, seen alike by an instrument that the references do not quite describe."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from jdaviz_lrs import extract, read
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.fluxcal.star_model import StarModel, rayleigh_jeans
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, simulated_psf, to_model

#: A PSF wider, and with more light in its wings, than that of the references.
UNKNOWN = {"psf_stretch": 1.12, "psf_halo": 0.03}

STAR = Scene(brightness=0.05, slope=-2, feature=0, lines=0, seed=5, **UNKNOWN)
TARGET = Scene(brightness=5e-3, noise=False, seed=6, **UNKNOWN)

#: What the star is: the simulated continuum.
MODEL = replace(rayleigh_jeans(0.05), name="a model", stand_in=False)

BOX = {"extract_width": 4, "use_source_posn": True}
EDGES = [[-2.4456, -0.25795], [2.4456, 0.25795]]
TAPER = {"src_coeff": EDGES, "independent_var": "wavelength", "use_source_posn": True}
OPTIMAL = {"extraction_type": "optimal"}


@cache
def _drawn(scene: Scene, product: str):
    return simulate(scene, product)


@cache
def seen(scene: Scene, product: str = "s2d"):
    """Simulate an image; other draws of the noise take up the same scene."""
    return read(to_model(_drawn(replace(scene, seed=0), product).noisy(scene.seed)))


def extracted(scene: Scene, parameters: dict, product: str = "s2d", **changes) -> ExtractedSpectrum:
    """Extract with the PSF of the references, which is not the one that the scene was seen through."""
    image = seen(replace(scene, **changes), product)
    references = replace(find_references(image, crds=False), psf=simulated_psf(), stand_ins={})
    return extract(image, references.parameters.with_(parameters), references)


def off(spectrum: ExtractedSpectrum, scene: Scene = TARGET) -> np.ndarray:
    """Relative error of the flux from 5 to 13.5 um."""
    within = (spectrum.wavelength > 5.05) & (spectrum.wavelength < 13.45)
    return (spectrum.flux / scene.flux(spectrum.wavelength) - 1)[within]


def plain(wavelength: np.ndarray, flux: np.ndarray) -> StarModel:
    return StarModel("a model", wavelength, flux)
