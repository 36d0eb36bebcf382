"""Damaged and hostile files of sessions: read, or refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import strategies as st

from jdaviz_lrs import ExtractionParameters, read_session
from jdaviz_lrs.batch.session import FORMAT, OVERRIDES, Extraction, Session
from tests.fuzz.damage import with_bytes
from tests.fuzz.search import attempt, folder, lengths, search
from tests.fuzz.test_extraction import parameter_sets
from tests.fuzz.test_references import ODD

NAMES = ("label", "dataset", "file", "parameters", *OVERRIDES)
paths = st.sampled_from(["", ".", "..", "/dev/zero", "/" + "a" * 300, "s3://b/a", "a\0b", "\ud800", "\n"])


def session_of(content: bytes) -> None:
    path = Path(folder(), "damaged.lrs-session.json")
    path.write_bytes(content)
    session = read_session(path)
    attempt(session.check_files)
    for one in (*session.settings, *session.history):
        assert isinstance(one.parameters, ExtractionParameters)
    if session.settings or session.history:
        again = session.write(path, overwrite=True)
        assert read_session(again) == session


def values(observation):
    extraction = st.dictionaries(st.sampled_from(NAMES), ODD | paths, max_size=4)
    changes = st.tuples(extraction, parameter_sets | ODD, st.dictionaries(
        st.sampled_from(("jdaviz_lrs_session", "settings", "history", "x")), ODD, max_size=2
    ))  # fmt: skip

    def holds(change):
        inner, parameters, outer = change
        one = {"label": "a", "dataset": "b", "file": "c.fits", "parameters": parameters}
        content = {"jdaviz_lrs_session": FORMAT, "settings": [one], "history": [{**one, **inner}], **outer}
        attempt(lambda: session_of(json.dumps(content, default=str).encode()))

    return changes, holds


def some_bytes(observation):
    whole = Extraction("b", Path("/data/c.fits"), ExtractionParameters(extract_width=5), {}, "a")
    path = Session((whole,), (whole,)).write(Path(folder(), "whole.lrs-session.json"), overwrite=True)
    content = path.read_bytes()
    change = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    cases = st.tuples(st.lists(change, max_size=4), st.none() | st.integers(0, len(content)))
    return cases, lambda change: attempt(lambda: session_of(with_bytes(content, change)))


#: What once was another after it was written, or could not be: a file named by the folder above, a name
#: of no encoding.
VALUES = (({"file": ".."}, {}, {}), ({"file": "\ud800"}, {}, {}))


@lengths(few=60)
def test_values_of_a_session(number, observation):
    search(number, *values(observation), VALUES)


@lengths(few=40)
def test_bytes_of_a_session(number, observation):
    search(number, *some_bytes(observation))
