"""The aperture correction that goes with a simulated observation."""

import os
from pathlib import Path

import numpy as np

from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.references import apcorr
from jdaviz_lrs.references.apcorr import ApertureCorrection

__all__ = ["write_apcorr"]


def write_apcorr(psf: SpectralPSF, path: str | os.PathLike) -> Path:
    """Write the aperture correction of a PSF in the pipeline's format.

    Parameters
    ----------
    psf : SpectralPSF
        The profile; the correction is the inverse of the fraction of its light in centred apertures
        of 1 to 40 px.
    path : path-like
        The FITS file to write (MirLrsApcorrModel).

    Returns
    -------
    pathlib.Path
        The file written.
    """
    size = np.arange(1.0, 41.0)
    wavelength = np.linspace(psf.wavelength.min(), psf.wavelength.max(), 251)[1:-1]
    correction = 1 / enclosed_fraction(psf, -size / 2, size / 2, wavelength[:, None])
    table = ApertureCorrection(psf.name, wavelength, size, "pixels", correction)
    return apcorr.write_apcorr(table, path, pedigree="SIMULATION", overwrite=True)
