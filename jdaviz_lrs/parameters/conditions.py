"""When a parameter applies, from the values of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jdaviz_lrs.parameters.checks import BOX_REFINEMENTS

__all__ = [
    "Values",
    "always", "any_choice", "bounded", "box", "box_background", "corrects", "fits_order", "optimal",
    "polynomials",
    "refines", "smooths", "straight", "subtracts",
]  # fmt: skip

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


def bounded(values: Values) -> bool:
    """Where start and stop say something: not where the source's position and the width say it all."""
    centred = values["use_source_posn"] is True and bool(values["extract_width"])
    return straight(values) and (not centred or bool(values["bkg_coeff"]))


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


def any_choice(choice: str, values: Values) -> bool:
    """Whatever is chosen elsewhere."""
    return True
