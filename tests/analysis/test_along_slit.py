"""Spectra along the slit: the sky's brightness, the source's, their errors, and the file."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, along_slit, extract, read
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.exposures import exposure
from tests.extract1d_step import pipeline_x1d
from tests.horizontal import transposed

REGIONS = {"bkg_coeff": [[0.5], [6.5], [38.5], [44.5]], "bkg_fit": "poly", "bkg_order": 1}


def empty(**settings):
    """A slit with nothing but sky, or hardly."""
    return simulate(Scene(brightness=1e-12, nod_subtracted=False, **settings))


def test_the_sky_as_it_is_along_the_slit():
    seen = empty(noise=False)
    spectra = along_slit(read(to_model(seen)), 4, 4, 39)
    truth = seen.truth.background[:, 4:40].reshape(-1, 9, 4).mean(axis=2)
    np.testing.assert_allclose(spectra.surf_bright, truth, rtol=1e-6)
    np.testing.assert_array_equal(spectra.columns, 5.5 + 4 * np.arange(9))
    assert (spectra.npixels == 4).all()
    assert (spectra.dq == 0).all()


def test_errors_are_those_made():
    seen = empty()
    pulls = []
    for seed in range(3):
        model = to_model(seen.noisy(seed))
        spectra = along_slit(read(model), 3, 4, 39)
        truth = seen.truth.background[:, 4:40].reshape(-1, 12, 3).mean(axis=2)
        pulls.append((spectra.surf_bright - truth) / spectra.sb_error)
    # 14,000 independent numbers: 0.6 % of a standard deviation
    assert np.std(pulls) == pytest.approx(1, abs=0.03)


def test_the_background_is_subtracted_and_in_the_errors():
    image = read(to_model(empty()))
    spectra, sky = along_slit(image, 4, **REGIONS), along_slit(image, 4, 7, 38)
    assert (spectra.columns.min(), spectra.columns.max()) == (8.5, 36.5)
    np.testing.assert_array_equal(spectra.columns, sky.columns)
    np.testing.assert_allclose(spectra.surf_bright + spectra.background, sky.surf_bright, rtol=1e-9)
    assert (spectra.sb_error > sky.sb_error).all()
    pulls = spectra.surf_bright / spectra.sb_error
    assert np.abs(np.median(pulls)) < 0.5
    assert np.std(pulls) < 1.6  # neighbouring stretches have the background's error in common


def test_the_pipeline_gives_the_same_brightness(tmp_path):
    seen = exposure("s2d", 1)
    references = find_references(seen.image, crds=False)
    given = {**REGIONS, "pipeline_compatible": True}
    spectra = along_slit(seen.image, 5, 20, 34, **given)
    for number, start in enumerate((20, 25, 30)):
        aperture = {**REGIONS, "xstart": start, "xstop": start + 4, "use_source_posn": False}
        parameters = references.parameters.with_(aperture)
        path = references.extract1d.with_parameters(parameters, "MIR_LRS-FIXEDSLIT").write(
            tmp_path / "a.json", overwrite=True
        )
        theirs = pipeline_x1d(seen.model.copy(), path)
        rows = np.isfinite(spectra.npixels[:, number])
        for name, column in (
            ("surf_bright", "SURF_BRIGHT"),
            ("sb_error", "SB_ERROR"),
            ("background", "BACKGROUND"),
        ):
            ours, known = getattr(spectra, name)[rows, number], np.isfinite(theirs["SURF_BRIGHT"])
            np.testing.assert_allclose(ours[known], theirs[column][known], rtol=1e-6)


def test_light_is_kept():
    """A point source in the middle of it: the stretches have its flux together."""
    image = exposure("s2d", 0, False).image
    spectra = along_slit(image, 2, 20, 39)
    whole = extract(image, xstart=20, xstop=39, use_source_posn=False, apply_apcorr=False)
    together = (spectra.surf_bright * spectra.npixels).sum(axis=1) * image.pixel_area * 1e6
    np.testing.assert_allclose(together, whole.flux, rtol=1e-9)


def test_the_widest_stretch_that_is_free():
    image = exposure("s2d", 0, False).image
    everywhere = along_slit(image, 1)
    lit = np.flatnonzero(image.good.mean(axis=0) > 0.5)
    np.testing.assert_array_equal(everywhere.columns, lit)
    assert along_slit(image, 7).columns.size == lit.size // 7


@pytest.mark.parametrize("horizontal", [False, True])
def test_file_is_an_s2d_on_the_sky(tmp_path, observation, horizontal):
    image = (
        read(transposed(to_model(simulate(Scene(nod_subtracted=False)))))
        if horizontal
        else read(observation["nod1_nobsub_s2d"])
    )
    spectra = along_slit(image, 2, 4, 41)
    again = read(spectra.write(tmp_path / "slit_s2d.fits"))
    assert again.horizontal == horizontal
    assert (again.resampled, again.unit, again.shape) == (True, "MJy/sr", (387, 19))
    assert again.pixel_area == pytest.approx(2 * image.pixel_area)
    assert again.pixel_scale == pytest.approx(2 * image.pixel_scale, rel=1e-6)
    np.testing.assert_allclose(again.row_wavelength, image.row_wavelength, rtol=1e-6)
    np.testing.assert_allclose(again.data, spectra.surf_bright, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(again.variance), spectra.sb_error, rtol=1e-6)
    row = image.disp_index[image.n_disp // 2]
    ra, dec, wavelength = again.world(np.full(19, row), np.arange(19.0))
    np.testing.assert_allclose((ra, dec), (spectra.ra, spectra.dec), atol=1e-9)
    np.testing.assert_allclose(wavelength, image.row_wavelength[image.n_disp // 2], rtol=1e-6)
    flux = extract(again, **between(again, 0, 18), use_source_posn=False, apply_apcorr=False).flux
    whole = extract(image, **between(image, 4, 41), use_source_posn=False, apply_apcorr=False).flux
    np.testing.assert_allclose(flux, whole, rtol=1e-5)
    with pytest.raises(LRSError, match="exists"):
        spectra.write(tmp_path / "slit_s2d.fits")
    with pytest.raises(LRSError, match=r"end with \.fits"):
        spectra.write(tmp_path / "slit.txt")


def between(image, first, last):
    across, along = ("y", "x") if image.horizontal else ("x", "y")
    ends = {f"{along}start": None, f"{along}stop": None}
    return {f"{across}start": first, f"{across}stop": last, **ends}


def test_bad_pixels_are_left_out():
    image = read(to_model(simulate(Scene(nod_subtracted=False))))
    spectra = along_slit(image, 4, 20, 31, bad_pixels=[[21, 100], [24, 200], [25, 200], [26, 200], [27, 200]])
    assert spectra.npixels[100].tolist() == [3, 4, 4]
    assert np.isnan(spectra.surf_bright[200, 1])
    assert spectra.dq[200, 1] & 1
    assert spectra.surf_bright[100, 0] == pytest.approx(
        along_slit(image, 4, 20, 31).surf_bright[100, 0], rel=0.2
    )
    assert spectra.notes == ("No brightness at 1 of 1161 places (NaN, flagged DO_NOT_USE).",)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"width": 0}, "width = 0 is not a whole number"),
        ({"width": 1.5}, "width = 1.5 is not"),
        ({"width": 99}, "no room for 99 pixels"),
        ({"width": 4, "start": 30, "stop": 60}, "does not lie on the image|reaches"),
        ({"width": 4, "start": 4, "stop": 30, **REGIONS}, "overlap"),
        ({"width": 4, "extraction_type": "optimal"}, "extraction_type is set by the stretches"),
        ({"width": 4, "xstart": 1}, "xstart is set by the stretches"),
        ({"width": 4, "bkg_ordr": 1}, "did you mean 'bkg_order'"),
    ],
)
def test_bad_input(arguments, told):
    image = exposure("s2d", 0, False).image
    with pytest.raises(LRSError, match=told):
        along_slit(image, **arguments)


def test_detector_images_and_stacks_are_refused():
    with pytest.raises(LRSError, match="give the s2d file"):
        along_slit(exposure("cal").image, 4)
    image = exposure("s2d").image
    with pytest.raises(LRSError, match="2 integrations"):
        along_slit(replace(image, data=np.stack([image.data] * 2)), 4)
