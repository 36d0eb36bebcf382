import math
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from jdaviz_lrs import ExtractionParameters, LRSError
from jdaviz_lrs.cli import main
from jdaviz_lrs.parameters import APERTURE_NAMES, REFINEMENTS, STEP_NAMES
from jdaviz_lrs.parameters.listing import markdown_table

NUMBERS = ("xstart", "xstop", "ystart", "ystop", "extract_width", "position_offset", "bkg_sigma_clip")
WHOLE = ("bkg_order", "smoothing_length", "bkg_disp_order")
BOOLEANS = (
    "use_source_posn", "subtract_background", "apply_apcorr", "model_nod_pair", "optimize_psf_location",
    "save_profile", "save_scene_model", "save_residual_image", "pipeline_compatible",
)  # fmt: skip

#: Parameter, value that cannot be meant, what the sentence must say would do.
BAD = [
    *((name, value, "finite number") for name in NUMBERS for value in (math.nan, math.inf, "8", True, [8])),
    *((name, value, "finite number") for name in WHOLE for value in (math.nan, "one", [])),
    *((name, value, "0, 1, 2") for name in WHOLE for value in (-1, 1.5)),
    *((name, value, "true nor false") for name in BOOLEANS for value in ("true", 2, math.nan, [])),
    ("extract_width", 0, "above zero"),
    ("extract_width", -8, "above zero"),
    ("bkg_sigma_clip", 0, "above zero"),
    ("smoothing_length", 20, "19 or 21"),
    ("smoothing_length", 2, "1 or 3"),
    ("src_coeff", [[1.0]], "even number"),
    ("src_coeff", [[1.0], [2.0], [3.0]], "even number"),
    ("src_coeff", [], "even number"),
    ("src_coeff", [[1.0], []], "constant term"),
    ("src_coeff", [1.0, 2.0], "not a list"),
    ("src_coeff", 3.0, "not a list"),
    ("src_coeff", "12", "not a list"),
    ("src_coeff", [["a"], [2.0]], "finite number"),
    ("src_coeff", {"lower": 1, "upper": 2}, "not a list"),
    ("bkg_coeff", [[1.0], [math.nan]], "finite number"),
    ("bkg_coeff", [[1.0], [2.0], [3.0]], "even number"),
    ("bkg_coeff", [[1.0], None], "not a list"),
    ("bkg_fit", "spline", "mean, median, poly"),
    ("bkg_fit", 1, "mean, median, poly"),
    ("independent_var", "row", "pixel, wavelength"),
    ("independent_var", None, "pixel, wavelength"),
    ("extraction_type", "horne", "box, optimal"),
    ("apcorr_method", "table", "reference, psf"),
    ("dispaxis", 3, "1 (along x) or 2 (along y)"),
    ("dispaxis", "2", "1 (along x) or 2 (along y)"),
    ("spectral_order", 1.5, "whole number"),
    ("spectral_order", "first", "finite number"),
    ("id", 5, "not a name"),
    ("id", "", "not a name"),
    ("refinements", ["focus"], "trace, width, outliers"),
    ("sources", ["left"], "finite number"),
    ("sources", 7.0, "not a list"),
    ("bad_pixels", 7, "not a list"),
    ("bad_pixels", [7], "[column, row]"),
    ("bad_pixels", [[7, 8, 9]], "[column, row]"),
    ("bad_pixels", [[7, 8.5]], "[column, row]"),
    ("bad_pixels", [[7, -8]], "[column, row]"),
]


@pytest.mark.parametrize(("name", "value", "remedy"), BAD, ids=lambda part: repr(part)[:30])
def test_bad_value_is_refused_with_name_value_and_remedy(name, value, remedy):
    with pytest.raises(LRSError) as raised:
        ExtractionParameters().with_({name: value})
    sentence = str(raised.value)
    assert sentence.startswith(name)
    assert remedy in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    if isinstance(value, int | float | str) and value != "":
        assert str(value) in sentence or repr(value) in sentence


@pytest.mark.parametrize(("start", "stop"), [("xstart", "xstop"), ("ystart", "ystop")])
def test_start_beyond_stop_is_refused(start, stop):
    with pytest.raises(LRSError, match=rf"^{start} = 34 is larger than {stop} = 27"):
        ExtractionParameters(**{start: 34, stop: 27})
    assert getattr(ExtractionParameters(**{start: 27, stop: 27}), start) == 27.0


