import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest

import jdaviz_lrs
from jdaviz_lrs import LRSError, combine
from jdaviz_lrs.data.flags import DO_NOT_USE, OUTLIER
from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.data.table import COLUMNS, SpectrumTable
from tests.combine.made import WAVELENGTH, spectra
from tests.engine.combine.measured import TRUTH
from tests.verdicts import FINE, WRONG


def test_the_mean_has_the_pull_of_a_normal_distribution():
    pulls = []
    for seed in range(10):
        both = combine(spectra(8, seed=seed, hit=0.01))
        pulls.append((both.flux - TRUTH) / both.flux_error)
        assert both.chi_square_per_freedom == pytest.approx(1, abs=0.12)  # 2,700 freedoms: 3 %
    # 3,870 pulls tell their mean to 0.016, their width to 0.011
    assert abs(np.mean(pulls)) < 0.08
    assert np.std(pulls) == pytest.approx(1, abs=0.05)
    assert np.abs(pulls).max() < 5


def test_flat_errors_are_not_averaged_down_on_the_same_pixels():
    four = spectra(4, flat=0.3)
    two_places = combine(four, sigma_clip=None, exptime_key="unit_weight")
    here = [replace(one, origin=replace(one.origin, offset=(0.0, 0.0))) for one in four]
    one_place = combine(here, sigma_clip=None, exptime_key="unit_weight")
    untold = [replace(one, origin=replace(one.origin, offset=None)) for one in four]
    np.testing.assert_allclose(two_places.flux_var_flat, four[0].flux_var_flat / 2)
    np.testing.assert_allclose(one_place.flux_var_flat, four[0].flux_var_flat)
    np.testing.assert_allclose(
        combine(untold, sigma_clip=None, exptime_key="unit_weight").flux_var_flat, four[0].flux_var_flat
    )
    for one in (two_places, one_place):
        split = one.flux_var_poisson + one.flux_var_rnoise + one.flux_var_flat
        np.testing.assert_allclose(one.flux_error**2, split)
    assert (two_places.report["places"], one_place.report["places"]) == (2, 1)


def test_weights():
    three = spectra(3)
    error = three[0].flux_error
    first = replace(
        three[0], flux_error=2 * error, flux_var_poisson=2.8 * error**2, flux_var_rnoise=1.2 * error**2
    )
    three = [first, *three[1:]]
    best, by_time, even = (
        combine(three, sigma_clip=None, exptime_key=key)
        for key in ("inverse_variance", "exposure_time", "unit_weight")
    )
    flux = np.array([one.flux for one in three])
    np.testing.assert_allclose(by_time.flux, np.average(flux, axis=0, weights=[100, 200, 300]))
    np.testing.assert_allclose(even.flux, flux.mean(axis=0))
    # weights are smooth: the sum differs from the least by a trifle
    np.testing.assert_allclose(best.flux, np.average(flux, axis=0, weights=[0.25, 1, 1]), rtol=1e-3)
    assert (best.flux_error < even.flux_error).all()
    np.testing.assert_allclose(by_time.weight, 600)
    with pytest.raises(LRSError, match="no integration_time"):
        combine(three, exptime_key="integration_time")


def test_what_all_have_in_common_is_not_averaged_down():
    four = spectra(4, flat=0.5)
    common = [np.sqrt(0.25) * one.flux_error for one in four]  # half of what is by flat field
    shared = [replace(one, common_error=each) for one, each in zip(four, common, strict=True)]
    apart, both = combine(four, sigma_clip=None), combine(shared, sigma_clip=None)
    # two nods, two spectra each: of the flat a half stays, of what is common all
    np.testing.assert_allclose(apart.flux_var_flat, 0.5 * 0.5 * four[0].flux_error ** 2)
    np.testing.assert_allclose(both.flux_var_flat, (0.25 * 0.5 + 0.25) * four[0].flux_error ** 2)
    np.testing.assert_allclose(both.sb_error, 100 * both.flux_error)


def test_surface_brightness_is_averaged_alike():
    both = combine(spectra(4, hit=0.02))
    np.testing.assert_allclose(both.surf_bright, 100 * both.flux, rtol=1e-12)
    plain = np.sqrt(both.flux_var_poisson + both.flux_var_rnoise + both.flux_var_flat)
    np.testing.assert_allclose(both.sb_error, 100 * plain, rtol=1e-12)


def test_scales_are_fitted_on_request_and_told():
    two = spectra(2)
    factor = {"flux": 1.05, "flux_error": 1.05}
    factor |= {f"flux_var_{one}": 1.05**2 for one in ("poisson", "rnoise", "flat")}
    two[1] = replace(two[1], **{name: getattr(two[1], name) * by for name, by in factor.items()})
    apart, level = combine(two), combine(two, fit_scales=True)
    assert "differ by more than their errors" in " ".join(apart.notes)
    assert apart.used.mean() > 0.99
    assert level.scales[0] / level.scales[1] == pytest.approx(1.05, abs=4 * level.scale_errors.max())
    assert level.chi_square_per_freedom < 1.2
    assert level.report["scales"] == level.scales.tolist()
    np.testing.assert_allclose(np.nanmedian(level.flux / TRUTH), 1.025, atol=0.003)


