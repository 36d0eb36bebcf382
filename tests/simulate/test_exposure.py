from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.simulate import Scene, simulate, simulate_nods
from jdaviz_lrs.simulate.psf import effective_profile
from jdaviz_lrs.simulate.render import PIXAR_SR

CLEAN = Scene(noise=False, nod_subtracted=False, background=0.0)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod", [1, 2])
@pytest.mark.parametrize("psf", [{}, {"psf_stretch": 0.85}, {"psf_halo": 0.03, "psf_skew": 0.05}])
def test_all_light_is_the_truth(product, nod, psf):
    # the rest, at most 1e-4, falls off the detector at its reddest rows in nod 2
    seen = simulate(replace(CLEAN, **psf), product, nod)
    flux = np.nansum(seen.data, axis=1) * PIXAR_SR * 1e6
    np.testing.assert_allclose(flux, seen.truth.flux, rtol=1e-4)


def test_wide_source_loses_light_off_the_end_of_the_slit():
    seen = simulate(replace(CLEAN, psf_stretch=1.15), "s2d", 1)
    found = np.nansum(seen.data, axis=1) * PIXAR_SR * 1e6 / seen.truth.flux
    # the end is 13 px away, where wings that reach to 15 px hold a little
    offset = np.arange(seen.data.shape[1]) - seen.truth.trace[:, None]
    light = effective_profile(offset, seen.grid.wavelength, stretch=1.15)
    expected = (light * seen.grid.lit).sum(axis=1)
    assert expected.min() < 1.0 - 1e-4
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_light_is_centred_on_the_trace(product):
    seen = simulate(replace(CLEAN, trace_shift=0.2, trace_bend=0.6), product)
    column = np.arange(seen.data.shape[1]) + seen.grid.corner[1]
    centroid = np.nansum(seen.data * column, axis=1) / np.nansum(seen.data, axis=1)
    np.testing.assert_allclose(centroid, seen.truth.trace, atol=1e-3)
    straight = simulate(CLEAN, product).truth.trace
    shift = seen.truth.trace - straight
    np.testing.assert_allclose(shift[[0, 193, 386]], [0.8, 0.2, 0.8])


def test_both_products_share_the_truth():
    s2d, cal = simulate(product="s2d"), simulate(product="cal")
    np.testing.assert_array_equal(s2d.truth.flux, cal.truth.flux)
    np.testing.assert_array_equal(s2d.truth.wavelength, cal.truth.wavelength)
    assert s2d.pointing == cal.pointing


def test_subtracted_nods_mirror_each_other():
    scene = Scene(noise=False)
    first, second = simulate(scene, nod=1), simulate(scene, nod=2)
    np.testing.assert_allclose(first.data, -second.data, atol=1e-9)
    assert (first.truth.background == 0).all()
    sky = simulate(replace(scene, nod_subtracted=False, brightness=0.0))
    np.testing.assert_allclose(sky.data[sky.grid.lit], sky.truth.background[sky.grid.lit])
    assert sky.truth.background[5, 40] > sky.truth.background[5, 5] > 5 * sky.truth.background[300, 40]


def test_companion():
    alone, pair = simulate(CLEAN), simulate(replace(CLEAN, companion_ratio=0.5, companion_offset=-7.0))
    extra = np.nansum(pair.data - alone.data, axis=1) * PIXAR_SR * 1e6
    np.testing.assert_allclose(extra, 0.5 * alone.truth.flux, rtol=1e-4)
    centre = np.nansum((pair.data - alone.data) * np.arange(46), axis=1) / extra * PIXAR_SR * 1e6
    np.testing.assert_allclose(centre, alone.truth.trace - 7, atol=1e-3)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("scene", [Scene(), Scene(nod_subtracted=False, noise_scale=3.0)])
def test_errors_are_those_of_the_draws(product, scene):
    seen = simulate(scene, product)
    expected = seen.signal[0] - seen.signal[1:].sum(axis=0)
    pull = np.array([(draw.data - expected) / draw.err for draw in map(seen.noisy, range(20))])
    pull = pull[:, seen.grid.lit]
    np.testing.assert_allclose(pull.mean(), 0, atol=5 / np.sqrt(pull.size))
    np.testing.assert_allclose((pull**2).mean(), 1, atol=5 * np.sqrt(2 / pull.size))
    neighbours = (pull[:, 1:] * pull[:, :-1]).mean()
    np.testing.assert_allclose(neighbours, 0, atol=5 / np.sqrt(pull.size))


