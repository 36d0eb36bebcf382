import os
import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from specutils import Spectrum
from stdatamodels.jwst import datamodels

from jdaviz_lrs import LRSError, combine, extract, read, read_x1d
from jdaviz_lrs.data.spectrum import COLUMNS
from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.products.x1d import write_x1d
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.extract1d_step import pipeline_spec
from tests.horizontal import transposed
from tests.slitless import write_segments
from tests.verdicts import FINE, NAN, WRONG

PLACED = {
    "xstart": 27,
    "xstop": 34,
    "extract_width": 7.5,
    "use_source_posn": True,
    "bkg_coeff": [[18.5], [23]],
}


@pytest.fixture(scope="module")
def spectrum(observation):
    return extract(
        observation["nod1_s2d"],
        override_extract1d=observation["extract1d"],
        override_apcorr=observation["apcorr"],
        override_psf=observation["psf"],
        **PLACED,
    )


@pytest.fixture(scope="module")
def written(spectrum, tmp_path_factory):
    return spectrum.write(tmp_path_factory.mktemp("written") / "a_x1d.fits")


@pytest.fixture(scope="module")
def pipelines(observation, tmp_path_factory):
    """The pipeline's own file of the same extraction."""
    from jdaviz_lrs.references.extract1d import read_extract1d

    folder = tmp_path_factory.mktemp("pipeline")
    reference = read_extract1d(observation["extract1d"])
    parameters = reference.parameters("MIR_LRS-FIXEDSLIT").with_(PLACED)
    json = reference.with_parameters(parameters, "MIR_LRS-FIXEDSLIT").write(folder / "placed.json")
    model = pipeline_spec(observation["nod1_s2d"], json, observation["apcorr"], observation["psf"])
    model.save(folder / "theirs_x1d.fits")
    return folder / "theirs_x1d.fits"


def test_columns_of_2020_are_read(written, tmp_path):
    with fits.open(written) as hdus:
        table = hdus["EXTRACT1D"]
        former = {"FLUX_ERROR": "ERROR", "BKGD_ERROR": "BERROR"}
        kept = [c for c in table.columns if "VAR" not in c.name]
        columns = [
            fits.Column(former.get(c.name, c.name), c.format, c.unit, array=table.data[c.name]) for c in kept
        ]
        hdus["EXTRACT1D"] = fits.BinTableHDU.from_columns(columns, table.header, name="EXTRACT1D")
        hdus.writeto(tmp_path / "old_x1d.fits")
    old, new = read_x1d(tmp_path / "old_x1d.fits"), read_x1d(written)
    for name in COLUMNS:
        expected = np.full(new.flux.size, np.nan) if "_var_" in name else getattr(new, name)
        np.testing.assert_array_equal(getattr(old, name), expected, err_msg=name)
    assert (old.slit_ra, old.slit_dec) == (new.slit_ra, new.slit_dec)


@pytest.mark.filterwarnings("error")
def test_data_model_opens_it(written, spectrum):
    with datamodels.open(written) as model:
        assert isinstance(model, datamodels.MultiSpecModel)
        model.validate()
        assert model.meta.cal_step.extract_1d == "COMPLETE"
        spec = model.spec[0]
        for name in COLUMNS:
            np.testing.assert_array_equal(spec.spec_table[name.upper()], getattr(spectrum, name))
        rows = np.array([0.0, 100.0, 386.0])
        ra, dec, wavelength = spec.meta.wcs(rows)
        np.testing.assert_allclose(ra, spectrum.slit_ra)
        np.testing.assert_allclose(dec, spectrum.slit_dec)
        np.testing.assert_allclose(wavelength, spectrum.wavelength[[0, 100, 386]])
        np.testing.assert_allclose(spec.meta.wcs.invert(ra, dec, wavelength), rows, atol=1e-6)


