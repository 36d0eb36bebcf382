from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.extraction.verdict_words import LABELS, band_words, rows_of, summary_of
from tests.verdicts import FINE, NAN, WRONG


def told(verdict, label):
    (row,) = [row for row in rows_of(verdict) if row.label == label]
    return [(cell.value, cell.error, cell.passed) for cell in row.cells]


def test_always_the_same_rows_each_with_a_hint():
    for verdict in (Verdict(), FINE, WRONG):
        assert [row.label for row in rows_of(verdict)] == list(LABELS.values())
        assert all(row.hint.endswith(".") for row in rows_of(verdict))
    assert not any(row.cells for row in rows_of(Verdict()))
    assert band_words(FINE) == ("5-8", "8-11", "11-13.5")


def test_a_ratio_has_the_digits_that_its_error_leaves():
    verdict = Verdict(sum_ratio=(1.00213, 0.95, 1.0), sum_ratio_error=(0.0034, 0.12, 0.0))
    assert [cell[:2] for cell in told(verdict, "flux / plain sum")] == [
        ("1.002", "0.003"),
        ("0.95", "0.12"),
        ("1.0000", ""),
    ]
    verdict = Verdict(sum_ratio=(-12.3, 1.2, NAN), sum_ratio_error=(31.0, NAN, NAN))
    assert told(verdict, "flux / plain sum") == [("-12", "31", False), ("1.2000", "", True), ("-", "", False)]


def test_the_other_numbers():
    assert told(WRONG, "chi square") == [("11.0", "", False), ("104", "", False), ("0.99", "", False)]
    assert told(WRONG, "light lost") == [("0", "", False), ("< 0.1", "", False), ("23.0", "", True)]
    assert told(WRONG, "trace") == [("-6.00 +- 0.01 px, 3.2 times as bright", "", True)]
    assert told(FINE, "trace") == [("+0.02 +- 0.01 px", "", False)]
    assert told(WRONG, "enclosed light")[0][0] == "PSF 2.2 % above the correction; correction followed"
    assert told(WRONG, "dropped")[0][0] == "width, companions"


def test_small_numbers_have_no_sign_of_their_own():
    assert told(Verdict(trace_offset=-0.001), "trace")[0][0] == "+0.00 px"
    for followed, said in (("both", "PSF and correction agree; both followed"), ("psf", "by the PSF alone")):
        assert told(Verdict(witness_followed=followed), "enclosed light")[0][0] == said


def test_one_line_for_all_of_it():
    assert summary_of(FINE) == "Agrees with the plain sum to 0.4 %, residual as noise"
    assert summary_of(WRONG) == "5 beyond the limit: flux / plain sum, scatter / error, light lost, trace"
    assert summary_of(Verdict()) == "Nothing to compare with"
    assert summary_of(Verdict(sum_ratio=(1.0, 1.0, NAN))) == "Equals the plain sum"
    faint = Verdict(sum_ratio=(1.0, 0.92, 1.0), sum_ratio_error=(0.05,) * 3, chi_square=(1.0, 2.2, NAN))
    assert summary_of(faint) == "Agrees with the plain sum to 8 % (within its errors), chi square up to 2.2"
