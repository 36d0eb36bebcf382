"""Where the aperture and the background regions lie on an image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.limits import ApertureLimits
from jdaviz_lrs.engine.aperture import nested_weights, pixel_weights, polynomial_edges, whole_pixels
from jdaviz_lrs.engine.trace import SourceLocation
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import convention_of
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.orientation import to_image_axes

__all__ = ["MOVING_TARGET", "Placement", "place", "uses_source_position"]

Image = NDArray[np.float64]

NOTED_SHIFT = 0.1
"""Pixels: less is not worth a note."""

MOVING_TARGET = (
    "The target moves: it is sought at DITH_RA, DITH_DEC plus MT_AVRA - MT_RA, MT_AVDEC - MT_DEC, where this "
    "product is fixed to."
)


@dataclass(frozen=True, eq=False)
class Placement:
    """Aperture and background regions on an image, in the file's pixels (a pixel's centre is a whole number).

    Attributes
    ----------
    edges : ndarray, (n_regions, 2, n_disp)
        Lower and upper edges of the aperture at every row; NaN where there is none.
    background_edges : ndarray or None, (n_regions, 2, n_disp)
    weights : ndarray, (n_disp, n_xdisp)
        Fraction of every pixel inside the aperture.
    background : ndarray of bool or None, (n_disp, n_xdisp)
        Pixels that the background is taken from.
    rows : ndarray of bool, (n_disp,)
        Rows that are extracted.
    limits : ApertureLimits
        As the pipeline reports them.
    source : SourceLocation or None
        Where the header has the source, if the aperture was moved there.
    trace : ndarray or None, (n_disp,)
        The source's place with `position_offset`; None when the aperture was not moved to it.
    center : ndarray, (n_disp,)
        The trace, or the middle of the aperture.
    shift : ndarray, (n_disp,)
        What was added to `src_coeff` and `bkg_coeff`, and to start and stop, as they are given.
    about_source : bool
        Whether the edges are given relative to the source.
    notes : tuple of str
    """

    edges: Image
    background_edges: Image | None
    weights: Image
    background: NDArray[np.bool_] | None
    rows: NDArray[np.bool_]
    limits: ApertureLimits
    source: SourceLocation | None
    trace: Image | None
    center: Image
    shift: Image
    about_source: bool = False
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> slice:
        """Columns of the image that aperture and background regions reach over."""
        used = (self.weights > 0).any(axis=0)
        if self.background is not None:
            used |= self.background.any(axis=0)
        first, last = np.flatnonzero(used)[[0, -1]]
        return slice(int(first), int(last) + 1)

    def narrowed(self, columns: slice) -> Placement:
        """Return the same on some neighbouring columns of the image."""
        background = None if self.background is None else self.background[:, columns]
        return replace(self, weights=self.weights[:, columns], background=background)


def uses_source_position(image: SpectralImage, parameters: ExtractionParameters) -> bool:
    """Whether the aperture is moved to the source: as asked, else for point sources in the slit."""
    if parameters.use_source_posn is not None:
        return parameters.use_source_posn
    return image.observation.source_type == "POINT" and image.mode.at_source


def place(image: SpectralImage, parameters: ExtractionParameters) -> Placement:
    """Lay the aperture and the background regions on an image.

    The precedence is the pipeline's: `src_coeff`, else `extract_width` about the trace, else `extract_width`
    about the middle of start and stop, else start and stop.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters

    Returns
    -------
    Placement

    Raises
    ------
    LRSError
        When an aperture or a background region does not lie on the image, edges cross, or a region overlaps
        the source.
    """
    convention = convention_of(parameters)
    parameters = to_image_axes(parameters, image)
    source, notes = _source(image, parameters)
    offset = parameters.position_offset
    trace = None if source is None else source.trace + offset
    shift: float | Image = offset
    about_source = (
        source is not None and convention.edges_follow_trace and _about_zero(parameters, image, source)
    )
    if about_source:
        shift = trace[:, None]
    elif source is not None:
        shift = offset + source.location - _nominal_center(image, parameters, source.middle)
    rows = _rows(image, parameters)
    edges = _aperture_edges(image, parameters, shift, trace)
    if parameters.src_coeff is not None:
        _check_edges(edges, rows, "src_coeff")
    weigh = pixel_weights if convention.weights_by_overlap else nested_weights
    weights = np.where(rows[:, None] & np.isfinite(image.wavelength), weigh(edges, image.xdisp_index), 0.0)
    used = weights.any(axis=1)
    if not used.any():
        raise LRSError(_off_image("The aperture", _names(image, parameters), edges, image))
    if convention.unplaced_refused and (outside := _cut_off(edges, image, used)):
        notes += (f"The aperture reaches beyond the image at {outside} of {used.sum()} wavelengths.",)

    background = background_edges = None
    if subtracts_background(parameters) and parameters.bkg_coeff is not None:
        background_edges = polynomial_edges(parameters.bkg_coeff, _independent(image, parameters)) + shift
        if not about_source and abs(shift) >= NOTED_SHIFT:
            notes += (
                f"The background regions (bkg_coeff) move along with the aperture, by {shift:+.2f} px.",
            )
        background = _background_pixels(image, parameters, background_edges, edges, rows)
        background_edges = _by_row(background_edges, image)
    middle = _by_row(edges, image)
    start, stop = _start_and_stop(image, parameters, edges, shift)
    return Placement(
        edges=np.where(rows, middle, np.nan),
        background_edges=background_edges,
        weights=weights,
        background=background,
        rows=rows,
        limits=ApertureLimits(
            start,
            stop,
            int(image.disp_index[used][0]),
            int(image.disp_index[used][-1]),
        ),
        source=source,
        trace=trace,
        center=trace if trace is not None else 0.5 * (middle[:, 0].min(axis=0) + middle[:, 1].max(axis=0)),
        shift=np.broadcast_to(np.ravel(shift), image.n_disp),
        about_source=about_source,
        notes=notes,
    )


def subtracts_background(parameters: ExtractionParameters) -> bool:
    """Whether a background is subtracted: as asked, else when regions are given."""
    if parameters.subtract_background is not None:
        return parameters.subtract_background
    return parameters.bkg_coeff is not None


def _rows(image: SpectralImage, parameters: ExtractionParameters) -> NDArray[np.bool_]:
    """Rows from start to stop, all where these are not given."""
    first = -np.inf if parameters.ystart is None else np.ceil(parameters.ystart)
    last = np.inf if parameters.ystop is None else np.floor(parameters.ystop)
    return (image.disp_index >= first) & (image.disp_index <= last)


def _columns(image: SpectralImage, parameters: ExtractionParameters) -> tuple[float, float]:
    """First and last column, those of the file where they are not given."""
    first = 0.0 if parameters.xstart is None else parameters.xstart
    last = image.file_shape[1] - 1.0 if parameters.xstop is None else parameters.xstop
    return first, last


def _source(image: SpectralImage, parameters: ExtractionParameters) -> tuple[SourceLocation | None, tuple]:
    if not uses_source_position(image, parameters):
        return None, ()
    convention = convention_of(parameters)
    source = image.source if convention.trace_in_its_rows else image.source_by_pipeline
    if source is None and parameters.use_source_posn and convention.unplaced_refused:
        raise LRSError(
            "use_source_posn = true, but the header does not place the source on the image (no WCS, no "
            "dithered position, or a position off the slit); set it to false and give the place by hand."
        )
    if source is None:
        return None, ("The header does not place the source: the aperture is where the parameters put it.",)
    moved = image.observation.target_motion is not None and convention.target_followed
    return source, (MOVING_TARGET,) if moved else ()


def _independent(image: SpectralImage, parameters: ExtractionParameters) -> Image:
    if parameters.independent_var == "wavelength":
        return image.wavelength
    return image.disp_index[:, None]


def _aperture_edges(
    image: SpectralImage, parameters: ExtractionParameters, shift: float | Image, trace: Image | None
) -> Image:
    """Exact edges, (n_regions, 2, n_disp, 1 or n_xdisp)."""
    if parameters.src_coeff is not None:
        return polynomial_edges(parameters.src_coeff, _independent(image, parameters)) + shift
    first, last = _columns(image, parameters)
    if parameters.extract_width is None:
        pair = np.array([first - 0.5, last + 0.5])[:, None] + shift
    else:
        center = trace if trace is not None else 0.5 * (first + last) + shift
        pair = center + np.array([-0.5, 0.5])[:, None] * parameters.extract_width
    return np.broadcast_to(pair, (2, image.n_disp))[None, :, :, None]


def _nominal_center(image: SpectralImage, parameters: ExtractionParameters, middle: int) -> float:
    """Middle of the aperture as given, at the middle of the spectrum."""
    edges = _aperture_edges(image, parameters, 0.0, None)
    row = int(np.clip(middle - image.origin[0], 0, image.n_disp - 1))
    if not convention_of(parameters).centre_between_edges:
        return _weighted_center(edges[:, :, row : row + 1], image)
    lower, upper = (_row_mean(edges[:, side, row]) for side in (0, 1))
    width = np.maximum(upper - lower, 0.0)  # edges that cross are refused later
    return float(np.average(0.5 * (lower + upper), weights=width if width.any() else None))


def _weighted_center(edges: Image, image: SpectralImage) -> float:
    """Centre of the weights in one row, as the pipeline takes it: of all pixels of the file."""
    pixels = np.arange(float(image.file_shape[1]))
    if edges.shape[-1] > 1:  # there is an edge only where there is a wavelength
        seen = np.full((*edges.shape[:-1], pixels.size), np.nan)
        seen[..., image.origin[1] : image.origin[1] + image.n_xdisp] = edges
        edges = seen
    weights = nested_weights(edges, pixels)[0]
    return float(np.average(pixels, weights=weights if weights.any() else None))


def _start_and_stop(
    image: SpectralImage, parameters: ExtractionParameters, edges: Image, shift: float | Image
) -> tuple[float, float]:
    """First and last column of the aperture, averaged over the rows; by the pipeline over all of the file."""
    whole = not convention_of(parameters).limits_of_the_slit
    if whole and parameters.src_coeff and parameters.independent_var == "pixel":
        rows = np.arange(float(image.file_shape[0]))[:, None]
        edges = polynomial_edges(parameters.src_coeff, rows) + shift
    mean = edges.mean(axis=(2, 3))
    if np.isnan(mean).any():  # only where there is a wavelength is there an edge
        mean = np.nanmean(edges, axis=(2, 3))
    return float(mean[:, 0].min() + 0.5), float(mean[:, 1].max() - 0.5)


def _row_mean(edges: Image) -> Image:
    """Mean of edges, (n_regions, 1 or n_xdisp), over the pixels of a row that have one."""
    return edges[:, 0] if edges.shape[1] == 1 else np.nanmean(edges, axis=1)


def _about_zero(parameters: ExtractionParameters, image: SpectralImage, source: SourceLocation) -> bool:
    """Whether the edges are given relative to the source: zero lies in the middle half of the aperture.

    An aperture in the image's own columns may begin at its first pixel's edge, -0.5, but never has its middle
    there.
    """
    if parameters.src_coeff is None:
        return False
    edges = _aperture_edges(image, parameters, 0.0, None)
    row = int(np.clip(source.middle - image.origin[0], 0, image.n_disp - 1))
    lower, upper = np.nanmin(edges[:, 0, row]), np.nanmax(edges[:, 1, row])
    return bool(abs(lower + upper) < 0.5 * (upper - lower))


def _by_row(edges: Image, image: SpectralImage) -> Image:
    """Edges at every row, (n_regions, 2, n_disp): the mean over its pixels with a wavelength."""
    if edges.shape[-1] == 1:
        return np.broadcast_to(edges[..., 0], (*edges.shape[:-2], image.n_disp))
    valid = np.isfinite(edges)
    number = valid.sum(axis=-1)
    total = np.where(valid, edges, 0.0).sum(axis=-1)
    mean = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return np.broadcast_to(mean, (*mean.shape[:-1], image.n_disp))


def _check_edges(edges: Image, rows: NDArray[np.bool_], name: str) -> None:
    crossed = (edges[:, 0] > edges[:, 1]).any(axis=(0, 2)) & rows
    if crossed.any():
        raise LRSError(
            f"{name}: the lower edge lies above the upper one at {crossed.sum()} wavelengths; "
            "give lower and upper edges in turn."
        )


def _names(image: SpectralImage, parameters: ExtractionParameters) -> str:
    """Name the parameters that place the aperture, as they are called in the file's axes."""
    across, along = (
        ("ystart, ystop", "xstart, xstop") if image.horizontal else ("xstart, xstop", "ystart, ystop")
    )
    names = ["src_coeff"] if parameters.src_coeff is not None else [across]
    if parameters.src_coeff is None and parameters.extract_width is not None:
        names.append("extract_width")
    if parameters.ystart is not None or parameters.ystop is not None:
        names.append(along)
    return ", ".join(names)


