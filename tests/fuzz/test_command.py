"""Command lines that nobody meant: arguments, names, and values for --set."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

from hypothesis import strategies as st

from jdaviz_lrs import read_x1d
from jdaviz_lrs.cli import main
from jdaviz_lrs.errors import LONGEST
from tests.fuzz.search import assert_kept, folder, lengths, search
from tests.fuzz.test_extraction import NAMES, value_of

#: What a shell can hand over: any bytes but a zero, and longer than a name may be.
words = st.one_of(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6),
    st.binary(max_size=6).map(lambda some: os.fsdecode(some.replace(b"\0", b""))),
    st.sampled_from(
        ["", "-", "--", "-o", "--set", ".", "..", "/", "/dev/null", "/dev/full", "a" * 300, "s3://bucket/a",
         "nan", "\n", "a=b=c", "=", "[" * 5000, "9" * 5000,
         "[1e400]", "{}", '{"a": 1, "a": 2}', "<b>", "%s", "{0}"]
    ),
)  # fmt: skip


def in_json(value: object) -> str:
    """Spell a value as one would on the command line, or what Python calls it."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return str(value).replace("\0", "")


settings = st.sampled_from(NAMES).flatmap(
    lambda name: st.one_of(value_of(name).map(in_json), words).map(lambda value: f"{name}={value}")
)
files = st.sampled_from(("s2d.fits", "psf.fits", "apcorr.fits", "extract1d.json", "half.fits", "folder"))
options = st.one_of(
    st.tuples(st.just("--set"), st.one_of(settings, settings, settings, words)),
    st.tuples(
        st.sampled_from(("--override-extract1d", "--override-apcorr", "--override-psf")), files | words
    ),
    st.tuples(st.sampled_from(("-o", "--output")), st.sampled_from(("z.fits", "s2d.fits", "folder")) | words),
    st.tuples(st.sampled_from(("--overwrite", "--pipeline-compatible", "--set"))),
    st.tuples(words),
)
lines = st.tuples(
    st.sampled_from(("s2d.fits",) * 9 + ("half.fits", "psf.fits", "folder")) | words,
    st.lists(options, max_size=4),
).map(lambda line: ("extract", line[0], *(word for option in line[1] for word in option)))


def run(arguments) -> tuple[int, str, str]:
    """Run the command as in a shell whose encoding is UTF-8; return its code and what it printed."""
    out, err = (TextIOWrapper(BytesIO(), "utf-8", how) for how in ("strict", "backslashreplace"))
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code or 0
        out.flush()
        err.flush()
    return code, *(stream.buffer.getvalue().decode() for stream in (out, err))


def command_lines(observation):
    here = Path(folder(), "command")
    kinds = {
        "s2d.fits": "nod1_s2d",
        "psf.fits": "psf",
        "apcorr.fits": "apcorr",
        "extract1d.json": "extract1d",
    }

    def holds(arguments) -> None:
        shutil.rmtree(here, ignore_errors=True)
        (here / "folder").mkdir(parents=True)
        for name, kind in kinds.items():
            os.link(observation[kind], here / name)
        (here / "half.fits").write_bytes(observation["nod1_s2d"].read_bytes()[:50_000])
        before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
        with chdir(here):
            code, out, err = run(arguments)
        new = [path for path in here.rglob("*") if path not in before]
        assert all(path.stat().st_mtime_ns == time for path, time in before.items() if path.is_file())
        if code == 2 and out.startswith(("wrote", "extracted")):
            # a stray word is one more input, without which the others are extracted
            assert max(map(len, err.splitlines())) <= LONGEST
            assert "Traceback" not in err
            assert "not foreseen" not in err, err
        elif code:
            assert code == 2
            assert not new
            assert err.startswith("usage:") or (
                out == "" and err.count("\n") == 1 and len(err) <= LONGEST + 1
            )
            assert "Traceback" not in err
            assert "not foreseen" not in err, err
        elif new:  # --help writes none
            assert err == ""
        for path in new:
            if path.name in ("z.fits", "s2d_extract1dstep.fits"):
                assert_kept(read_x1d(path))

    return lines, holds


#: What once ended in an error that was not foreseen, or in too long a sentence.
FAILED = (
    ("extract", ""),
    ("extract", "s2d.fits", ""),
    ("extract", "s2d.fits", ".."),
    ("extract", "a" * 300),
    ("extract", "s2d.fits", "-o", "a" * 300),
    ("extract", "s2d.fits", "--set", f"extract_width={'9' * 5000}"),
    ("extract", "s2d.fits", "--set", f"bkg_coeff={'[' * 5000}"),
    ("extract", "s2d.fits", "\x1a\udce7W\udc81M\udca2"),  # no name in UTF-8
    ("extract", "psf.fits", "\udc80"),
)


@lengths(few=25)
def test_command_lines(number, observation):
    search(number, *command_lines(observation), FAILED)
