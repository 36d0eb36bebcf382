import re
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst.datamodels import MirLrsApcorrModel

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.references.apcorr import read_apcorr
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.extract1d_step import pipeline_spec
from tests.same_spectrum import assert_same_spectrum


def write_table(path, sizeunit="pixels", subarrays=("FULL",), backwards=False):
    """A correction padded as real files are; their sizes are whole numbers."""
    size = np.array([1, 3, 5, 8, 12, 20])
    wavelength = np.linspace(3.0, 14.5, 30)
    correction = 1 + 0.3 * wavelength[:, None] / size
    if backwards:
        wavelength, correction = wavelength[::-1], correction[::-1]
    n, k = correction.shape
    columns = [
        ("subarray", "S17"),
        ("wavelength", "f4", (n + 5,)),
        ("nelem_wl", "i2"),
        ("size", "u1", (k + 2,)),
        ("nelem_size", "i2"),
        ("apcorr", "f4", (n + 5, k + 2)),
        ("apcorr_err", "f4", (n + 5, k + 2)),
    ]
    padded = np.pad(correction, ((0, 5), (0, 2)), constant_values=-9)
    rows = [
        (
            name.encode(),
            np.pad(wavelength, (0, 5)),
            n,
            np.pad(size, (0, 2)),
            k,
            padded + i,
            np.zeros_like(padded),
        )
        for i, name in enumerate(subarrays)
    ]
    model = MirLrsApcorrModel(apcorr_table=np.array(rows, dtype=columns))
    model.sizeunit = sizeunit
    model.save(path)
    return path


@pytest.fixture(scope="module")
def model():
    return to_model(simulate(Scene()))


@pytest.mark.parametrize("backwards", [False, True])
def test_correction_is_the_pipelines(tmp_path, model, backwards):
    from jwst.extract_1d.apply_apcorr import ApCorr

    path = write_table(tmp_path / "a.fits", backwards=backwards)
    with MirLrsApcorrModel(path) as reference:
        theirs = ApCorr(model, reference.apcorr_table, reference.sizeunit)
        size, wavelength = np.meshgrid([0.5, 1.5, 2.2, 7.9, 20.0, 30.0], np.linspace(2.5, 15.0, 40))
        expected = theirs.apcorr_func.ev(size, wavelength)
    ours = read_apcorr(path, "FULL")
    np.testing.assert_allclose(ours.at(size, wavelength), expected, rtol=1e-12)
    assert (ours.name, ours.size_unit) == ("a.fits", "pixels")


def placed(folder):
    path = folder / "a.json"
    path.write_text(
        '{"apertures": [{"id": "MIR_LRS-FIXEDSLIT", "xstart": 27, "xstop": 34, "extract_width": 6.7}]}'
    )
    return path


def test_spectrum_is_the_pipelines(tmp_path, model):
    path, json = write_table(tmp_path / "a.fits"), placed(tmp_path)
    ours = extract(read(model), override_extract1d=json, override_apcorr=path, pipeline_compatible=True)
    assert_same_spectrum(ours, pipeline_spec(model.copy(), json, path).spec[0])
    assert 1.1 < np.median(ours.apcorr) < 1.6


@pytest.mark.parametrize("unit", ["arcsec", "arcseconds"])
def test_sizes_in_arcsec_are_taken_for_pixels_of_the_image(tmp_path, model, unit):
    # not shown beside the pipeline, which cannot divide the whole numbers of this table by its scale
    path = write_table(tmp_path / "a.fits", unit)
    wide = {"override_extract1d": placed(tmp_path), "extract_width": 30}  # 3.3 arcsec
    spectrum = extract(read(model), override_apcorr=path, **wide)
    scale = plate_scale(model, spectrum)
    assert spectrum.npixels.max() * scale == pytest.approx(3.3, abs=0.1)
    # of the whole aperture: what lies on bad pixels at the slit's end has been made up for
    npixels = spectrum.profile.sum(axis=1)[spectrum.rows]
    expected = read_apcorr(path, "FULL").at(npixels, spectrum.wavelength, scale)
    np.testing.assert_allclose(spectrum.apcorr, expected, rtol=1e-6)


def plate_scale(model, spectrum):
    """Arcsec per pixel across the dispersion, by the pipeline's own function."""
    from stcal.alignment.util import compute_scale

    place = (spectrum.slit_ra, spectrum.slit_dec, spectrum.wavelength.min())
    return compute_scale(model.meta.wcs, place, disp_axis=2) * 3600


def test_arcsec_need_a_wcs(tmp_path, model):
    image = replace(read(model), wcs=None)
    path = write_table(tmp_path / "a.fits", "arcsec")
    with pytest.raises(LRSError, match="in arcsec, but the image has no WCS"):
        extract(image, override_apcorr=path, use_source_posn=False)


def test_the_row_is_that_of_the_subarray(tmp_path):
    path = write_table(tmp_path / "a.fits", subarrays=("FULL", "SLITLESSPRISM"))
    full, other = read_apcorr(path, "full"), read_apcorr(path, "SLITLESSPRISM")
    np.testing.assert_allclose(other.apcorr, full.apcorr + 1)
    with pytest.raises(LRSError, match=r"0 rows for the subarray SUB64 \(the file has FULL, SLITLESSPRISM\)"):
        read_apcorr(path, "SUB64").at(8.0, 10.0)
    with pytest.raises(LRSError, match="2 rows for the subarray None"):
        read_apcorr(path).at(8.0, 10.0)


