from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, extract, read_x1d
from jdaviz_lrs.analysis.figure import draw_figure, write_figure

REGIONS = [[6.5], [12.5], [36.5], [42.5]]


@pytest.fixture(scope="module")
def box(observation):
    return extract(
        observation["nod1_nobsub_s2d"], use_source_posn=False, xstart=28, xstop=35, bkg_coeff=REGIONS
    )


@pytest.fixture(scope="module")
def optimal(observation):
    return extract(observation["nod1_cal"], extraction_type="optimal", override_psf=observation["psf"])


def lines(axes):
    return [line.get_ydata() for line in axes.lines]


def test_box_shows_its_edges_and_the_spectrum(box):
    image, spectrum = draw_figure(box).axes[:2]
    edges = [np.nanmean(edge) for edge in lines(image)]
    np.testing.assert_allclose(edges, [27.5, 35.5, *np.ravel(REGIONS)])
    (flux,) = lines(spectrum)
    np.testing.assert_allclose(np.sort(flux), np.sort(1e3 * box.flux))
    assert spectrum.get_xlim()[0] == 5.0


def test_optimal_shows_its_traces_and_the_residual(optimal):
    figure = draw_figure(optimal)
    image, _, residual = figure.axes[:3]
    np.testing.assert_array_equal(lines(image)[0], optimal.trace)
    assert len(lines(image)) == 1 + len(optimal.nod_traces) + len(optimal.companions)
    (shown,) = residual.images
    sigma = optimal.residual / np.sqrt(optimal.variance)
    np.testing.assert_allclose(np.ma.filled(shown.get_array(), np.nan), sigma.T)


def test_a_stack_is_drawn_as_its_mean(box):
    planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    stack = replace(box.image, **{name: np.stack([getattr(box.image, name)] * 3) for name in planes})
    spectrum = extract(stack, use_source_posn=False, xstart=28, xstop=35)
    (flux,) = lines(draw_figure(spectrum).axes[1])
    np.testing.assert_allclose(np.sort(flux), np.sort(1e3 * spectrum.flux[0]))


@pytest.mark.parametrize("ending", ["pdf", "png", "svg"])
def test_it_is_written(box, tmp_path, ending):
    path = write_figure(box, tmp_path / f"a.{ending}")
    assert path.stat().st_size > 5000


def test_what_cannot_be_drawn(box, tmp_path):
    with pytest.raises(LRSError, match=r"a\.jpg: a figure is written as \.pdf, \.png, \.svg"):
        write_figure(box, tmp_path / "a.jpg")
    alone = read_x1d(box.write(tmp_path / "a_x1d.fits"))
    with pytest.raises(LRSError, match="no image to draw"):
        draw_figure(alone)
    assert not (tmp_path / "a.jpg").exists()
