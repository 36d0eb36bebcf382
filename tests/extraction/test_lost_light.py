"""Pixels lost in the aperture or under the profile: what is made up for, flagged, told, and given up."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import extract, read
from jdaviz_lrs.data.flags import DO_NOT_USE, FLUX_ESTIMATED
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf

CLEAN = Scene(noise=False, nod_subtracted=False, background=0.0)
BOX = {"extract_width": 8, "use_source_posn": True}
LOST = np.arange(40, 340, 5)


def lose(image, columns, rows=LOST):
    """Return the image without some pixels, given by their columns from the source."""
    at = np.round(simulated_trace(image)[rows]).astype(int)
    good = image.good.copy()
    for column in columns:
        good[rows, at + column] = False
    return replace(image, good=good, data=np.where(good, image.data, np.nan))


def simulated_trace(image):
    return image.source.trace - image.origin[1]


@pytest.fixture(scope="module", params=["s2d", "cal"])
def seen(request):
    image = read(to_model(simulate(CLEAN, request.param)))
    return image, replace(find_references(image, crds=False), psf=simulated_psf())


def of_type(image, kind):
    return replace(image, observation=replace(image.observation, source_type=kind))


@pytest.mark.parametrize("kind", ["POINT", "EXTENDED", "UNKNOWN"])
@pytest.mark.parametrize("columns", [(0,), (1,), (-2, 2), (3,)])
def test_lost_light_is_made_up_for(seen, columns, kind):
    image, references = seen
    image = of_type(image, kind)
    whole = extract(image, references=references, **BOX)
    less = extract(lose(image, columns), references=references, **BOX)
    off = less.flux / whole.flux - 1
    lost = np.zeros(image.n_disp, bool)
    lost[LOST] = True
    np.testing.assert_array_equal(off[~lost], 0.0)
    assert np.abs(off[lost]).max() < (0.005 if kind == "POINT" else 0.03)
    np.testing.assert_array_equal((less.dq & FLUX_ESTIMATED) > 0, lost)
    assert not (less.dq & DO_NOT_USE).any()
    # relative errors grow, by the noise of the pixels that are left
    np.testing.assert_allclose(
        (less.flux_error / less.flux)[~lost], (whole.flux_error / whole.flux)[~lost], rtol=1e-12
    )
    assert ((less.flux_error / less.flux)[lost] > (whole.flux_error / whole.flux)[lost] * 0.999).all()
    np.testing.assert_allclose(less.surf_bright[lost] / whole.surf_bright[lost], 1.0, atol=0.03)
    assert whole.light_left is None
    assert (less.light_left[~lost] == 1).all()
    assert any(f"at {LOST.size} of {image.n_disp} wavelengths" in note for note in less.notes)


def test_more_than_half_of_it_is_not(seen):
    image, references = seen
    less = extract(lose(image, (-1, 0, 1)), references=references, **BOX)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(less.flux)), LOST)
    assert np.isnan(less.flux_error[LOST]).all()
    assert (less.dq[LOST] == DO_NOT_USE).all()
    assert any("leave less than half of the light in the aperture" in note for note in less.notes)


def test_also_without_an_aperture_correction(seen):
    image, references = seen
    whole, less = (
        extract(one, references=references, apply_apcorr=False, **BOX) for one in (image, lose(image, (0,)))
    )
    np.testing.assert_allclose(less.flux, whole.flux, rtol=5e-3)


def test_beyond_the_psf_the_nearest_counts(seen):
    image, references = seen
    psf = references.psf
    known = psf.wavelength < 11.0
    short = replace(references, psf=replace(psf, data=psf.data[known], wavelength=psf.wavelength[known]))
    whole, less = (
        extract(one, references=short, apply_apcorr=False, **BOX) for one in (image, lose(image, (0,)))
    )
    np.testing.assert_allclose(less.flux, whole.flux, rtol=0.1)


def test_the_pipeline_is_silent(seen):
    image, references = seen
    whole, less = (
        extract(one, references=references, pipeline_compatible=True, **BOX)
        for one in (image, lose(image, (0,)))
    )
    assert (less.flux[LOST] / whole.flux[LOST] < 0.8).all()
    assert (less.dq == 0).all()
    assert less.light_left is None


@pytest.mark.parametrize(("columns", "given_up"), [((0,), False), ((-1, 0, 1), True)])
def test_optimal_extraction(seen, columns, given_up):
    image, references = seen
    optimal = {"extraction_type": "optimal", "optimize_psf_location": False}
    whole, less = (extract(one, references=references, **optimal) for one in (image, lose(image, columns)))
    rows = np.searchsorted(less.rows, LOST)
    assert (np.isnan(less.flux[rows]) == given_up).all()
    assert (less.dq[rows] == (DO_NOT_USE if given_up else FLUX_ESTIMATED)).all()
    if not given_up:
        np.testing.assert_allclose(less.flux[rows], whole.flux[rows], rtol=0.02)
    assert any(f"at {LOST.size} of" in note for note in less.notes)
    assert whole.light_left is None


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_what_the_pipeline_has_estimated_is_told(seen, kind):
    image, references = seen
    dq = image.dq.copy()
    dq[LOST, np.round(simulated_trace(image)[LOST]).astype(int)] |= FLUX_ESTIMATED
    told, silent = (
        extract(
            replace(image, dq=dq),
            references=references,
            extraction_type=kind,
            pipeline_compatible=compatible,
            **BOX,
        )
        for compatible in (False, True)
    )
    np.testing.assert_array_equal(told.rows[(told.dq & FLUX_ESTIMATED) > 0], LOST)
    assert any(f"go into the flux at {LOST.size} of" in note for note in told.notes)
    assert not (silent.dq & FLUX_ESTIMATED).any()


def test_where_what_is_left_is_no_point_source_nothing_is_made_up_for(seen):
    image, references = seen
    rows = LOST[LOST >= 100]
    less = lose(image, (0,), rows)
    data, at = less.data.copy(), np.round(simulated_trace(image)[rows]).astype(int)
    for column in (-1, 1):  # as where the gap was there before the image was resampled
        data[rows, at + column] *= 0.5
    spectrum = extract(replace(less, data=data), references=references, **BOX)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(spectrum.flux)), rows)
    assert any(f"No flux at {rows.size} of" in n and "look like the PSF" in n for n in spectrum.notes)
