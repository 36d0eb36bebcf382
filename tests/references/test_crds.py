"""CRDS against a small cache with real rules, written by the tests; the only server is one that is deaf."""

import hashlib
import json
import pprint
import socket
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import extract, read
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references import crds_session as session
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate.references import write_apcorr

crds = pytest.importorskip("crds")

CONTEXT = "jwst_0042.pmap"
DATE = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")
EXTRACT1D_RULES = """Match({
    'MIR_LRS-FIXEDSLIT' : 'jwst_miri_extract1d_0002.json',
    'MIR_LRS-SLITLESS' : 'jwst_miri_extract1d_0001.json',
})"""
DATED_RULES = """Match({
    %s : UseAfter({
        '2022-01-01 00:00:00' : 'jwst_miri_%s_0001.fits',
        '2025-07-01 00:00:00' : 'jwst_miri_%s_0002.fits',
        '2026-01-01 00:00:00' : 'jwst_miri_%s_0003.fits',
    }),
    %s : 'jwst_miri_%s_0009.fits',
})"""
APCORR_RULES = DATED_RULES % (
    "('MIR_LRS-FIXEDSLIT', 'FULL')",
    *["apcorr"] * 3,
    "('MIR_LRS-SLITLESS', 'SLITLESSPRISM')",
    "apcorr",
)
PSF_RULES = DATED_RULES % (
    "('MIRIMAGE', 'P750L', 'MIR_LRS-FIXEDSLIT')",
    *["psf"] * 3,
    "('MIRIMAGE', 'P750L', 'MIR_LRS-SLITLESS')",
    "psf",
)
PSF_KEYS = ("META.INSTRUMENT.DETECTOR", "META.INSTRUMENT.FILTER", "META.EXPOSURE.TYPE")
PARKEYS = {
    "extract1d": (("META.EXPOSURE.TYPE",),),
    "apcorr": (("META.EXPOSURE.TYPE", "META.SUBARRAY.NAME"), DATE),
    "psf": (PSF_KEYS, DATE),
}
RULES = {"extract1d": EXTRACT1D_RULES, "apcorr": APCORR_RULES, "psf": PSF_RULES}


def mapping(path, header, selector):
    """Write a CRDS mapping: a header with the checksum of all other lines, then the selector."""
    lines = [f"    {key!r} : {value!r},\n" for key, value in sorted(header.items())]
    text = "header = {\n" + "".join(lines) + "}\n\nselector = " + selector + "\n"
    checksum = hashlib.sha1(text.encode()).hexdigest()
    path.write_text(text.replace("}\n\n", f"    'sha1sum' : '{checksum}',\n}}\n\n", 1))


def write_rules(folder, rules):
    folder.mkdir(parents=True)
    common = {"observatory": "JWST", "derived_from": "Written by a test"}
    for kind, selector in rules.items():
        if "Match" not in selector:
            continue
        header = {"name": f"jwst_miri_{kind}_0001.rmap", "mapping": "REFERENCE", "instrument": "MIRI"}
        header |= {"filekind": kind.upper(), "parkey": PARKEYS[kind]}
        if kind != "extract1d":
            header["classes"] = ("Match", "UseAfter")
        mapping(folder / header["name"], common | header, selector)
    chosen = {
        kind: f"jwst_miri_{kind}_0001.rmap" if "Match" in selector else selector
        for kind, selector in rules.items()
    }
    header = {"name": "jwst_miri_0001.imap", "mapping": "INSTRUMENT", "instrument": "MIRI"}
    mapping(
        folder / header["name"], common | header | {"parkey": ("REFTYPE",)}, pprint.pformat(chosen, width=60)
    )
    header = {"name": CONTEXT, "mapping": "PIPELINE", "parkey": ("META.INSTRUMENT.NAME",)}
    mapping(folder / CONTEXT, common | header, "{\n    'MIRI' : 'jwst_miri_0001.imap',\n}")


def write_references(folder):
    """Write files that can be told apart: by their aperture, by the width of their PSF."""
    folder.mkdir(parents=True)
    for number, width in ((1, 5.0), (2, 9.0)):
        aperture = BUILT_IN_EXTRACT1D.content["apertures"][0] | {"extract_width": width}
        content = BUILT_IN_EXTRACT1D.content | {"apertures": [aperture]}
        (folder / f"jwst_miri_extract1d_{number:04d}.json").write_text(json.dumps(content))
    psf = built_in_psf()
    for number in (1, 2):
        write_apcorr(psf, folder / f"jwst_miri_apcorr_{number:04d}.fits")
        write_psf(
            replace(psf, subpix=psf.subpix * (1 - number / 100)), folder / f"jwst_miri_psf_{number:04d}.fits"
        )


