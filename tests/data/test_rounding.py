import pytest

from jdaviz_lrs.data.rounding import rounded


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1068.2, 3, "1070"), (131.4, 3, "131"), (5.0, 3, "5"), (0.01234, 2, "0.012"), (149.0, 2, "150")],
)
def test_no_powers_of_ten(value, digits, text):
    assert rounded(value, digits) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_told_as_such(value):
    assert rounded(value, 3) == str(value)