@pytest.mark.parametrize(
    "uncorrected", [{"extraction_type": "optimal"}, {"apply_apcorr": False}, {"apcorr_method": "psf"}]
)
def test_only_what_needs_the_row_is_refused_without_it(tmp_path, model, uncorrected):
    path, small = write_table(tmp_path / "a.fits"), model.copy()
    small.meta.subarray.name = "SUBSLIT"
    image = read(small)
    with pytest.raises(LRSError, match=r"0 rows for the subarray SUBSLIT \(the file has FULL\)"):
        extract(image, override_apcorr=path)
    theirs = extract(read(model), override_apcorr=path, **uncorrected)
    ours = extract(image, override_apcorr=path, **uncorrected)
    np.testing.assert_array_equal(ours.flux, theirs.flux)
    assert ours.references == theirs.references


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["missing", "text", "psf"])
def test_other_files_are_refused(tmp_path, kind, observation):
    path = tmp_path / "bad.fits"
    if kind == "text":
        path.write_text("text")
    if kind == "psf":
        path = observation["psf"]
    with pytest.raises(LRSError) as raised:
        read_apcorr(path)
    assert path.name in str(raised.value)
    assert str(raised.value).endswith(".")


BAD = {
    "metres": (
        "wavelength",
        lambda table: table["wavelength"] * 1e-6,
        "column wavelength runs from 3e-06",
    ),
    "angstrom": ("wavelength", lambda table: table["wavelength"] * 1e4, "column wavelength runs from 3e"),
    "no wavelength": ("wavelength", lambda table: np.nan, "not all of its column wavelength is finite"),
    "repeated wavelengths": ("wavelength", lambda table: 5.0, "column wavelength is not in order"),
    "mixed wavelengths": (
        "wavelength",
        lambda table: np.roll(table["wavelength"], 3),
        "column wavelength is not in order",
    ),
    "no elements": ("nelem_wl", lambda table: 0, "its nelem_wl is 0, of 35 in the column wavelength"),
    "one size": ("nelem_size", lambda table: 1, "its nelem_size is 1, of 8 in the column size"),
    "too many": ("nelem_size", lambda table: 9, "its nelem_size is 9, of 8"),
    "negative number": ("nelem_size", lambda table: -2, "its nelem_size is -2, of 8"),
    "repeated sizes": ("size", lambda table: 3, "column size does not rise"),
    "falling sizes": (
        "size",
        lambda table: table["size"][:, ::-1],
        "column size does not rise",
    ),
    "no width": ("size", lambda table: np.array([[0, 1, 2, 3, 4, 5, 0, 0]]), "column size does not rise"),
    "NaN": ("apcorr", lambda table: table["apcorr"] * np.nan, "not all of its column apcorr is finite"),
    "infinite": ("apcorr", lambda table: np.inf, "not all of its column apcorr is finite"),
    "negative": ("apcorr", lambda table: -table["apcorr"], "column apcorr runs from -"),
    "inverse": ("apcorr", lambda table: 1 / table["apcorr"], "apcorr runs from 0.18.* between 0.9 and 10$"),
    "percent": ("apcorr", lambda table: 100 * table["apcorr"], "column apcorr runs from 10"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_a_correction_is_refused(tmp_path, case):
    column, change, reason = BAD[case]
    path = write_table(tmp_path / "bad.fits")
    with fits.open(path) as hdus:
        table = hdus["APCORR"].data
        table[column] = change(table)
        hdus.writeto(tmp_path / "worse.fits")
    with pytest.raises(
        LRSError, match=r"^.*worse.fits: .*; .* give another one with override_apcorr\.$"
    ) as raised:
        read_apcorr(tmp_path / "worse.fits", "FULL")
    assert re.search(reason, str(raised.value).partition("; correct the file")[0])
    assert str(raised.value).count(". ") == 0


def test_the_shared_correction_is_read(shared_scene):
    assert read_apcorr(shared_scene / "apcorr.fits", "FULL").size.size == 40


@pytest.mark.parametrize(
    "change",
    [
        lambda apcorr: apcorr[:, ::-1],
        lambda apcorr: np.ones_like(apcorr),
        lambda apcorr: np.random.default_rng(1).permutation(apcorr, axis=1),
    ],
    ids=["turned", "constant", "shuffled"],
)
def test_correction_that_does_not_fall_with_size_is_refused(observation, tmp_path, change):
    path = tmp_path / "bad_apcorr.fits"
    with fits.open(observation["apcorr"]) as hdus:
        table = hdus["APCORR"].data
        table["apcorr"][:] = [change(one) for one in table["apcorr"]]
        hdus.writeto(path)
    with pytest.raises(LRSError, match=r"bad_apcorr\.fits: its column apcorr does not fall with size"):
        read_apcorr(path, "FULL")


def test_correction_that_the_psf_contradicts_is_told(observation, tmp_path):
    def notes(path):
        return extract(observation["nod1_s2d"], override_apcorr=path, override_psf=observation["psf"]).notes

    path = tmp_path / "other_apcorr.fits"
    with fits.open(observation["apcorr"]) as hdus:
        table = hdus["APCORR"].data
        table["apcorr"][:] = 1.0 + 2.0 * (table["apcorr"] - 1.0)
        hdus.writeto(path)
    assert not any("one is not of this instrument" in note for note in notes(observation["apcorr"]))
    assert any(
        "other_apcorr.fits has" in note and "one is not of this instrument" in note for note in notes(path)
    )


def test_a_column_of_another_shape(observation, tmp_path):
    content = observation["apcorr"].read_bytes()
    start = content.index(b"TFORM5  =")
    path = tmp_path / "apcorr.fits"
    path.write_bytes(content[:start] + b"TFORM5  = 'x       '".ljust(80) + content[start + 80 :])
    with pytest.raises(LRSError, match="axes"):
        read_apcorr(path, "FULL")
