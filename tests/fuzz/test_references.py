"""Extractions with damaged reference files."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from astropy.io import fits
from hypothesis import strategies as st

from jdaviz_lrs import extract, read
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.psf import write_psf
from tests.fuzz.damage import Card, byte_changes, card_changes, with_bytes, with_cards
from tests.fuzz.search import attempt, differs, folder, lengths, says_more, search

SCALES = (1e-6, 1e3, 1e4, -1.0, 0.0, np.nan, np.inf)
CHANGES = {
    "scaled": lambda column, how: column * SCALES[how % len(SCALES)],
    "shuffled": lambda column, how: np.random.default_rng(how).permutation(column, axis=-1),
    "turned": lambda column, how: column[..., ::-1],
    "one number": lambda column, how: _with_one(column, how),
    "constant": lambda column, how: np.full_like(column, (0.0, 1.0, -1.0, np.nan)[how % 4]),
    "repeated": lambda column, how: np.repeat(column, 2, axis=-1)[..., : column.shape[-1]],
}
"""Of a column of numbers; a whole number chooses how."""


def _with_one(column, how):
    column = column.copy()
    column.flat[how % column.size] = (np.nan, np.inf, -1.0, 0.0, 1e30)[how % 5]
    return column


table_changes = st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 1000))


def changed(column, change):
    name, how = change
    with np.errstate(all="ignore"):
        return CHANGES[name](np.asarray(column), how)


def bytes_of(hdus: fits.HDUList) -> bytes:
    file = BytesIO()
    hdus.writeto(file)
    return file.getvalue()


@cache
def image_of(path):
    return read(path)


def extracted(observation, kind: str, content: bytes, **parameters):
    path = Path(folder(), f"damaged.{'json' if kind == 'extract1d' else 'fits'}")
    path.write_bytes(content)
    given = {f"override_{one}": observation[one] for one in ("extract1d", "apcorr", "psf")}
    image = image_of(observation["nod1_s2d"])
    return extract(image, **given | {f"override_{kind}": path}, use_source_posn=True, **parameters)


USES = {
    "apcorr": {},
    "psf": {"extraction_type": "optimal"},
    "extract1d": {},
}


def _whole(observation, kind):
    if kind != "psf":
        return observation[kind].read_bytes()
    path = Path(folder(), "whole_psf.fits")
    return write_psf(built_in_psf(), path).read_bytes()


def _cases(observation, kind, cases, damaged, close=1e-6):
    content = _whole(observation, kind)
    whole = extracted(observation, kind, content, **USES[kind])

    def holds(change):
        spectrum = attempt(lambda: extracted(observation, kind, damaged(content, change), **USES[kind]))
        if close and spectrum is not None and differs(spectrum, whole, close):
            assert says_more(spectrum, whole)

    return cases(content), holds


def apcorr_cards(observation):
    return _cases(observation, "apcorr", card_changes, with_cards)


def psf_cards(observation):
    return _cases(observation, "psf", card_changes, with_cards)


def apcorr_bytes(observation):
    return _cases(observation, "apcorr", byte_changes, with_bytes, close=None)


def psf_bytes(observation):
    return _cases(observation, "psf", byte_changes, with_bytes, close=None)


def apcorr_tables(observation):
    def cases(content):
        return st.tuples(
            st.sampled_from(("wavelength", "size", "apcorr", "nelem_wl", "nelem_size")), table_changes
        )

    def damaged(content, case):
        name, change = case
        with fits.open(BytesIO(content)) as hdus:
            table = hdus["APCORR"].data
            column = np.array(table[name], float)
            with np.errstate(all="ignore"):
                table[name][:] = (
                    np.nan_to_num(changed(column, change)) if name[0] == "n" else changed(column, change)
                )
            return bytes_of(hdus)

    return _cases(observation, "apcorr", cases, damaged, close=0.15)


def psf_planes(observation):
    def cases(content):
        return st.tuples(st.sampled_from(("PSF", "WAVE")), table_changes)

    def damaged(content, case):
        name, change = case
        with fits.open(BytesIO(content)) as hdus:
            hdus[name].data = changed(hdus[name].data, change)
            return bytes_of(hdus)

    return _cases(observation, "psf", cases, damaged, close=0.15)


ODD = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("ANY"),
        st.sampled_from([-1, 0, 1, 2, 3, 30.5, 1e308, 10**400, "pixel", "wavelength", "poly", "median"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
NAMES = (
    "id", "region_type", "spectral_order", "dispaxis", "xstart", "xstop", "ystart", "ystop", "extract_width",
    "src_coeff", "bkg_coeff", "independent_var", "bkg_fit", "bkg_order", "smoothing_length",
    "use_source_posn",
)  # fmt: skip


def json_values(observation):
    def cases(content):
        edges = st.lists(st.lists(st.floats(-60, 100), min_size=1, max_size=3), min_size=1, max_size=5)
        return st.dictionaries(st.sampled_from((*NAMES, "bkg_coeff", "src_coeff")), ODD | edges, max_size=3)

    def damaged(content, change):
        reference = json.loads(content)
        reference["apertures"][0].update(change)
        return json.dumps(reference).encode()

    return _cases(observation, "extract1d", cases, damaged, close=None)


def json_bytes(observation):
    def cases(content):
        size = len(content)
        change = st.tuples(st.integers(0, size - 1), st.integers(0, 255))
        return st.tuples(st.lists(change, max_size=4), st.none() | st.integers(0, size))

    return _cases(observation, "extract1d", cases, with_bytes, close=None)


#: What once ended in an error of a library: names that are read as bits.
APCORR_CARDS = (((Card("APCORR", "TFORM1", 3600), "'x'"),),)


@lengths(few=10)
def test_cards_of_a_correction(number, observation):
    search(number, *apcorr_cards(observation), APCORR_CARDS)


@lengths(few=10)
def test_bytes_of_a_correction(number, observation):
    search(number, *apcorr_bytes(observation))


@lengths(few=10)
def test_table_of_a_correction(number, observation):
    search(number, *apcorr_tables(observation))


@lengths(few=10)
def test_cards_of_a_psf(number, observation):
    search(number, *psf_cards(observation))


@lengths(few=10)
def test_bytes_of_a_psf(number, observation):
    search(number, *psf_bytes(observation))


@lengths(few=10)
def test_planes_of_a_psf(number, observation):
    search(number, *psf_planes(observation))


@lengths(few=12)
def test_values_of_a_json_file(number, observation):
    search(number, *json_values(observation))


@lengths(few=10)
def test_bytes_of_a_json_file(number, observation):
    search(number, *json_bytes(observation))
