import shutil
from dataclasses import fields

import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Mapping
from stdatamodels.jwst.datamodels import CubeModel, SlitModel

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.products.read import from_datamodel
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.horizontal import transposed

SEEN = {product: simulate(Scene(bad_pixels=50), product) for product in ("s2d", "cal")}


def model_of(product="s2d"):
    return to_model(SEEN[product])


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_file_is_what_was_written(observation, product):
    image = read(observation[f"nod1_{product}"])
    seen = simulate(Scene(), product)
    assert image.shape == seen.data.shape
    assert image.origin == seen.grid.corner
    for name in ("data", "var_poisson", "var_rnoise", "var_flat"):
        np.testing.assert_allclose(
            getattr(image, name), getattr(seen, name), rtol=1e-7, err_msg=name
        )  # float32
    np.testing.assert_array_equal(image.good, np.isfinite(seen.data))
    np.testing.assert_array_equal(image.dq & 1, ~image.good)
    np.testing.assert_allclose(image.row_wavelength, seen.truth.wavelength, rtol=1e-7)
    assert (image.unit, image.missing, image.resampled) == ("MJy/sr", (), product == "s2d")
    assert image.pixel_area == pytest.approx(2.8606325654256e-13)
    assert image.observation.source_type == "POINT"
    assert image.file_name == observation[f"nod1_{product}"].name
    assert read(image) is image


def test_world_and_back(observation):
    for product in ("s2d", "cal"):
        image = read(observation[f"nod1_{product}"])
        row, column = image.origin[0] + 100.0, image.origin[1] + 20.0
        world = image.world(row, column)
        np.testing.assert_allclose(image.pixel(*world), (row, column), atol=1e-5)
        assert world[2] == pytest.approx(image.wavelength[100, 20], rel=1e-6)


def test_detector_image_is_cut_to_its_slit():
    image = read(model_of("cal"))
    assert image.file_shape == (1024, 1032)
    assert np.isfinite(image.wavelength).all()
    assert (image.disp_index[0], image.xdisp_index[0]) == image.origin
    above, below = image.margins
    assert above.shape[0] + image.n_disp + below.shape[0] == 1024


def test_cal_is_the_same_in_either_class():
    now, before = read(model_of("cal")), read(to_model(SEEN["cal"], image_model=True))
    for one in fields(SpectralImage):
        theirs, ours = (getattr(image, one.name) for image in (before, now))
        if one.name == "margins":
            np.testing.assert_array_equal(np.concatenate(ours), np.concatenate(theirs))
        elif isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, err_msg=one.name)
        elif one.name not in ("wcs", "metadata", "file_name"):
            assert ours == theirs, one.name
    assert (now.resampled, now.shape) == (False, (387, 44))


def as_cube(model, kind):
    """Return the exposure as two integrations, the second brighter by a tenth."""
    cube = kind()
    for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
        setattr(cube, name, np.stack([model[name], 1.1 * model[name]]))
    if model.dq is not None:
        cube.dq = np.stack([model.dq, model.dq])
    cube.wavelength = model.wavelength
    cube.update(model)
    cube.meta.wcs = model.meta.wcs
    return cube


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("kind", [CubeModel, SlitModel])
def test_stack_of_integrations(product, kind):
    one, both = read(model_of(product)), read(as_cube(model_of(product), kind))
    assert both.data.shape == (2, *one.shape)
    assert (both.resampled, both.origin, both.observation) == (one.resampled, one.origin, one.observation)
    np.testing.assert_array_equal(both.data[0], one.data)
    np.testing.assert_array_equal(both.good[1], one.good)
    np.testing.assert_allclose(both.data[1], 1.1 * one.data, rtol=1e-6)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("status", [None, "COMPLETE", "SKIPPED"])
