"""Manner: how a spectrum was extracted, as far as its flux scale depends on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.parameters import BOX_REFINEMENTS, ExtractionParameters

__all__ = ["CALIBRATED", "Manner", "manner_of"]

CALIBRATED = "response"
"""Kind of reference that a calibrated spectrum names."""

NOD_SHARE = "nod_share"
"""In the report of a spectrum that was given back what other nods took."""

DIGITS = 6
"""Kept of widths, in pixels."""

OFFSET_DIGITS = 3
"""Kept of the trace's place, in pixels: as many as its files keep at least."""


@dataclass(frozen=True)
class Manner:
    """How a spectrum was extracted, and of what.

    Attributes
    ----------
    matters : Mapping of str to object
        On what the flux scale depends: a response holds for spectra that have all of it alike.
    noted : Mapping of str to object
        On what it may depend a little: where this is not alike, it is said.
    parameters : Mapping of str to object
        All parameters, by the pipeline's names.
    star, subarray, mode, epoch : str
        ``TARGNAME``, ``SUBARRAY``, ``EXP_TYPE``, ``DATE-OBS``; empty where the header does not tell.
    trace_offset : float or None
        Pixels from the place that was extracted to where the source was seen, where its verdict tells.
    """

    matters: Mapping[str, Any]
    noted: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    star: str = ""
    subarray: str = ""
    mode: str = ""
    epoch: str = ""
    trace_offset: float | None = None

    @property
    def hash(self) -> str:
        """Of what matters, 16 hexadecimal digits."""
        text = json.dumps(self.matters, sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def manner_of(spectrum: ExtractedSpectrum | ExtractedSeries) -> Manner:
    """Find out how a spectrum, or a series, was extracted, by itself or its file's header.

    Raises
    ------
    LRSError
        When it does not tell, as files of the pipeline's own do not, or what it tells cannot be.
    """
    told = spectrum.parameters
    if "extraction_type" not in told:
        name = spectrum.file_name or "the spectrum"
        raise LRSError(f"{name}: it does not tell how it was extracted; extract it again with jdaviz-lrs.")
    values = _values(told, spectrum.file_name or "the spectrum")
    references = {kind: told.get(f"reference_{kind}") for kind in ("apcorr", "psf", "context", CALIBRATED)}
    references |= spectrum.references
    observed = _observed(spectrum)
    optimal = values["extraction_type"] == "optimal"
    refinements = values["refinements"] or []
    matters = {
        "EXP_TYPE": observed["mode"],
        "SUBARRAY": observed["subarray"],
        "extraction_type": values["extraction_type"],
        "pipeline_compatible": bool(values["pipeline_compatible"]),
        "refinements": [one for one in refinements if optimal or one in BOX_REFINEMENTS],
    }
    if optimal:
        matters |= {
            "psf file": references["psf"],
            "optimize_psf_location": bool(values["optimize_psf_location"]),
        }
    else:
        matters |= {
            "width": _width(values),
            "apply_apcorr": bool(values["apply_apcorr"]),
            "apcorr file": references["apcorr"],
        }
    if NOD_SHARE in spectrum.report or f"report_{NOD_SHARE}" in told:
        matters["correct_nods"] = True
    noted = {
        "use_source_posn": values["use_source_posn"],
        "position_offset": values["position_offset"],
        "subtract_background": values["subtract_background"],
        "bkg_fit": values["bkg_fit"],
        "bkg_order": values["bkg_order"],
        "model_nod_pair": bool(values["model_nod_pair"]) if optimal else None,
        "background regions": bool(values["bkg_coeff"]),
        "s2d": observed["resampled"],
        "nod-subtracted": observed["nod_subtracted"],
        "photom file": observed["photom"],
        "context": references["context"],
        CALIBRATED: references[CALIBRATED],
    }
    return Manner(
        matters,
        noted,
        {name: value for name, value in values.items() if value not in (None, [])},
        **{name: observed[name] or "" for name in ("star", "subarray", "mode", "epoch")},
        trace_offset=_trace_offset(spectrum),
    )


def _trace_offset(spectrum: ExtractedSpectrum | ExtractedSeries) -> float | None:
    verdict = spectrum.verdict
    known = verdict is not None and np.isfinite(verdict.trace_offset)
    return round(float(verdict.trace_offset), OFFSET_DIGITS) if known else None


def _values(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return every parameter's value, checked, with lists for tuples; in a header lists are JSON."""
    given = {one: told[one] for one in ExtractionParameters.names() if told.get(one) is not None}
    try:
        parameters = ExtractionParameters(**{one: _read(value) for one, value in given.items()})
    except (ValueError, RecursionError) as error:  # LRSError is one
        raise LRSError(
            f"{name}: what it tells of its extraction cannot be ({error}); extract again."
        ) from error
    return dict.fromkeys(parameters.names()) | {one: _plain(getattr(parameters, one)) for one in given}


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value)) if isinstance(value, tuple) else value


def _width(values: Mapping[str, Any]) -> list[float] | list[list[float]] | str | None:
    """Width of the aperture; of edges that are polynomials the difference of each two."""
    if values["src_coeff"]:
        edges = values["src_coeff"]
        number = max(map(len, edges))
        padded = np.array([[*edge, *[0.0] * (number - len(edge))] for edge in edges])
        widths = np.round(padded[1::2] - padded[::2], DIGITS)
        if number == 1:
            return [float(one) for (one,) in widths]
        return [f"{values['independent_var']}: {[float(one) for one in row]}" for row in widths]
    if values["extract_width"] is not None:
        return [round(float(values["extract_width"]), DIGITS)]
    across = "y" if values["dispaxis"] == 1 else "x"
    start, stop = values[f"{across}start"], values[f"{across}stop"]
    return None if start is None or stop is None else [round(stop - start + 1.0, DIGITS)]


def _observed(spectrum: ExtractedSpectrum | ExtractedSeries) -> dict[str, Any]:
    """Tell what was observed, by the image's header or the file's."""
    image = spectrum.image
    if image is None:
        header = spectrum.header
        return {
            "mode": header.get("EXP_TYPE"),
            "subarray": header.get("SUBARRAY"),
            "star": header.get("TARGNAME") or header.get("TARGPROP"),
            "epoch": header.get("DATE-OBS"),
            "photom": header.get("R_PHOTOM"),
            "resampled": header.get("S_RESAMP") == "COMPLETE" if header else None,
            "nod_subtracted": header.get("S_BKDSUB") == "COMPLETE" if header else None,
        }
    seen, meta = image.observation, None if image.metadata is None else image.metadata.meta
    return {
        "mode": seen.exposure_type,
        "subarray": seen.subarray,
        "star": meta and (meta.target.catalog_name or meta.target.proposer_name),
        "epoch": meta and meta.observation.date,
        "photom": meta and meta.ref_file.photom.name,
        "resampled": image.resampled,
        "nod_subtracted": seen.bkg_subtract == "COMPLETE",
    }
