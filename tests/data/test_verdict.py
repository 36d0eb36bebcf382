import math

import pytest

from jdaviz_lrs.data.verdict import OFFSET_LIMIT, RATIO_LIMIT, Verdict

NAN = math.nan


def test_what_cannot_be_told_passes_no_limit():
    assert Verdict().passed == ()


@pytest.mark.parametrize(
    ("name", "values", "bands"),
    [
        ("sum_scatter", (1.0, 2.1, NAN), [1]),
        ("chi_square", (3.1, 2.9, 40.0), []),  # bright sources show what hardly changes their flux
        ("lost_light", (0.0, 0.09, 0.11), [2]),
    ],
)
def test_limits_of_each_band(name, values, bands):
    assert Verdict(**{name: values}).passed == tuple((name, band) for band in bands)


def test_a_ratio_must_be_off_by_its_errors_too():
    off = RATIO_LIMIT + 0.001
    verdict = Verdict(sum_ratio=(1 + off, 1 - off, 1 - off), sum_ratio_error=(off / 2, off / 4, NAN))
    assert verdict.passed == (("sum_ratio", 1), ("sum_ratio", 2))
    assert Verdict(sum_ratio=(1.019, NAN, 1.0), sum_ratio_error=(0.001, 0.001, 0.0)).passed == ()


def test_the_trace_has_no_band():
    beyond = OFFSET_LIMIT + 0.1
    assert Verdict(trace_offset=-beyond, trace_offset_error=0.1).passed == (("trace_offset", None),)
    assert Verdict(trace_offset=-beyond, trace_offset_error=0.5).passed == ()