def test_flags_are_ored_and_no_wavelength_is_dropped():
    two = spectra(2)
    dq, flux = two[0].dq.copy(), two[0].flux.copy()
    dq[10], dq[20:22], dq[30] = 4, DO_NOT_USE | 2, 8
    flux[20:22] = np.nan
    flux[30] *= 1.5
    two[0] = replace(two[0], dq=dq, flux=flux)
    dq = two[1].dq.copy()
    dq[21] = DO_NOT_USE
    two[1] = replace(two[1], dq=dq)
    both = combine(two)
    assert both.flux.size == WAVELENGTH.size
    assert both.dq[10] == 4
    assert both.dq[20] == 0
    assert both.n_input[20] == 1
    assert both.dq[21] == DO_NOT_USE | 2
    assert np.isnan(both.flux[21])
    assert both.dq[30] == OUTLIER
    assert np.isfinite(np.delete(both.flux, 21)).all()
    assert any("only one input" in note for note in both.notes)


def cut(spectrum, part, shift=0.0):
    columns = {name: getattr(spectrum, name)[part] for name in COLUMNS}
    columns["wavelength"] = columns["wavelength"] + shift
    return replace(spectrum, **columns)


def test_rows_that_are_the_same_are_not_resampled():
    two = spectra(2)
    both = combine([cut(two[0], slice(0, 300)), cut(two[1], slice(50, None))])
    np.testing.assert_array_equal(both.wavelength, WAVELENGTH)
    np.testing.assert_array_equal(both.n_input, np.where(np.arange(WAVELENGTH.size) // 50 > 0, 2, 1) - (
        np.arange(WAVELENGTH.size) >= 300))  # fmt: skip
    np.testing.assert_array_equal(both.flux[:50], two[0].flux[:50])
    assert not any("resampled" in note for note in both.notes)
    turned = combine([two[0], cut(two[1], slice(None, None, -1))])
    np.testing.assert_allclose(turned.flux, combine(two).flux, rtol=1e-12)


def test_other_rows_are_resampled_and_flux_is_conserved():
    step = np.abs(np.gradient(WAVELENGTH))
    two = spectra(2, relative=1e-4)
    line = np.exp(-0.5 * ((WAVELENGTH - 9) / 0.1) ** 2)
    two[1] = replace(two[1], flux=line)
    both = combine([two[0], cut(two[1], slice(None), 0.4 * step)], sigma_clip=None)
    assert any("resampled, flux-conserving" in note for note in both.notes)
    np.testing.assert_array_equal(both.wavelength, WAVELENGTH)
    found = both.input_flux[1]
    assert np.isnan(found).sum() <= 1  # beyond its end
    # a line of 4 rows (sigma) moved by 0.4 of a row
    np.testing.assert_allclose(
        np.nan_to_num(found), np.exp(-0.5 * ((WAVELENGTH - 0.4 * step - 9) / 0.1) ** 2), atol=0.02
    )
    assert np.nansum(found * step) == pytest.approx(
        np.sum(line * np.abs(np.gradient(WAVELENGTH + 0.4 * step))), rel=1e-3
    )


def test_integrations_of_a_stack_are_inputs():
    three = spectra(3)
    names = [name for name in COLUMNS if name != "wavelength"]
    stack = replace(three[0], **{n: np.stack([getattr(one, n) for one in three]) for n in names})
    both = combine(stack)
    assert both.input_names == ("a_x1d.fits[1]", "a_x1d.fits[2]", "a_x1d.fits[3]")
    np.testing.assert_allclose(both.flux, combine(three).flux)


@dataclass(frozen=True, eq=False)
class Series(Making, SpectrumTable):
    """All that is asked of a series: a table, how it was made, and perhaps its mean."""

    mean: ExtractedSpectrum | None = None


def test_so_are_those_of_a_series():
    three = spectra(3)
    names = [name for name in COLUMNS if name != "wavelength"]
    columns = {name: np.stack([getattr(one, name) for one in three]) for name in names}
    series = Series(**columns, wavelength=WAVELENGTH, notes=("A series.",), mean=three[0])
    both = combine(series)
    np.testing.assert_allclose(both.flux, combine(three).flux)
    assert both.input_names[2] == "spectrum 1[3]"
    assert both.notes[-1] == "All inputs: A series."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": "ANOTHER STAR"}, "target is ANOTHER STAR, but that of a_x1d.fits is A STAR"),
        ({"exposure_type": "NRS_FIXEDSLIT"}, "mode"),
        ({"unit": "MJy"}, "unit"),
        ({"spectral_order": 2}, "order"),
    ],
)
def test_what_does_not_go_together_is_refused(change, told):
    two = spectra(2)
    two[1] = replace(two[1], origin=replace(two[1].origin, **change))
    with pytest.raises(LRSError, match=told) as error:
        combine(two)
    assert str(error.value).startswith("b_x1d.fits")


