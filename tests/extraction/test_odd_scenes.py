"""Odd scenes by a generator that is not our simulator, where the shared scene is beside the repository."""

import numpy as np
import pytest

from jdaviz_lrs import extract
from tests.benchmarks.elsewhere import SHARED, compare, references_of
from tests.benchmarks.scenes import KINDS, products
from tests.benchmarks.sweep import LENT, about_the_flux, changes

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared scene is not beside the repository")


def extracted(kind, product, psf, *ways):
    """Extract a scene in some ways; how each compares with the truth."""
    ((_, seen),) = products(KINDS[kind], 1, (product,))
    references = references_of(seen, psf)
    spectra = [extract(seen.image, references=references, **changes(seen, KINDS[kind], way)) for way in ways]
    return [(spectrum, compare(spectrum, seen)) for spectrum in spectra]


def test_a_brighter_neighbour_in_combined_nods_is_no_wing():
    """A wing that swallowed it made the flux 22 to 95 % too high, without a word."""
    ((spectrum, found),) = extracted("brighter-9", "s2d-both", "built in", "all")
    assert spectrum.report["companion_offsets"] == pytest.approx([-9.0], abs=0.1)  # a tenth of a pixel
    assert np.abs(found.bias).max() < 1.0  # what a built-in PSF may cost


def test_a_faint_source_with_a_psf_without_wings_is_lent_them():
    """Only the references tell its wings, and these contradict each other: 5 % low before."""
    ((spectrum, found),) = extracted("faint", "cal-sky", "no wings", "all")
    assert not found.is_wrong
    assert any(LENT in note for note in spectrum.notes)
    for psf in ("right", "no wings"):
        ((spectrum, _),) = extracted("faint", "cal-sky", psf, "all")
        assert [note for note in about_the_flux(spectrum.notes) if LENT not in note] == []


@pytest.mark.parametrize("kind", ["bright", "wide15", "saturated"])
@pytest.mark.parametrize("product", ["cal", "s2d"])
def test_a_psf_without_wings_is_lent_them(kind, product):
    """Up to 3 % before, and 11 % where a trace beside its place had made the shape negative."""
    ((spectrum, found),) = extracted(kind, product, "no wings", "all")
    assert np.abs(found.bias).max() < 1.0
    assert spectrum.verdict.witness_followed == "apcorr"
    assert spectrum.verdict.witness_disagreement < -0.03


@pytest.mark.parametrize("product", ["s2d", "s2d-sky"])
def test_on_a_rectified_image_the_psf_is_as_the_resampling_widens_it(product):
    """Up to 4 % low before, without any refinement."""
    ((spectrum, found),) = extracted("bright", product, "right", "none")
    assert np.abs(found.bias).max() < 0.3
    assert "width" not in [one.refinement for one in spectrum.advice]


def test_a_wide_source_with_a_narrow_psf_keeps_its_width():
    """Of a wide source the blur took the width's place, and the stretch left its limits: 17 % low before."""
    ((spectrum, found),) = extracted("wide15", "s2d", "15 % too narrow", "all")
    assert np.abs(found.bias).max() < 0.5
    assert spectrum.verdict.dropped == ()


@pytest.mark.parametrize(
    ("product", "psf", "way"),
    [
        ("s2d-sky", "right", "companions"),  # two sources, of which one was dark: 130 % too high
        ("s2d", "no wings", "width"),  # a profile that was negative in a part of the spectrum: 135 % too low
    ],
)
def test_a_bent_trace_leads_no_other_refinement_astray(product, psf, way):
    none, one = (np.abs(found.bias) for _, found in extracted("bent", product, psf, "none", way))
    assert (one < none + 0.3).all()  # three errors of a median


@pytest.mark.parametrize("kind", ["bright", "wide15", "neighbour+4.5"])
def test_combined_nods_are_as_good_as_one(kind):
    """Each with the phase of its drizzle, and negative traces in the exposures that have them.

    A neighbour at 4.5 px was 4 % off before, a wide source 1.2 %; at S/N 750 it depended on the weights.
    """
    ((spectrum, found),) = extracted(kind, "s2d-both", "right", "all")
    assert np.abs(found.bias).max() < 0.5
    assert spectrum.verdict.dropped == ()


def test_combined_nods_are_right_without_refinements():
    """With the mean of all phases the flux was 2 % low where both nods have theirs between two columns."""
    ((_, found),) = extracted("bright", "s2d-both", "right", "none")
    assert np.abs(found.bias).max() < 0.5
    assert found.pull_width < 1.5


def test_beside_a_resampled_gap_there_is_no_flux_that_is_wrong():
    """A core lost in a dozen rows leaves pixels whose profile is not the source's: they were 8-14 % off."""
    ((spectrum, found),) = extracted("saturated", "s2d", "right", "all")
    assert found.beyond <= 1
    assert np.isnan(spectrum.flux).sum() > 20


def test_a_trace_beside_a_neighbour_is_held_against_the_same_neighbour():
    """It was dropped for what the neighbour, which is not to be fitted, leaves of the data."""
    ((spectrum, found),) = extracted("neighbour-12", "cal", "right", "trace")
    assert spectrum.verdict.dropped == ()
    assert found.is_right