def test_the_frames_of_the_wcs_tell_what_is_rectified(product, status):
    model = model_of(product)
    model.meta.cal_step.resample = status
    image = read(model)
    rectified = product == "s2d"
    assert image.resampled == rectified
    contradiction = status is not None and rectified != (status == "COMPLETE")
    assert bool(image.notes) == contradiction
    if contradiction:
        assert f"S_RESAMP is {status}, but the WCS is that of a" in image.notes[0]
    del model.meta.wcs
    assert read(model).resampled == (status == "COMPLETE")


def test_frames_of_nirspec():
    from gwcs import WCS
    from gwcs import coordinate_frames as cf

    model = model_of()
    first, last = model.meta.wcs.pipeline
    slit = cf.Frame2D(name="slit_frame")
    model.meta.wcs = WCS([(first.frame, Mapping((0, 1))), (slit, first.transform), (last.frame, None)])
    assert read(model).resampled


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_pixel_scale_is_that_along_the_slit(product):
    for model in (model_of(product), transposed(model_of(product))):
        assert read(model).pixel_scale == pytest.approx(0.11057, rel=2e-4)
    model.meta.wcs = None
    assert read(model).pixel_scale is None


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_orientation_does_not_change_the_spectrum(product):
    upright, flat = read(model_of(product)), read(transposed(model_of(product)))
    assert (upright.horizontal, flat.horizontal) == (False, True)
    for name in ("data", "var_rnoise", "wavelength", "good", "dq"):
        np.testing.assert_array_equal(getattr(flat, name), getattr(upright, name), err_msg=name)
    np.testing.assert_allclose(flat.world(50.0, 320.0), upright.world(50.0, 320.0))
    placed = {"extract_width": 7.5, "use_source_posn": True, "bkg_coeff": [[1], [4]], "bkg_order": 1}
    shift = upright.origin[1]
    placed["bkg_coeff"] = [[shift + 2], [shift + 6]] if product == "cal" else [[2], [6]]
    start = {"xstart": shift + 20, "xstop": shift + 27}
    a = extract(upright, references=find_references(upright, crds=False), **start, **placed)
    start = {"ystart": shift + 20, "ystop": shift + 27, "xstart": None, "xstop": None}
    b = extract(flat, references=find_references(flat, crds=False), **start, **placed)
    for name in ("wavelength", "flux", "flux_error", "background", "npixels", "dq"):
        np.testing.assert_allclose(getattr(b, name), getattr(a, name), rtol=1e-9, err_msg=name)
    assert (b.slit_ra, b.slit_dec) == pytest.approx((a.slit_ra, a.slit_dec), rel=1e-12)


def test_horizontal_copy_agrees_with_the_pipeline(tmp_path, observation):
    from tests.extract1d_step import pipeline_spec
    from tests.same_spectrum import assert_same_spectrum

    model = transposed(model_of())
    json = tmp_path / "flat.json"
    json.write_text(
        '{"apertures": [{"id": "MIR_LRS-FIXEDSLIT", "ystart": 27.2, "ystop": 34, "extract_width": 6.3,'
        ' "xstart": 4, "xstop": 370, "use_source_posn": false, "bkg_coeff": [[18.0], [24.0]]}]}'
    )
    ours = extract(
        read(model), override_extract1d=json, override_apcorr=observation["apcorr"], pipeline_compatible=True
    )
    assert_same_spectrum(ours, pipeline_spec(model, json, observation["apcorr"]).spec[0])


