"""Wings lent to a PSF that lacks them."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.data.psf import enclosed_fraction
from jdaviz_lrs.references.lent_wings import lend_wings
from jdaviz_lrs.references.lrs_psf import built_in_psf

MODEL = built_in_psf()
OFFSET = (np.arange(MODEL.data.shape[1]) - MODEL.center_col) / MODEL.subpix
WAVELENGTH = np.linspace(14.0, 4.0, 300)
DUE = enclosed_fraction(MODEL, -4.0, 4.0, WAVELENGTH)


def normal(psf):
    return psf.data / psf.data.sum(axis=1, keepdims=True) * psf.subpix


@pytest.mark.parametrize("reach", [3.0, 20.0])
def test_a_psf_gets_back_the_wings_that_were_cut_off(reach):
    inside = np.abs(OFFSET) <= 3.0
    kept = np.abs(OFFSET) <= reach  # a file may end where its PSF does
    cut = replace(
        MODEL,
        data=np.where(inside, MODEL.data, 0.0)[:, kept],
        center_col=MODEL.center_col - np.flatnonzero(kept)[0],
    )
    winged = lend_wings(cut, MODEL, WAVELENGTH, DUE, 8.0)
    place = np.arange(winged.data.shape[1]) / winged.subpix - winged.center_col / winged.subpix
    used = (MODEL.wavelength > 5.0) & (MODEL.wavelength < 13.5)
    found = np.array([np.interp(OFFSET, place, row) for row in normal(winged)[used]])
    # the light is right in pixels, from one phase to another it changes where the PSF is cut
    assert np.abs(found - normal(MODEL)[used]).max() < 0.02 * normal(MODEL)[used].max()
    np.testing.assert_allclose(
        enclosed_fraction(winged, -4.0, 4.0, WAVELENGTH[50:250]), DUE[50:250], atol=2e-3
    )


def test_a_psf_with_its_own_wings_stays():
    np.testing.assert_allclose(
        normal(lend_wings(MODEL, MODEL, WAVELENGTH, DUE, 8.0)), normal(MODEL), atol=1e-9
    )


def test_where_nothing_is_known_of_the_light_that_of_the_nearest_wavelength_counts():
    known = np.where((WAVELENGTH > 6) & (WAVELENGTH < 10), DUE, np.nan)
    cut = replace(MODEL, data=np.where(np.abs(OFFSET) <= 3.0, MODEL.data, 0.0))
    winged = lend_wings(cut, MODEL, WAVELENGTH, known, 8.0)
    assert np.isfinite(winged.data).all()
    assert (winged.data >= 0).all()
