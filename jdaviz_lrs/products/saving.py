"""All files of an extraction, written together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.products.files import fits_path, output_path, whole_files
from jdaviz_lrs.products.images import image_products
from jdaviz_lrs.products.x1d import save_table

__all__ = ["products_of", "write_products"]


Save = Callable[[Path], object]
"""Writes to a path where nothing is yet."""


def products_of(spectrum: ExtractedSpectrum | ExtractedSeries, output: str | Path) -> dict[Path, Save]:
    """Tell the files of an extraction, and how each is saved.

    Parameters
    ----------
    spectrum : ExtractedSpectrum or ExtractedSeries
    output : path-like
        The x1d file, beside which the others are; of a series the x1dints.

    Returns
    -------
    dict
        Of the x1d, those of the companions, and the images that the parameters ask for: path to a function
        that writes to another path, where nothing is yet.

    Raises
    ------
    LRSError
        When the name does not end with ``.fits``.
    """
    output = fits_path(output)
    if isinstance(spectrum, ExtractedSeries):
        return {output: spectrum.write}
    companions = {
        output_path(output, f"companion{number}"): one for number, one in enumerate(spectrum.companions, 1)
    }
    tables = {path: partial(save_table, one) for path, one in ({output: spectrum} | companions).items()}
    return tables | image_products(spectrum, output)


def write_products(
    spectrum: ExtractedSpectrum | ExtractedSeries,
    output: str | Path,
    overwrite: bool = False,
    more: Mapping[Path, Save] | None = None,
) -> list[Path]:
    """Write all files of an extraction; see `products_of`.

    Parameters
    ----------
    spectrum : ExtractedSpectrum or ExtractedSeries
    output : path-like
    overwrite : bool
        What the spectrum was made of is never written over.
    more : mapping, optional
        Further files, such as a figure, and how each is saved.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    LRSError
        When one of them cannot be written, or must not be; then none is.
    """
    products = products_of(spectrum, output) | dict(more or {})
    with whole_files(products, overwrite, spectrum.inputs) as temporary:
        for save, file in zip(products.values(), temporary, strict=True):
            save(file)
    return [*products]
