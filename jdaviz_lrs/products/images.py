"""The images that an extraction makes, as files: profile, scene model, residual."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from stdatamodels.jwst.datamodels import CubeModel, ImageModel

from jdaviz_lrs.data.flags import DO_NOT_USE, OUTLIER
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.products.files import output_path
from jdaviz_lrs.products.made import being_written

__all__ = ["PRODUCTS", "image_products", "to_file_axes"]

#: Parameter that asks for an image to the spectrum's attribute and the pipeline's suffix.
PRODUCTS = {
    "save_profile": ("profile", "profile"),
    "save_scene_model": ("scene_model", "scene_model"),
    "save_residual_image": ("residual", "residual"),
}


def image_products(spectrum: ExtractedSpectrum, output: str | Path) -> dict[Path, Callable[[Path], None]]:
    """Tell the images that the parameters ask for, named as the pipeline names them, and how each is saved.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    output : path-like
        The x1d file: ``jw..._extract1dstep.fits`` gives ``jw..._scene_model.fits``.

    Returns
    -------
    dict
        Path to a function that writes the image to another path, where nothing is yet.
    """
    return {
        output_path(output, suffix): partial(_save, spectrum, name)
        for parameter, (name, suffix) in PRODUCTS.items()
        if spectrum.parameters.get(parameter) and getattr(spectrum, name) is not None
        if spectrum.image is not None
    }


def _save(spectrum: ExtractedSpectrum, name: str, file: Path) -> None:
    data = to_file_axes(
        getattr(spectrum, name), spectrum.image, outside=np.nan if name == "residual" else 0.0
    )
    with being_written(spectrum), (CubeModel if data.ndim == 3 else ImageModel)() as model:
        model.data = data.astype(np.float32)
        if name == "residual":
            model.dq = to_file_axes(_flags(spectrum), spectrum.image, outside=DO_NOT_USE)
        if spectrum.image.metadata is not None:
            model.update(spectrum.image.metadata, only="PRIMARY")
        model.name = spectrum.image.observation.slit_name
        model.save(file)


def _flags(spectrum: ExtractedSpectrum) -> np.ndarray:
    """Flag, beside what the image has flagged, the pixels that the extraction left out as outliers."""
    rejected = 0 if spectrum.rejected is None else spectrum.rejected * (OUTLIER | DO_NOT_USE)
    return (spectrum.image.dq | rejected).astype(np.uint32)


def to_file_axes(data: np.ndarray, image: SpectralImage, outside: float) -> np.ndarray:
    """Return an image in the shape and orientation of the file that its spectrum came from."""
    whole = np.full((*data.shape[:-2], *image.file_shape), outside, data.dtype)
    first_row, first_column = image.origin
    rows, columns = (slice(o, o + n) for o, n in zip((first_row, first_column), image.shape, strict=True))
    whole[..., rows, columns] = data
    return np.swapaxes(whole, -1, -2) if image.horizontal else whole
