"""Combined nods against the truth, and against the pipeline's combine_1d on the same files."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import combine
from tests.combine1d_step import pipeline_c1d
from tests.nods import HIT, PLAIN, columns, compare, extracted, good_data_used, images_of


@pytest.fixture(scope="module")
def nods():
    """Four nods with forty cosmic rays each, and the same without."""
    return tuple(extracted(images_of(one, 4), PLAIN) for one in (HIT, replace(HIT, cosmic_rays=0)))


@pytest.mark.parametrize("number", [2, 4])
def test_cosmic_rays_are_left_out_and_little_else(nods, number):
    dirty, clean = (one[:number] for one in nods)
    both = combine(dirty)
    found = compare([columns(both)], HIT)
    assert abs(found.bias) < 0.2
    assert found.pull_width == pytest.approx(1, abs=0.15)  # of 340 pulls it is known to 5 %
    assert found.beyond == 0
    assert good_data_used(both, dirty, clean) > 0.98
    # without rejection they stay
    assert compare([columns(combine(dirty, sigma_clip=None))], HIT).beyond > 3


@pytest.mark.slow
def test_targets():
    pairs, shares = {2: [], 4: [], 8: []}, []
    for seed in range(1, 6):
        dirty, clean = (
            extracted(images_of(replace(HIT, seed=seed, cosmic_rays=hits), 8), PLAIN) for hits in (40, 0)
        )
        for number, found in pairs.items():
            both = combine(dirty[:number])
            found.append(columns(both))
            shares.append(good_data_used(both, dirty[:number], clean[:number]))
    assert np.min(shares) > 0.98
    for each in pairs.values():
        found = compare(each, HIT)
        assert abs(found.bias) < 0.2
        # of 1,700 pulls it is known to 2 %
        assert found.pull_width == pytest.approx(1, abs=0.05)
        assert found.beyond == 0


def test_the_same_as_the_pipeline_where_nothing_is_left_out(nods, tmp_path):
    clean = nods[1][:2]
    paths = [one.write(tmp_path / f"{place}_x1d.fits") for place, one in enumerate(clean)]
    theirs = pipeline_c1d(paths, exptime_key="exposure_time")
    ours = combine(paths, exptime_key="exposure_time", sigma_clip=None)
    # the pipeline's longest wavelength lies beyond its own grid in one of the inputs, and is lost there
    inside = np.argsort(ours.wavelength)[:-1]
    for column, mine in (("WAVELENGTH", ours.wavelength), ("FLUX", ours.flux), ("ERROR", ours.flux_error)):
        np.testing.assert_allclose(mine[inside], theirs[column][:-1], rtol=1e-10, err_msg=column)
    assert (ours.n_input == 2).all()


def test_its_clip_drops_wavelengths_and_ours_does_not(nods, tmp_path):
    paths = [one.write(tmp_path / f"{place}_x1d.fits") for place, one in enumerate(nods[0][:2])]
    theirs = pipeline_c1d(paths, sigma_clip=3.0)
    ours = combine(paths)
    assert len(theirs) < ours.flux.size - 10
    assert np.isfinite(ours.flux).all()
