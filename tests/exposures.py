"""Simulated exposures as the pipeline's model and as our image, with whatever can be wrong with pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from jdaviz_lrs import read
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.simulate import Scene, simulate, to_model

#: Columns of the source in the middle of the spectrum.
SOURCE = {"s2d": 30.9, "cal": 332.8}


@dataclass(frozen=True, eq=False)
class Exposure:
    """The same data as the pipeline's model (copy it: the pipeline changes it) and as our image."""

    model: object
    image: SpectralImage


@cache
def exposure(product: str, pattern: int = 0, subtracted: bool = False, whole: bool = False) -> Exposure:
    """Simulate; the pattern seeds dead pixels, rows and pieces of columns, and lone missing variances.

    A cal is cut to the part of the frame that the slit is in, from the frame's first pixel on: the pipeline
    takes eight times as long for the whole of it.
    """
    seen = simulate(
        Scene(nod_subtracted=subtracted, bad_pixels=60 * (pattern > 0), seed=1 + pattern), product
    )
    model = to_model(seen)
    if product == "cal" and not whole:
        for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wavelength", "dq"):
            setattr(model, name, model[name][:402, :356].copy())
    if pattern:
        draw = np.random.default_rng(pattern)
        row, column = seen.grid.corner
        model.data[row + draw.integers(20, 360), :] = np.nan
        first = row + draw.integers(20, 330)
        model.data[first : first + 12, column + draw.integers(20, 40)] = np.nan
        model.var_rnoise[row + draw.integers(20, 360), column + draw.integers(15, 40)] = np.nan
        model.err[row + draw.integers(20, 360), column + draw.integers(15, 40)] = np.nan
        if product == "cal":
            model.dq[row + draw.integers(20, 360, 9), column + draw.integers(2, 42, 9)] |= 1
    return Exposure(model, read(model))
