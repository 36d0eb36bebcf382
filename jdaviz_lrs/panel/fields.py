"""The inputs of the panel, one row per parameter: in which section, of which kind, and when it applies.

Which parameters there are, and what they may be, is the business of `ExtractionParameters`. Those that ask
for images beside the x1d are in the section Save.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jdaviz_lrs.panel.labels import CHOICES, WORDS
from jdaviz_lrs.parameters import BOX_REFINEMENTS, REFINEMENTS

__all__ = ["FIELDS", "Field", "describe"]

Values = Mapping[str, Any]


def always(values: Values) -> bool:
    """Whatever the others say."""
    return True


def box(values: Values) -> bool:
    """For box extraction."""
    return values["extraction_type"] != "optimal"


def optimal(values: Values) -> bool:
    """For optimal extraction."""
    return not box(values)


def straight(values: Values) -> bool:
    """For a box given by numbers, not by polynomials."""
    return box(values) and not values["src_coeff"]


def polynomials(values: Values) -> bool:
    """When any edge is given."""
    return box(values) and bool(values["src_coeff"] or values["bkg_coeff"])


def subtracts(values: Values) -> bool:
    """When a background is subtracted."""
    given = values["subtract_background"]
    return given is True or (given is not False and bool(values["bkg_coeff"]))


def box_background(values: Values) -> bool:
    """When box extraction subtracts a background."""
    return box(values) and subtracts(values)


def fits_order(values: Values) -> bool:
    """When a polynomial background is fitted; in optimal extraction "median" is one too."""
    others = ("mean",) if optimal(values) else ("mean", "median")
    return subtracts(values) and values["bkg_fit"] not in others


def smooths(values: Values) -> bool:
    """When a background can be smoothed."""
    return box_background(values) or (subtracts(values) and "background" in (values["refinements"] or ()))


def corrects(values: Values) -> bool:
    """When the aperture correction is applied."""
    return box(values) and values["apply_apcorr"] is True


def refines(refinement: str, values: Values) -> bool:
    """Whether a refinement is one of the extraction; a box only leaves pixels out."""
    return optimal(values) or refinement in BOX_REFINEMENTS


@dataclass(frozen=True)
class Field:
    """How a parameter is shown.

    Attributes
    ----------
    name : str
        The parameter's name, which is the pipeline's.
    section : str
    kind : str
        ``number``, ``text``, ``list``, ``regions``, ``switch``, ``tristate``, ``choice`` or ``checkboxes``.
    shown : callable
        Whether it applies, from the values of all parameters.
    choices : tuple of str
    applies : callable
        Whether one of the choices applies, from it and the values of all parameters.
    """

    name: str
    section: str
    kind: str
    shown: Callable[[Values], bool] = always
    choices: tuple[str, ...] = ()
    applies: Callable[[str, Values], bool] = lambda choice, values: True


FIELDS = (
    Field("extraction_type", "type", "choice", always, ("box", "optimal")),
    Field("use_source_posn", "source", "tristate"),
    Field("position_offset", "source", "number"),
    Field("xstart", "source", "number", straight),
    Field("xstop", "source", "number", straight),
    Field("extract_width", "source", "number", straight),
    Field("src_coeff", "source", "list", box),
    Field("model_nod_pair", "source", "switch", optimal),
    Field("optimize_psf_location", "source", "switch", optimal),
    Field("refinements", "source", "checkboxes", always, REFINEMENTS, refines),
    Field("sources", "source", "list", optimal),
    Field("bad_pixels", "source", "list"),
    Field("subtract_background", "background", "tristate"),
    Field("bkg_coeff", "background", "regions", box),
    Field("bkg_fit", "background", "choice", box_background, ("mean", "median", "poly")),
    Field("bkg_order", "background", "number", fits_order),
    Field("smoothing_length", "background", "number", smooths),
    Field("bkg_sigma_clip", "background", "number", box_background),
    Field("bkg_disp_order", "background", "number", box_background),
    Field("apply_apcorr", "correction", "switch", box),
    Field("apcorr_method", "correction", "choice", corrects, ("reference", "psf")),
    Field("ystart", "advanced", "number", box),
    Field("ystop", "advanced", "number", box),
    Field("independent_var", "advanced", "choice", polynomials, ("pixel", "wavelength")),
    Field("id", "advanced", "text"),
    Field("region_type", "advanced", "text"),
    Field("spectral_order", "advanced", "text"),
    Field("dispaxis", "advanced", "number"),
    Field("pipeline_compatible", "advanced", "switch"),
)


def describe(values: Values) -> list[dict[str, Any]]:
    """Return the fields as the template takes them, with `shown` and `choices` settled for these values."""
    return [_described(field, values) for field in FIELDS]


def _described(field: Field, values: Values) -> dict[str, Any]:
    choices = [choice for choice in field.choices if field.applies(choice, values)]
    label, hint = WORDS[field.name]
    return {
        "name": field.name,
        "section": field.section,
        "kind": field.kind,
        "label": label,
        "hint": hint,
        "choices": choices,
        "choice_hints": [CHOICES.get(choice, "") for choice in choices],
        "shown": bool(field.shown(values)),
    }
