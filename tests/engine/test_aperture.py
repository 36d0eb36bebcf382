import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaviz_lrs.engine.aperture import nested_weights, pixel_weights, polynomial_edges, whole_pixels

PIXELS = np.arange(12.0)


def at(*regions, rows=1):
    """Edges of constant regions, (n_regions, 2, n_disp, 1)."""
    return np.broadcast_to(np.array(regions, float)[:, :, None, None], (len(regions), 2, rows, 1))


def fraction_by_samples(regions, pixels, number=20000):
    """Brute force: count samples of every pixel that lie in any region."""
    inside = (np.arange(number) + 0.5) / number - 0.5
    places = pixels[:, None] + inside
    covered = np.zeros(places.shape, bool)
    for lower, upper in regions:
        covered |= (places > lower) & (places < upper)
    return covered.mean(axis=1)


edge = st.floats(-3.0, 15.0)


@given(st.lists(st.tuples(edge, edge), min_size=1, max_size=4))
def test_weight_is_the_fraction_covered(pairs):
    regions = [tuple(sorted(pair)) for pair in pairs]
    weights = pixel_weights(at(*regions), PIXELS)[0]
    # every edge is found to one sample of 20000; at most eight edges lie in a pixel
    np.testing.assert_allclose(weights, fraction_by_samples(regions, PIXELS), atol=8 / 20000)


@given(edge, edge)
def test_weights_of_a_region_add_up_to_its_width_on_the_image(a, b):
    lower, upper = min(a, b), max(a, b)
    on_image = max(min(upper, 11.5) - max(lower, -0.5), 0.0)
    assert pixel_weights(at((lower, upper)), PIXELS).sum() == pytest.approx(on_image, abs=1e-12)


def test_whole_pixels_weigh_one_and_edges_their_share():
    weights = pixel_weights(at((1.5, 5.75)), PIXELS)[0]
    np.testing.assert_allclose(weights, [0, 0, 1, 1, 1, 1, 0.25, 0, 0, 0, 0, 0], atol=1e-15)


def test_narrow_region_counts_its_width_only():
    # the pipeline gives the larger of the two parts from the pixel's edges, 0.7 here
    assert pixel_weights(at((4.0, 4.2)), PIXELS)[0, 4] == pytest.approx(0.2)
    assert nested_weights(at((4.0, 4.2)), PIXELS)[0, 4] == pytest.approx(0.7)


def test_overlapping_regions_count_once_in_any_order():
    once = pixel_weights(at((2.0, 8.3)), PIXELS)
    for regions in ([(2.0, 5.0), (4.0, 8.3)], [(4.0, 8.3), (2.0, 5.0)], [(2.0, 8.3), (3.0, 4.0), (2.0, 2.1)]):
        np.testing.assert_allclose(pixel_weights(at(*regions), PIXELS), once, atol=1e-15)


def test_two_regions_share_a_pixel():
    weights = pixel_weights(at((1.0, 4.1), (4.3, 6.0)), PIXELS)[0]
    assert weights[4] == pytest.approx(0.8)


def test_order_of_regions_may_change_along_the_dispersion():
    edges = np.array([[[1.0, 5.0], [3.0, 7.0]], [[5.0, 1.0], [7.0, 3.0]]])[..., None]
    weights = pixel_weights(edges, PIXELS)
    np.testing.assert_array_equal(weights[0], weights[1])
    assert weights.sum() == pytest.approx(8.0)


def test_no_edge_no_weight():
    edges = np.array([[[np.nan, 2.0], [np.nan, 4.0]]])[..., None]
    weights = pixel_weights(edges, PIXELS)
    assert weights[0].sum() == 0.0
    assert weights[1].sum() == 2.0
    two = np.concatenate([edges, [[[[1.0], [np.nan]], [[2.5], [np.nan]]]]])
    np.testing.assert_allclose(pixel_weights(two, PIXELS).sum(axis=1), [1.5, 2.0])


def test_edges_may_differ_from_pixel_to_pixel():
    lower = np.tile(np.linspace(2.0, 3.0, 12), (3, 1))
    edges = np.stack([lower, lower + 4.0])[None]
    expected = [
        [
            max(0.0, min(upper, p + 0.5) - max(low, p - 0.5))
            for low, upper, p in zip(a, b, PIXELS, strict=True)
        ]
        for a, b in zip(*edges[0], strict=True)
    ]
    np.testing.assert_allclose(pixel_weights(edges, PIXELS), expected, atol=1e-15)


def test_coordinates_may_begin_anywhere():
    shifted, weights = pixel_weights(at((303.2, 306.9)), PIXELS + 300), pixel_weights(at((3.2, 6.9)), PIXELS)
    np.testing.assert_allclose(shifted, weights, atol=1e-12)  # rounding of numbers near 300


@given(st.floats(-1.0, 9.0), st.floats(1.0, 8.0))
def test_pipeline_weights_are_the_fractions_from_one_pixel_on(lower, width):
    edges = at((lower, lower + width))
    np.testing.assert_allclose(nested_weights(edges, PIXELS), pixel_weights(edges, PIXELS), atol=1e-12)


def test_whole_pixels_are_those_not_cut():
    chosen = whole_pixels(at((0.4, 4.5), (7.5, 9.6)), PIXELS)[0]
    np.testing.assert_array_equal(np.flatnonzero(chosen), [1, 2, 3, 4, 8, 9])


def test_polynomials_alternate_lower_and_upper():
    rows = np.arange(5.0)[:, None]
    edges = polynomial_edges([[1.0, 0.5], [4.0], [6.0, 0.0, 0.1], [9.0, -0.1]], rows)
    assert edges.shape == (2, 2, 5, 1)
    np.testing.assert_allclose(edges[0, 0, :, 0], 1.0 + 0.5 * rows[:, 0])
    np.testing.assert_allclose(edges[0, 1, :, 0], 4.0)
    np.testing.assert_allclose(edges[1, 0, :, 0], 6.0 + 0.1 * rows[:, 0] ** 2)
    np.testing.assert_allclose(edges[1, 1, :, 0], 9.0 - 0.1 * rows[:, 0])


def test_polynomials_of_a_wavelength_image():
    wavelength = np.array([[5.0, np.nan], [6.0, 6.1]])
    edges = polynomial_edges([[0.0, 1.0], [0.0, 2.0]], wavelength)
    np.testing.assert_array_equal(edges[0, 0], wavelength)
    np.testing.assert_array_equal(edges[0, 1], 2 * wavelength)