def test_columns_and_units_are_the_pipelines(written, pipelines):
    with fits.open(written) as ours, fits.open(pipelines) as theirs:
        assert [hdu.name for hdu in ours] == [hdu.name for hdu in theirs]
        a, b = ours["EXTRACT1D"].columns, theirs["EXTRACT1D"].columns
        assert a.names == b.names
        assert len(a.names) == 18
        assert a.units == b.units
        assert a.formats == b.formats


def test_keywords_are_the_pipelines(written, pipelines):
    with fits.open(written) as ours, fits.open(pipelines) as theirs:
        a, b = ours["EXTRACT1D"].header, theirs["EXTRACT1D"].header
        for name in (set(b) & set(a)) - {"CHECKSUM", "DATASUM", "COMMENT", "HISTORY", ""}:
            same = a[name] == (b[name] if isinstance(b[name], str) else pytest.approx(b[name], rel=1e-6))
            assert same, f"{name}: {a[name]!r}, pipeline {b[name]!r}"
        assert {"EXTRXSTR", "EXTRXSTP", "EXTRYSTR", "EXTRYSTP", "SLIT_RA", "SLIT_DEC", "SRCTYPE"} <= set(a)
        assert set(b) - set(a) <= {"COMMENT", "HISTORY"}


def test_primary_header_is_carried_over(written, pipelines, observation):
    now = {"DATE", "FILENAME", "CAL_VER", "CAL_VCS", "DATAMODL", "SRCTYPE", "CHECKSUM", "DATASUM"}
    with (
        fits.open(written) as ours,
        fits.open(observation["nod1_s2d"]) as given,
        fits.open(pipelines) as theirs,
    ):
        for name in set(given[0].header) - now - {"", "COMMENT", "HISTORY"}:
            if name in theirs[0].header:
                assert ours[0].header[name] == given[0].header[name], name
        assert ours[0].header["R_EXTR1D"] == "lrs_extract1d.json"
        assert ours[0].header["FILENAME"] == written.name


def test_limits_are_one_indexed(written, spectrum):
    header = fits.getheader(written, "EXTRACT1D")
    assert header["EXTRXSTR"] == pytest.approx(spectrum.limits.xdisp_start + 1)
    assert header["EXTRXSTP"] == pytest.approx(spectrum.limits.xdisp_stop + 1)
    assert (header["EXTRYSTR"], header["EXTRYSTP"]) == (1, 387)


def test_limits_of_a_horizontal_file_are_exchanged(tmp_path):
    model = transposed(to_model(simulate(Scene())))
    image = read(model)
    placed = {"ystart": 27, "ystop": 34, "xstart": None, "xstop": None, "use_source_posn": False}
    spectrum = extract(image, references=find_references(image, crds=False), **placed)
    header = fits.getheader(spectrum.write(tmp_path / "flat_x1d.fits"), "EXTRACT1D")
    assert [header[f"EXTR{name}"] for name in ("YSTR", "YSTP", "XSTR", "XSTP")] == [28, 35, 1, 387]
    assert header["DISPAXIS"] == 1


def test_header_tells_how_it_was_made(written):
    header = fits.getheader(written, "EXTRACT1D")
    from jdaviz_lrs import __version__

    assert header["LRS program"] == "jdaviz-lrs"
    assert header["LRS version"] == __version__
    assert header["LRS input"].endswith("_s2d.fits")
    assert header["LRS extract_width"] == 7.5
    assert header["LRS bkg_coeff"] == "[[18.5], [23.0]]"
    assert header["LRS use_source_posn"] is True
    assert header["LRS reference_apcorr"] == "lrs_apcorr.fits"


def test_long_and_foreign_text_is_written(spectrum, tmp_path):
    edges = [[1.0 / 3.0, *([1e-9 / 7] * 9)]] * 4
    strange = replace(
        spectrum,
        parameters={**spectrum.parameters, "src_coeff": edges},
        notes=("5 µm first line\nsecond", "x" * 500),
    )
    header = fits.getheader(write_x1d(strange, tmp_path / "a.fits"), "EXTRACT1D")
    assert header["LRS src_coeff"].count(",") == 39
    assert header["LRS note_1"] == "5 \\xb5m first line\\nsecond"
    assert header["LRS note_2"] == "x" * 500


