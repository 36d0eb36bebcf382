"""Tune here, export, run the pipeline with the file: the same spectrum."""

import json

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, extract
from jdaviz_lrs.pipeline.export import export_extract1d
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D, read_extract1d
from jdaviz_lrs.references.find import find_references
from tests.exposures import SOURCE, exposure
from tests.extract1d_step import pipeline_x1d
from tests.same_spectrum import assert_same_columns

TAPER = {"src_coeff": [[-2.4, -0.26], [2.4, 0.26]], "independent_var": "wavelength", "use_source_posn": True}
SAME = ("wavelength", "flux", "surf_bright", "background", "npixels", "dq")
ERRORS = ("flux_error", "flux_var_poisson", "sb_error", "bkgd_error", "bkgd_var_rnoise")


def around(product, *edges):
    return [[SOURCE[product] + edge] for edge in edges]


def cases(product):
    c = SOURCE[product]
    regions = {"bkg_coeff": around(product, -18.2, -12.0, 10.4, 12.9)}
    here = {"xstart": c - 4, "xstop": c + 3}
    return {
        "start and stop": {**here, "use_source_posn": False},
        "fractions at the source": {"xstart": c - 3.3, "xstop": c + 1.4, "use_source_posn": True},
        "width": {**here, "extract_width": 7.3, "use_source_posn": True},
        "width and offset": {**here, "extract_width": 7.3, "use_source_posn": True, "position_offset": 0.37},
        "offset alone": {**here, "use_source_posn": False, "position_offset": -1.2},
        "taper about zero": TAPER,
        "taper and offset": {**TAPER, "position_offset": 0.5},
        "constant about zero": {"src_coeff": [[-3.2], [4.1]], "use_source_posn": True},
        "rows": {**here, "extract_width": 6, "use_source_posn": True, "ystart": 30.5, "ystop": 300},
        "mean": {**here, **regions, "bkg_fit": "mean", "use_source_posn": False},
        "line": {**here, **regions, "bkg_order": 1, "use_source_posn": True},
        "median": {**here, **regions, "bkg_fit": "median", "extract_width": 7, "use_source_posn": True},
        "not subtracted": {**here, **regions, "subtract_background": False, "use_source_posn": False},
    }


def round_trip(product, parameters, folder, apcorr=None):
    seen = exposure(product)
    references = find_references(seen.image, override_apcorr=apcorr, crds=False)
    given = ExtractionParameters().with_({"apply_apcorr": apcorr is not None, **parameters})
    ours = extract(seen.image, given, references)
    export = export_extract1d(seen.image, given, references.extract1d)
    path = export.reference.write(folder / "export.json")
    step = {name: value for name, value in export.step_parameters.items() if name != "apply_apcorr"}
    return ours, pipeline_x1d(seen.model.copy(), path, apcorr, **step), export


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("case", cases("s2d"))
def test_pipeline_gives_our_spectrum(product, case, tmp_path, observation):
    corrected = observation["apcorr"] if case in ("width", "taper about zero") else None
    ours, theirs, export = round_trip(product, cases(product)[case], tmp_path, corrected)
    assert_same_columns(ours, theirs, SAME)
    assert_same_columns(ours, theirs, ERRORS)
    # a taper that is a polynomial in wavelength about a bent trace is none: it is followed closely enough
    assert all("follows the edges to" in note for note in export.notes)
    if "taper" in case or "offset" in case:
        assert export.reference.content["apertures"][0]["use_source_posn"] is False


def test_smoothing_gives_our_flux_on_rectified_images(tmp_path):
    parameters = {**cases("s2d")["line"], "smoothing_length": 21}
    ours, theirs, _ = round_trip("s2d", parameters, tmp_path)
    assert_same_columns(ours, theirs, SAME)
    assert (ours.bkgd_error < theirs["BKGD_ERROR"]).all()  # the pipeline does not average the noise down


def test_file_that_says_it_already_is_left_as_it_is():
    image = exposure("s2d").image
    given = BUILT_IN_EXTRACT1D.parameters("MIR_LRS-FIXEDSLIT")
    export = export_extract1d(image, given, BUILT_IN_EXTRACT1D)
    assert export.reference is BUILT_IN_EXTRACT1D
    assert export.step_parameters == {}
    assert export.notes == ()


def test_file_is_read_back_as_the_same_aperture(tmp_path):
    image = exposure("s2d").image
    references = find_references(image, crds=False)
    given = references.parameters.with_({"apply_apcorr": False, **TAPER})
    path = export_extract1d(image, given, references.extract1d).reference.write(tmp_path / "a.json")
    a = extract(image, given, references)
    b = extract(image, override_extract1d=path, apply_apcorr=False)
    np.testing.assert_allclose(b.flux, a.flux, rtol=1e-6)


def test_keys_and_apertures_of_others_stay(tmp_path):
    path = tmp_path / "a.json"
    content = {
        "reftype": "EXTRACT1D",
        "mine": 7,
        "apertures": [
            {"id": "OTHER", "xstart": 3},
            {"id": "MIR_LRS-FIXEDSLIT", "xstart": 27, "xstop": 34, "k": 1},
        ],
    }
    path.write_text(json.dumps(content))
    given = ExtractionParameters(xstart=20, xstop=24, use_source_posn=False)
    exported = export_extract1d(exposure("s2d").image, given, read_extract1d(path)).reference.content
    assert exported["mine"] == 7
    assert exported["apertures"][0] == content["apertures"][0]
    assert exported["apertures"][1]["k"] == 1
    assert exported["apertures"][1]["xstart"] == 20


@pytest.mark.parametrize(
    ("product", "parameters", "note"),
    [
        ("s2d", {"bkg_sigma_clip": 4}, "no bkg_sigma_clip"),
        ("s2d", {"bkg_disp_order": 2}, "no bkg_disp_order"),
        ("s2d", {"apcorr_method": "psf", "apply_apcorr": True}, "interpolates the aperture correction"),
        ("cal", {"smoothing_length": 5}, "across the ends of the slit"),
        ("cal", {"bkg_order": 3}, "silently subtracts none"),
        ("cal", {"extraction_type": "optimal"}, "pipeline_compatible gives its numbers"),
        ("cal", {"extraction_type": "optimal", "sources": [5.0]}, "no refinements or further sources"),
        ("s2d", {"src_coeff": [[28.1], [30.3], [30.4], [33.0]]}, "only the larger part"),
        ("s2d", {"src_coeff": [[29.9], [30.2]]}, "only the larger part"),
    ],
)
def test_what_the_pipeline_cannot_do_is_told(product, parameters, note):
    given = {**cases(product)["line"], "use_source_posn": False, "apply_apcorr": False, **parameters}
    image = exposure(product).image
    export = export_extract1d(image, ExtractionParameters().with_(given), BUILT_IN_EXTRACT1D)
    assert any(note in one for one in export.notes)


def test_nothing_differs_where_we_do_as_the_pipeline():
    given = {**cases("cal")["line"], "smoothing_length": 5, "pipeline_compatible": True}
    for kind in ("box", "optimal"):
        parameters = ExtractionParameters(**given, extraction_type=kind)
        assert export_extract1d(exposure("cal").image, parameters, BUILT_IN_EXTRACT1D).notes == ()


def test_step_parameters_are_those_that_differ_from_the_defaults():
    image = exposure("s2d").image
    given = ExtractionParameters(xstart=20, xstop=24, use_source_posn=False, apply_apcorr=False)
    export = export_extract1d(image, given, BUILT_IN_EXTRACT1D)
    assert export.step_parameters == {"apply_apcorr": False, "use_source_posn": False}
