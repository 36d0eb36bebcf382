"""ExtractionParameters: every parameter of an extraction under the pipeline's own name."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT
from jdaviz_lrs.parameters import checks, conditions
from jdaviz_lrs.parameters.checks import Coefficients
from jdaviz_lrs.parameters.declaration import Declaration, declared

__all__ = ["ExtractionParameters"]


@dataclass(frozen=True)
class ExtractionParameters:
    """Parameters of an extraction, checked when they are made.

    The names, meanings and defaults are those of the pipeline's ``extract_1d`` step and of its extract1d
    reference file (https://jwst-pipeline.readthedocs.io, "extract_1d" step arguments and "EXTRACT1D reference
    file"). None means "not given": the pipeline's default for the data at hand applies.

    Positions are in pixels of the file, zero-indexed; the two sets of polynomials give lower and upper edges
    in turn, constant term first, in exact coordinates (a pixel's centre is a whole number). `bad_pixels` may
    name a file (see `jdaviz_lrs.products.bad_pixels.read_bad_pixels`).

    Raises
    ------
    LRSError
        Where a value cannot be meant; the sentence names the parameter, its value and what would do.
    """

    extraction_type: str = declared(
        "box",
        checks.one_of("box", "optimal"),
        "Extraction",
        "Box sums the pixels of the aperture; optimal fits the PSF at every wavelength.",
        source=("step",),
        section="type",
        kind="choice",
        choices={"box": "", "optimal": ""},
    )
    use_source_posn: bool | None = declared(
        None,
        checks.none_or(checks.boolean),
        "Centre on the source",
        "From the dithered RA and Dec in the header. Automatic: for point sources.",
        source=("file", "step"),
        section="source",
        kind="tristate",
    )
    position_offset: float = declared(
        0.0,
        checks.number,
        "Position offset",
        "Moves aperture or trace across the dispersion, upwards if positive.",
        unit="pixels",
        source=("step",),
        section="source",
    )
    xstart: float | None = declared(
        None,
        checks.none_or(checks.number),
        "xstart: first column",
        "Zero-indexed, included; fractions allowed.",
        unit="pixels",
        source=("file",),
        section="source",
        applies=conditions.bounded,
    )
    xstop: float | None = declared(
        None,
        checks.none_or(checks.number),
        "xstop: last column",
        "Zero-indexed, included; fractions allowed.",
        unit="pixels",
        source=("file",),
        section="source",
        applies=conditions.bounded,
    )
    extract_width: float | None = declared(
        None,
        checks.none_or(checks.positive),
        "Width",
        "Full width; start and stop then give the centre only. Empty: start to stop.",
        unit="pixels",
        source=("file",),
        section="source",
        applies=conditions.straight,
    )
    src_coeff: Coefficients | None = declared(
        None,
        checks.none_or(checks.coefficients),
        "Edges as polynomials",
        "Lower and upper edge in turn, constant term first, such as [[26.5], [34.5]]. Wins over "
        "width, start and stop. Empty: not used.",
        source=("file",),
        section="source",
        kind="list",
        applies=conditions.box,
    )
    model_nod_pair: bool = declared(
        True,
        checks.boolean,
        "Fit the other nod's negative trace",
        "In nod-subtracted data; ignored elsewhere.",
        source=("step",),
        section="source",
        kind="switch",
        applies=conditions.optimal,
    )
    optimize_psf_location: bool = declared(
        True,
        checks.boolean,
        "Fit the place of the traces",
        "Off: where the header puts them.",
        source=("step",),
        section="source",
        kind="switch",
        applies=conditions.optimal,
    )
    refinements: tuple[str, ...] = declared(
        (),
        checks.refinements,
        "Refinements",
        "What to take from the data itself, beyond the pipeline.",
        section="source",
        kind="checkboxes",
        choices={
            "trace": "Shift and bend the trace as the data have it.",
            "width": "Fit the width of the PSF, and the shape of its wings.",
            "outliers": "Leave out what no PSF, or in a box no neighbouring wavelength, explains: "
            "cosmic rays.",
            "companions": "Look for further sources in the slit, and fit them along.",
            "variance": "Weigh by the noise that the fitted scene should have.",
            "background": "Smooth the fitted background along the dispersion.",
        },
        choice_applies=conditions.refines,
    )
    outlier_sigma: float = declared(
        5.0,
        checks.positive,
        "Outliers beyond",
        "How far off a pixel must be to be left out by the refinement outliers; below 3, noise goes too.",
        unit="sigma",
        section="source",
        applies=lambda values: "outliers" in values["refinements"],
    )
    sources: tuple[float, ...] = declared(
        (),
        checks.numbers,
        "Further sources",
        "Counted from the target; each is fitted along, with its own spectrum, such as [7.1]. Empty: none.",
        unit="pixels",
        section="source",
        kind="list",
        applies=conditions.optimal,
    )
    bad_pixels: tuple[tuple[int, int] | str, ...] = declared(
        (),
        checks.bad_pixels,
        "Further bad pixels",
        "Columns and rows of the file, zero-indexed, such as [[30, 120]], or the path of a file "
        "that lists pixels of the detector. With the mouse: the tool with the crossed pixel. "
        "Empty: none.",
        section="source",
        kind="list",
    )
    subtract_background: bool | None = declared(
        None,
        checks.none_or(checks.boolean),
        "Subtract the background",
        "Automatic: when background regions are given. Optimal extraction fits it beside the source.",
        source=("step",),
        section="background",
        kind="tristate",
    )
    bkg_coeff: Coefficients | None = declared(
        None,
        checks.none_or(checks.coefficients),
        "Background regions",
        "Exact pixel coordinates across the dispersion: 13.5 is the border of columns 13 and 14.",
        unit="pixels",
        source=("file",),
        section="background",
        kind="regions",
        applies=conditions.box,
    )
    bkg_fit: str | None = declared(
        None,
        checks.none_or(checks.one_of("mean", "median", "poly")),
        "Background fit",
        "Of the regions' pixels, at every wavelength.",
        source=("file", "step"),
        section="background",
        kind="choice",
        applies=conditions.box_background,
        choices={"mean": "", "median": "", "poly": ""},
    )
    bkg_order: int | None = declared(
        None,
        checks.none_or(checks.whole),
        "Order of the polynomial",
        "Across the dispersion: 0 constant, 1 linear. Empty: 0.",
        source=("file", "step"),
        section="background",
        applies=conditions.fits_order,
    )
    smoothing_length: int | None = declared(
        None,
        checks.none_or(checks.smoothing),
        "Smoothing length",
        "Odd number of rows along the dispersion that the background is averaged over. Empty: none.",
        unit="rows",
        source=("file", "step"),
        section="background",
        applies=conditions.smooths,
    )
    bkg_sigma_clip: float | None = declared(
        None,
        checks.none_or(checks.positive),
        "Clip background",
        "Reject pixels this far off at their wavelength. Beyond the pipeline. Empty: none.",
        unit="sigma",
        section="background",
        applies=conditions.box_background,
    )
    bkg_disp_order: int | None = declared(
        None,
        checks.none_or(checks.whole),
        "Order along the dispersion",
        "One smooth surface instead of a fit at each wavelength. Beyond the pipeline. Empty: none.",
        section="background",
        applies=conditions.box_background,
    )
    apply_apcorr: bool = declared(
        True,
        checks.boolean,
        "Correct for light outside the aperture",
        "Scales the flux of a point source to the whole PSF.",
        source=("step",),
        section="correction",
        kind="switch",
        applies=conditions.box,
    )
    apcorr_method: str = declared(
        "reference",
        checks.one_of("reference", "psf"),
        "Correction from",
        "reference: interpolated in the apcorr file. psf: computed for the very aperture.",
        section="correction",
        kind="choice",
        applies=conditions.corrects,
        choices={"reference": "", "psf": ""},
    )
    ystart: float | None = declared(
        None,
        checks.none_or(checks.number),
        "ystart: first row",
        "Zero-indexed, included. Empty: all rows.",
        unit="pixels",
        source=("file",),
        section="advanced",
        applies=conditions.box,
    )
    ystop: float | None = declared(
        None,
        checks.none_or(checks.number),
        "ystop: last row",
        "Zero-indexed, included. Empty: all rows.",
        unit="pixels",
        source=("file",),
        section="advanced",
        applies=conditions.box,
    )
    independent_var: str = declared(
        "pixel",
        checks.one_of("pixel", "wavelength"),
        "Polynomials are functions of",
        "pixel: the row. wavelength: micron. For edges of the source and the background alike.",
        source=("file",),
        section="advanced",
        kind="choice",
        applies=conditions.polynomials,
        choices={"pixel": "", "wavelength": ""},
    )
    id: str = declared(
        DEFAULT.exposure_type,
        checks.text,
        "Aperture id",
        "Name of the aperture in the extract1d file.",
        source=("file",),
        section="advanced",
        kind="text",
    )
    region_type: str = declared(
        "target",
        checks.text,
        "Region type",
        "As in the extract1d file; target for a source.",
        source=("file",),
        section="advanced",
        kind="text",
    )
    spectral_order: int | str | None = declared(
        None,
        checks.none_or(checks.order_or_any),
        "Spectral order",
        "As in the extract1d file. Empty: any.",
        source=("file",),
        section="advanced",
        kind="text",
    )
    dispaxis: int | None = declared(
        None,
        checks.none_or(checks.dispaxis),
        "Dispersion axis",
        "For the extract1d file: 1 along x, 2 along y. The image itself says which way it runs.",
        source=("file",),
        section="advanced",
    )
    pipeline_compatible: bool = declared(
        False,
        checks.boolean,
        "As the pipeline does it",
        "Also where this panel differs from the pipeline on purpose; the README lists the differences.",
        section="advanced",
        kind="switch",
    )
    save_profile: bool = declared(
        False,
        checks.boolean,
        "Save the profile",
        "The weights of the aperture, or the spatial profile, beside the x1d.",
        source=("step",),
        section="save",
        kind="switch",
    )
    save_scene_model: bool = declared(
        False,
        checks.boolean,
        "Save the scene model",
        "What was fitted to the image, beside the x1d.",
        source=("step",),
        section="save",
        kind="switch",
    )
    save_residual_image: bool = declared(
        False,
        checks.boolean,
        "Save the residual",
        "The image minus what was fitted, beside the x1d.",
        source=("step",),
        section="save",
        kind="switch",
    )

    def __post_init__(self) -> None:
        self._take(vars(self))

    def _take(self, given: Mapping[str, Any]) -> None:
        """Keep values as they are checked, and see that all go together."""
        declarations = self.declarations()
        for name, value in tuple(given.items()):
            object.__setattr__(self, name, _checked(declarations[name], name, value))
        for start, stop in (("xstart", "xstop"), ("ystart", "ystop")):
            first, last = getattr(self, start), getattr(self, stop)
            if first is not None and last is not None and first > last:
                raise LRSError(f"{start} = {first:g} is larger than {stop} = {last:g}; exchange them.")
        if self.bkg_fit == "median" and self.bkg_disp_order is not None:
            raise LRSError(
                f"bkg_disp_order = {self.bkg_disp_order} cannot go with bkg_fit = 'median', which is taken "
                "at each wavelength apart; give bkg_fit = 'poly' or leave bkg_disp_order out."
            )

    @classmethod
    @cache
    def declarations(cls) -> Mapping[str, Declaration]:
        """Return what is said of every parameter, by its name."""
        return MappingProxyType({one.name: one.metadata["declaration"] for one in fields(cls)})

    @classmethod
    @cache
    def names(cls) -> tuple[str, ...]:
        """Every parameter's name."""
        return tuple(f.name for f in fields(cls))

    def with_(self, changes: Mapping[str, Any]) -> ExtractionParameters:
        """Return a copy with some parameters changed.

        Raises
        ------
        LRSError
            For a name that is no parameter, with the nearest one that is, and for a value that cannot be
            meant.
        """
        for name in changes:
            if name not in self.names():
                near = get_close_matches(name, self.names(), n=1)
                hint = f"; did you mean '{near[0]}'?" if near else "."
                raise LRSError(f"'{name}' is not a parameter of the extraction{hint}")
        changed = copy(self)  # what is not changed was checked before
        changed._take(changes)
        return changed

    def asdict(self) -> dict[str, Any]:
        """As a plain dictionary, every parameter included."""
        return {name: getattr(self, name) for name in self.names()}


def _checked(declaration: Declaration, name: str, value: Any) -> Any:
    try:
        return declaration.check(name, value)
    except LRSError:
        raise
    except (TypeError, ValueError, ArithmeticError, RecursionError):  # arrays, and what imitates a number
        kind = type(value).__name__
        raise LRSError(f"{name} = {kind} cannot be meant; see what it takes in its description.") from None