def test_noisy_variance_follows_the_pixels():
    seen = simulate(Scene(noisy_variance=True, nod_subtracted=False))
    plain = simulate(Scene(nod_subtracted=False))
    lit = seen.grid.lit
    np.testing.assert_array_equal(seen.data[lit], plain.data[lit])
    difference, change = (seen.var_poisson - plain.var_poisson)[lit], (seen.data - seen.signal[0])[lit]
    assert np.corrcoef(difference, change)[0, 1] > 0.9


def test_draws_repeat_and_differ():
    seen = simulate(Scene(cosmic_rays=5))
    np.testing.assert_array_equal(seen.data, simulate(Scene(cosmic_rays=5)).data)
    np.testing.assert_array_equal(seen.noisy(7).data, seen.noisy(7).data)
    assert not np.array_equal(seen.noisy(7).data, seen.noisy(8).data, equal_nan=True)


@pytest.mark.parametrize("product", ["s2d", "cal"])
def test_cosmic_rays_and_bad_pixels(product):
    seen = simulate(Scene(cosmic_rays=40, bad_pixels=25, noise=False), product)
    lit, bad = seen.grid.lit, seen.grid.lit & ~np.isfinite(seen.data)
    assert bad.sum() == 25
    assert (seen.dq[bad] == 1).all()
    assert (seen.dq[lit & ~bad] == 0).all()
    assert 38 <= seen.hit.sum() <= 40  # one may fall on a bad pixel
    excess = seen.data - (seen.signal[0] - seen.signal[1])
    assert (excess[seen.hit] > 30).all()
    np.testing.assert_allclose(excess[lit & ~bad & ~seen.hit], 0, atol=1e-9)
    np.testing.assert_array_equal(~np.isfinite(seen.noisy(9).data), ~np.isfinite(seen.data))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("bad_pixels", -1),
        ("cosmic_rays", 1.5),
        ("seed", -1),
        ("noise_scale", -1.0),
        ("psf_stretch", 0.0),
        ("brightness", float("nan")),
        ("nod_offset", 5.0),
        ("background", -1.0),
    ],
)
def test_bad_setting_is_named(setting, value):
    with pytest.raises(LRSError, match=f"^{setting} is {value}"):
        Scene(**{setting: value})


def test_bad_product_or_nod():
    with pytest.raises(LRSError, match="product is 'x1d'"):
        simulate(product="x1d")
    with pytest.raises(LRSError, match="nod is 3"):
        simulate(nod=3)


def test_several_exposures_take_the_nods_by_turns():
    exposures = simulate_nods(Scene(), 5)
    assert [one.nod for one in exposures] == [1, 2, 1, 2, 1]
    np.testing.assert_array_equal(exposures[0].data, simulate(Scene(), "cal").data)
    noise = exposures[0].data - exposures[2].data
    # 17,000 pixels tell it to 0.6 %
    assert np.nanstd(noise / exposures[0].err) == pytest.approx(np.sqrt(2), rel=0.02)


def test_a_fixed_flat_has_the_same_error_in_all_exposures():
    scene = Scene(brightness=0.05, fixed_flat=True)
    first, _, third = simulate_nods(scene, 3)
    random = np.sqrt(first.var_poisson + first.var_rnoise)
    assert np.nanstd((first.data - third.data) / random) == pytest.approx(np.sqrt(2), rel=0.02)
    clean = first.signal[0] - first.signal[1]
    bright = np.sqrt(first.var_flat) > 2 * random
    both = [((one.data - clean)[bright] / np.sqrt(one.var_flat[bright])) for one in (first, third)]
    assert bright.sum() > 500
    assert np.corrcoef(*both)[0, 1] > 0.8
    # the exposure that is subtracted has the same flat
    np.testing.assert_allclose(np.sqrt(first.var_flat), 0.002 * np.abs(clean))
