"""The spectrum of a standard star, as it was extracted: of an image, or the mean of a time series."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.engine.combine.average import Averaged
from jdaviz_lrs.engine.combine.outliers import THRESHOLD
from jdaviz_lrs.engine.combine.run import combine_inputs
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.products.door import open_fits
from jdaviz_lrs.products.x1d import read_x1d
from jdaviz_lrs.products.x1dints import read_x1dints

__all__ = ["star_spectrum"]

PART = 256
"""Integrations that are averaged at a time, so that memory holds no more of them."""


def star_spectrum(given: ExtractedSpectrum | ExtractedSeries | str | Path) -> ExtractedSpectrum:
    """Take a star's spectrum from what it was extracted as.

    Parameters
    ----------
    given : ExtractedSpectrum, ExtractedSeries or path-like
        Of a series, or an x1dints file, the weighted mean is taken, without what is off in an integration.

    Raises
    ------
    LRSError
        For a file that is missing, broken or of another kind; for a series without a valid flux.
    """
    if isinstance(given, ExtractedSpectrum):
        return given
    if isinstance(given, ExtractedSeries):
        return _mean(given)
    with open_fits(given) as hdus:
        series = hdus[0].header.get("DATAMODL") == "TSOMultiSpecModel"
    return _mean(read_x1dints(given)) if series else read_x1d(given)


def _mean(series: ExtractedSeries) -> ExtractedSpectrum:
    parts = [_average(series, slice(start, start + PART)) for start in range(0, len(series), PART)]
    flux, random, common = (
        np.stack([getattr(one, n) for one in parts]) for n in ("flux", "random", "common")
    )
    mean = combine_inputs(flux, random, common, np.zeros(len(parts), int)).mean
    if not np.isfinite(mean.flux).any():
        raise LRSError(f"{series.file_name or 'the series'}: no integration has a valid flux with errors.")
    columns = {name: np.full(mean.flux.shape, np.nan) for name in COLUMNS}
    columns |= {
        "wavelength": series.wavelength,
        "flux": mean.flux,
        "flux_error": np.sqrt(mean.random + mean.common),
        "dq": np.where(np.isfinite(mean.flux), 0, DO_NOT_USE).astype(np.uint32),
    }
    return ExtractedSpectrum(
        **columns,
        **{one.name: getattr(series, one.name) for one in fields(Making)},
        apcorr=None if series.mean is None else series.mean.apcorr,
        image=series.image,
        file_name=series.file_name,
        header=series.header,
    )


def _average(series: ExtractedSeries, part: slice) -> Averaged:
    flux = np.where((series.dq[part] & DO_NOT_USE) == 0, series.flux[part], np.nan)
    random = series.flux_var_poisson[part] + series.flux_var_rnoise[part]
    groups = np.zeros(len(flux), int)  # all of them on the same pixels
    return combine_inputs(flux, random, series.flux_var_flat[part], groups, threshold=THRESHOLD).mean
