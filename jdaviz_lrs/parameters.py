"""ExtractionParameters: every parameter of an extraction under the pipeline's own name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import DEFAULT

__all__ = ["APERTURE_NAMES", "BOX_REFINEMENTS", "REFINEMENTS", "STEP_NAMES", "ExtractionParameters"]

Coefficients = tuple[tuple[float, ...], ...]

#: What `refinements` may name; ``all`` stands for every one of them.
REFINEMENTS = ("trace", "width", "outliers", "companions", "variance", "background")

#: Those of them that a box extraction has.
BOX_REFINEMENTS = ("outliers",)

#: Parameters of an aperture in the extract1d reference file.
APERTURE_NAMES = (
    "id", "region_type", "spectral_order", "dispaxis", "xstart", "xstop", "ystart", "ystop", "extract_width",
    "src_coeff", "bkg_coeff", "independent_var", "bkg_fit", "bkg_order", "smoothing_length",
    "use_source_posn",
)  # fmt: skip

#: Parameters of the pipeline's step, which win over the reference file.
STEP_NAMES = (
    "subtract_background", "apply_apcorr", "extraction_type", "use_source_posn", "position_offset",
    "model_nod_pair", "optimize_psf_location", "smoothing_length", "bkg_fit", "bkg_order", "save_profile",
    "save_scene_model", "save_residual_image",
)  # fmt: skip


@dataclass(frozen=True)
class ExtractionParameters:
    """Parameters of an extraction, checked when they are made.

    The names, meanings and defaults are those of the pipeline's ``extract_1d`` step and of its extract1d
    reference file (https://jwst-pipeline.readthedocs.io, "extract_1d" step arguments and "EXTRACT1D reference
    file"). None means "not given": the pipeline's default for the data at hand applies.

    Attributes
    ----------
    xstart, xstop, ystart, ystop : float or None
        First and last pixel of the aperture in the file, zero-indexed, both included; fractions allowed.
    extract_width : float or None
        Full width in pixels; wins over start and stop, which then give the centre.
    src_coeff, bkg_coeff : tuple of tuple of float, or None
        Polynomials (constant term first) for alternating lower and upper edges, in exact pixel coordinates
        (a pixel's centre is a whole number); `src_coeff` wins over width, start and stop.
    independent_var : {'pixel', 'wavelength'}
        What the polynomials are functions of: the row, or the wavelength in micron.
    bkg_fit : {'mean', 'median', 'poly'} or None
    bkg_order : int or None
        Order of the background polynomial at each wavelength.
    smoothing_length : int or None
        Odd number of rows over which the background is smoothed; 0 or None for none.
    use_source_posn : bool or None
        Move aperture and background to the source's position; None: for point sources.
    position_offset : float
        Pixels to add to that position.
    subtract_background : bool or None
        None: when `bkg_coeff` is given.
    apply_apcorr : bool
    extraction_type : {'box', 'optimal'}
    model_nod_pair, optimize_psf_location : bool
        For optimal extraction: fit the negative trace of the other nod; fit the place of the traces.
    save_profile, save_scene_model, save_residual_image : bool
    apcorr_method : {'reference', 'psf'}
        Interpolate the aperture correction in its reference file, or compute it from the PSF for the very
        pixels used.
    bkg_sigma_clip : float or None
        Reject background pixels this many sigma off, at each wavelength.
    bkg_disp_order : int or None
        Fit one smooth surface instead of each wavelength apart: its polynomial order along the dispersion.
    refinements : tuple of str
        Any of `REFINEMENTS`, or ``('all',)``; box extraction has those in `BOX_REFINEMENTS` alone.
    bad_pixels : tuple of (int, int) or of str
        Further pixels to leave out: column and row in the file, zero-indexed; or the path of a file that
        lists pixels of the detector (see `jdaviz_lrs.products.bad_pixels.read_bad_pixels`).
    sources : tuple of float
        For optimal extraction: further sources, by their pixel offset from the target.
    pipeline_compatible : bool
        Do as the pipeline does where we differ on purpose.

    Raises
    ------
    LRSError
        Where a value cannot be meant; the sentence names the parameter, its value and what would do.
    """

    id: str = DEFAULT.exposure_type
    region_type: str = "target"
    spectral_order: int | str | None = None
    dispaxis: int | None = None
    xstart: float | None = None
    xstop: float | None = None
    ystart: float | None = None
    ystop: float | None = None
    extract_width: float | None = None
    src_coeff: Coefficients | None = None
    bkg_coeff: Coefficients | None = None
    independent_var: str = "pixel"
    bkg_fit: str | None = None
    bkg_order: int | None = None
    smoothing_length: int | None = None
    use_source_posn: bool | None = None
    position_offset: float = 0.0
    subtract_background: bool | None = None
    apply_apcorr: bool = True
    extraction_type: str = "box"
    model_nod_pair: bool = True
    optimize_psf_location: bool = True
    save_profile: bool = False
    save_scene_model: bool = False
    save_residual_image: bool = False
    apcorr_method: str = "reference"
    bkg_sigma_clip: float | None = None
    bkg_disp_order: int | None = None
    refinements: tuple[str, ...] = ()
    sources: tuple[float, ...] = ()
    bad_pixels: tuple[tuple[int, int] | str, ...] = ()
    pipeline_compatible: bool = False

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            object.__setattr__(self, name, check(name, getattr(self, name)))
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
        return replace(self, **changes)

    def asdict(self) -> dict[str, Any]:
        """As a plain dictionary, every parameter included."""
        return {name: getattr(self, name) for name in self.names()}


def _none_or(check):
    return lambda name, value: None if value is None else check(name, value)


def _number(name: str, value: Any) -> float:
    try:
        if not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise LRSError(f"{name} = {value!r} is not a number; give a finite number.")


def _positive(name: str, value: Any) -> float:
    if (number := _number(name, value)) <= 0:
        raise LRSError(f"{name} = {number:g} is not positive; give a number above zero.")
    return number


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if number != int(number) or number < 0:
        raise LRSError(f"{name} = {value!r} is not a whole number; give 0, 1, 2 ...")
    return int(number)


def _smoothing(name: str, value: Any) -> int:
    length = _whole(name, value)
    if length in (0, 1):
        return 0
    if length % 2 == 0:
        raise LRSError(
            f"{name} = {length} is even; give an odd number of rows, {length - 1} or {length + 1}."
        )
    return length


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool) and value not in (0, 1):
        raise LRSError(f"{name} = {value!r} is neither true nor false.")
    return bool(value)


def _one_of(*choices: str):
    def check(name: str, value: Any) -> str:
        if str(value).lower() not in choices:
            raise LRSError(f"{name} = {value!r} is not known; give one of {', '.join(choices)}.")
        return str(value).lower()

    return check


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise LRSError(f"{name} = {value!r} is not a name.")
    return value


def _order_or_any(name: str, value: Any) -> int | str:
    if value == "ANY":
        return value
    number = _number(name, value)
    if number != int(number):
        raise LRSError(f"{name} = {value!r} is not a spectral order; give a whole number or 'ANY'.")
    return int(number)


def _sequence(name: str, value: Any) -> Sequence:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise LRSError(f"{name} = {value!r} is not a list.")
    return value


def _coefficients(name: str, value: Any) -> Coefficients:
    lists = _sequence(name, value)
    if len(lists) == 0 or len(lists) % 2:
        raise LRSError(
            f"{name} has {len(lists)} lists of coefficients; give alternating lower and upper edges, "
            "an even number of lists."
        )
    coefficients = tuple(tuple(_number(name, c) for c in _sequence(name, one)) for one in lists)
    if not all(coefficients):
        raise LRSError(f"{name} = {value!r} has an empty list; each edge needs at least a constant term.")
    return coefficients


def _refinements(name: str, value: Any) -> tuple[str, ...]:
    chosen = (value,) if isinstance(value, str) else tuple(_sequence(name, value))
    for one in chosen:
        if one not in (*REFINEMENTS, "all"):
            raise LRSError(f"{name} = {one!r} is not known; give any of {', '.join(REFINEMENTS)}, or all.")
    return REFINEMENTS if "all" in chosen else tuple(r for r in REFINEMENTS if r in chosen)


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    return tuple(_number(name, one) for one in _sequence(name, value))


def _bad_pixels(name: str, value: Any) -> tuple[tuple[int, int] | str, ...]:
    if isinstance(value, str | PathLike):
        value = (fspath(value),) if fspath(value) else ()
    return tuple(_bad_pixel(name, one) for one in _sequence(name, value))


def _bad_pixel(name: str, value: Any) -> tuple[int, int] | str:
    if isinstance(value, str | PathLike):
        return _text(name, fspath(value))
    try:
        column, row = (_whole(name, one) for one in value)
    except (TypeError, ValueError):
        raise LRSError(
            f"{name} = {value!r} is no pixel; give [column, row] as whole numbers, or the path of a file."
        ) from None
    return column, row


def _dispaxis(name: str, value: Any) -> int:
    if value not in (1, 2) or not isinstance(value, Integral):
        raise LRSError(f"{name} = {value!r} is not known; give 1 (along x) or 2 (along y).")
    return int(value)


_CHECKS = {
    "id": _text,
    "region_type": _text,
    "spectral_order": _none_or(_order_or_any),
    "dispaxis": _none_or(_dispaxis),
    "xstart": _none_or(_number),
    "xstop": _none_or(_number),
    "ystart": _none_or(_number),
    "ystop": _none_or(_number),
    "extract_width": _none_or(_positive),
    "src_coeff": _none_or(_coefficients),
    "bkg_coeff": _none_or(_coefficients),
    "independent_var": _one_of("pixel", "wavelength"),
    "bkg_fit": _none_or(_one_of("mean", "median", "poly")),
    "bkg_order": _none_or(_whole),
    "smoothing_length": _none_or(_smoothing),
    "use_source_posn": _none_or(_boolean),
    "position_offset": _number,
    "subtract_background": _none_or(_boolean),
    "apply_apcorr": _boolean,
    "extraction_type": _one_of("box", "optimal"),
    "model_nod_pair": _boolean,
    "optimize_psf_location": _boolean,
    "save_profile": _boolean,
    "save_scene_model": _boolean,
    "save_residual_image": _boolean,
    "apcorr_method": _one_of("reference", "psf"),
    "bkg_sigma_clip": _none_or(_positive),
    "bkg_disp_order": _none_or(_whole),
    "refinements": _refinements,
    "sources": _numbers,
    "bad_pixels": _bad_pixels,
    "pipeline_compatible": _boolean,
}
