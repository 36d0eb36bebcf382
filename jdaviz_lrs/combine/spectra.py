"""Extracted spectra of nods, exposures or integrations into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import jdaviz_lrs.products.formats  # noqa: F401 - what is combined can be written
from jdaviz_lrs.combine import nods
from jdaviz_lrs.combine.inputs import Input, gather, position_groups
from jdaviz_lrs.combine.joint_verdict import joint_verdict
from jdaviz_lrs.combine.notes import notes_of_all
from jdaviz_lrs.combine.one_grid import Aligned, align
from jdaviz_lrs.data.combined import CombinedSpectrum
from jdaviz_lrs.data.flags import DO_NOT_USE, OUTLIER
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.data.table import SpectrumTable
from jdaviz_lrs.engine.combine.average import average_inputs
from jdaviz_lrs.engine.combine.outliers import FLOOR, THRESHOLD
from jdaviz_lrs.engine.combine.run import Combination, combine_inputs
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.differing import differing
from jdaviz_lrs.fluxcal.manner import manner_of

__all__ = ["EXPTIME_KEYS", "combine"]

Table = NDArray[np.float64]

EXPTIME_KEYS = ("inverse_variance", "exposure_time", "integration_time", "unit_weight")
"""What inputs are weighted by: the pipeline's words, and the first one beside them."""

ALIKE, DIFFERING = 0.7, 1.3
"""Chi-square over its degrees of freedom below which inputs cannot be independent, and beyond which they
differ by more than their errors: with the 387 degrees of two spectra it is known to 7 %."""

FEW = 100
"""Degrees of freedom below which it is not known well enough to say so."""


def combine(
    spectra: Iterable[SpectrumTable | str | Path] | SpectrumTable,
    *,
    exptime_key: str = "inverse_variance",
    sigma_clip: float | None = THRESHOLD,
    error_floor: float = FLOOR,
    fit_scales: bool = False,
    correct_nods: bool = False,
    override_psf: str | Path | None = None,
) -> CombinedSpectrum:
    """Combine spectra of one source into one.

    Parameters
    ----------
    spectra : iterable of ExtractedSpectrum or path-like, or a series
        Extracted spectra or x1d files; of a series, each integration is an input.
    exptime_key : {'inverse_variance', 'exposure_time', 'integration_time', 'unit_weight'}
        What the inputs are weighted by.
    sigma_clip : float or None
        Errors beyond which an input is left out at a wavelength; None leaves none out.
    error_floor : float
        Least error when outliers are sought, as a part of the flux.
    fit_scales : bool
        Bring the inputs to one level, that of their weighted mean; the factors are in the result.
    correct_nods : bool
        Give each input back what the wings of other nods took from its aperture (`correct_nods`); for
        spectra that have their images, not for files.
    override_psf : path-like, optional
        PSF reference file for that.

    Returns
    -------
    CombinedSpectrum
        At every wavelength that any input has.

    Raises
    ------
    LRSError
        For fewer than two inputs, or such as do not go together or have no errors.

    Notes
    -----
    Photon and read noise are independent from input to input. The flat's error is common to inputs on the
    same pixels, told by their dither offsets, and not averaged down among them; where an input does not tell
    its offset it is common to all. So are, wherever the inputs lie, the error of the profile's fitted shape
    and that of a response.
    """
    _check(exptime_key, sigma_clip, error_floor, fit_scales)
    if correct_nods:
        spectra = [spectra] if isinstance(spectra, SpectrumTable | str | Path) else spectra
        spectra = [_without_nods(one, override_psf) for one in spectra]
    inputs = gather(spectra)
    times = _times(inputs, exptime_key)
    aligned = align(inputs)
    tables, groups = aligned.tables, position_groups([one.origin for one in inputs])
    random = tables["flux_var_poisson"] + tables["flux_var_rnoise"]
    common, everywhere = tables["flux_var_flat"], tables["flux_var_common"]
    found = combine_inputs(
        tables["flux"], random, common, groups, everywhere, times, sigma_clip, error_floor, fit_scales
    )
    scale = found.scales[:, None]
    share = np.divide(found.weights, found.mean.weight, out=np.zeros_like(scale + random), where=found.used)
    split = {
        one: np.where(found.mean.weight > 0, (share**2 * _filled(tables[one], scale**2)).sum(axis=0), np.nan)
        for one in ("flux_var_poisson", "flux_var_rnoise")
    }
    brightness = average_inputs(
        _filled(tables["surf_bright"], scale),
        _filled(tables["sb_var_poisson"] + tables["sb_var_rnoise"], scale**2),
        _filled(tables["sb_var_flat"], scale**2),
        found.weights,
        groups,
        _filled(tables["sb_var_common"], scale**2),
    )
    told = found.mean.random + found.mean.common
    doubted = np.sqrt(1.0 + np.divide(found.doubt, told, out=np.zeros_like(told), where=told > 0))
    first = inputs[0]
    settings = {
        "exptime_key": exptime_key,
        "sigma_clip": sigma_clip,
        "error_floor": error_floor,
        "fit_scales": fit_scales,
        "correct_nods": correct_nods,
    }
    result = CombinedSpectrum(
        wavelength=aligned.wavelength,
        flux=found.mean.flux,
        flux_error=np.sqrt(told) * doubted,
        surf_bright=brightness.flux,
        sb_error=np.sqrt(brightness.random + brightness.common) * doubted,
        dq=_flags(aligned, found),
        weight=found.mean.weight,
        n_input=found.used.sum(axis=0).astype(float),
        **split,
        flux_var_flat=found.mean.common,
        chi_square=found.mean.chi_square,
        input_flux=tables["flux"] * scale,
        input_error=np.sqrt(random + common + everywhere) * scale,
        input_dq=aligned.dq,
        used=found.used,
        scales=found.scales,
        scale_errors=found.scale_errors,
        input_names=tuple(one.name for one in inputs),
        slit_ra=first.spectrum.slit_ra,
        slit_dec=first.spectrum.slit_dec,
        source_type=first.origin.source_type,
        spectral_order=first.origin.spectral_order,
        metadata=first.origin.header if first.spectrum.image is None else first.spectrum.image.metadata,
        parameters=settings,
        inputs=_files(inputs),
    )
    return _told(result, inputs, aligned, found, groups)


