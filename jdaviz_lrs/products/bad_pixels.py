"""Further bad pixels, given by hand or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError

__all__ = ["bad_pixel_mask", "read_bad_pixels"]

#: Names of the two columns of a file.
X_NAMES, Y_NAMES = ("x", "xi", "column", "col"), ("y", "yi", "row")


def bad_pixel_mask(image: SpectralImage, bad_pixels: Sequence[str | tuple[int, int]]) -> NDArray[np.bool_]:
    """Place further bad pixels on an image.

    Parameters
    ----------
    image : SpectralImage
    bad_pixels : sequence of str or of (int, int)
        Column and row in the image's file, zero-indexed, as it is stored; or the path of a file of pixels of
        the whole detector, see `read_bad_pixels`.

    Returns
    -------
    ndarray of bool, (n_disp, n_xdisp)
        Where the slit is; pixels beside it are of no account.

    Raises
    ------
    LRSError
        For a pair outside the file, and where pixels of the detector are given for a rectified image, whose
        pixels are others.
    """
    pixels = np.array([pixel for one in bad_pixels for pixel in _in_file(image, one)], dtype=int).reshape(
        -1, 2
    )
    at = (pixels if image.horizontal else pixels[:, ::-1]) - image.origin
    at = at[((at >= 0) & (at < image.shape)).all(axis=1)]
    mask = np.zeros(image.shape, bool)
    mask[tuple(at.T)] = True
    return mask


def _in_file(image: SpectralImage, given: str | tuple[int, int]) -> NDArray[np.intp]:
    """Columns and rows in the file, (n_pixel, 2)."""
    if not isinstance(given, str):
        size = image.file_shape if image.horizontal else image.file_shape[::-1]
        if not all(0 <= place < most for place, most in zip(given, size, strict=True)):
            raise LRSError(
                f"bad_pixels: column {given[0]}, row {given[1]} is not on the image, which has {size[0]} "
                f"columns and {size[1]} rows; count from 0."
            )
        return np.array([given])
    if image.resampled:
        raise LRSError(
            f"bad_pixels: {Path(given).name} lists pixels of the detector, but this image is rectified; give "
            "columns and rows of the image itself, or extract from the cal file."
        )
    return read_bad_pixels(given) - _subarray(image)


def read_bad_pixels(path: str | Path) -> NDArray[np.intp]:
    """Read a table of bad pixels.

    Its first line names the two columns, as in ``# yi xi`` (``x``, ``xi``, ``column``; ``y``, ``yi``,
    ``row``); each further line has one pixel of the whole detector, zero-indexed: the format of
    ``miri_lrs_badpix.txt`` in msaexp (https://github.com/gbrammer/msaexp, msaexp/data/lrs).

    Returns
    -------
    ndarray of int, (n_pixel, 2)
        Column and row.

    Raises
    ------
    LRSError
        For a file that is missing or cannot be understood.
    """
    path = Path(path).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise LRSError(f"bad_pixels: {path} cannot be read ({reason}); give another file.") from None
    names = lines[0].lower().strip("# ").replace(",", " ").split() if lines else []
    order = [next((names.index(n) for n in known if n in names), None) for known in (X_NAMES, Y_NAMES)]
    if None in order:
        raise LRSError(
            f"bad_pixels: {path} does not say which of its columns is which; let its first line be '# x y' "
            "or '# y x'."
        )
    pixels = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("#")[0].replace(",", " ").split()
        if not fields:
            continue
        try:
            pixels.append([int(fields[place]) for place in order])
        except (ValueError, IndexError):
            raise LRSError(
                f"bad_pixels: line {number} of {path} is {line.strip()!r}; give two whole numbers."
            ) from None
    return np.array(pixels, int).reshape(-1, 2)


def _subarray(image: SpectralImage) -> tuple[int, int]:
    """Column and row of the detector that the file begins with."""
    subarray = getattr(getattr(image.metadata, "meta", None), "subarray", None)
    x, y = (int(getattr(subarray, name, None) or 1) - 1 for name in ("xstart", "ystart"))
    return x, y