@pytest.mark.filterwarnings("error::astropy.io.fits.verify.VerifyWarning")
@pytest.mark.parametrize("verdict", [FINE, WRONG, Verdict()], ids=["fine", "wrong", "nothing told"])
def test_the_verdict_goes_out_and_comes_back(spectrum, tmp_path, verdict):
    path = replace(spectrum, verdict=verdict).write(tmp_path / "a_x1d.fits")
    found = read_x1d(path).verdict
    assert found.passed == verdict.passed
    for name, value in asdict(verdict).items():
        if isinstance(value, float) or (isinstance(value, tuple) and name not in ("stand_ins", "dropped")):
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-4, err_msg=name)
        else:
            assert getattr(found, name) == value, name
    again = read_x1d(path).write(tmp_path / "again_x1d.fits")
    assert repr(read_x1d(again).verdict) == repr(found)


def test_what_fits_cannot_hold_is_null_or_left_out(spectrum, tmp_path):
    strange = replace(spectrum, verdict=WRONG, report={"psf_shift_error": NAN, "ratios": [1.0, np.inf]})
    header = fits.getheader(strange.write(tmp_path / "a_x1d.fits"), "EXTRACT1D")
    assert header["LRS verdict_sum_ratio"] == "[0.312, 0.2831, null]"
    assert header["LRS verdict_dropped"] == '["width", "companions"]'
    assert header["LRS verdict_trace_offset"] == -6.0
    assert header["LRS report_ratios"] == "[1.0, null]"
    assert "LRS report_psf_shift_error" not in header
    untold = fits.getheader(replace(spectrum, verdict=Verdict()).write(tmp_path / "b_x1d.fits"), "EXTRACT1D")
    assert not {"LRS verdict_trace_offset", "LRS verdict_dropped", "LRS verdict_witness_followed"} & set(
        untold
    )
    meta = strange.to_spectrum().meta
    assert meta["verdict_chi_square"] == "[11.02, 104.01, 0.99]"
    assert "report_psf_shift_error" not in meta


def test_a_file_without_a_verdict_or_with_a_broken_one_is_read(spectrum, pipelines, tmp_path):
    assert read_x1d(pipelines).verdict is None
    path = replace(spectrum, verdict=FINE).write(tmp_path / "a_x1d.fits")
    fits.setval(path, "HIERARCH LRS verdict_sum_ratio", value="[1.0, ", extname="EXTRACT1D")
    assert read_x1d(path).verdict is None


@pytest.mark.filterwarnings("error::astropy.io.fits.verify.VerifyWarning")
def test_specutils_reads_it(written, spectrum):
    read_back = Spectrum.read(written, format="JWST x1d")
    assert read_back.flux.unit == u.Jy
    order = np.argsort(read_back.spectral_axis.to_value(u.um))
    ours = np.argsort(spectrum.wavelength)
    np.testing.assert_allclose(read_back.flux.value[order], spectrum.flux[ours])
    np.testing.assert_allclose(read_back.uncertainty.represent_as(type(spectrum.to_spectrum().uncertainty)).array[order], spectrum.flux_error[ours])  # fmt: skip # noqa: E501


def test_we_read_it_and_the_pipelines(written, pipelines, spectrum):
    ours, theirs = read_x1d(written), read_x1d(pipelines)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(spectrum, name))
        np.testing.assert_allclose(getattr(theirs, name), getattr(spectrum, name), rtol=1e-6, err_msg=name)
    assert (ours.slit_ra, ours.slit_dec) == (spectrum.slit_ra, spectrum.slit_dec)
    assert ours.file_name == written.name
    assert ours.parameters["extract_width"] == 7.5
    assert theirs.slit_ra == pytest.approx(spectrum.slit_ra)


