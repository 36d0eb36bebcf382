"""Agreement with the pipeline's Extract1dStep, run in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from jdaviz_lrs import LRSError, extract, read, read_x1d
from jdaviz_lrs.data.spectrum import COLUMNS
from tests.exposures import SOURCE, Exposure, exposure
from tests.extract1d_step import pipeline_spec
from tests.same_spectrum import assert_same_columns, assert_same_spectrum

#: Parameters of the step that the extract1d file has no place for.
STEP = ("position_offset", "subtract_background")


def compare(
    folder: Path,
    seen: Exposure,
    parameters: dict,
    apcorr: Path | None = None,
    compatible: bool = True,
    **step,
) -> None:
    """Extract with the same file, step parameters and references here and in the pipeline."""
    step |= {name: parameters[name] for name in STEP if name in parameters}
    aperture = {"id": "MIR_LRS-FIXEDSLIT", "region_type": "target", "dispaxis": 2}
    aperture |= {name: value for name, value in parameters.items() if name not in STEP}
    extract1d = folder / "extract1d.json"
    extract1d.write_text(json.dumps({"apertures": [aperture]}))
    ours = extract(
        seen.image,
        override_extract1d=extract1d,
        override_apcorr=apcorr,
        apply_apcorr=apcorr is not None,
        pipeline_compatible=compatible,
        **step,
    )
    theirs = pipeline_spec(seen.model.copy(), extract1d, apcorr, **step)
    assert_same_spectrum(ours, theirs.spec[0])


# --- without being asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nod_subtracted", [True, False])
@pytest.mark.parametrize(
    "aperture",
    [
        {"xstart": 27, "xstop": 34, "use_source_posn": False},
        {"xstart": 25, "xstop": 36, "use_source_posn": False},
        {"xstart": 27, "xstop": 34},
        {"xstart": 27, "xstop": 34, "extract_width": 8},
    ],
    ids=str,
)
def test_worked_examples_agree_by_default(aperture, nod_subtracted, tmp_path, observation):
    seen = exposure("s2d", 0, nod_subtracted)
    compare(tmp_path, seen, aperture, observation["apcorr"], compatible=False)


@pytest.mark.parametrize("example", ["ex0", "ex1", "ex2a"])
def test_shared_examples_agree_by_default(shared_scene, example):
    assert_same_columns(shared(shared_scene, example), pipeline_table(shared_scene, example))


INPUTS = {"ex0": "l3_s2d", "ex1": "l3_s2d", "ex2a": "l2_s2d", "ex2b": "l2_s2d", "ex4": "l2_s2d"}
INPUTS |= dict.fromkeys(("ex3a", "ex3b", "ex3c"), "l2_s2d_nobsub")


@pytest.mark.parametrize("example", INPUTS)
def test_shared_examples_agree(shared_scene, example):
    assert_same_columns(
        shared(shared_scene, example, pipeline_compatible=True), pipeline_table(shared_scene, example)
    )


def shared(folder, example, **parameters):
    return extract(
        folder / f"{INPUTS[example]}.fits",
        override_extract1d=folder / "pipeline" / f"{example}.json",
        override_apcorr=folder / "apcorr.fits",
        override_psf=folder / "psf.fits",
        **parameters,
    )


def pipeline_table(folder, example):
    spectrum = read_x1d(folder / "pipeline" / f"{example}_x1d.fits")
    return {name.upper(): getattr(spectrum, name) for name in COLUMNS}


# --- everything else, as the pipeline does it --------------------------------------------------------------


@st.composite
def box_parameters(draw, product: str):
    """Everything that a box extraction knows, about the source."""
    center = SOURCE[product] + draw(st.floats(-3, 3))
    width = draw(st.floats(0.3, 11) | st.integers(1, 11).map(float))
    lower, upper = center - width / 2, center + width / 2
    kind = draw(st.sampled_from(["start", "width", "coefficients", "two", "taper", "wavelength"]))
    slope = draw(st.floats(-2e-3, 2e-3))
    parameters = {"use_source_posn": draw(st.sampled_from([True, False, None]))}
    if kind in ("start", "width"):
        parameters |= {"xstart": lower + 0.5, "xstop": max(upper - 0.5, lower + 0.5)}
    if kind == "width":
        parameters["extract_width"] = width
    if kind == "coefficients":
        parameters["src_coeff"] = [[lower, slope], [upper, slope, draw(st.floats(0, 4e-6))]]
    if kind == "two":
        gap = draw(st.floats(0, 0.5)) * width
        parameters["src_coeff"] = [[lower], [center - gap], [center + gap / 3], [upper + gap]]
    if kind in ("taper", "wavelength"):
        zero, taper = (center if kind == "wavelength" else 0.0), draw(st.floats(0, 0.4))
        parameters["src_coeff"] = [[zero - width / 2, -taper], [zero + width / 2, taper]]
        parameters["independent_var"] = "wavelength"
    if kind == "taper":
        parameters["use_source_posn"] = True
    elif draw(st.booleans()):
        middle = center if kind != "width" else 0.5 * (parameters["xstart"] + parameters["xstop"])
        bend = 0.0 if "independent_var" in parameters else draw(st.floats(-5e-4, 5e-4))
        parameters["bkg_coeff"] = [
            [middle - 19 + draw(st.floats(0, 3))],
            [middle - 12.5 - draw(st.floats(0, 1.5)), bend],
            [middle + 10.5],
            [middle + 12.5 + draw(st.floats(0, 2))],
        ]
        parameters["bkg_fit"] = draw(st.sampled_from(["poly", "median"]))
        parameters["bkg_order"] = draw(st.integers(0, 3))
        parameters["smoothing_length"] = draw(st.sampled_from([0, 1, 3, 7, 21, 51]))
        if draw(st.booleans()):
            parameters["subtract_background"] = draw(st.booleans())
    if draw(st.booleans()):
        parameters["position_offset"] = draw(st.floats(-2, 2))
    if draw(st.integers(0, 3)) == 0:
        parameters |= {"ystart": draw(st.floats(10, 60)), "ystop": draw(st.floats(200, 380))}
    return parameters


def check(folder, product, parameters, pattern, apcorr, whole=False):
    try:
        compare(folder, exposure(product, pattern, whole=whole), parameters, apcorr)
    except LRSError:  # apertures off the image and the like: see test_placement
        reject()


FEW = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_any_box_extraction_agrees(product, tmp_path, observation):
    @FEW
    @given(parameters=box_parameters(product), pattern=st.integers(0, 2), corrected=st.booleans())
    def agrees(parameters, pattern, corrected):
        check(tmp_path, product, parameters, pattern, observation["apcorr"] if corrected else None)

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_many_box_extractions_agree(product, tmp_path, observation):
    @settings(FEW, max_examples=300, derandomize=False)
    @given(box_parameters(product), st.integers(0, 4), st.booleans(), st.sampled_from([False] * 19 + [True]))
    def agrees(parameters, pattern, corrected, whole):
        check(tmp_path, product, parameters, pattern, observation["apcorr"] if corrected else None, whole)

    agrees()


BACKGROUND = {
    "xstart": 28,
    "xstop": 34,
    "bkg_coeff": [[8.5], [16.5], [38.5], [43.5]],
    "use_source_posn": False,
}


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"bkg_fit": "poly", "bkg_order": 1, "smoothing_length": 7},
        {"bkg_fit": "median", "smoothing_length": 5},
        {"bkg_order": 3},
    ],
    ids=str,
)
def test_backgrounds_agree(product, parameters, tmp_path):
    shift = 302 if product == "cal" else 0
    moved = {
        "xstart": 28 + shift,
        "xstop": 34 + shift,
        "bkg_coeff": [[edge + shift] for (edge,) in BACKGROUND["bkg_coeff"]],
    }
    compare(tmp_path, exposure(product, 1), {**BACKGROUND, **moved, **parameters})


TAPER = {
    "src_coeff": [[-2.4, -0.26], [2.4, 0.26]], "independent_var": "wavelength", "use_source_posn": True
}  # fmt: skip
CONSTANT = {"src_coeff": [[-3.3], [4.1]], "use_source_posn": True}


@pytest.mark.parametrize("offset", [0.0, 0.7])
@pytest.mark.parametrize(("product", "zero"), [("s2d", TAPER), ("s2d", CONSTANT), ("cal", CONSTANT)])
def test_edges_about_zero_agree(product, zero, offset, tmp_path):
    compare(tmp_path, exposure(product), {**zero, "position_offset": offset})


def test_taper_about_zero_leaves_a_detector_image(tmp_path):
    # where no wavelength is, there is no edge: the pipeline then takes the middle of the frame for the centre
    with pytest.raises(LRSError, match="does not lie on the image"):
        compare(tmp_path, exposure("cal"), TAPER)
    theirs = pipeline_spec(exposure("cal").model.copy(), tmp_path / "extract1d.json")
    assert len(theirs.spec) == 0


@pytest.mark.parametrize(
    "step",
    [
        {"bkg_fit": "mean"},
        {"bkg_fit": "median", "smoothing_length": 9},
        {"bkg_order": 2, "use_source_posn": True},
        {"subtract_background": False},
        {"position_offset": -0.4},
    ],
    ids=str,
)
def test_step_parameters_win_over_the_file(step, tmp_path):
    compare(
        tmp_path, exposure("s2d"), {**BACKGROUND, "bkg_order": 1, "smoothing_length": 3}, None, True, **step
    )


@pytest.mark.parametrize("source_type", ["EXTENDED", None])
def test_other_source_types_agree(source_type, tmp_path, observation):
    seen = exposure("s2d")
    model = seen.model.copy()
    model.meta.target.source_type = source_type
    model.source_type = source_type
    other = Exposure(model, read(model))
    compare(tmp_path, other, {"xstart": 27, "xstop": 34, "extract_width": 8}, observation["apcorr"])