def write_cache(folder, rules=RULES):
    write_rules(folder / "mappings" / "jwst", rules)
    write_references(folder / "references" / "jwst" / "miri")
    config = folder / "config" / "jwst"
    config.mkdir(parents=True)
    server = {"observatory": "jwst", "operational_context": CONTEXT, "latest_context": CONTEXT}
    server |= {"bad_files_list": [], "force_remote_mode": False, "last_synced": "2026-01-01 00:00:00"}
    (config / "server_config").write_text(pprint.pformat(server))
    return folder


@pytest.fixture
def use(monkeypatch):
    """Start as in a fresh process without any setting of CRDS; returns how to point it at a cache."""

    def point(cache, server=None):
        monkeypatch.setenv("CRDS_PATH", str(cache))
        if server:
            monkeypatch.setenv("CRDS_SERVER_URL", server)
        return cache

    server = crds.client.get_crds_server()
    for name in ("CRDS_CONTEXT", "CRDS_SERVER_URL", "CRDS_PATH"):
        monkeypatch.delenv(name, raising=False)
    crds.client.set_crds_server(session.NO_SERVER)
    crds.core.utils.clear_function_caches()
    yield point
    crds.client.set_crds_server(server)
    crds.core.utils.clear_function_caches()
    session._answers.cache_clear()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return write_cache(tmp_path_factory.mktemp("crds"))


@pytest.fixture(scope="module")
def image(observation):
    return read(observation["nod1_s2d"])


def dated(image, date):
    """Return the image as if observed on another day."""
    header = image.metadata.copy()
    header.meta.observation.date = date
    return replace(image, metadata=header)


def test_all_three_are_found_by_the_header(cache, use, image, capfd):
    use(cache)
    references = find_references(image)
    assert references.names == {
        "extract1d": "crds://jwst_miri_extract1d_0002.json",
        "apcorr": "crds://jwst_miri_apcorr_0002.fits",
        "psf": "crds://jwst_miri_psf_0002.fits",
    }
    assert references.parameters.extract_width == 9
    assert references.context == CONTEXT
    assert references.notes == ()
    assert capfd.readouterr() == ("", "")


def test_the_file_in_use_at_the_time_is_taken(cache, use, image):
    use(cache)
    names = find_references(dated(image, "2023-03-01")).names
    assert names["apcorr"].endswith("_0001.fits")
    assert names["psf"].endswith("_0001.fits")


def test_detector_images_ask_with_the_same_header(cache, use, observation):
    use(cache)
    assert find_references(read(observation["nod1_cal"])).names["psf"].endswith("psf_0002.fits")


@pytest.mark.filterwarnings("ignore:'get_cache_lock' is deprecated")
def test_the_choice_is_the_pipelines(cache, use, observation):
    from jwst.extract_1d import Extract1dStep
    from stdatamodels.jwst.datamodels import SlitModel

    use(cache)
    references = find_references(read(observation["nod1_s2d"]))
    with SlitModel(observation["nod1_s2d"]) as model:
        for kind, name in references.names.items():
            path = Extract1dStep().get_reference_file(model, kind)
            assert f"crds://{path.rpartition('/')[2]}" == name


def test_override_wins(cache, use, image, observation):
    use(cache)
    references = find_references(image, override_psf=observation["psf"])
    assert references.names["psf"] == observation["psf"].name
    assert references.names["apcorr"].startswith("crds://")
    assert not find_references(
        image, observation["extract1d"], observation["apcorr"], observation["psf"]
    ).context


def test_the_output_tells_what_was_used(cache, use, image, tmp_path):
    use(cache)
    extract(image, use_source_posn=True).write(tmp_path / "x1d.fits")
    header = fits.getheader(tmp_path / "x1d.fits")
    assert header["CRDS_CTX"] == CONTEXT
    assert header["CRDS_VER"] == crds.__version__
    assert header["R_EXTR1D"] == "crds://jwst_miri_extract1d_0002.json"
    table = fits.getheader(tmp_path / "x1d.fits", "EXTRACT1D")
    assert table["LRS reference_apcorr"] == "crds://jwst_miri_apcorr_0002.fits"
    assert table["LRS reference_context"] == CONTEXT


