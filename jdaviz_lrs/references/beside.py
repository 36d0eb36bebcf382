"""Reference files that lie beside the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references.apcorr import read_apcorr
from jdaviz_lrs.references.extract1d import read_extract1d
from jdaviz_lrs.references.psf import read_psf

__all__ = ["references_beside"]

#: How such files are called, by their kind.
PATTERNS = {"extract1d": "*extract1d*.json", "apcorr": "*apcorr*.fits", "psf": "*psf*.fits"}

#: How many of a kind are looked into.
MOST = 20


def references_beside(image: SpectralImage) -> dict[str, list[Path]]:
    """Find the reference files in the folder of an image that are of the right kind and do for it.

    Parameters
    ----------
    image : SpectralImage

    Returns
    -------
    dict
        Kind of reference to the paths, by name; each was read. Empty lists for an image without a file.
    """
    if image.path is None:
        return {kind: [] for kind in PATTERNS}
    seen, folder = image.observation, Path(image.path).parent

    def read(kind: str, path: Path) -> None:
        if kind == "extract1d":
            read_extract1d(path).parameters(seen.slit_name, seen.spectral_order)
        elif kind == "apcorr":
            read_apcorr(path, seen.subarray)
        else:
            read_psf(path, image.mode.psf_apertures)

    return {
        kind: [path for path in sorted(folder.glob(pattern))[:MOST] if _does(read, kind, path)]
        for kind, pattern in PATTERNS.items()
    }


def _does(read: Callable[[str, Path], None], kind: str, path: Path) -> bool:
    try:
        read(kind, path)
    except (LRSError, OSError):
        return False
    return True