def _check(exptime_key: str, sigma_clip: float | None, error_floor: float, fit_scales: bool) -> None:
    for name, value in (("sigma_clip", sigma_clip), ("error_floor", error_floor)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number | None):
            raise LRSError(f"{name} = {value!r} is not a number.")
    if not isinstance(fit_scales, bool):
        raise LRSError(f"fit_scales = {fit_scales!r} is neither true nor false.")
    if exptime_key not in EXPTIME_KEYS:
        raise LRSError(f"exptime_key = {exptime_key!r} is none of {', '.join(EXPTIME_KEYS)}.")
    if sigma_clip is not None and not (np.isfinite(sigma_clip) and sigma_clip > 0):
        raise LRSError(f"sigma_clip = {sigma_clip!r}: give a positive number, or None to leave nothing out.")
    if error_floor is None or not (np.isfinite(error_floor) and error_floor >= 0):
        raise LRSError(f"error_floor = {error_floor!r}: give zero or a positive part of the flux.")


def _without_nods(one: SpectrumTable | str | Path, psf: str | Path | None) -> ExtractedSpectrum:
    if not isinstance(one, ExtractedSpectrum):
        raise LRSError(
            f"{one}: nods are corrected with the image at hand; give extracted spectra, or use extract "
            "--correct-nods before."
        )
    return nods.correct_nods(one, psf)


def _times(inputs: Sequence[Input], exptime_key: str) -> Table | None:
    if exptime_key == "inverse_variance":
        return None
    if exptime_key == "unit_weight":
        return np.ones(len(inputs))
    for one in inputs:
        if not (getattr(one.origin, exptime_key) or 0) > 0:
            raise LRSError(
                f"{one.name}: its header has no {exptime_key}; use exptime_key = inverse_variance."
            )
    return np.array([getattr(one.origin, exptime_key) for one in inputs], float)