@pytest.mark.parametrize("psf_rules", [None, "N/A", PSF_RULES.replace("FIXEDSLIT", "BRIGHT")])
def test_without_a_psf_optimal_becomes_box_as_in_the_pipeline(use, image, tmp_path, psf_rules):
    rules = {kind: text for kind, text in (RULES | {"psf": psf_rules}).items() if text}
    use(write_cache(tmp_path / "cache", rules))
    references = find_references(image)
    assert references.names["psf"] == "N/A"
    spectrum = extract(image, references=references, extraction_type="optimal")
    assert spectrum.parameters["extraction_type"] == "box"
    (note,) = [note for note in spectrum.notes if "psf" in note]
    assert note.startswith(f"CRDS ({CONTEXT}) has no psf file")
    assert not any("psf" in note for note in extract(image, references=references).notes)


def test_without_apcorr_there_is_no_correction_as_in_the_pipeline(use, image, tmp_path):
    use(write_cache(tmp_path / "cache", RULES | {"apcorr": "N/A"}))
    spectrum, plain = extract(image), extract(image, apply_apcorr=False)
    np.testing.assert_array_equal(spectrum.flux, plain.flux)
    assert spectrum.references["apcorr"] == "N/A"
    assert any("no aperture correction" in note for note in spectrum.notes)
    assert extract(image, apcorr_method="psf").apcorr.min() > 1


def test_without_an_aperture_the_whole_image_is_summed_as_in_the_pipeline(use, image, tmp_path):
    use(write_cache(tmp_path / "cache", RULES | {"extract1d": "N/A"}))
    spectrum = extract(image, use_source_posn=False)
    assert (spectrum.limits.xdisp_start, spectrum.limits.xdisp_stop) == (0, image.n_xdisp - 1)


def test_a_file_that_is_not_in_the_cache_is_named(cache, use, image, capfd):
    use(cache)
    references = find_references(dated(image, "2026-02-01"))
    assert references.names["extract1d"].startswith("crds://")
    assert references.names["psf"] == built_in_psf().name
    assert any("jwst_miri_psf_0003.fits is not in the cache" in note for note in references.notes)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(LRSError, match="is not in the cache"):
        find_references(dated(image, "2026-02-01"), crds=True)


@pytest.mark.parametrize("lost", ["config", "mappings"])
def test_without_rules_one_sentence_says_so(use, image, tmp_path, capfd, lost):
    folder = write_cache(tmp_path / "cache")
    (folder / lost).rename(tmp_path / "lost")
    use(folder)
    references = find_references(image)
    assert references.context in (None, CONTEXT)
    (note,) = references.notes
    assert ". " not in note
    assert len(find_references(image, crds=False).notes[0]) < 300
    assert "good to 3% in width (level 3: 8%), 0.5% in correction" in note
    for built_in in ("built-in default aperture", "built-in model of the LRS PSF"):
        assert built_in in note
    assert capfd.readouterr() == ("", "")
    (note,) = extract(image).notes
    assert "psf:" not in note  # which a box extraction does not use


def test_a_deaf_server_is_not_waited_for(cache, use, image, monkeypatch):
    monkeypatch.setattr(session, "CONNECT_S", 0.3)
    with socket.create_server(("localhost", 0)) as deaf:
        server = f"http://localhost:{deaf.getsockname()[1]}"
        use(cache, server)
        start = time.monotonic()
        assert find_references(image).context == CONTEXT
        assert find_references(image).notes == ()
        assert time.monotonic() - start < 2
        assert crds.client.get_crds_server() == server


def test_progress_tells_of_downloads(cache, use, image):
    use(cache)
    told = []
    find_references(dated(image, "2026-02-01"), progress=told.append)
    assert any("Syncing 1 files" in line for line in told)


def test_not_installed(image, monkeypatch):
    monkeypatch.setitem(sys.modules, "crds", None)
    (note,) = find_references(image).notes
    assert 'pip install "jdaviz-lrs[crds]"' in note
    assert "built-in default aperture" in note
    with pytest.raises(LRSError, match="not installed"):
        find_references(image, crds=True)


def test_not_set_up_nothing_is_asked(use, image, capfd):
    (note,) = find_references(image).notes
    assert note.startswith("CRDS is not set up")
    assert not crds.core.heavy_client.get_config_info.cache
    assert capfd.readouterr() == ("", "")


def test_a_fresh_process_finds_them(cache, observation):
    """Configured by the environment alone, with a server that cannot be found."""
    program = f"""
from jdaviz_lrs import extract
print(extract({str(observation["nod1_s2d"])!r}).references)
"""
    environment = {"CRDS_PATH": str(cache), "CRDS_SERVER_URL": "https://crds.invalid"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    assert "jwst_miri_apcorr_0002.fits" in run.stdout
    assert CONTEXT in run.stdout


def test_switched_off(cache, use, image):
    use(cache)
    references = find_references(image, crds=False)
    assert references.context is None
    assert "not to be asked" in references.notes[0]
