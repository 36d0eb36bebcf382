"""The aperture correction that goes with a simulated observation."""

import os
from pathlib import Path

import numpy as np

from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.products.files import whole_file

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
    from stdatamodels.jwst.datamodels import MirLrsApcorrModel

    path = Path(path)
    size = np.arange(1, 41)
    wavelength = np.linspace(psf.wavelength.min(), psf.wavelength.max(), 251)[1:-1]
    correction = 1 / enclosed_fraction(psf, -size / 2, size / 2, wavelength[:, None])
    n, k = correction.shape
    columns = [
        ("subarray", "S17"),
        ("wavelength", "f4", (n,)),
        ("nelem_wl", "i2"),
        ("size", "u1", (k,)),
        ("nelem_size", "i2"),
        ("apcorr", "f4", (n, k)),
        ("apcorr_err", "f4", (n, k)),
    ]
    row = (b"FULL", wavelength, n, size, k, correction, np.zeros_like(correction))
    model = MirLrsApcorrModel(apcorr_table=np.array([row], dtype=columns))
    model.sizeunit = "pixels"
    model.meta.reftype, model.meta.telescope = "apcorr", "JWST"
    model.meta.author, model.meta.pedigree = "jdaviz-lrs", "SIMULATION"
    model.meta.description, model.meta.useafter = psf.name[:68], "2022-01-01T00:00:00"
    model.meta.instrument.name, model.meta.exposure.type = "MIRI", "MIR_LRS-FIXEDSLIT"
    model.meta.exposure.p_exptype = "MIR_LRS-FIXEDSLIT|"
    with whole_file(path, overwrite=True) as temporary:
        model.save(temporary)
    return path
