import os
from dataclasses import replace

import numpy as np
import pytest
from stdatamodels.jwst import datamodels

from jdaviz_lrs import extract, read
from jdaviz_lrs.products.images import image_products, to_file_axes
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.horizontal import transposed

ALL = {"save_profile": True, "save_scene_model": True, "save_residual_image": True}
SEEN = {product: simulate(Scene(bad_pixels=30), product) for product in ("s2d", "cal")}


def extracted(model, **changes):
    image = read(model)
    shift = image.origin[1]
    placed = {
        "src_coeff": [[shift + 25.2], [shift + 33.9]],
        "use_source_posn": False,
        "xstart": None,
        "xstop": None,
    }
    return extract(image, references=find_references(image, crds=False), **{**placed, **ALL, **changes})


def save_images(spectrum, output):
    """Write the images alone."""
    for path, save in (products := image_products(spectrum, output)).items():
        save(path)
    return [*products]


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_images_have_the_shape_of_the_file(product, tmp_path):
    model = to_model(SEEN[product])
    spectrum = extracted(model)
    paths = save_images(spectrum, tmp_path / "jw1_extract1dstep.fits")
    assert [path.name for path in paths] == ["jw1_profile.fits", "jw1_scene_model.fits", "jw1_residual.fits"]
    images = []
    for path in paths:
        with datamodels.open(path) as written:
            assert isinstance(written, datamodels.ImageModel)
            assert written.meta.instrument.name == "MIRI"
            images.append(np.array(written.data))
    profile, scene, residual = images
    assert profile.shape == scene.shape == residual.shape == model.data.shape
    np.testing.assert_array_equal(np.isnan(residual), ~np.isfinite(model.data))
    # in single precision, of numbers up to 200 MJy/sr
    np.testing.assert_allclose(
        (scene + residual)[~np.isnan(residual)], model.data[np.isfinite(model.data)], atol=1e-4
    )
    np.testing.assert_allclose(profile.sum(axis=1).max(), 8.7, rtol=1e-6)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_images_are_the_pipelines(product, tmp_path):
    from jwst.extract_1d.extract import run_extract1d

    model = to_model(SEEN[product])
    spectrum = extracted(model, bkg_coeff=[[x + read(model).origin[1]] for x in (17.0, 23.0)], bkg_order=1,
                         pipeline_compatible=True)  # fmt: skip
    reference = find_references(spectrum.image, crds=False).extract1d
    from jdaviz_lrs import ExtractionParameters

    given = ExtractionParameters().with_(spectrum.parameters)
    json = reference.with_parameters(given, "MIR_LRS-FIXEDSLIT").write(tmp_path / "a.json")
    theirs = run_extract1d(model, str(json), None, **ALL)[1:]
    for name, their in zip(("profile", "scene_model", "residual"), theirs, strict=True):
        outside = 0.0 if name == "profile" else np.nan
        ours = to_file_axes(getattr(spectrum, name), spectrum.image, outside)
        inside = np.isfinite(ours) & np.isfinite(their.data)
        assert inside.sum() >= 0.98 * np.isfinite(getattr(spectrum, name)).sum()
        # the pipeline keeps them in single precision
        np.testing.assert_allclose(ours[inside], their.data[inside], rtol=2e-6, atol=2e-4, err_msg=name)


def test_horizontal_files_get_horizontal_images(tmp_path):
    upright, flat = to_model(SEEN["s2d"]), transposed(to_model(SEEN["s2d"]))
    a, b = extracted(upright), extracted(flat)
    for name in ("profile", "residual"):
        turned = to_file_axes(getattr(b, name), b.image, np.nan)
        # the same sums, in another order in memory
        np.testing.assert_allclose(turned.T, to_file_axes(getattr(a, name), a.image, np.nan), atol=1e-11)


def test_stacks_are_written_as_cubes(tmp_path):
    image = read(to_model(SEEN["s2d"]))
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "good", "dq")
    stack = replace(image, **{name: np.stack([getattr(image, name)] * 2) for name in names})
    spectrum = extract(stack, references=find_references(stack, crds=False), extract_width=8, **ALL)
    paths = save_images(spectrum, tmp_path / "jw1_extract1dstep.fits")
    shapes = []
    for path in paths:
        with datamodels.open(path) as written:
            shapes.append(written.data.shape)
    assert shapes == [(387, 46), (2, 387, 46), (2, 387, 46)]


def test_only_what_is_asked_for_is_written(tmp_path):
    spectrum = extracted(to_model(SEEN["s2d"]), save_profile=False, save_scene_model=False)
    assert [p.name for p in save_images(spectrum, tmp_path / "a_x1d.fits")] == ["a_residual.fits"]
    assert os.listdir(tmp_path) == ["a_residual.fits"]
