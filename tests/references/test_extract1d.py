import json
import os

import pytest

from jdaviz_lrs import ExtractionParameters, LRSError
from jdaviz_lrs.errors import LRSWarning
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D, Extract1dReference, read_extract1d

SLIT = "MIR_LRS-FIXEDSLIT"

#: Odd in every way that keeps it valid: tabs, spacing, unknown keys, exotic text, no newline at the end.
ODD = (
    '{"reftype":"EXTRACT1D",\t"note": "5 \\u00b5m, as typed: µ",\r\n'
    ' "apertures": [ {"id":"OTHER","xstart":1,"xstop":2 },\n'
    '   {"id":"MIR_LRS-FIXEDSLIT", "xstart":27.0, "xstop":34, "my_key": [1, {"a": null}],'
    ' "smoothing_length": 1, "bkg_order": 0} ] }'
)


def write(path, content):
    path.write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8", newline=""
    )
    return path


@pytest.fixture
def odd(tmp_path):
    return read_extract1d(write(tmp_path / "odd.json", ODD))


@pytest.mark.filterwarnings("ignore:.*my_key")
def test_unchanged_file_is_written_to_the_letter(odd, tmp_path):
    same = odd.with_parameters(odd.parameters(SLIT), SLIT)
    for number, reference in enumerate((odd, same)):
        path = reference.write(tmp_path / f"{number}.json")
        assert path.read_bytes() == ODD.encode()


@pytest.mark.filterwarnings("ignore:.*my_key")
def test_a_change_keeps_everything_else(odd, tmp_path):
    changed = odd.with_parameters(odd.parameters(SLIT).with_({"xstop": 36, "bkg_fit": "median"}), SLIT)
    content = json.loads(changed.write(tmp_path / "new.json").read_text(encoding="utf-8"))
    expected = json.loads(ODD)
    expected["apertures"][1] |= {"xstop": 36, "bkg_fit": "median"}
    assert content == expected
    assert [*content["apertures"][1]] == [*expected["apertures"][1]]  # in their order
    again = read_extract1d(tmp_path / "new.json")
    assert again.write(tmp_path / "again.json").read_bytes() == (tmp_path / "new.json").read_bytes()
    assert odd.content == json.loads(ODD)


def test_unknown_keys_are_warned_about_once(odd, recwarn):
    odd.with_parameters(ExtractionParameters(xstart=1), SLIT)
    assert not recwarn.list
    with pytest.warns(LRSWarning, match=r"odd\.json: my_key is not used"):
        odd.parameters(SLIT)


def test_a_parameter_taken_back_is_taken_out(tmp_path):
    reference = read_extract1d(
        write(tmp_path / "a.json", {"apertures": [{"id": SLIT, "extract_width": 8, "xstart": 2}]})
    )
    parameters = reference.parameters(SLIT).with_({"extract_width": None})
    assert reference.with_parameters(parameters, SLIT).content["apertures"] == [{"id": SLIT, "xstart": 2}]


def test_parameters_survive_the_file(tmp_path):
    parameters = ExtractionParameters(
        xstart=1.5, xstop=8.25, ystart=3, ystop=300, extract_width=4.5, src_coeff=[[1, 2e-3], [8, 1e-17]],
        bkg_coeff=[[20], [30]], independent_var="wavelength", bkg_fit="median", bkg_order=2,
        smoothing_length=21, use_source_posn=False, dispaxis=2, spectral_order=1,
    )  # fmt: skip
    path = BUILT_IN_EXTRACT1D.with_parameters(parameters, SLIT).write(tmp_path / "a.json")
    assert read_extract1d(path).parameters(SLIT) == parameters


def test_null_is_not_given(tmp_path):
    aperture = {
        "id": SLIT,
        "xstart": None,
        "bkg_coeff": None,
        "use_source_posn": None,
        "smoothing_length": None,
    }
    reference = read_extract1d(write(tmp_path / "a.json", {"apertures": [aperture]}))
    assert reference.parameters(SLIT) == ExtractionParameters()


APERTURES = [
    {"xstart": 0},
    {"id": SLIT, "region_type": "background", "xstart": 1},
    {"id": SLIT, "spectral_order": 2, "xstart": 2},
    {"id": "OTHER", "xstart": 3},
    {"id": SLIT, "spectral_order": 1, "xstart": 4},
    {"id": "ANY", "spectral_order": "ANY", "xstart": 5},
]


@pytest.mark.parametrize("slit", [SLIT, "OTHER", "NEITHER"])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "apertures", [APERTURES, APERTURES[:5], APERTURES[::-1]], ids=["all", "named", "back"]
)
def test_aperture_is_the_pipelines_choice(tmp_path, slit, order, apertures):
    from jwst.extract_1d.extract import get_extract_parameters
    from stdatamodels.jwst.datamodels import ImageModel

    reference = read_extract1d(write(tmp_path / "a.json", {"apertures": apertures}))
    model = ImageModel((10, 10))
    model.meta.exposure.type = SLIT
    theirs = get_extract_parameters({"apertures": apertures}, model, slit, order, model.meta)
    if theirs["match"] != "exact match":
        with pytest.raises(LRSError, match=f"no aperture has the id {slit}"):
            reference.parameters(slit, order)
    else:
        assert reference.parameters(slit, order).xstart == theirs["xstart"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not a valid JSON file"),
        ("{", "not a valid JSON file"),
        ("[" * 100_000, "not a valid JSON file"),
        (f'{{"apertures": [{{"xstart": 1{"0" * 5000}}}]}}', "not a valid JSON file"),
        (f'{{"apertures": [{"{}," * 400_000}{{}}]}}', "larger than the 1 MB that it may be"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        ("[1, 2]", "no list 'apertures'"),
        ({"apertures": 3}, "no list 'apertures'"),
        ({"apertures": ["a"]}, "no list 'apertures'"),
        ({"reftype": "APCORR"}, "no list 'apertures'"),
    ],
)
def test_bad_file_is_named(tmp_path, content, reason):
    path = tmp_path / "bad.json"
    path.write_bytes(content) if isinstance(content, bytes) else write(path, content)
    with pytest.raises(LRSError, match=reason) as raised:
        read_extract1d(path)
    assert "bad.json" in str(raised.value)
    assert str(raised.value).endswith(".")


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(LRSError, match=r"none\.json: there is no such file"):
        read_extract1d(tmp_path / "none.json")
    with pytest.raises(LRSError, match=str(tmp_path)):
        read_extract1d(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("smoothing_length", 20, "smoothing_length = 20 is even"),
        ("xstart", "27", "xstart = '27' is not a number"),
        ("bkg_coeff", [[1], [2], [3]], "bkg_coeff has 3 lists"),
        ("extract_width", float("nan"), "extract_width = nan"),
    ],
)
def test_bad_value_names_file_and_parameter(tmp_path, key, value, reason):
    reference = read_extract1d(write(tmp_path / "bad.json", {"apertures": [{"id": SLIT, key: value}]}))
    with pytest.raises(LRSError, match=rf"^bad\.json: {reason}"):
        reference.parameters(SLIT)


def test_existing_file_stays_unless_told(tmp_path):
    path = write(tmp_path / "a.json", "precious")
    with pytest.raises(LRSError, match="the file exists"):
        BUILT_IN_EXTRACT1D.write(path)
    assert path.read_text() == "precious"
    BUILT_IN_EXTRACT1D.write(path, overwrite=True)
    assert os.listdir(tmp_path) == ["a.json"]
    assert isinstance(read_extract1d(path), Extract1dReference)
