"""Spectra of ours beside the pipeline's, column by column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.products.orientation import aperture_keywords

#: What is asked of every column.
RELATIVE = 1e-6

#: The pipeline smooths images in single precision: this share of the background it subtracts is its rounding.
SINGLE = 2.0**-22

WITH_THE_FLUX = ("flux_error", "flux_var", "sb_error", "sb_var")
"""Columns that are NaN where the flux is; the pipeline has zero there."""


def assert_same_columns(
    ours: ExtractedSpectrum, table: NDArray, columns: tuple[str, ...] = COLUMNS, rtol: float = RELATIVE
) -> None:
    """Assert that columns agree with the pipeline's table, NaN where it has NaN, or a NaN flux an error."""
    assert ours.flux.shape == table["FLUX"].shape
    correction = 1.0 if ours.apcorr is None else np.nan_to_num(ours.apcorr)
    rounding = SINGLE * np.abs(np.asarray(table["BACKGROUND"], float)) * correction
    scale = {"flux": rounding * table["NPIXELS"] * (ours.image.pixel_area * 1e6), "surf_bright": rounding}
    for name in columns:
        mine, theirs = getattr(ours, name).astype(float), np.asarray(table[name.upper()], float)
        unknown = np.isnan(theirs) | (np.isnan(table["FLUX"]) & name.startswith(WITH_THE_FLUX))
        np.testing.assert_array_equal(np.isnan(mine), unknown, err_msg=f"NaN in {name}")
        excess = np.nan_to_num(np.abs(mine - theirs) - rtol * np.abs(theirs) - scale.get(name, 0.0))
        worst = int(np.argmax(excess))
        assert excess[worst] <= 0, (
            f"{name} at {ours.wavelength[worst]:.3f} um: {mine[worst]!r}, pipeline {theirs[worst]!r}"
        )


def assert_same_spectrum(ours: ExtractedSpectrum, spec) -> None:
    """Assert that all 18 columns and the keywords of the aperture agree with the pipeline's SpecModel."""
    assert_same_columns(ours, np.asarray(spec.spec_table))
    for name, value in aperture_keywords(ours.limits, ours.image.horizontal).items():
        theirs = getattr(spec, name)
        if np.isfinite(theirs):  # the pipeline has NaN where any pixel of the frame has no wavelength
            np.testing.assert_allclose(value, theirs, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose([ours.slit_ra, ours.slit_dec], [spec.slit_ra, spec.slit_dec], rtol=1e-9)
