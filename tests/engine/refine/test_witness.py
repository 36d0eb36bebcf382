"""PSF, correction and data, asked how much light lies in the calibration aperture."""

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.witness import AGREE, weigh_witnesses

N_ROW = 50
EVERY = np.ones(N_ROW, bool)
PSF = np.linspace(0.97, 0.93, N_ROW)
UNCHANGED = np.stack([PSF, PSF])


def test_alone_the_psf_is_followed_with_the_width_of_the_data():
    found = weigh_witnesses(np.stack([PSF, PSF - 0.02]), None, EVERY)
    assert (found.followed, found.disagreement) == ("psf", 0.0)
    np.testing.assert_array_equal(found.due, PSF - 0.02)


@pytest.mark.parametrize("unknown", ["nowhere in the correction", "no rows", "no light of the PSF"])
def test_a_correction_that_says_nothing_is_no_witness(unknown):
    tabulated = np.full(N_ROW, np.nan) if unknown.startswith("nowhere") else PSF - 0.03
    used = ~EVERY if unknown == "no rows" else EVERY
    reference = np.zeros(N_ROW) if unknown.endswith("PSF") else PSF
    found = weigh_witnesses(np.stack([reference, PSF - 0.01]), tabulated, used)
    assert (found.followed, found.disagreement) == ("psf", 0.0)


@pytest.mark.parametrize("wider", [0.0, -0.02, 0.01])
def test_where_both_agree_both_are_stretched(wider):
    tabulated = PSF + 0.5 * AGREE
    found = weigh_witnesses(np.stack([PSF, PSF + wider]), tabulated, EVERY)
    assert found.followed == "both"
    # it is the source that is wider than the stars of both
    np.testing.assert_allclose(found.due, tabulated * (1 + wider / PSF))
    assert found.disagreement == pytest.approx(0.5 * AGREE)


def test_where_a_stretch_brings_the_psf_to_the_correction_the_width_was_wrong():
    tabulated = PSF - 0.02
    for stretched in (PSF - 0.02, PSF - 0.015, PSF - 0.025):
        found = weigh_witnesses(np.stack([PSF, stretched]), tabulated, EVERY)
        assert found.followed == "psf"
        np.testing.assert_array_equal(found.due, stretched)
        assert found.disagreement == pytest.approx(-0.02)


def test_what_the_data_ask_for_beyond_the_correction_is_the_sources_own():
    way = PSF - 0.01 * np.arange(5)[:, None]  # comes by the correction, and goes on
    found = weigh_witnesses(way, PSF - 0.02, EVERY)
    assert found.followed == "psf"
    np.testing.assert_array_equal(found.due, way[-1])
    # all at once it is no explanation
    assert weigh_witnesses(way[[0, -1]], PSF - 0.02, EVERY).followed == "apcorr"


@pytest.mark.parametrize("stretch", [0.0, 0.01, -0.005])
def test_where_it_does_not_the_correction_is_followed(stretch):
    tabulated = PSF - 0.03  # as where the PSF lacks its wings
    found = weigh_witnesses(np.stack([PSF, PSF + stretch]), tabulated, EVERY)
    assert found.followed == "apcorr"
    np.testing.assert_array_equal(found.due, tabulated)
    assert found.disagreement == pytest.approx(-0.03)


def test_disagreement_is_the_largest_of_the_rows_that_count():
    tabulated = PSF + np.where(np.arange(N_ROW) == 7, 0.05, -0.01)
    used = np.arange(N_ROW) != 7
    assert weigh_witnesses(UNCHANGED, tabulated, EVERY).disagreement == pytest.approx(0.05)
    assert weigh_witnesses(UNCHANGED, tabulated, used).disagreement == pytest.approx(-0.01)


def test_what_the_correction_does_not_cover_is_the_psfs():
    tabulated = np.where(np.arange(N_ROW) < 10, np.nan, PSF - 0.03)
    found = weigh_witnesses(UNCHANGED, tabulated, EVERY)
    assert found.followed == "apcorr"
    np.testing.assert_array_equal(found.due[:10], PSF[:10])


@pytest.mark.parametrize("tabulated", [None, PSF + 0.5 * AGREE])
@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        (0.01, 0.01),  # half of what the stretch took out is put back
        (0.015, 0.005),  # and three quarters of it
        (0.004, 0.02),  # a fifth may be put back by chance
        (0.03, 0.0),  # more than all of it is no width either
        (-0.01, 0.02),  # what the shape adds to it is not the stretch's
    ],
)
def test_what_the_shape_puts_back_is_no_width_of_the_source(tabulated, shape, counts):
    stretched = PSF - 0.02
    found = weigh_witnesses(np.stack([PSF, stretched]), tabulated, EVERY, stretched + shape)
    start = PSF if tabulated is None else tabulated
    np.testing.assert_allclose(found.due, start * (1 - counts / PSF), rtol=2e-4)  # as a mean over rows
