from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import read
from jdaviz_lrs.engine.trace import locate_source, middle_of_spectrum
from jdaviz_lrs.simulate import Scene, simulate, to_model

BOX = ((0.7, 40.2), (4.5, 30.5))


class Slit:
    """A WCS of formulas: the source at right ascension `ra` lies on a bent, tilted trace."""

    bend, tilt = 0.002, 0.01

    def world(self, rows, columns):
        rows, columns = np.broadcast_arrays(rows, columns)
        inside = (columns >= BOX[1][0]) & (columns <= BOX[1][1]) & (rows >= BOX[0][0]) & (rows <= BOX[0][1])
        wavelength = 14.0 - 0.2 * rows - self.tilt * (columns - 17.0)
        ra = columns - 17.0 - self.bend * (rows - 20.0) ** 2
        return tuple(np.where(inside, value, np.nan) for value in (ra, np.zeros(ra.shape), wavelength))

    def pixel(self, ra, dec, wavelength):
        rows = np.full(np.shape(wavelength), 20.0)
        for _ in range(50):
            columns = 17.0 + np.asarray(ra) + self.bend * (rows - 20.0) ** 2
            rows = (14.0 - wavelength - self.tilt * (columns - 17.0)) / 0.2
        return rows, columns

    def locate(self, ra, rows=None, **settings):
        rows = np.arange(50.0) if rows is None else rows
        return locate_source(self.world, self.pixel, BOX, rows, ra, 0.0, **settings)


def test_trace_follows_the_wcs():
    source = Slit().locate(3.0)
    rows = np.arange(1, 41)
    expected = 20.0 + 0.002 * (rows - 20.0) ** 2
    np.testing.assert_allclose(source.trace[1:41], expected, atol=1e-6)  # a cubic through a parabola, nearly
    assert np.isnan(source.trace[[0, 41, 49]]).all()


def test_location_is_that_of_the_middle_of_the_box():
    slit = Slit()
    source = slit.locate(3.0)
    middle, wavelength = middle_of_spectrum(slit.world, BOX)
    assert middle == pytest.approx(20.45)
    assert source.middle == 20
    assert source.wavelength == wavelength
    # the mean over columns 5 to 29 (the last of the box, 30, is beyond its rounded edge)
    assert wavelength == pytest.approx(14.0 - 0.2 * 20.45, abs=1e-12)
    assert source.location == pytest.approx(slit.pixel(3.0, 0.0, wavelength)[1])


@pytest.mark.parametrize("ra", [-13.0, 14.5, np.nan])
def test_off_the_slit_is_nowhere(ra):
    assert Slit().locate(ra) is None


def test_no_wavelength_is_nowhere():
    slit = Slit()
    nothing = np.full(1, np.nan)
    assert locate_source(lambda r, c: (r * nothing,) * 3, slit.pixel, BOX, np.arange(50.0), 0.0, 0.0) is None


def test_pipeline_counts_rows_from_the_box():
    slit = Slit()
    ours, theirs = slit.locate(3.0), slit.locate(3.0, shifted_rows=True)
    assert theirs.location == ours.location
    # what belongs to row n stands at row n + 1, for the box begins at row 1; and it ends a row earlier
    # and linear between samples 1.06 rows apart (8.05 um in 38 steps): second derivative / 8 of that squared
    np.testing.assert_allclose(theirs.trace[2:40], ours.trace[1:39], atol=0.004 / 8 * 1.065**2)
    assert np.isnan(theirs.trace[40])
    assert np.isfinite(ours.trace[40])


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod", [1, 2])
def test_simulated_source_is_found(product, nod):
    seen = simulate(Scene(noise=False), product, nod)
    image = read(to_model(seen))
    o = image.observation
    source = locate_source(
        image.world, image.pixel, image.bounding_box, image.disp_index, o.dithered_ra, o.dithered_dec
    )
    # the simulator places its sources to 1e-6 px; the samples are a row apart on a trace that bends slowly
    np.testing.assert_allclose(source.trace, seen.truth.trace, atol=1e-4)
    middle = source.middle - image.origin[0]
    assert source.location == pytest.approx(seen.truth.trace[middle], abs=5e-3)  # half a row off


def test_rows_may_be_those_of_a_part():
    whole, part = Slit().locate(3.0), Slit().locate(3.0, rows=np.arange(10.0, 20.0))
    np.testing.assert_allclose(part.trace, whole.trace[10:20])
    assert replace(part, trace=whole.trace).location == whole.location