def _filled(table: Table, factor: Table) -> Table:
    return np.where(np.isfinite(table), table, 0.0) * factor


def _flags(aligned: Aligned, found: Combination) -> NDArray[np.uint32]:
    nothing = ~found.used.any(axis=0)
    counted = found.used | nothing
    dq = np.bitwise_or.reduce(np.where(counted, aligned.dq, 0).astype(np.uint32), axis=0)
    left_out = (np.isfinite(aligned.tables["flux"]) & ~found.used).any(axis=0)
    dq = dq & ~np.uint32(DO_NOT_USE)
    return dq | (np.where(left_out, OUTLIER, 0) | np.where(nothing, DO_NOT_USE, 0)).astype(np.uint32)


def _files(inputs: Sequence[Input]) -> tuple[str | Path, ...]:
    every = (path for one in inputs for path in one.files)
    return tuple(dict.fromkeys(every))


def _extracted_apart(inputs: Sequence[Input]) -> str:
    """Name what inputs that tell how they were extracted have not alike, on which the flux scale depends."""
    manners = [manner_of(one.spectrum) for one in inputs if "extraction_type" in one.spectrum.parameters]
    return next(filter(None, (differing(manners[0], one) for one in manners[1:])), "")


def _told(
    result: CombinedSpectrum,
    inputs: Sequence[Input],
    aligned: Aligned,
    found: Combination,
    groups: NDArray[np.intp],
) -> CombinedSpectrum:
    """Return the result with its report and what is to be known of it."""
    finite = np.isfinite(aligned.tables["flux"])
    given = finite.sum(axis=1)
    left_out = (finite & ~found.used).sum(axis=1)
    doubtful, lone = int((found.doubt > 0).sum()), int((found.used.sum(axis=0) == 1).sum())
    chi_square, size = result.chi_square_per_freedom, result.wavelength.size
    notes = [
        f"{name}: its wavelengths differ by up to {away:.2g} of a step: it was resampled, flux-conserving, "
        "by specutils, and the errors of neighbouring wavelengths are no longer independent."
        for name, away in aligned.resampled.items()
    ]
    if left_out.any():
        notes.append(f"Left out as outliers: {left_out.sum()} of {given.sum()} values, flagged OUTLIER.")
    if doubtful:
        notes.append(
            f"At {doubtful} of {size} wavelengths nothing tells which inputs are hit, if not all: the error "
            "is widened there to cover it."
        )
    if lone:
        notes.append(f"At {lone} of {size} wavelengths only one input is used.")
    if apart := _extracted_apart(inputs):
        notes.append(f"The inputs were extracted differently: {apart}; their flux scales may differ.")
    if unsplit := [one.name for one in inputs if not one.split]:
        notes.append(f"{', '.join(unsplit)}: errors not split into their sources; all count as independent.")
    freedom = np.maximum(result.n_input - 1, 0).sum()
    if chi_square < ALIKE and freedom >= FEW:
        notes.append(
            f"The inputs agree better than independent ones can (chi-square {chi_square:.2g} per degree of "
            "freedom): the same photons may be in several of them, and the error too small."
        )
    if chi_square > DIFFERING and freedom >= FEW:
        notes.append(
            "The inputs differ by more than their errors, which do not cover that (chi-square "
            f"{chi_square:.2f} per degree of freedom)."
            + ("" if result.parameters["fit_scales"] else " See fit_scales.")
        )
    notes += notes_of_all([one.name for one in inputs], [one.spectrum.notes for one in inputs])
    verdicts = [one.spectrum.verdict for one in inputs]
    report = {
        "inputs": list(result.input_names),
        "inputs_used": found.used.sum(axis=1).tolist(),
        "inputs_left_out": left_out.tolist(),
        "chi_square": chi_square,
        "places": int(np.unique(groups).size),
    }
    if result.parameters["fit_scales"]:
        report |= {"scales": found.scales.tolist(), "scale_errors": found.scale_errors.tolist()}
    verdict = None if None in verdicts else joint_verdict(verdicts)
    return replace(result, notes=tuple(notes), report=report, verdict=verdict)