@pytest.mark.parametrize("plane", ["data", "err", "var_poisson", "var_rnoise", "var_flat"])
def test_nan_in_any_plane_is_a_bad_pixel(plane):
    model = model_of()
    good = np.argwhere(np.isfinite(model.data))[500]
    model[plane][tuple(good)] = np.nan
    image = read(model)
    assert not image.good[tuple(good)]
    assert image.dq[tuple(good)] & 1
    assert np.isnan(image.data[tuple(good)])
    assert image.filled[tuple(good)] == 0
    assert (image.variances[:, *good] == 0).all()


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_pixel_without_a_wavelength_is_a_bad_pixel(value):
    as_nan, model = model_of(), model_of()
    as_nan.data[200, 30:32] = np.nan
    model.wavelength[200, 30:32] = value
    model.wavelength[:, :3] = np.nan  # beside the slit
    images = [from_datamodel(one) for one in (as_nan, model)]
    np.testing.assert_array_equal(images[1].good[:, 3:], images[0].good[:, 3:])
    np.testing.assert_allclose(images[1].wavelength[:, 3:], images[0].wavelength[:, 3:], rtol=1e-6)
    assert np.isnan(images[1].wavelength[:, :3]).all()
    references = find_references(images[0], crds=False)
    left, ours = (extract(image, references=references, extract_width=8) for image in images)
    for name in ("flux", "flux_error", "npixels", "dq"):
        np.testing.assert_allclose(getattr(ours, name), getattr(left, name), rtol=1e-6)
    assert any("FLUX_ESTIMATED" in note for note in ours.notes)


def test_only_do_not_use_takes_a_pixel_out():
    model = model_of("cal")
    model.dq[100, 320], model.dq[101, 320] = 4, 5
    image = read(model)
    assert image.good[100 - image.origin[0], 320 - image.origin[1]]
    assert not image.good[101 - image.origin[0], 320 - image.origin[1]]


@pytest.mark.parametrize("absent", [("var_flat",), ("var_poisson", "var_rnoise", "var_flat"), ("err",)])
def test_missing_planes_are_listed(tmp_path, absent):
    model = model_of()
    for name in absent:
        del model._instance[name]
    model.save(tmp_path / "less_s2d.fits")
    image = read(tmp_path / "less_s2d.fits")
    assert image.missing == tuple(name for name in absent if name != "err")
    spectrum = extract(image, references=find_references(image, crds=False), extract_width=8)
    assert any("has no var_" in note for note in spectrum.notes) == bool(image.missing)
    assert np.isnan(spectrum.flux_error).all() == (len(image.missing) == 3)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (0.0, "zero")])
@pytest.mark.parametrize("plane", ["err", "var_flat"])
def test_plane_of_nothing_is_missing(plane, value, word):
    model, without = model_of(), model_of()
    model[plane][:] = value
    del without._instance[plane]
    image, expected = read(model), read(without)
    assert image.missing == expected.missing
    assert image.notes == (f"{plane.upper()} is {word} at every pixel: it counts as missing.",)
    np.testing.assert_array_equal(image.data, expected.data)
    np.testing.assert_array_equal(image.variance, expected.variance)
    assert image.notes[0] in extract(image, references=find_references(image, crds=False)).notes


def test_two_solid_angles_are_told():
    model = model_of()
    assert not read(model).notes
    model.meta.photometry.pixelarea_steradians *= 1.5
    (note,) = read(model).notes
    assert note.startswith(
        "PIXAR_SR (0.01826 arcsec^2) and PIXAR_A2 (0.01217 arcsec^2) contradict each other"
    )
    model.meta.photometry.pixelarea_arcsecsq = None
    assert not read(model).notes


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_wavelengths_that_are_not_those_of_the_wcs_are_told(product):
    for model in (model_of(product), transposed(model_of(product))):
        assert not read(model).notes
        model.wavelength = 1.02 * model.wavelength
        (note,) = read(model).notes
        assert note.startswith("The WAVELENGTH extension and the WCS differ by 0.")


def test_source_beside_the_slit_is_told():
    """The WCS of a rectified image has a column for it, however far it is."""
    model = model_of()
    on_it = read(model)
    assert not on_it.notes
    model.meta.dither.dithered_dec += 60.0 / 3600.0
    beside = read(model)
    assert beside.source.location == pytest.approx(on_it.source.location, abs=0.1)
    assert "(DITH_RA, DITH_DEC) 60 arcsec beside the slit" in " ".join(beside.notes)


