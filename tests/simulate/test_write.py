"""The files, as others read them: stdatamodels, and the pipeline's own extraction."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from astropy.table import QTable
from stdatamodels.jwst import datamodels

from jdaviz_lrs.simulate import Scene, simulate, to_model, write_exposure, write_observation
from tests.drizzled import light_kept

ALL = ("data", "err", "var_poisson", "var_rnoise", "var_flat", "wavelength")


@pytest.fixture(scope="module")
def extract_1d(observation):
    """Run the pipeline's step on a model, in process, with the observation's reference files."""
    from jwst.extract_1d import Extract1dStep

    def run(model, **parameters):
        step = Extract1dStep()
        for name in ("extract1d", "apcorr", "psf"):
            setattr(step, f"override_{name}", str(observation[name]))
        for name, value in parameters.items():
            setattr(step, name, value)
        result = step.process(model)
        assert result.meta.cal_step.extract_1d == "COMPLETE"
        return result.spec[0]

    return run


def test_every_file_opens_as_its_class(observation):
    kinds = {"s2d": "SlitModel", "cal": "SlitModel", "psf": "SpecPsfModel", "apcorr": "MirLrsApcorrModel"}
    for name, path in observation.items():
        if path.suffix == ".fits":
            with datamodels.open(path) as model:
                assert type(model).__name__ == kinds[name.rsplit("_")[-1]]
                assert model.validate() is None
                assert model.meta.filename == path.name
    assert sum(path.suffix == ".fits" for path in observation.values()) == 10


def test_cal_of_the_former_pipeline(tmp_path):
    seen = simulate(Scene(), "cal")
    with datamodels.open(write_exposure(seen, tmp_path / "a_cal.fits", image_model=True)) as model:
        assert type(model).__name__ == "ImageModel"
        assert model.validate() is None
        with to_model(seen) as now:
            for plane in (*ALL, "dq"):
                np.testing.assert_array_equal(model[plane], now[plane])
    assert isinstance(to_model(simulate(), image_model=True), datamodels.SlitModel)  # an s2d always is


@pytest.mark.parametrize("name", ["nod1_s2d", "nod2_nobsub_s2d", "nod2_cal"])
def test_file_holds_the_simulation(observation, name):
    nod, product = int(name[3]), name[-3:]
    seen = simulate(Scene(nod_subtracted="nobsub" not in name), product, nod)
    with datamodels.open(observation[name]) as model:
        (row, column), (n_row, n_column) = seen.grid.corner, seen.data.shape
        part = np.s_[row : row + n_row, column : column + n_column]
        for plane in ALL[:-1]:
            np.testing.assert_allclose(getattr(model, plane)[part], getattr(seen, plane), rtol=1e-6)
        assert np.nansum(np.isfinite(model.data)) == np.isfinite(seen.data).sum()
        np.testing.assert_allclose(model.wavelength[part][:, 0], seen.truth.wavelength, rtol=1e-6)
        assert model.meta.cal_step.bkg_subtract == ("COMPLETE" if "nobsub" not in name else None)
        assert model.meta.dither.x_offset == pytest.approx(0.925 if nod == 1 else -0.925)
        dither = model.meta.dither
        where = np.full(387, dither.dithered_ra), np.full(387, dither.dithered_dec), seen.truth.wavelength
        np.testing.assert_allclose(model.meta.wcs.backward_transform(*where)[0], seen.truth.trace, atol=1e-6)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_header_is_that_of_the_real_file(observation, shared_scene, product):
    real = shared_scene / {"s2d": "l2_s2d.fits", "cal": "nod1_cal.fits.gz"}[product]
    with datamodels.open(real) as theirs, datamodels.open(observation[f"nod1_{product}"]) as ours:
        wanted = {k for k in theirs.to_flat_dict() if k.startswith("meta.") and "meta.resample" not in k}
        assert wanted <= set(ours.to_flat_dict())


def test_truth_file(observation):
    table = QTable.read(observation["truth"])
    seen = simulate(Scene(), "cal", 2)
    np.testing.assert_allclose(table["flux"].to_value("Jy"), seen.truth.flux)
    np.testing.assert_allclose(table["wavelength"].to_value("um"), seen.truth.wavelength)
    np.testing.assert_allclose(table["trace_nod2_cal"].to_value("pix"), seen.truth.trace)
    assert table.meta["scene"] == asdict(Scene())


def test_extract1d_reference(observation):
    content = json.loads(observation["extract1d"].read_text())
    assert content["apertures"][0]["xstart"] == 27
    trace = QTable.read(observation["truth"])["trace_nod1_s2d"].value
    np.testing.assert_allclose(trace, 30.5, atol=0.01)  # the default aperture is centred on nod 1


def test_nothing_else_is_left(tmp_path):
    paths = write_observation(tmp_path / "new" / "folder", Scene(noise=False), cal=False)
    assert {p.name for p in (tmp_path / "new" / "folder").iterdir()} == {p.name for p in paths.values()}
    assert not any("cal" in name for name in paths)


def test_pipeline_box_extraction(extract_1d):
    seen = simulate(Scene(noise=False))
    for parameters in ({}, {"use_source_posn": True}):
        table = extract_1d(to_model(seen), **parameters).spec_table
        np.testing.assert_allclose(
            table["wavelength"], seen.truth.wavelength[np.isfinite(table["flux"])], rtol=1e-6
        )
        used = (table["wavelength"] > 5) & (table["wavelength"] < 13.5)
        # 1e-4: the wing of the negative trace, 17 px away, in the aperture; the correction's interpolation.
        # What the drizzle takes out of 8 px, the correction does not know.
        expected = (seen.truth.flux * light_kept(seen, 8))[used]
        np.testing.assert_allclose(table["flux"][used], expected, rtol=2e-3)


def test_pipeline_optimal_extraction(extract_1d):
    seen = simulate(Scene(noise=False), "cal")
    spec = extract_1d(
        to_model(seen),
        extraction_type="optimal",
        use_source_posn=True,
        model_nod_pair=True,
        optimize_psf_location=True,
    )
    table = spec.spec_table
    flux = np.interp(table["wavelength"], seen.truth.wavelength[::-1], seen.truth.flux[::-1])
    used = (table["wavelength"] > 5) & (table["wavelength"] < 13.5)
    # the pipeline places the trace with small errors of its own
    np.testing.assert_allclose(table["flux"][used], flux[used], rtol=0.02)
    assert abs(np.median(table["flux"][used] / flux[used]) - 1) < 2e-3


@pytest.mark.parametrize("nod", [1, 2])
def test_pipeline_finds_source_and_nod_pair(nod):
    from jwst.extract_1d.source_location import location_from_wcs, nod_pair_location

    seen = simulate(Scene(), "cal", nod)
    model = to_model(seen)
    middle, wavelength, location, _ = location_from_wcs(model, None)
    row = middle - seen.grid.corner[0]
    assert location == pytest.approx(seen.truth.trace[row], abs=2e-3)
    negative = simulate(Scene(), "cal", 3 - nod).truth.trace[row]
    assert nod_pair_location(model, wavelength) == pytest.approx(negative, abs=2e-3)
    assert seen.data[row, round(negative) - 303] < 0 < seen.data[row, round(location) - 303]


def test_pipeline_resamples_the_cal():
    from jwst.resample import ResampleSpecStep

    seen = simulate(Scene(noise=False, nod_subtracted=False, background=0.0), "cal")
    result = ResampleSpecStep().process(to_model(seen))
    assert result.data.shape[0] == 387
    flux = np.nansum(result.data, axis=1) * result.meta.photometry.pixelarea_steradians * 1e6
    used = (seen.truth.wavelength > 5) & (seen.truth.wavelength < 13.5)
    np.testing.assert_allclose(np.median(flux[used] / seen.truth.flux[used]), 1, atol=2e-3)
