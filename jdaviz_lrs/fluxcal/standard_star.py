"""The response of a standard star: its model over its extracted spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.engine.resolution import at_resolution, resolving_power_at
from jdaviz_lrs.engine.smooth_curve import smooth_curve
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.manner import CALIBRATED, manner_of
from jdaviz_lrs.fluxcal.mean import mean_response
from jdaviz_lrs.fluxcal.read_model import star_model
from jdaviz_lrs.fluxcal.response import Response
from jdaviz_lrs.fluxcal.star_model import StarModel, hydrogen_lines
from jdaviz_lrs.fluxcal.star_spectrum import star_spectrum
from jdaviz_lrs.modes import Mode, mode_of

__all__ = ["response"]

Column = NDArray[np.float64]

Extracted = ExtractedSpectrum | ExtractedSeries

FEWEST = 20
"""Wavelengths that a response needs."""

UNSURE = 0.01
"""Relative error of a response that is worth a note."""

DEPARTS = 3.0
"""Chi-square of the star about the smooth response that is worth a note."""

HOLE = 3.0
"""Elements of the resolution: a model with a wider hole tells nothing of what lies in it."""

UNRESOLVED = 100.0
"""Resolving power to mask lines with, where that of the mode is not known."""


def response(
    extraction: Extracted | str | Path | Sequence[Extracted | str | Path],
    model: Any,
    *,
    wavelength_range: tuple[float, float] | None = None,
    masked: Sequence[tuple[float, float]] = (),
) -> Response:
    """Find the response from a standard star, extracted as the targets are.

    The model is smoothed to the instrument's resolving power; where the star has no valid flux, at lines of
    hydrogen and in `masked` the response is interpolated by the smooth curve through the rest.

    Parameters
    ----------
    extraction : ExtractedSpectrum, ExtractedSeries or path-like, or a sequence of these
        The star, or x1d or x1dints files of it; of a time series the mean is taken. Of several stars or
        epochs the weighted mean is taken, and their scatter beyond the errors is a systematic error.
    model : see `jdaviz_lrs.fluxcal.read_model.star_model`
        Of the star; of several stars a list, one for each.
    wavelength_range : tuple of float, optional
        Micron: where the response is to be valid; without it where spectra of the mode are judged.
    masked : sequence of tuple of float
        Further ranges (micron) to leave out.

    Returns
    -------
    Response

    Raises
    ------
    LRSError
        When the star's spectrum has no errors or does not tell how it was extracted, the model is none or
        does not reach, or stars were extracted differently.
    """
    several = isinstance(extraction, list | tuple)
    extractions: list[Any] = list(extraction) if several else [extraction]
    if not all(isinstance(one, str | Path | Extracted) for one in extractions):
        raise LRSError(
            "A star is given as it was extracted, several as a list: the mean is taken of responses."
        )
    models = [*model] if isinstance(model, list | tuple) else [model] * len(extractions)
    if not extractions or len(models) != len(extractions):
        raise LRSError(f"{len(extractions)} spectra of stars and {len(models)} models; give one for each.")
    for given in (*([] if wavelength_range is None else [wavelength_range]), *masked):
        if np.shape(given) != (2,) or isinstance(given, str) or not np.isfinite(given).all():
            raise LRSError(f"{given!r} is no range of wavelengths; give its two ends in micron.")
    pairs = zip(extractions, models, strict=True)
    each = [_of_one(one, star_model(its), wavelength_range, masked) for one, its in pairs]
    return each[0] if len(each) == 1 else mean_response(each)


def _of_one(
    extraction: Extracted | str | Path,
    model: StarModel,
    wavelength_range: tuple[float, float] | None,
    masked: Sequence[tuple[float, float]],
) -> Response:
    star = star_spectrum(extraction)
    path = (str(extraction),) if isinstance(extraction, str | Path) else ()
    name = star.file_name or (star.image.file_name if star.image is not None else "") or "the star"
    manner = manner_of(star)
    if manner.noted[CALIBRATED]:
        raise LRSError(f"{name}: it is calibrated already with {manner.noted[CALIBRATED]}; extract it anew.")
    if star.flux.ndim > 1:
        raise LRSError(f"{name}: it has {len(star.flux)} integrations; give that of one, or a mean.")
    mode = mode_of(manner.mode)
    first, last = wavelength_range or (mode.bands[0][0], mode.bands[-1][1])
    order = np.argsort(star.wavelength)
    wavelength, flux, error = (getattr(star, n)[order] for n in ("wavelength", "flux", "flux_error"))
    usable = np.isfinite(flux) & ((star.dq[order] & DO_NOT_USE) == 0)
    within = (wavelength >= first) & (wavelength <= last)
    if not within.any():
        raise LRSError(
            f"{name}: it has no wavelength from {first:g} to {last:g} um; give a range in rising order."
        )
    if not (error[usable & within] > 0).any():
        raise LRSError(
            f"{name}: it has no errors, and so none is known of the response; give a file that has."
        )
    truth, more = _on_rows(model, wavelength, within, mode)
    good = usable & within & (error > 0)
    good &= ~_masked(wavelength, masked, mode)
    if good.sum() < FEWEST or np.median(flux[good]) <= 0:
        raise LRSError(
            f"{name}: {good.sum()} wavelengths between {first:g} and {last:g} um have a valid flux, or the "
            "star is not there; look at the extraction."
        )
    # the star over the model, whose errors are symmetric, not the model over the star
    share = np.where(within, flux, 0.0) / truth
    curve = smooth_curve(wavelength[within], share[within], (error / truth)[within], good[within])
    value = _spread(curve.value, within)
    used = np.flatnonzero(within)[curve.used]
    valid = within & (wavelength >= wavelength[used[0]]) & (wavelength <= wavelength[used[-1]]) & (value > 0)
    factor = np.where(valid, 1.0 / np.where(valid, value, 1.0), np.nan)
    factor_error = _spread(curve.error, within) * factor**2
    apcorr = np.full(wavelength.shape, np.nan) if star.apcorr is None else star.apcorr[order]
    made = Response(
        wavelength=wavelength,
        factor=factor,
        error=factor_error,
        systematic=np.where(valid, more * factor, np.nan),
        apcorr=apcorr,
        manner=manner,
        stars=(manner.star or name,),
        models=(model.name,),
        epochs=(manner.epoch,),
        chi_square=curve.chi_square,
        stand_in=model.stand_in,
        versions={one: version(one) for one in ("jdaviz-lrs", "scipy", "numpy")},
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=(*path, *star.inputs, *model.inputs),
    )
    return replace(made, notes=_notes(made, int((usable & within).sum() - used.size)))


def _on_rows(
    model: StarModel, wavelength: Column, within: NDArray[np.bool_], mode: Mode
) -> tuple[Column, Column]:
    """Return the model as the instrument sees it, and its relative error, (n_wavelength,)."""
    power = _power(mode, wavelength)
    if mode.resolving_power:
        truth = at_resolution(wavelength, power, model.wavelength, model.flux)
    else:
        truth = np.interp(wavelength, model.wavelength, model.flux, left=np.nan, right=np.nan)
    needed, there = wavelength[within], model.wavelength
    if there[0] > needed.min() or there[-1] < needed.max():
        raise LRSError(
            f"{model.name}: it reaches from {there[0]:.4g} to {there[-1]:.4g} um; {needed.min():.2f} to "
            f"{needed.max():.2f} um are needed."
        )
    steps = np.diff(there)
    power_there = np.interp(there[:-1], wavelength, power)
    holes = (
        (steps > HOLE * there[:-1] / power_there) & (there[1:] > needed.min()) & (there[:-1] < needed.max())
    )
    if holes.any():
        first, last = there[holes.argmax()], there[holes.argmax() + 1]
        raise LRSError(
            f"{model.name}: it has nothing between {first:.4g} and {last:.4g} um; give a whole one."
        )
    if not (truth[within] > 0).all():
        raise LRSError(f"{model.name}: it is not positive at some wavelengths; give the star's flux density.")
    truth = np.where(within, truth, 1.0)
    if model.error is None:
        return truth, np.zeros_like(truth)
    relative = np.abs(np.divide(model.error, model.flux, out=np.zeros_like(model.flux), where=model.flux > 0))
    return truth, np.interp(wavelength, model.wavelength, relative)


def _power(mode: Mode, wavelength: Column) -> Column:
    if not mode.resolving_power:
        return np.full(wavelength.shape, UNRESOLVED)
    return resolving_power_at(wavelength, mode.resolving_power)


def _masked(wavelength: Column, ranges: Sequence[tuple[float, float]], mode: Mode) -> NDArray[np.bool_]:
    """Wavelengths within a FWHM of a line of hydrogen, or in a range."""
    lines = hydrogen_lines(wavelength[0], wavelength[-1])
    reach = lines / _power(mode, lines)
    near = (np.abs(wavelength[:, None] - lines) <= reach).any(axis=1)
    for first, last in ranges:
        near |= (wavelength >= first) & (wavelength <= last)
    return near


def _spread(values: Column, within: NDArray[np.bool_]) -> Column:
    whole = np.full(within.shape, np.nan)
    whole[within] = values
    return whole


def _notes(made: Response, passed_by: int) -> tuple[str, ...]:
    notes = []
    if made.stand_in:
        notes.append(f"No model of the star but a {made.models[0]}: for a first look only.")
    if made.chi_square > DEPARTS:
        notes.append(
            f"The star scatters about the smooth response by {np.sqrt(made.chi_square):.1f} times its "
            "errors: the model may lack its features."
        )
    relative = np.nanmedian(made.error / made.factor)
    if relative > UNSURE:
        notes.append(f"The star is faint: the response is uncertain by {relative:.1%}.")
    if passed_by:
        notes.append(f"At {passed_by} wavelengths (lines of hydrogen, outliers, masked) it is interpolated.")
    return tuple(notes)