def test_pixel_without_weight_is_not_good():
    model, expected = model_of(), read(model_of())
    unlit = np.isnan(model.data)
    assert unlit.any()
    for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wht"):
        model[name][unlit] = 0.0
    np.testing.assert_array_equal(read(model).good, expected.good)


def test_wavelengths_come_from_the_wcs_where_the_plane_is_absent_or_empty():
    model = model_of()
    expected = read(model).wavelength
    model.wavelength = None
    np.testing.assert_allclose(read(model).wavelength, expected, rtol=1e-6)
    model.wavelength = np.zeros_like(model.data)
    np.testing.assert_allclose(read(model).wavelength, expected, rtol=1e-6)


def test_source_is_left_as_it_was(observation):
    model = model_of()
    before = model.data.copy()
    image = read(model)
    extract(image, references=find_references(image, crds=False))
    np.testing.assert_array_equal(model.data, before)


# --- what is refused ---------------------------------------------------------------------------------------


def missing(path, observation):
    pass


def folder(path, observation):
    path.mkdir()


def empty(path, observation):
    path.write_bytes(b"")


def text(path, observation):
    path.write_text("SIMPLE is not what this is")


def truncated(path, observation):
    whole = observation["nod1_s2d"].read_bytes()
    path.write_bytes(whole[: len(whole) // 3])


def header_only(path, observation):
    path.write_bytes(observation["nod1_s2d"].read_bytes()[:2880])


def plain_fits(path, observation):
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(path)


def x1d(path, observation):
    extract(observation["nod1_s2d"]).write(path)


def apcorr(path, observation):
    shutil.copy(observation["apcorr"], path)


def no_image(path, observation):
    with fits.open(observation["nod1_s2d"]) as hdus:
        del hdus["SCI"]
        hdus.writeto(path)


def changed(change):
    def make(path, observation):
        model = model_of()
        change(model)
        model.save(path)

    make.__name__ = change.__name__
    return make


@changed
def all_nan(model):
    model.data[:] = np.nan


@changed
def all_flagged(model):
    model.dq = np.ones(model.data.shape, np.uint32)


@changed
def no_wavelengths(model):
    model.wavelength, model.meta.wcs = None, None


@changed
def no_spectral_wcs(model):
    from astropy.modeling.models import Identity
    from gwcs import WCS
    from gwcs import coordinate_frames as cf

    frames = [cf.Frame2D(name=name) for name in ("detector", "world")]
    model.wavelength = None
    model.meta.wcs = WCS([(frames[0], Identity(2)), (frames[1], None)])


@changed
def counts(model):
    model.meta.bunit_data = "DN/s"


@changed
def milli_jansky(model):
    model.meta.bunit_data = "mJy/sr"


@changed
def no_unit(model):
    model.meta.bunit_data = None


@changed
def no_pixel_area(model):
    model.meta.photometry.pixelarea_steradians = None


def pixel_area(value):
    @changed
    def make(model):
        model.meta.photometry.pixelarea_steradians = value

    return make


def wavelengths(change):
    @changed
    def make(model):
        model.wavelength = change(model.wavelength)

    return make


def horizontal_card(path, observation):
    shutil.copy(observation["nod1_s2d"], path)
    fits.setval(path, "DISPAXIS", value=1, extname="SCI")


def endless_pixel_area(path, observation):
    content = observation["nod1_s2d"].read_bytes()
    at = content.index(b"PIXAR_SR")
    path.write_bytes(content[:at] + b"PIXAR_SR=                1E400".ljust(80) + content[at + 80 :])


@changed
def no_weight(model):
    model.wht[:] = 0


@changed
def short_flags(model):
    model.dq = np.zeros((386, 46), np.uint32)


@changed
def wide_variance(model):
    model.var_rnoise = np.ones((387, 47), np.float32)


@changed
def stacked_error(model):
    model.err = np.ones((2, 387, 46), np.float32)


@changed
def negative_variance(model):
    model.var_poisson[100, 20:23] = -1.0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing, "no such file"),
        (folder, "no such file"),
        (empty, "not a complete FITS file"),
        (text, "not a complete FITS file"),
        (truncated, "not a complete FITS file"),
        (header_only, "not a complete FITS file"),
        (plain_fits, "a 2-D spectrum .* is needed"),
        (x1d, "DATAMODL is 'MultiSpecModel'"),
        (apcorr, "DATAMODL is 'MirLrsApcorrModel'"),
        (no_image, "cannot be opened as a SlitModel"),
        (all_nan, "no pixel with a wavelength is valid"),
        (all_flagged, "no pixel with a wavelength is valid"),
        (no_weight, "no pixel with a wavelength is valid"),
        (short_flags, r"DQ has the shape \(386, 46\), but SCI has \(387, 46\)"),
        (wide_variance, r"VAR_RNOISE has the shape \(387, 47\)"),
        (stacked_error, r"ERR has the shape \(2, 387, 46\)"),
        (negative_variance, "VAR_POISSON is negative at 3 valid pixels"),
        (no_wavelengths, "wavelengths"),
        (no_spectral_wcs, "wavelengths"),
        (counts, r"unit \(BUNIT\) is 'DN/s'"),
        (milli_jansky, r"unit \(BUNIT\) is 'mJy/sr'"),
        (no_unit, r"unit \(BUNIT\) is ''"),
        (no_pixel_area, "PIXAR_SR.*is missing"),
        (pixel_area(1.0), "PIXAR_SR.*is 1 sr, which is no pixel"),
        (pixel_area(0.0), "PIXAR_SR.*is 0 sr, which is no pixel"),
        (pixel_area(-2.86e-13), "PIXAR_SR.*is -2.86e-13 sr, which is no pixel"),
        (endless_pixel_area, "PIXAR_SR.*which is no pixel"),
        (wavelengths(lambda um: um * 1e-6), r"wavelengths run from 3.*e-06 to 1.*e-05, in micron not all"),
        (wavelengths(lambda um: um * 1e3), "wavelengths run from .* in micron not all between 0.5 and 30"),
        (wavelengths(lambda um: np.full_like(um, 7.0)), "neither rise nor fall throughout, at .* pixels"),
        (wavelengths(lambda um: np.roll(um, 9, axis=0)), "neither rise nor fall throughout"),
        (horizontal_card, "DISPAXIS is 1, but the wavelengths change along y"),
    ],
)
def test_bad_file_is_refused_in_one_sentence(make, reason, tmp_path, observation):
    path = tmp_path / "bad_s2d.fits"
    make(path, observation)
    with pytest.raises(LRSError, match=reason) as raised:
        read(path)
    sentence = str(raised.value)
    assert "bad_s2d.fits" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ". " not in sentence  # one sentence


def test_unit_may_be_spelled_otherwise():
    for unit in ("MJy/sr", "MJy / sr", "MJy sr-1"):
        model = model_of()
        model.meta.bunit_data = unit
        assert read(model).unit == "MJy/sr"


def test_other_model_in_memory_is_refused(observation):
    from stdatamodels.jwst.datamodels import MultiSpecModel

    with pytest.raises(LRSError, match="holds no image"):
        from_datamodel(MultiSpecModel())


def test_errors_and_variances_that_contradict_each_other_are_noted(observation):
    with SlitModel(observation["nod1_s2d"]) as model:
        model.var_flat[100, 20] *= 100.0
        image = read(model)
    (note,) = image.notes
    assert note.startswith("ERR and the variances contradict each other at 1 of ")
    assert read(observation["nod1_s2d"]).notes == ()


def test_wavelengths_of_another_shape_are_refused(observation):
    with SlitModel(observation["nod1_s2d"]) as model:
        model.wavelength = model.wavelength[:-1]
        with pytest.raises(LRSError, match=r"WAVELENGTH has the shape \(386, 46\), but SCI has \(387, 46\)"):
            read(model)
