"""Extracted spectra with known values."""

from dataclasses import replace

import numpy as np

from jdaviz_lrs.data.origin import Origin
from jdaviz_lrs.data.spectrum import COLUMNS, ExtractedSpectrum
from jdaviz_lrs.simulate.wcs import wavelength_at
from tests.engine.combine.measured import measured

WAVELENGTH = wavelength_at(np.arange(7, 394))
ORIGIN = Origin(target="A STAR", exposure_type="MIR_LRS-FIXEDSLIT", spectral_order=1, unit="Jy")


def spectra(number, relative=0.007, flat=0.0, **keywords):
    """Measurements of one spectrum; `flat` is the part of the variance that is the flat field's."""
    flux, variance, _ = measured(number, relative, **keywords)
    made = []
    for place in range(number):
        columns = {name: np.zeros(WAVELENGTH.size) for name in COLUMNS}
        columns |= {"wavelength": WAVELENGTH, "flux": flux[place], "flux_error": np.sqrt(variance[place])}
        columns |= {"surf_bright": 100 * flux[place], "sb_error": 100 * np.sqrt(variance[place])}
        for kind, factor in (("flux", 1.0), ("sb", 100.0)):
            columns[f"{kind}_var_poisson"] = (0.7 - flat) * factor**2 * variance[place]
            columns[f"{kind}_var_rnoise"] = 0.3 * factor**2 * variance[place]
            columns[f"{kind}_var_flat"] = flat * factor**2 * variance[place]
        columns["dq"] = np.zeros(WAVELENGTH.size, np.uint32)
        origin = replace(ORIGIN, offset=(0.925 * (-1) ** place, 0.18), exposure_time=100.0 * (place + 1))
        made.append(
            ExtractedSpectrum(**columns, file_name=f"{'abcdefghijkl'[place]}_x1d.fits", origin=origin)
        )
    return made
