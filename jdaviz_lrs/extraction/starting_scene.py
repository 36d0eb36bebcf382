"""What an optimal extraction starts from: pixels, profiles and traces as file and header have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.profile import ProfileGrid, profile_grid
from jdaviz_lrs.engine.refine.location import Location, fit_location
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import OURS, Convention, convention_of
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.pixels import detector_pixels, resampling_blur

__all__ = ["background_order", "check_order", "frame_of", "grid_of", "locate", "scene_of"]

Image = NDArray[np.float64]

GAP, GAP_ROWS = 0.1, 101
"""Share of a profile's light that makes a gap in it, less than is usual over so many rows."""


def background_order(parameters: ExtractionParameters) -> int:
    """Order of the background polynomial fitted along; -1 for none."""
    wanted = parameters.subtract_background
    if wanted is None:
        wanted = parameters.bkg_coeff is not None
    if not wanted:
        return -1
    return 0 if parameters.bkg_fit == "mean" else parameters.bkg_order or 0


def check_order(order: int, number: int, good: NDArray[np.bool_]) -> None:
    """Refuse a polynomial that leaves nothing to tell it from the sources by.

    Parameters
    ----------
    order : int
        Of the background.
    number : int
        Of sources.
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)

    Raises
    ------
    LRSError
        Where no row has more pixels than terms.
    """
    pixels = int(good.sum(axis=-1).max())
    if order + 1 + number > pixels:
        raise LRSError(
            f"bkg_order = {order} needs {order + 1} pixels beside those of {number} "
            f"source{'s' if number > 1 else ''}, but the slit has {pixels}; lower the order."
        )


def background_coordinate(image: SpectralImage, convention: Convention) -> Image:
    """From -1 to 1 over the image, or over the whole frame as in the pipeline."""
    if convention.polynomials_over_regions or image.file_shape is None:
        return np.linspace(-1.0, 1.0, image.n_xdisp)
    first = image.origin[1]
    return np.linspace(-1.0, 1.0, image.file_shape[1])[first : first + image.n_xdisp]


def grid_of(image: SpectralImage, psf: SpectralPSF, convention: Convention) -> ProfileGrid:
    """Lay profiles on the pixels of an image.

    Raises
    ------
    LRSError
        Where the PSF and the image have no wavelength in common.
    """
    wavelength = image.wavelength
    if not convention.fitted_on_all_pixels:
        # the pipeline's cutout ends before the bounding box's upper edges
        (_, last), (_, right) = image.bounding_box
        inside = (image.disp_index < np.ceil(last))[:, None] & (image.xdisp_index < np.ceil(right))
        wavelength = np.where(inside, wavelength, np.nan)
    columns = image.xdisp_index
    if not convention.fitted_on_all_pixels:
        grid = profile_grid(psf.data, psf.wavelength, psf.subpix, psf.center_col, wavelength, columns)
    else:
        grid = psf.on(wavelength, columns)
    if not grid.covered.any():
        shortest, longest = np.nanmin(psf.wavelength), np.nanmax(psf.wavelength)
        raise LRSError(
            f"PSF {psf.name}: it covers {shortest:.2f} to {longest:.2f} um, the image "
            f"{np.nanmin(wavelength):.2f} to {np.nanmax(wavelength):.2f} um; give another."
        )
    return grid


def scene_of(
    image: SpectralImage,
    grid: ProfileGrid,
    psf: SpectralPSF,
    traces: Sequence[Image],
    parameters: ExtractionParameters,
) -> SceneModel:
    """Return target and nods where the header has them.

    Parameters
    ----------
    image : SpectralImage
    grid : ProfileGrid
    psf : SpectralPSF
    traces : sequence of ndarray, (n_disp,)
        Of the target and of the nods.
    parameters : ExtractionParameters

    Returns
    -------
    SceneModel
    """
    number = len(traces)
    blur = None
    if image.resampled and convention_of(parameters).resampled_is_known:
        blur = resampling_blur(image, psf)
    return SceneModel(
        grid,
        np.stack(traces),
        signs=np.array([1.0] + [-1.0] * (number - 1)),
        groups=np.arange(number),
        stretch=np.ones(image.n_disp),
        blur=blur,
        coordinate=background_coordinate(image, convention_of(parameters)),
        order=background_order(parameters),
        calibration_width=image.mode.calibration_width / detector_pixels(image),
        one_shape=detector_pixels(image) == 1.0,
        seen=_seen(image, traces) if convention_of(parameters).resampled_is_known else None,
    )