def _off_image(what: str, names: str, edges: Image, image: SpectralImage) -> str:
    first, last = image.xdisp_index[[0, -1]]
    return (
        f"{what} ({names}) from {np.nanmin(edges):.1f} to {np.nanmax(edges):.1f} does not lie on the image, "
        f"whose columns are {first:g} to {last:g} and rows {image.disp_index[0]:g} to "
        f"{image.disp_index[-1]:g}; give a place inside."
    )


def _cut_off(edges: Image, image: SpectralImage, used: NDArray[np.bool_]) -> int:
    first, last = image.xdisp_index[0] - 0.5, image.xdisp_index[-1] + 0.5
    beyond = (edges[:, 0] < first - 1e-6) | (edges[:, 1] > last + 1e-6)
    return int((beyond.any(axis=(0, 2)) & used).sum())


def _background_pixels(
    image: SpectralImage,
    parameters: ExtractionParameters,
    regions: Image,
    aperture: Image,
    rows: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    _check_edges(regions, rows, "bkg_coeff")
    choose = whole_pixels if parameters.bkg_fit == "median" else pixel_weights
    pixels = np.zeros(image.shape, bool)
    for number in range(len(regions)):
        region = (choose(regions[number : number + 1], image.xdisp_index) > 0) & rows[:, None]
        if not region.any():
            raise LRSError(_off_image(f"Background region {number + 1}", "bkg_coeff", regions[number], image))
        if not (region & image.good).any():
            raise LRSError(
                f"Background region {number + 1} (bkg_coeff) has no valid pixel at any wavelength; "
                "move it to where the slit is seen."
            )
        pixels |= region
    overlap = np.minimum(regions[:, None, 1], aperture[None, :, 1]) - np.maximum(
        regions[:, None, 0], aperture[None, :, 0]
    )
    common = np.nan_to_num(overlap).max(axis=(0, 1, 3))[rows].max()
    if common > 1e-6:
        raise LRSError(
            f"bkg_coeff: a background region overlaps the aperture by {common:.2g} px; move it away."
        )
    order = parameters.bkg_order or 0
    widest = pixels.sum(axis=1).max()
    if parameters.bkg_fit in (None, "poly") and order + 1 > widest:
        raise LRSError(
            f"bkg_order = {order} needs {order + 1} pixels, but the background regions have {widest}; "
            "lower the order or widen the regions."
        )
    along = parameters.bkg_disp_order or 0
    if along + 1 > rows.sum():
        raise LRSError(
            f"bkg_disp_order = {along} needs {along + 1} rows, but {rows.sum()} are extracted; "
            "lower the order."
        )
    return pixels
