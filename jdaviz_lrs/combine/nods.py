"""What nod subtraction takes too much: the wings of the other nods that fall into the aperture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.joint import JointSpectrum
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.tabulate import scaled
from jdaviz_lrs.extraction.traces import Traces, place_traces
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.references.pixels import on_pixels_of

__all__ = ["correct_nods", "nod_share"]

Image = NDArray[np.float64]

MOST = 0.5
"""Share of the light beyond which what is left is no flux to correct."""


def correct_nods(
    spectrum: ExtractedSpectrum,
    override_psf: str | Path | None = None,
    offsets: Sequence[float] | None = None,
) -> ExtractedSpectrum:
    """Give a spectrum back what the subtraction of other nods took from its aperture.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
        Of a nod-subtracted image, which it must still have (one read from a file does not).
    override_psf : path-like, optional
        As in `extract`.
    offsets : sequence of float, optional
        Of the other nods from the source, in pixels along the slit, where there are more than one: their mean
        was subtracted. Without it that of a two-point nod, from the header.

    Returns
    -------
    ExtractedSpectrum
        Flux, surface brightness and their errors divided by one less the share; ``report["nod_share"]`` has
        its median, a note the largest. Where the negative traces were fitted along nothing was lost, and it
        is the same.

    Raises
    ------
    LRSError
        For a spectrum without its image, or corrected before; for an image that was not nod-subtracted, or
        does not tell where the other nod is; where a background was subtracted in the extraction too; for a
        joint extraction that left the negative traces.
    """
    if not isinstance(spectrum, ExtractedSpectrum):
        raise LRSError(f"{spectrum}: nods are corrected with the image at hand; give an extracted spectrum.")
    if offsets is not None and not (len(offsets) and np.isfinite(offsets).all()):
        raise LRSError(f"offsets = {offsets!r}: give those of the other nods from the source, in pixels.")
    image = spectrum.image
    name = spectrum.file_name or (image.file_name if image is not None else "") or "the spectrum"
    if image is None or image.data.size == 0 or image.wcs is None:
        raise LRSError(f"{name}: its image is not at hand, which tells where the nods are; extract it anew.")
    if image.observation.bkg_subtract != "COMPLETE":
        raise LRSError(f"{name}: its image was not nod-subtracted, so that no other nod took light from it.")
    if "nod_share" in spectrum.report:
        raise LRSError(f"{name}: it was corrected for other nods already; extract it anew.")
    if spectrum.nod_traces:
        note = "The negative traces of other nods were fitted along: nothing is to be corrected for them."
        return replace(spectrum, notes=(*spectrum.notes, note))
    if isinstance(spectrum, JointSpectrum):
        raise LRSError(
            f"{name}: a joint extraction fits the negative traces of other nods along; set model_nod_pair to "
            "true."
        )
    if np.any(np.nan_to_num(spectrum.background)):
        raise LRSError(
            f"{name}: a background was subtracted as well, with the negative traces in it; extract without "
            "subtract_background."
        )
    psf = find_references(image, None, None, override_psf).psf
    share = nod_share(spectrum, psf, offsets)
    if not (share < MOST).all():
        raise LRSError(f"{name}: the other nod lies in the aperture; extract a narrower one.")
    factor = 1.0 / (1.0 - share)
    note = (
        f"Over-subtraction by other nods: {share.max():.2%} of the flux at most, {np.median(share):.2%} as a "
        f"median, was given back, by {psf.name}."
    )
    return replace(
        scaled(spectrum, factor),
        apcorr=spectrum.apcorr,
        report={**spectrum.report, "nod_share": float(np.median(share))},
        references={**spectrum.references, "psf": psf.name},
        notes=(*spectrum.notes, note),
    )


def nod_share(spectrum: ExtractedSpectrum, psf: SpectralPSF, offsets: Sequence[float] | None = None) -> Image:
    """Tell the share of the flux that the wings of other nods have taken from it.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
        With its image, and with the weights of the pixels as its `profile`, (n_disp, n_xdisp).
    psf : SpectralPSF
        In pixels of the detector.
    offsets : sequence of float, optional
        See `correct_nods`.

    Returns
    -------
    ndarray, (n_wavelength,)
        The other nods' light under the weights of the aperture, or under the profile, over the source's own.

    Raises
    ------
    LRSError
        Where the header does not tell where the other nod is.
    """
    image = spectrum.image
    source, nods = _places(spectrum, image, offsets)
    grid = on_pixels_of(image, psf).on(image.wavelength, image.xdisp_index)
    weights = np.where(image.good, np.nan_to_num(spectrum.profile), 0.0)
    if spectrum.parameters.get("extraction_type") == "optimal" and spectrum.variance is not None:
        if "variance" in (spectrum.parameters.get("refinements") or ()):
            known = np.nan_to_num(spectrum.variance) > 0
            weights = np.divide(weights, spectrum.variance, out=np.zeros_like(weights), where=known)
        weights = np.where(spectrum.rejected, 0.0, weights) if spectrum.rejected is not None else weights
    own = np.vecdot(weights, grid.light(source))
    others = np.mean([np.vecdot(weights, grid.light(nod)) for nod in nods], axis=0)
    share = np.divide(others, own, out=np.zeros_like(own), where=own > 0)
    return share[spectrum.rows]


def _places(
    spectrum: ExtractedSpectrum, image: SpectralImage, offsets: Sequence[float] | None
) -> tuple[Image, list[Image]]:
    """Traces of the source and of the other nods; the source's as it was fitted, if it was."""
    parameters = ExtractionParameters(
        extraction_type="optimal", use_source_posn=True, model_nod_pair=offsets is None
    )
    traces = place_traces(image, parameters)
    source = traces.source if spectrum.trace is None else spectrum.trace
    if offsets is not None:
        return source, [source + offset for offset in offsets]
    if not traces.nods:
        why = traces.notes[-1] if traces.notes else "The header does not tell where the other nod is."
        raise LRSError(f"{image.file_name or 'The image'}: {why} Give offsets.")
    return source, [source + _separation(image, traces)]


def _separation(image: SpectralImage, traces: Traces) -> Image | float:
    """Columns from the source to the other nod.

    A rectified image lacks the frame that the offsets refer to, and leaves the side open: the nods lie across
    the middle of the slit from each other, as far apart as the mirrored offset along it has them.
    """
    nearest = min(traces.nods, key=lambda nod: _from_mirror(image, traces.source, nod))
    between = nearest - traces.source
    along = image.observation.y_offset if image.horizontal else image.observation.x_offset
    if not image.resampled or along is None or image.pixel_scale is None:
        return between
    return float(np.sign(np.nanmean(between)) * 2.0 * abs(along) / image.pixel_scale)


def _from_mirror(image: SpectralImage, source: Image, nod: Image) -> float:
    return abs(np.nanmean(nod) + np.nanmean(source) - 2.0 * np.mean(image.bounding_box[1]))
