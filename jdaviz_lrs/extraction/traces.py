"""Where the traces of an optimal extraction lie before anything is fitted: from the header."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from stdatamodels.jwst.transforms.models import IdealToV2V3

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.engine.trace import interpolate
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import convention_of
from jdaviz_lrs.extraction.placement import MOVING_TARGET
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.pixels import detector_pixels

__all__ = ["Traces", "place_traces"]

Row = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Traces:
    """Traces in the file's columns, one value for every row of the image, NaN outside the spectrum.

    Attributes
    ----------
    source : ndarray, (n_disp,)
    nods : tuple of ndarray, (n_disp,)
        The negative ones, that the subtraction of other nods has left.
    from_header : bool
        False where the source's position was not asked for: the trace is the middle of the slit.
    notes : tuple of str
    """

    source: Row
    nods: tuple[Row, ...] = ()
    from_header: bool = True
    notes: tuple[str, ...] = ()


def place_traces(image: SpectralImage, parameters: ExtractionParameters) -> Traces:
    """Find the traces of the source and of the other nod.

    Raises
    ------
    LRSError
        When there is no WCS, the source's position is missing or outside the slit, or `position_offset`
        moves it out.
    """
    name = image.file_name or "the image"
    if image.wcs is None:
        raise LRSError(f"{name}: it has no WCS, so no trace can be placed; use extraction_type = box.")
    convention, seen = convention_of(parameters), image.observation
    shifted = not convention.trace_in_its_rows
    wanted = seen.source_type == "POINT" if parameters.use_source_posn is None else parameters.use_source_posn
    left, right = image.bounding_box[1]
    middle, wavelength = _middle(image)
    notes: list[str] = []

    sky = seen.source_position(with_motion=convention.target_followed) if wanted else None
    if wanted and sky is None:
        notes.append("The header has no DITHERED_RA and DITHERED_DEC; the middle of the slit is extracted.")
    nod, why_not = _nod_wanted(image, parameters, bool(sky))
    if sky:
        traces, locations = _traces(image, [sky, *nod], wavelength, shifted)
        if not left <= locations[0] <= right:
            where = f"{name}: the header puts the source at column {locations[0]:.1f}, outside the slit"
            if convention.unplaced_refused:
                raise LRSError(
                    f"{where} ({left:g} to {right:g}); set use_source_posn to false for its middle."
                )
            notes.append(f"{where}; its middle is extracted.")
            sky, nod = None, []
    if sky and seen.target_motion is not None and convention.target_followed:
        notes.append(MOVING_TARGET)
    if not sky:
        sky_middle = _slit_middle(image, middle, convention.middle_of_the_slit)
        traces, locations = _traces(image, [sky_middle], wavelength, shifted)

    source = traces[0]
    if not np.isfinite(source).any():
        raise LRSError(f"{name}: the WCS gives no trace at any row; use extraction_type = box.")
    if sky or convention.middle_of_the_slit:
        source = source + parameters.position_offset
    here = float(source[_row(image, middle)])
    if convention.unplaced_refused and not left <= here <= right:
        raise LRSError(
            f"position_offset = {parameters.position_offset:g} moves the source to column {here:.1f}, "
            f"outside the slit ({left:g} to {right:g}); give a smaller one."
        )

    nods: tuple[Row, ...] = ()
    nearest = image.mode.nearest_nod / (detector_pixels(image) if convention.scaled_to_pixels else 1.0)
    if nod:
        place = traces[1] if convention.nod_mirrored else source - here + locations[1]
        nods = (place,) if np.isfinite(locations[1]) and abs(here - locations[1]) >= nearest else ()
    elif (
        sky
        and parameters.model_nod_pair
        and convention.nod_mirrored
        and not why_not
        and (separation := _nod_separation(image))
    ):
        places = (source - separation, source + separation)
        nods = tuple(p for p in places if separation >= nearest and left <= np.nanmean(p) <= right)
    if sky and parameters.model_nod_pair and not why_not and not nods:
        why_not = "The other nod's place cannot be told from the header; its negative trace is not modelled."
    return Traces(source, nods, bool(sky), (*notes, *filter(None, [why_not])))


def _nod_wanted(image, parameters, has_source) -> tuple[list[tuple[float, float]], str]:
    """Sky position of the other nod (none, or one), and why it is not modelled."""
    if not parameters.model_nod_pair:
        return [], ""
    seen = image.observation
    if not has_source:
        return [], "Without the source's position the negative trace of the other nod is not modelled."
    if seen.bkg_subtract != "COMPLETE":
        return [], "model_nod_pair is ignored: the image was not nod-subtracted."
    if seen.primary_type not in image.mode.two_point_nods:
        return [], f"model_nod_pair is ignored: {seen.primary_type} is not a two-point nod."
    position = _nod_sky_position(image)
    return ([] if position is None else [position]), ""


def _middle(image: SpectralImage) -> tuple[float, float]:
    """Row at the middle of the spectrum, and the mean wavelength there."""
    (first, last), (_, right) = image.bounding_box
    middle = (first + last) / 2.0
    columns = image.xdisp_index < round(right)
    lower = int(np.clip(np.floor(middle) - image.origin[0], 0, image.n_disp - 2))
    part = middle - image.origin[0] - lower
    across = (1 - part) * image.wavelength[lower] + part * image.wavelength[lower + 1]
    across = across[columns & np.isfinite(across)]
    return middle, float(np.mean(across)) if across.size else np.nan


def _traces(image, positions, wavelength, shifted):
    """Traces of sky positions, and their columns at a wavelength, in one look at the WCS (it is slow).

    The pipeline's way: pixels at as many wavelengths as there are rows, evenly spaced, interpolated to rows.
    It counts these rows from zero but lays the trace from the bounding box on, which is `shifted`: the trace
    then comes too early by as many rows as the box begins above the first.
    """
    (first, last), _ = image.bounding_box
    seen = image.wavelength
    if shifted:  # to the digits of the WCS, which the file's wavelengths lack
        edges = np.array([np.ceil(first), np.floor(last)])
        seen = image.world(*np.meshgrid(edges, image.xdisp_index, indexing="ij"))[2]
    samples = np.linspace(np.nanmin(seen), np.nanmax(seen), int(last - first))
    samples = np.append(samples, wavelength)
    ra, dec = (np.repeat([p[k] for p in positions], samples.size) for k in (0, 1))
    rows, columns = (
        np.reshape(one, (len(positions), -1))
        for one in image.pixel(ra, dec, np.tile(samples, len(positions)))
    )
    start = int(np.ceil(first))
    wanted = image.disp_index - (start if shifted else 0)
    inside = (image.disp_index >= start) & (image.disp_index < start + int(last - first))
    traces = [
        np.where(inside, interpolate(wanted, disp[:-1], xdisp[:-1]), np.nan)
        for disp, xdisp in zip(rows, columns, strict=True)
    ]
    return traces, columns[:, -1]


def _slit_middle(image: SpectralImage, middle: float, of_the_slit: bool) -> tuple[float, float]:
    """Sky position of the middle of the slit."""
    if not of_the_slit:
        # Where the wavelength is its mean over the slit. It is the same all over the slit, so that this is
        # an arbitrary column, but always the same one.
        columns = np.arange(float(round(image.bounding_box[1][1])))
        across = image.world(np.full_like(columns, middle), columns)[2]
        order = np.argsort(across)
        order = order[np.isfinite(across[order])]
        column = np.interp(np.nanmean(across), across[order], columns[order])
    else:
        lit = np.isfinite(image.wavelength[_row(image, middle)])
        column = np.mean(image.xdisp_index[lit] if lit.any() else image.xdisp_index)
    ra, dec, _ = image.world(middle, float(column))
    return float(ra), float(dec)


def _row(image: SpectralImage, middle: float) -> int:
    return int(np.clip(round(middle) - image.origin[0], 0, image.n_disp - 1))


def _nod_sky_position(image: SpectralImage) -> tuple[float, float] | None:
    """Where the dither offsets, mirrored, put the source of the other nod: right ascension, declination."""
    seen = image.observation
    known = (seen.x_offset, seen.y_offset, seen.v2_ref, seen.v3_ref, seen.v3yangle, seen.vparity)
    if None in known or image.from_focal_plane is None:
        return None
    x, y = seen.x_offset, seen.y_offset
    x, y = (x, -y) if image.horizontal else (-x, y)
    v2, v3 = IdealToV2V3(seen.v3yangle, seen.v2_ref, seen.v3_ref, seen.vparity)(x, y)
    ra, dec, _ = image.from_focal_plane(v2, v3, 0.0)  # the wavelength does not matter
    return float(ra), float(dec)


def _nod_separation(image: SpectralImage) -> float | None:
    """Columns between the two nods on a rectified image, which lacks the frame that the offsets refer to.

    They mirror the offset along the slit, as in `_nod_sky_position`; that across it is the same for both.
    """
    seen = image.observation
    offset = seen.y_offset if image.horizontal else seen.x_offset
    if offset is None or image.pixel_scale is None:
        return None
    return 2.0 * abs(offset) / image.pixel_scale
