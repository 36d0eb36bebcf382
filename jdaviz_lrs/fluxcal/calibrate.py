"""A spectrum on the flux scale of a standard star."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.calibrated_table import CalibratedTable, calibrated_columns
from jdaviz_lrs.fluxcal.differing import differing, hardly_differing, older
from jdaviz_lrs.fluxcal.manner import CALIBRATED, Manner, manner_of
from jdaviz_lrs.fluxcal.response import Response, read_response

__all__ = ["calibrate"]

APART = 0.15
"""Pixels between star and source in their apertures that are worth a note: of 4 px, 0.3 % of the light."""


Extracted = TypeVar("Extracted", bound=ExtractedSpectrum | ExtractedSeries)


def calibrate(spectrum: Extracted, response: Response | str | Path) -> Extracted:
    """Multiply a spectrum, or those of a series, by the response of a standard star that was extracted alike.

    Flux and surface brightness are multiplied, with their errors. The response's own error, which wavelengths
    have in common as that of a flat field, is added to the variances by flat field.

    Parameters
    ----------
    spectrum : ExtractedSpectrum or ExtractedSeries
    response : Response or path-like
        From `jdaviz_lrs.response`, or its file.

    Returns
    -------
    ExtractedSpectrum or ExtractedSeries
        NaN, and flagged DO_NOT_USE, where the response is not valid. Its `references` name the response, its
        notes and header say so.

    Raises
    ------
    LRSError
        When the spectrum was extracted in another manner, does not tell how, or is calibrated already.
    """
    if not isinstance(spectrum, ExtractedSpectrum | ExtractedSeries):
        raise LRSError(
            "Only what was extracted can be calibrated; calibrate the spectra before they are combined."
        )
    if isinstance(response, str | Path):
        response = read_response(response)
    if not isinstance(response, Response):
        raise LRSError("Give the response of a standard star, or its file.")
    notes = _checked(spectrum, response)
    if isinstance(spectrum, ExtractedSeries):
        return _calibrated_series(spectrum, response, notes)
    return _calibrated(spectrum, response, notes)


def _checked(spectrum: ExtractedSpectrum | ExtractedSeries, response: Response) -> tuple[str, ...]:
    """See that the response is for what was extracted so, and say what is to be known."""
    manner = manner_of(spectrum)
    if before := manner.noted[CALIBRATED]:
        raise LRSError(f"The spectrum is calibrated already, with the response of {before}; extract it anew.")
    if apart := differing(response.manner, manner):
        raise LRSError(
            f"The response's star and the spectrum were extracted differently: {apart}; extract both alike."
        )
    notes = _notes(spectrum, response, hardly_differing(response.manner, manner))
    notes += _centring(response.manner, manner, spectrum)
    if files := older(response.manner, manner):
        notes += (f"The response is of other reference files than those in use ({files}): make it anew.",)
    return notes


def _calibrated(spectrum: ExtractedSpectrum, response: Response, notes: tuple[str, ...]) -> ExtractedSpectrum:
    factor, error = response.at(spectrum.wavelength)
    columns = calibrated_columns(partial(getattr, spectrum), factor, error)
    common = 0.0 if spectrum.common_error is None else spectrum.common_error
    files = tuple(one for one in response.inputs if one not in spectrum.inputs)
    return replace(
        spectrum,
        **columns,
        common_error=np.hypot(common * factor, spectrum.flux * error),
        references={**spectrum.references, CALIBRATED: response.name},
        report={**spectrum.report, **_of(response)},
        notes=(*spectrum.notes, *notes),
        companions=tuple(_calibrated(one, response, ()) for one in spectrum.companions),
        inputs=(*spectrum.inputs, *files),
    )


def _calibrated_series(
    series: ExtractedSeries, response: Response, notes: tuple[str, ...]
) -> ExtractedSeries:
    mean = None if series.mean is None else _calibrated(series.mean, response, notes)
    return replace(
        series,
        table=CalibratedTable(series.table, *response.at(series.wavelength)),
        mean=mean,
        references={**series.references, CALIBRATED: response.name},
        inputs=tuple(dict.fromkeys((*series.inputs, *response.inputs))),
        notes=(*series.notes, *notes),
        report={**series.report, **_of(response)},
    )


def _of(response: Response) -> dict[str, str]:
    return {"response_hash": response.manner.hash, "response_made": response.made}


def _centring(star: Manner, target: Manner, spectrum: ExtractedSpectrum | ExtractedSeries) -> tuple[str, ...]:
    """Say where star and source lie differently in their apertures, which then miss different light."""
    known = None not in (star.trace_offset, target.trace_offset)
    if not known or target.matters["extraction_type"] != "box":
        return ()
    error = 0.0 if spectrum.verdict is None else np.nan_to_num(spectrum.verdict.trace_offset_error)
    if abs(target.trace_offset - star.trace_offset) < max(APART, 3 * error):
        return ()
    return (
        f"The source lies {target.trace_offset:+z.2f} px from the place that was extracted, the star "
        f"{star.trace_offset:+z.2f} px, so that the aperture misses other light of it: give position_offset.",
    )


def _notes(spectrum: ExtractedSpectrum | ExtractedSeries, response: Response, hardly: str) -> tuple[str, ...]:
    factor, error = response.at(spectrum.wavelength)
    relative = np.nanmedian(error / factor) if np.isfinite(factor).any() else np.nan
    notes = [
        f"The flux is calibrated with the response of {response.name}, which is uncertain by {relative:.2%}; "
        "the verdict is that of the extraction before."
    ]
    seen = np.isfinite(spectrum.flux).reshape(-1, factor.size).any(axis=0)
    if lost := int((np.isnan(factor) & seen).sum()):
        known = response.wavelength[np.isfinite(response.factor)]
        notes.append(
            f"No flux at {lost} of {factor.size} wavelengths: the response is known from {known.min():.2f} "
            f"to {known.max():.2f} um."
        )
    if hardly:
        notes.append(f"Star and spectrum are not alike in all: {hardly}; the flux scale may suffer.")
    if response.stand_in:
        notes.append("The response is that of a stand-in for the star's model: for a first look only.")
    return tuple(notes)
