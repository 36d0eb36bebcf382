"""A refinement that leads away from where all of them lead."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.engine.refine.astray import is_moved, leads_astray
from jdaviz_lrs.extraction.optimal import extract_optimal
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.simulate.psf import simulated_psf
from tests.draws import SCENES, draws

N_ROW = 300
BANDS = [np.arange(N_ROW) // 100 == band for band in range(3)]
LIKELIEST = np.linspace(3.0, 1.0, N_ROW)
NO_ERROR = np.zeros(N_ROW)
PSF = simulated_psf()
NONE = ExtractionParameters(extraction_type="optimal", use_source_posn=True)


def off(*parts):
    """Flux that is off by a part in each band."""
    return LIKELIEST * (1.0 + np.repeat(parts, 100))


@pytest.mark.parametrize(
    ("before", "after", "astray"),
    [
        ((0.02, 0.02, 0.02), (0.01, 0.01, 0.01), False),
        ((0.02, 0.02, 0.02), (0.01, 0.03, 0.01), True),
        ((0.02, 0.02, 0.02), (-0.01, -0.01, -0.021), False),  # on the other side, and no farther
        ((0.005, -0.005, 0.0), (-0.03, 0.0, 0.0), True),  # two errors that had cancelled
        ((0.02, 0.02, 0.02), (0.0215, 0.0215, 0.0215), False),  # less than matters
    ],
)
def test_farther_in_any_band_is_astray(before, after, astray):
    assert leads_astray(off(*after), NO_ERROR, off(*before), LIKELIEST, BANDS) is astray


@pytest.mark.parametrize(("errors", "astray"), [(0.0, False), (0.4, False), (3.0, True)])
def test_noise_leads_nowhere(errors, astray):
    """A median of 100 is known to 1.25 times the scatter over ten: 3 % of the likeliest flux."""
    rng = np.random.default_rng(3)
    noise = 0.24 * rng.standard_normal(N_ROW)
    noise -= np.repeat([np.median(noise[band]) for band in BANDS], 100)
    flux = LIKELIEST * (1.0 + noise + errors * 0.03)
    assert leads_astray(flux, NO_ERROR, off(0.0, 0.0, 0.0), LIKELIEST, BANDS) is astray


def test_a_change_in_some_rows_alone_is_no_noise():
    """Where outliers are left out, two rows of three change by a per cent, and the others not at all."""
    hit = np.arange(N_ROW) % 3 > 0
    flux = LIKELIEST * (0.95 - 0.01 * hit)
    assert leads_astray(flux, NO_ERROR, off(-0.05, -0.05, -0.05), LIKELIEST, BANDS)


def test_what_the_fluxs_own_error_hides_is_not_given_up():
    """Of a median of 100 an error of 10 % leaves 1.25 %."""
    before, error = off(0.0, 0.0, 0.0), 0.1 * LIKELIEST
    assert not leads_astray(off(0.012, 0.0, 0.0), error, before, LIKELIEST, BANDS)
    assert leads_astray(off(0.013, 0.0, 0.0), error, before, LIKELIEST, BANDS)


def test_what_has_no_flux_is_not_compared():
    before, after = off(0.0, 0.0, 0.0), off(0.0, 0.0, 0.1)
    after[205:] = np.nan
    assert not leads_astray(after, NO_ERROR, before, LIKELIEST, BANDS)
    assert not is_moved(after, before, BANDS)
    assert is_moved(off(0.0, 0.003, 0.0), before, BANDS)
    assert not is_moved(off(0.0, 0.001, 0.0), before, BANDS)


@pytest.fixture(scope="module")
def image():
    """A neighbour of half the flux beside the source."""
    return next(draws(SCENES["companion, half as bright, 7 px away"], 1))[0]


NARROW = replace(
    PSF,
    data=np.stack(
        [
            np.interp(offset / 0.85, offset, row, left=0.0, right=0.0)
            for row in PSF.data
            for offset in [(np.arange(row.size) - PSF.center_col) / PSF.subpix]
        ]
    ),
)


def test_a_neighbour_that_made_up_for_a_wrong_profile_is_not_fitted_alone(image):
    """Of a narrow PSF the neighbour's light mends a part: without it the flux would be farther off."""
    alone = extract_optimal(image, replace(NONE, refinements=("companions",)), NARROW)
    none, everything = (
        extract_optimal(image, replace(NONE, refinements=chosen), NARROW) for chosen in ((), ("all",))
    )
    assert alone.dropped == ("companions",)
    np.testing.assert_array_equal(alone.flux, none.flux)
    assert any("companions was dropped: without width it leads away" in note for note in alone.notes)
    assert [one.refinement for one in alone.advice()] == ["width"]  # not what was dropped
    assert everything.dropped == ()


def test_with_the_right_profile_it_is(image):
    alone = extract_optimal(image, replace(NONE, refinements=("companions",)), PSF)
    assert alone.dropped == ()
    assert alone.report["companion_offsets"] == pytest.approx([-7.0], abs=0.1)


def test_what_is_left_of_several_is_kept(image):
    """Given up are as many as must be, from the freest on."""
    several = extract_optimal(image, replace(NONE, refinements=("companions", "outliers")), NARROW)
    assert several.dropped == ("companions",)
    assert "rejected_pixels" in several.report


def test_what_was_dropped_for_another_reason_stays_told(image):
    """Weights by the noise are given up where the neighbour is not fitted, whatever else is."""
    both = extract_optimal(image, replace(NONE, refinements=("companions", "variance")), NARROW)
    assert both.dropped[0] == "companions"
    assert "variance" in both.dropped
    for name in both.dropped:
        assert sum(f"The refinement {name} was dropped" in note for note in both.notes) == 1