def test_surface_of_medians_is_refused():
    with pytest.raises(LRSError, match="bkg_disp_order = 2 cannot go with bkg_fit = 'median'"):
        ExtractionParameters(bkg_fit="median", bkg_disp_order=2)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("xstrat", "xstart"), ("bkg_ordr", "bkg_order"), ("use_source_pos", "use_source_posn")],
)
def test_unknown_name_brings_the_nearest(wrong, right):
    with pytest.raises(LRSError, match=f"'{wrong}' is not a parameter.*did you mean '{right}'"):
        ExtractionParameters().with_({wrong: 1})


def test_name_like_no_other():
    with pytest.raises(LRSError, match=re.escape("'qqq' is not a parameter of the extraction.")):
        ExtractionParameters().with_({"qqq": 1})


def test_values_are_brought_to_one_form():
    p = ExtractionParameters(
        xstart=np.float32(27),
        xstop=np.int64(34),
        bkg_order=2.0,
        smoothing_length=1,
        src_coeff=np.array([[1, 2], [3, 4]]),
        bkg_fit="MEDIAN",
        use_source_posn=1,
        refinements="all",
    )
    assert (p.xstart, p.xstop, p.bkg_order, p.smoothing_length) == (27.0, 34.0, 2, 0)
    assert (type(p.xstart), type(p.bkg_order)) == (float, int)
    assert p.src_coeff == ((1.0, 2.0), (3.0, 4.0))
    assert (p.bkg_fit, p.use_source_posn, p.refinements) == ("median", True, REFINEMENTS)


def test_nothing_given_is_the_pipelines_default():
    from jwst.extract_1d import Extract1dStep

    step, ours = Extract1dStep(), ExtractionParameters()
    ours_only = {"subtract_background", "bkg_fit", "bkg_order", "smoothing_length", "use_source_posn"}
    for name in set(STEP_NAMES):
        assert getattr(ours, name) == getattr(step, name), name
    assert all(getattr(ours, name) is None for name in ours_only)


def test_dictionary_gives_the_parameters_back():
    given = {
        "src_coeff": [[1.0], [8.0, 0.1]],
        "bkg_coeff": [[20.0], [25.0]],
        "bkg_sigma_clip": 4,
        "sources": [7],
        "bad_pixels": [[7, 8], Path("badpix.txt")],
    }
    p = ExtractionParameters().with_(given)
    everything = p.asdict()
    assert set(everything) == set(ExtractionParameters.names())
    assert set(APERTURE_NAMES) <= set(everything)
    assert ExtractionParameters(**everything) == p
    assert hash(p) == hash(ExtractionParameters(**everything))


def test_bad_pixels_in_every_form():
    def given(value):
        return ExtractionParameters(bad_pixels=value).bad_pixels

    assert given("badpix.txt") == given(Path("badpix.txt")) == given(["badpix.txt"]) == ("badpix.txt",)
    assert given(np.array([[7, 8]])) == given([(7.0, 8)]) == ((7, 8),)
    assert given("") == given([]) == ()


def test_parameters_do_not_change():
    p = ExtractionParameters(xstart=27)
    other = p.with_({"xstart": 20})
    assert (p.xstart, other.xstart) == (27.0, 20.0)
    with pytest.raises(FrozenInstanceError):
        p.xstart = 3


def test_everything_is_said_of_every_parameter():
    for name, declaration in ExtractionParameters.declarations().items():
        assert declaration.label, name
        assert declaration.hint.endswith("."), name
        assert declaration.section, name
        assert (declaration.kind in ("choice", "checkboxes")) == bool(declaration.choices), name
    assert tuple(ExtractionParameters.declarations()["refinements"].choices) == REFINEMENTS


def test_the_table_of_the_readme_is_made_from_it():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"\n\n{markdown_table()}\n\n" in readme


def test_the_help_names_every_parameter(capsys):
    with pytest.raises(SystemExit):
        main(["extract", "--help"])
    told = capsys.readouterr().out
    assert all(f"\n  {name} " in told for name in ExtractionParameters.names())


@pytest.mark.parametrize(
    "name", ["save_profile", "extraction_type", "dispaxis", "spectral_order", "refinements"]
)
@pytest.mark.parametrize("value", [np.array([1, 0]), np.ones((2, 2)), np.array([1])])
def test_array_is_refused_in_a_sentence(name, value):
    with pytest.raises(LRSError, match=name):
        ExtractionParameters(**{name: value})