def test_stack_has_a_table_for_every_integration(spectrum, tmp_path):
    image = read(to_model(simulate(Scene())))
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "good", "dq")
    stack = replace(image, **{name: np.stack([getattr(image, name)] * 3) for name in names})
    many = extract(stack, references=find_references(image, crds=False), extract_width=8)
    with datamodels.open(many.write(tmp_path / "stack_x1d.fits")) as model:
        assert len(model.spec) == 3
        np.testing.assert_array_equal(model.spec[2].spec_table["FLUX"], many.flux[2])


def test_existing_file_stays_unless_told(spectrum, tmp_path):
    path = tmp_path / "a_x1d.fits"
    path.write_text("precious")
    with pytest.raises(LRSError, match="the file exists"):
        spectrum.write(path)
    assert path.read_text() == "precious"
    spectrum.write(path, overwrite=True)
    assert read_x1d(path).flux.size == 387


def combined_with_a_nod(spectrum, folder):
    return combine([spectrum, replace(spectrum, flux=1.001 * spectrum.flux)])


def of_a_series(spectrum, folder):
    return extract(write_segments(folder, (2, 1)))


MAKE = {"x1d": lambda spectrum, folder: spectrum, "c1d": combined_with_a_nod, "x1dints": of_a_series}


@pytest.mark.parametrize("place", MAKE)
def test_what_no_library_writes_is_a_sentence(spectrum, tmp_path, place, monkeypatch):
    def fail(header, made):
        header["HIERARCH LRS a\0b"] = 1

    monkeypatch.setattr(f"jdaviz_lrs.products.{place}.tell_made", fail)
    made = MAKE[place](spectrum, tmp_path)
    output = tmp_path / "out.fits"
    with pytest.raises(LRSError, match="what was made of it cannot be written"):
        made.write(output)
    assert not [*tmp_path.glob("out*"), *tmp_path.glob(".lrs*")]


def test_no_half_written_file_stays(spectrum, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jdaviz_lrs.products.made.provenance", fail)  # when all but the header is written
    with pytest.raises(LRSError, match=r"a_x1d\.fits: cannot be written \(No space left"):
        spectrum.write(tmp_path / "a_x1d.fits")
    assert os.listdir(tmp_path) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["missing", "text", "s2d", "no spectrum"])
def test_other_files_are_refused(kind, tmp_path, observation):
    path = tmp_path / "bad_x1d.fits"
    if kind == "text":
        path.write_text("text")
    if kind == "s2d":
        path = observation["nod1_s2d"]
    if kind == "no spectrum":
        datamodels.MultiSpecModel().save(path)
    with pytest.raises(LRSError) as raised, warnings.catch_warnings():
        read_x1d(path)
    assert path.name in str(raised.value)
    assert str(raised.value).endswith(".")


def test_the_error_in_common_is_kept(spectrum, tmp_path):
    common = 0.01 * spectrum.flux
    path = replace(spectrum, common_error=common).write(tmp_path / "a_x1d.fits")
    np.testing.assert_array_equal(read_x1d(path).common_error, common)
    with datamodels.open(path) as model:  # the pipeline reads it as before
        np.testing.assert_array_equal(model.spec[0].spec_table["FLUX"], spectrum.flux)
    assert read_x1d(spectrum.write(tmp_path / "b_x1d.fits")).common_error is None
    for wrong in (-1e-6, np.inf):
        with fits.open(path, mode="update") as hdus:
            hdus["LRS_COMMON"].data["COMMON_ERROR"][100] = wrong
        with pytest.raises(LRSError, match="LRS_COMMON has negative or infinite errors"):
            read_x1d(path)
    with fits.open(path, mode="update") as hdus:
        hdus["LRS_COMMON"].data = hdus["LRS_COMMON"].data[:-1]
    with pytest.raises(LRSError, match="LRS_COMMON does not go with its table"):
        read_x1d(path)