def test_flux_scales_must_be_one():
    two = spectra(2)
    calibrated = replace(two[1], references={"response": "a star"})
    with pytest.raises(
        LRSError, match=r"b_x1d\.fits: it is calibrated with a star, but a_x1d\.fits with none"
    ):
        combine([two[0], calibrated])
    combine([replace(two[0], parameters={"reference_response": "a star"}), calibrated])
    apart = [
        replace(one, parameters={"extraction_type": "box", "extract_width": width})
        for one, width in zip(two, (4.0, 8.0), strict=True)
    ]
    assert any("extracted differently: width 4 and 8" in note for note in combine(apart).notes)
    assert not any("differently" in note for note in combine([apart[0], two[1]]).notes)


def test_targets_without_a_name_are_told_apart_by_their_place():
    two = spectra(2)
    apart = [
        replace(one, origin=replace(one.origin, target=None, sky=(150.0, dec)))
        for one, dec in zip(two, (2.0, 2.01), strict=True)
    ]
    with pytest.raises(LRSError, match="36 arcsec"):
        combine(apart)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"flux_var_poisson": 0.0, "flux_var_rnoise": 0.0, "flux_var_flat": 0.0}, "no errors"),
        ({"flux_var_poisson": np.nan, "flux_error": np.nan}, "no errors"),
        ({"flux": np.nan}, "no valid flux"),
    ],
)
def test_an_input_that_cannot_be_weighed_is_refused(wrong, told):
    two = spectra(2)
    two[1] = replace(two[1], **{name: np.full(WAVELENGTH.size, value) for name, value in wrong.items()})
    with pytest.raises(LRSError, match=f"b_x1d.fits: .*{told}"):
        combine(two)


def test_errors_that_are_not_split_count_as_independent():
    two = spectra(2, flat=0.5)
    nothing = np.full(WAVELENGTH.size, np.nan)
    columns = {f"{k}_var_{s}": nothing for k in ("flux", "sb") for s in ("poisson", "rnoise", "flat")}
    both = combine([replace(one, **columns) for one in two], sigma_clip=None)
    assert any("not split" in note for note in both.notes)
    np.testing.assert_allclose(both.flux_error, two[0].flux_error / np.sqrt(2))


@pytest.mark.parametrize(
    ("given", "keywords", "told"),
    [
        (1, {}, "at least two spectra, but 1 was given"),
        (0, {}, "but none was given"),
        (2, {"exptime_key": "time"}, "exptime_key"),
        (2, {"sigma_clip": 0}, "sigma_clip"),
        (2, {"error_floor": -1}, "error_floor"),
    ],
)
def test_what_cannot_be_asked(given, keywords, told):
    with pytest.raises(LRSError, match=told):
        combine(spectra(given), **keywords)


@pytest.mark.parametrize("given", [None, 5, [1, 2], ["absent_x1d.fits"] * 2])
def test_what_is_no_list_of_spectra(given):
    with pytest.raises(LRSError, match=r"list|none that was extracted|no such file"):
        combine(given)
    two = spectra(2)
    with pytest.raises(LRSError, match="spectrum 2: it is none that was extracted"):
        combine([two[0], combine(two)])


def test_wavelengths_that_do_not_meet_are_refused():
    two = spectra(2)
    with pytest.raises(LRSError, match="do not overlap"):
        combine([two[0], cut(two[1], slice(None), 20.0)])


def test_notes_and_verdicts_of_the_inputs_go_along():
    one, other = spectra(2)
    one = replace(one, notes=("No wavelength solution.", "A star."), verdict=FINE)
    other = replace(other, notes=("A star.",), verdict=WRONG)
    both = combine([one, other])
    assert both.notes[-2:] == ("a_x1d.fits: No wavelength solution.", "All inputs: A star.")
    assert both.verdict.dropped == WRONG.dropped
    assert combine(spectra(2)).verdict is None


def test_what_is_there_twice_is_refused_or_told():
    two = spectra(2)
    with pytest.raises(LRSError, match=r"c\.fits: its values are those of a_x1d\.fits"):
        combine([*two, replace(two[0], file_name="c.fits")])
    nearly = replace(two[0], flux=two[0].flux * (1 + 1e-6))
    assert any("better than independent ones can" in note for note in combine([two[0], nearly]).notes)
    assert not any("independent" in note for note in combine(two).notes)


def test_the_room_is_the_function():
    two = spectra(2)
    assert combine(two).flux.shape == jdaviz_lrs.combine(two).flux.shape == TRUTH.shape
    both = combine(two)
    again = pickle.loads(pickle.dumps(both))
    np.testing.assert_array_equal(again.flux, both.flux)
    assert "2 inputs" in repr(both)
    assert both.to_spectrum().flux.unit == "Jy"
