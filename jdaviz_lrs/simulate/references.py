"""The reference files that go with a simulated observation."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from jdaviz_lrs.references.psf import SpectralPSF, enclosed_fraction

__all__ = ["EXTRACT1D", "write_apcorr", "write_extract1d"]

EXTRACT1D = {
    "reftype": "EXTRACT1D",
    "instrument": "MIRI",
    "telescope": "JWST",
    "exp_type": "MIR_LRS-FIXEDSLIT",
    "pedigree": "SIMULATION",
    "description": "Default aperture of MIRI LRS slit spectra",
    "history": "Aperture of the in-flight reference file of 2025-May-29",
    "useafter": "2022-01-01T00:00:00",
    "apertures": [
        {
            "id": "MIR_LRS-FIXEDSLIT",
            "region_type": "target",
            "bkg_order": 0,
            "dispaxis": 2,
            "xstart": 27,
            "xstop": 34,
        }
    ],
}
"""Content of the extract1d reference: the aperture in use for in-flight data."""


def write_extract1d(path: str | os.PathLike) -> Path:
    """Write the default extract1d reference (JSON) and return its path."""
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        whole = Path(scratch) / path.name
        whole.write_text(json.dumps(EXTRACT1D, indent=4) + "\n")
        os.replace(whole, path)
    return path


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
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        model.save(Path(scratch) / path.name)
        os.replace(Path(scratch) / path.name, path)
    return path
