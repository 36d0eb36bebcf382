"""What is combined: spectra as rows of equal columns, and what must not be combined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from astropy.coordinates import angular_separation
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.origin import Origin
from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.data.table import COLUMNS, SpectrumTable
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.manner import CALIBRATED
from jdaviz_lrs.products.origin import origin_of_image
from jdaviz_lrs.products.x1d import read_x1d

__all__ = ["Input", "check_alike", "check_different", "gather", "position_groups"]

Column = NDArray[np.float64]

SAME_TARGET = 5.0
"""Arcsec between targets without a name that are still one."""

SAME_PLACE = 0.05
"""Arcsec between dither offsets, half a pixel: on the same pixels."""

#: What all inputs must have in common: the words for it, and where it is told.
ALIKE = {
    "target": ("target", "combine spectra of one target"),
    "exposure_type": ("instrument mode (EXP_TYPE)", "combine spectra of one mode"),
    "slit_name": ("slit", "combine spectra of one slit"),
    "unit": ("unit", "extract them alike"),
    "spectral_order": ("spectral order", "combine spectra of one order"),
    "source_type": ("source type (SRCTYPE)", "their fluxes are calibrated in different ways: extract alike"),
}

SOURCES = ("poisson", "rnoise", "flat", "common")

VALUES = tuple(
    name
    for value, kind in (("flux", "flux"), ("surf_bright", "sb"))
    for name in (value, *(f"{kind}_var_{source}" for source in SOURCES))
)


@dataclass(frozen=True, eq=False)
class Input:
    """One spectrum of several.

    Attributes
    ----------
    name : str
    wavelength : ndarray, (n_wavelength,)
    columns : dict of str to ndarray, (n_wavelength,)
        Fluxes, surface brightnesses and their variances by source, NaN where there is no flux; what all
        inputs have in common (`ExtractedSpectrum.common_error`) apart from that by flat field.
    dq : ndarray of uint32, (n_wavelength,)
    spectrum : ExtractedSpectrum
        That it comes from.
    origin : Origin
    split : bool
        Whether its errors are split into their sources; else all of them count as independent.
    files : tuple of path-like
        That it was made of.
    """

    name: str
    wavelength: Column
    columns: dict[str, Column]
    dq: NDArray[np.uint32]
    spectrum: ExtractedSpectrum
    origin: Origin
    split: bool = True
    files: tuple[str | Path, ...] = ()


def gather(spectra: Iterable[SpectrumTable | str | Path] | SpectrumTable) -> list[Input]:
    """Read what is a path, take stacks apart into integrations, and see that all may be combined.

    Raises
    ------
    LRSError
        For what is no list of extracted spectra, or fewer than two; for inputs of different targets, modes,
        slits, units, orders or source types, or calibrated differently; for one that has no errors, or is
        there twice.
    """
    if isinstance(spectra, SpectrumTable | str | Path):
        spectra = [spectra]
    if not isinstance(spectra, Iterable):
        raise LRSError("Give the spectra to combine as a list.")
    inputs = [each for number, one in enumerate(spectra, 1) for each in _apart(one, f"spectrum {number}")]
    if len(inputs) < 2:
        raise LRSError(
            f"Combining needs at least two spectra, but {len(inputs) or 'none'} was given; give more."
        )
    check_alike([one.name for one in inputs], [one.origin for one in inputs])
    _check_calibrated(inputs)
    check_different([one.name for one in inputs], [one.columns["flux"] for one in inputs])
    return inputs


def _apart(given: SpectrumTable | str | Path, default: str) -> Iterator[Input]:
    named = isinstance(given, str | Path)
    if not named and not all(hasattr(given, name) for name in COLUMNS):
        raise LRSError(f"{default}: it is none that was extracted; give extracted spectra or x1d files.")
    spectrum = read_x1d(given) if named else _as_spectrum(given)
    files = (given,) if named else spectrum.inputs
    origin = spectrum.origin
    if origin is None:
        origin = Origin(unit="Jy") if spectrum.image is None else origin_of_image(spectrum.image)
    name = spectrum.file_name or (spectrum.image.file_name if spectrum.image is not None else "") or default
    for place in np.ndindex(spectrum.flux.shape[:-1]):
        label = f"{name}[{place[0] + 1}]" if place else name
        yield replace(_input(spectrum, place, label, origin), files=files)


def _as_spectrum(table: SpectrumTable) -> ExtractedSpectrum:
    """Return a spectrum as it is; a series as one, with what its mean tells of where it comes from."""
    if isinstance(table, ExtractedSpectrum):
        return table
    columns = {name: getattr(table, name) for name in COLUMNS}
    making = {one.name: getattr(table, one.name) for one in fields(Making) if hasattr(table, one.name)}
    mean = getattr(table, "mean", None)
    about = {"image": mean.image, "sky": mean.sky, "center": mean.center} if mean is not None else {}
    return ExtractedSpectrum(**columns, **making, **about, file_name=getattr(table, "file_name", ""))


def _input(spectrum: ExtractedSpectrum, place: tuple[int, ...], name: str, origin: Origin) -> Input:
    columns = {
        one: np.array(getattr(spectrum, one)[place], float) for one in VALUES if not one.endswith("_common")
    }
    error, dq = spectrum.flux_error[place], spectrum.dq[place]
    split = bool(np.isfinite(sum(columns[f"flux_var_{one}"] for one in ("poisson", "rnoise", "flat"))).any())
    if not split:  # files of 2020 and before
        columns["flux_var_poisson"] = np.array(error, float) ** 2
        columns["sb_var_poisson"] = np.array(spectrum.sb_error[place], float) ** 2
        for one in ("rnoise", "flat"):
            columns[f"flux_var_{one}"] = columns[f"sb_var_{one}"] = np.zeros_like(columns["flux"])
    total = sum(columns[f"flux_var_{one}"] for one in ("poisson", "rnoise", "flat"))
    columns |= _in_common(columns, spectrum, place)
    known = np.isfinite(columns["flux"]) & ((dq & DO_NOT_USE) == 0)
    if not (known & (total > 0)).any():
        problem = "it has no errors" if known.any() else "it has no valid flux"
        raise LRSError(f"{name}: {problem}, so that it cannot be weighed; extract it again.")
    good = known & (total > 0) & np.isfinite(spectrum.wavelength)
    columns = {one: np.where(good, column, np.nan) for one, column in columns.items()}
    return Input(name, spectrum.wavelength, columns, dq, spectrum, origin, split)


def _in_common(
    columns: dict[str, Column], spectrum: ExtractedSpectrum, place: tuple[int, ...]
) -> dict[str, Column]:
    """Take what all inputs have in common out of the variances by flat field, (n_wavelength,) each."""
    flat = columns["flux_var_flat"]
    if spectrum.common_error is None:
        return dict.fromkeys(("flux_var_common", "sb_var_common"), np.zeros_like(flat))
    common = np.broadcast_to(spectrum.common_error, spectrum.flux.shape)[place] ** 2
    share = np.clip(np.divide(common, flat, out=np.zeros_like(flat), where=flat > 0), 0.0, 1.0)
    parts: dict[str, Column] = {}
    for kind in ("flux", "sb"):
        whole = columns[f"{kind}_var_flat"]
        parts |= {f"{kind}_var_flat": whole * (1.0 - share), f"{kind}_var_common": whole * share}
    return parts


def check_alike(names: Sequence[str], origins: Sequence[Origin]) -> None:
    """See that inputs are of one target, mode, slit, unit, order and source type, as far as they tell.

    Raises
    ------
    LRSError
        Names the first that is not like the ones before.
    """
    for field, (words, advice) in ALIKE.items():
        told = [(name, getattr(one, field)) for name, one in zip(names, origins, strict=True)]
        told = [(name, value) for name, value in told if value is not None]
        for name, value in told[1:]:
            if value != told[0][1]:
                raise LRSError(
                    f"{name}: its {words} is {value}, but that of {told[0][0]} is {told[0][1]}; {advice}."
                )
    nameless = [
        (name, one.sky)
        for name, one in zip(names, origins, strict=True)
        if one.target is None and one.sky is not None
    ]
    for name, sky in nameless[1:]:
        away = np.degrees(angular_separation(*np.radians([*nameless[0][1], *sky]))) * 3600.0
        if away > SAME_TARGET:
            raise LRSError(
                f"{name}: its target lies {rounded(away, 3)} arcsec from that of {nameless[0][0]}; combine "
                "spectra of one target."
            )


def _check_calibrated(inputs: Sequence[Input]) -> None:
    """See that inputs have one flux scale: that of one response, or of none."""
    first, *others = ((one.name, _response(one.spectrum)) for one in inputs)
    for name, response in others:
        if response != first[1]:
            raise LRSError(
                f"{name}: it is calibrated with {response or 'no response'}, but {first[0]} with "
                f"{first[1] or 'none'}; calibrate them alike."
            )


def _response(spectrum: ExtractedSpectrum) -> str | None:
    return spectrum.references.get(CALIBRATED) or spectrum.parameters.get(f"reference_{CALIBRATED}")


def check_different(names: Sequence[str], values: Sequence[Column]) -> None:
    """See that no input is there twice, which would count its photons twice.

    Parameters
    ----------
    names : sequence of str
    values : sequence of ndarray, of any shape, (...)
        Of each input.

    Raises
    ------
    LRSError
        Names the two that are the same.
    """
    seen: dict[bytes, str] = {}
    for name, value in zip(names, values, strict=True):
        content = value.tobytes()
        if content in seen:
            raise LRSError(f"{name}: its values are those of {seen[content]}; give every exposure once.")
        seen[content] = name


def position_groups(origins: Sequence[Origin]) -> NDArray[np.intp]:
    """Give every input, (n_input,), the number of its place on the detector: one number, the same pixels.

    Where an input does not tell its dither offset, all of them count as one place.
    """
    offsets = [one.offset for one in origins]
    if None in offsets:
        return np.zeros(len(origins), np.intp)
    places = np.rint(np.array(offsets) / SAME_PLACE)
    return np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)
