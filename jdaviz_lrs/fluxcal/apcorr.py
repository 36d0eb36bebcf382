"""A response for the pipeline: an apcorr file with which its box extraction gives the calibrated flux."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.fluxcal.response import Response
from jdaviz_lrs.modes import mode_of
from jdaviz_lrs.references.apcorr import ApertureCorrection, read_apcorr, write_apcorr

__all__ = ["export_apcorr"]

ANY_SIZE = np.array([1.0, 255.0])
"""Pixels: where a correction is known for one aperture only."""


def export_apcorr(
    response: Response, path: str | Path, apcorr: str | Path | None = None, overwrite: bool = False
) -> Path:
    """Write the aperture correction times the response as an apcorr file.

    Given to the pipeline's step as ``override_apcorr``, beside the extract1d file of the extraction, it gives
    the calibrated flux of point sources. Outside its validity the response keeps its value at the ends, as
    the file can hold no NaN.

    Parameters
    ----------
    response : Response
        Of a star extracted with a box.
    path : path-like
        The FITS file to write.
    apcorr : path-like, optional
        The apcorr file that the star was extracted with. Without it the correction that the star had is taken
        for apertures of any number of pixels.
    overwrite : bool
        Without it an existing file is left as it is.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    LRSError
        For an optimal extraction, which the pipeline corrects by nothing; where the correction is not known,
        or `apcorr` is another one; and where the file exists.
    """
    matters = response.manner.matters
    if matters["extraction_type"] != "box":
        raise LRSError(
            "The pipeline applies no apcorr file to an optimal extraction; extract the star as a box."
        )
    own = _own(response, apcorr)
    known = np.isfinite(response.factor)
    wavelength = np.unique([*own.wavelength, *response.wavelength[known]])
    sizes = own.size.size
    factor = np.interp(wavelength, response.wavelength[known], response.factor[known])
    rising = np.argsort(own.wavelength)
    product = np.stack(
        [factor * np.interp(wavelength, own.wavelength[rising], own.apcorr[rising, n]) for n in range(sizes)],
        axis=1,
    )
    table = ApertureCorrection(f"response of {response.name}", wavelength, own.size, own.size_unit, product)
    manner = response.manner
    if any(
        Path(path).resolve() == Path(one).resolve()
        for one in (*response.inputs, *([apcorr] if apcorr else []))
    ):
        raise LRSError(f"{path}: the response is made from this file; choose another name.")
    return write_apcorr(table, path, manner.subarray or "FULL", mode_of(manner.mode), "INFLIGHT", overwrite)


def _own(response: Response, apcorr: str | Path | None) -> ApertureCorrection:
    """Return the correction that is in the star's flux already."""
    matters, manner = response.manner.matters, response.manner
    if not matters["apply_apcorr"]:
        ends = response.wavelength[[0, -1]]
        return ApertureCorrection("none", ends, ANY_SIZE, "pixels", np.ones((2, 2)))
    if apcorr is not None:
        if Path(apcorr).name != str(matters["apcorr file"]).removeprefix("crds://"):
            raise LRSError(f"{apcorr}: the star was extracted with {matters['apcorr file']}; give that file.")
        own = read_apcorr(apcorr, manner.subarray or None)
        if own.refusal:
            raise LRSError(own.refusal)
        return own
    known = np.isfinite(response.apcorr)
    if not known.any():
        raise LRSError(
            f"The correction that the star was extracted with ({matters['apcorr file']}) is not in the "
            "response; give its apcorr file."
        )
    table = np.stack([response.apcorr[known]] * 2, axis=1)
    return ApertureCorrection("of the star", response.wavelength[known], ANY_SIZE, "pixels", table)