def _seen(image: SpectralImage, traces: Sequence[Image]) -> Image | None:
    """Share of the combined exposures in each pixel that have the target, and each of the nods.

    The target is in all of them. What a subtracted nod has left lies in those whose slit reaches to it, or
    nearest to it: the others have theirs on the target's other side.
    """
    if image.contributing is None or len(image.contributing) < 2 or len(traces) < 2:
        return None
    columns, number = image.xdisp_index, image.contributing.sum(axis=0)
    reached = image.contributing.any(axis=1)
    seen = [np.ones(image.shape)]
    for nod in traces[1:]:
        away = np.abs(columns - np.nanmean(nod))
        nearest = np.where(reached, away, np.inf).min(axis=1)
        holding = image.contributing[nearest <= nearest.min() + 1.0].sum(axis=0)
        seen.append(np.divide(holding, number, out=np.zeros(image.shape), where=number > 0))
    return np.stack(seen)


def locate(
    image: SpectralImage,
    grid: ProfileGrid,
    good: NDArray[np.bool_],
    traces: Sequence[Image],
    parameters: ExtractionParameters,
) -> Location:
    """Find where the traces fit best; in a stack the first integration tells.

    Parameters
    ----------
    image : SpectralImage
    grid : ProfileGrid
    good : ndarray of bool, (n_disp, n_xdisp)
    traces : sequence of ndarray, (n_disp,)
        Of the target and of the nods.
    parameters : ExtractionParameters

    Returns
    -------
    Location
    """
    ours = convention_of(parameters).located_as_extracted
    first = (0,) if image.data.ndim == 3 else ()
    planes = image.variances[(slice(None), *first)]
    return fit_location(
        image.filled[first],
        planes.sum(axis=0) if ours else planes[1],
        good & image.good[first],
        grid,
        traces,
        [1.0] + [-1.0] * (len(traces) - 1),
        background_coordinate(image, OURS),
        max(background_order(parameters), 0) if ours else 0,
        within_image=not ours,
    )


def frame_of(
    image: SpectralImage, good: NDArray[np.bool_], scene: SceneModel, parameters: ExtractionParameters
) -> Frame:
    """Return one image to refine the scene on: of a stack the mean.

    Parameters
    ----------
    image : SpectralImage
    good : ndarray of bool, ([n_int,] n_disp, n_xdisp)
        Pixels with a profile.
    scene : SceneModel
        Where the header has it: on a rectified image rows and columns are left out whose light is that of
        fewer pixels of the detector than others'.
    parameters : ExtractionParameters

    Returns
    -------
    Frame
    """
    # what is chosen for a refinement that is not asked for must change nothing
    asked = parameters if "outliers" in parameters.refinements else ExtractionParameters
    frame = _mean_frame(image, good, asked.outlier_sigma)
    if image.resampled and convention_of(parameters).resampled_is_known:
        good = _whole_pixels(frame.good) & ~_beside_gaps(scene, frame.good)[:, None]
        for exposure in () if image.contributing is None else image.contributing:
            good &= ~exposure | _whole_pixels(exposure)
        frame = replace(frame, good=good)
    return frame


def _mean_frame(image: SpectralImage, good: NDArray[np.bool_], outlier_sigma: float) -> Frame:
    if image.data.ndim == 2:
        return Frame(image.filled, image.variances, good, outlier_sigma)
    number = np.maximum(good.sum(axis=0), 1)
    used = np.where(good, 1.0, 0.0)
    return Frame(
        (image.filled * used).sum(axis=0) / number,
        # a flat field is the same, and as uncertain, in all integrations
        (image.variances * used).sum(axis=1) / np.stack([number**2, number**2, number]),
        good.any(axis=0),
        outlier_sigma,
    )


def _whole_pixels(good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a rectified image without those at the slit's ends, which are covered in part."""
    inside = np.zeros_like(good)
    seen = np.maximum.accumulate(good, axis=1) & np.maximum.accumulate(good[:, ::-1], axis=1)[:, ::-1]
    inside[:, 1:-1] = seen[:, :-2] & seen[:, 2:]
    return good & inside


def _beside_gaps(scene: SceneModel, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of a rectified image whose core is lost in part, (n_disp,).

    Resampled beside a gap, what is left took light from elsewhere, and has not the profile that trace, width
    and shape are told by. What the slit's end cuts off is lost in all rows alike.
    """
    light = scene.profiles()[0]
    whole, seen = light.sum(axis=1), (light * good).sum(axis=1)
    share = np.divide(seen, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    if not np.isfinite(share).any():
        return np.zeros(share.shape, bool)
    usual = running_median(np.where(np.isfinite(share), share, np.nanmedian(share)), GAP_ROWS)
    return np.nan_to_num(share, nan=1.0) < usual - GAP
