import numpy as np
import pytest
from numpy.polynomial import Polynomial

from jdaviz_lrs.engine.background import fit_background, smooth, smoothed_variances

N_DISP, N_XDISP = 40, 24
SHAPE = (N_DISP, N_XDISP)
COLUMNS = np.arange(N_XDISP, dtype=float)
ROWS = np.arange(N_DISP, dtype=float)[:, None]


@pytest.fixture
def draw():
    return np.random.default_rng(11)


@pytest.fixture
def region():
    return np.broadcast_to((COLUMNS < 6) | (COLUMNS >= 19), SHAPE)


@pytest.fixture
def aperture():
    weights = np.zeros(SHAPE)
    weights[:, 9:14], weights[:, 14] = 1.0, 0.35
    return weights


def some_bad(draw, share=0.15, shape=SHAPE):
    return draw.uniform(size=shape) > share


def nothing(shape=SHAPE):
    return np.zeros((3, *shape))


def fit(data, good, region, aperture, variances=None, **settings):
    return fit_background(
        np.where(good, data, 0.0),
        nothing(data.shape) if variances is None else np.where(good, variances, 0.0),
        good,
        region,
        np.where(good, aperture, 0.0),
        **settings,
    )


@pytest.mark.parametrize("settings", [{"bkg_order": n} for n in range(5)])
def test_polynomial_is_recovered(draw, region, aperture, settings):
    order = settings["bkg_order"]
    coefficients = draw.normal(size=(N_DISP, order + 1))
    data = sum(coefficients[:, [n]] * ((COLUMNS - 12) / 12) ** n for n in range(order + 1))
    background = fit(data, some_bad(draw), region, aperture, **settings)
    np.testing.assert_allclose(background.image, data, atol=1e-11)


@pytest.mark.parametrize("bkg_fit", ["poly", "mean", "median"])
def test_constant_is_recovered_and_the_order_of_a_mean_does_not_matter(draw, region, aperture, bkg_fit):
    data = np.broadcast_to(draw.normal(size=(N_DISP, 1)), SHAPE)
    order = 0 if bkg_fit == "poly" else 3
    background = fit(data, some_bad(draw), region, aperture, bkg_fit=bkg_fit, bkg_order=order)
    np.testing.assert_allclose(np.broadcast_to(background.image, SHAPE), data, rtol=1e-12)


def test_mean_and_median_are_numpys(draw, region, aperture):
    data, good = draw.normal(size=SHAPE), some_bad(draw)
    masked = np.where(region & good, data, np.nan)
    mean = fit(data, good, region, aperture, bkg_fit="mean").image
    np.testing.assert_allclose(mean[:, 0], np.nanmean(masked, axis=1), rtol=1e-12)
    median = fit(data, good, region, aperture, bkg_fit="median").image
    np.testing.assert_array_equal(median[:, 0], np.nanmedian(masked, axis=1))


def test_only_the_regions_count(draw, region, aperture):
    data, good = draw.normal(size=SHAPE), some_bad(draw)
    other = np.where(region & good, data, 1e9)
    for settings in ({"bkg_order": 1}, {"bkg_fit": "median"}, {"bkg_disp_order": 2}, {"smoothing_length": 3}):
        a = fit(data, good, region, aperture, **settings).image
        np.testing.assert_array_equal(
            a, fit(np.where(good, other, 0), good, region, aperture, **settings).image
        )


# --- variances ---------------------------------------------------------------------------------------------


def propagated(data, good, region, aperture, variances, **settings):
    """The variance of the summed background, from its derivative to every pixel: brute force."""
    weights = np.where(good, aperture, 0.0)

    def summed(image):
        background = fit(image, good, region, aperture, **settings)
        return (np.broadcast_to(background.image, SHAPE) * weights).sum(axis=1)

    zero = summed(np.zeros(SHAPE))
    total = np.zeros((3, N_DISP))
    for row, column in np.argwhere(good):
        one = np.zeros(SHAPE)
        one[row, column] = 1.0
        total += variances[:, row, column, None] * (summed(one) - zero) ** 2
    return total


LINEAR = [
    {"bkg_order": 0},
    {"bkg_order": 2},
    {"bkg_fit": "mean"},
    {"bkg_order": 1, "smoothing_length": 5},
    {"bkg_order": 0, "smoothing_length": 39},
    {"bkg_order": 1, "bkg_disp_order": 2},
    {"bkg_order": 0, "bkg_disp_order": 3, "smoothing_length": 7},
]


@pytest.mark.parametrize("settings", LINEAR, ids=str)
def test_variance_is_the_linear_propagation(draw, region, aperture, settings):
    good, variances = some_bad(draw), draw.uniform(0.5, 2.0, (3, *SHAPE))
    got = fit(draw.normal(size=SHAPE), good, region, aperture, variances, **settings).variances
    # linear in the data, so that the derivative is exact up to rounding
    np.testing.assert_allclose(
        got, propagated(None, good, region, aperture, variances, **settings), rtol=1e-9
    )


@pytest.mark.parametrize(
    "settings", [{"bkg_fit": "median"}, {"bkg_fit": "median", "smoothing_length": 5}], ids=str
)
def test_variance_of_a_median_is_that_of_many_draws(draw, region, aperture, settings):
    good, number = some_bad(draw, 0.1), 1500
    noise = draw.normal(size=(number, *SHAPE))
    variances = np.stack([np.ones(SHAPE), np.zeros(SHAPE), np.zeros(SHAPE)])
    got = fit(noise[0], good, region, aperture, variances, **settings).variances.sum(axis=0)
    weights = np.where(good, aperture, 0.0)
    sums = [(fit(one, good, region, aperture, **settings).image * weights).sum(axis=1) for one in noise]
    ratio = np.var(sums, axis=0).mean() / got.mean()
    # 1.2^2 stands for 1.31 to 1.47, by the number of pixels (6 to 11 here)
    assert 0.88 < ratio < 1.05


def test_uncorrelated_columns_and_no_noise_where_pixels_are_bad(draw, region, aperture):
    good = some_bad(draw)
    variances = np.where(good, 1.0, np.inf)[None] * np.ones((3, 1, 1))
    background = fit(draw.normal(size=SHAPE), good, region, aperture, variances, bkg_order=1)
    assert np.isfinite(background.variances).all()


# --- smoothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [3, 5, 21, 39, 61, 101])
def test_smoothing_against_loops(draw, length):
    data, good = draw.normal(size=SHAPE), some_bad(draw, 0.3)
    variances = draw.uniform(0.5, 2.0, (3, *SHAPE))
    averages, some = smooth(np.where(good, data, 0.0), good, length)
    spread = smoothed_variances(np.where(good, variances, 0.0), good, length)
    for row in range(N_DISP):
        window = np.clip(np.arange(row - length // 2, row + length // 2 + 1), 0, N_DISP - 1)
        for column in range(N_XDISP):
            used = [r for r in window if good[r, column]]
            assert some[row, column] == bool(used)
            if not used:
                continue
            assert averages[row, column] == pytest.approx(data[used, column].mean(), abs=1e-12)
            times = np.bincount(used, minlength=N_DISP) / len(used)
            np.testing.assert_allclose(spread[:, row, column], variances[:, :, column] @ times**2, rtol=1e-11)


def test_smoothing_is_astropys(draw):
    from astropy.convolution import convolve

    data, good = draw.normal(size=SHAPE), some_bad(draw, 0.2)
    expected = convolve(np.where(good, data, np.nan), np.ones((7, 1)) / 7, boundary="extend")
    averages, some = smooth(np.where(good, data, 0.0), good, 7)
    np.testing.assert_array_equal(some, np.isfinite(expected))
    np.testing.assert_allclose(averages[some], expected[some], atol=1e-12)


def test_smoothing_keeps_a_constant_and_a_line_away_from_the_ends(draw):
    good = some_bad(draw, 0.2)
    averages, _ = smooth(np.where(good, 3.0, 0.0), good, 9)
    np.testing.assert_allclose(averages, 3.0, rtol=1e-12)
    line = np.broadcast_to(ROWS, SHAPE)
    averages, _ = smooth(line, np.ones(SHAPE, bool), 9)
    np.testing.assert_allclose(averages[4:-4], line[4:-4], rtol=1e-12)


def test_large_values_do_not_leak_along_a_column():
    # running sums lose what is 1e16 times smaller; the background spans a factor of 100 only
    data = np.zeros(SHAPE)
    data[3] = 1e6
    averages, _ = smooth(data, np.ones(SHAPE, bool), 3)
    np.testing.assert_allclose(averages[6:], 0.0, atol=1e-9)


def test_margins_count_instead_of_the_last_row_again(draw):
    data, good = draw.normal(size=SHAPE), some_bad(draw, 0.2)
    whole = np.where(good, data, np.nan)
    inner, above, below = slice(6, 33), slice(0, 6), slice(33, None)
    averages, _ = smooth(np.where(good, data, 0.0)[inner], good[inner], 9, (whole[above], whole[below]))
    expected, some = smooth(np.where(good, data, 0.0), good, 9)
    rows = slice(10, 29)  # whose window ends inside the image in both
    np.testing.assert_allclose(averages[rows.start - 6 : rows.stop - 6], expected[rows], atol=1e-12)
    np.testing.assert_allclose(averages[some[inner]], expected[inner][some[inner]], atol=1e-12)


# --- beyond the pipeline -----------------------------------------------------------------------------------


def test_surface_is_recovered(draw, region, aperture):
    x, y = (COLUMNS - 10) / 10, (ROWS - 20) / 20
    data = (1 + 2 * x) * (1 - y + 3 * y**2 - y**3)
    good = some_bad(draw)
    good[7] = False  # a whole row without pixels is bridged
    background = fit(data, good, region, aperture, bkg_order=1, bkg_disp_order=3)
    np.testing.assert_allclose(background.image, data, atol=1e-11)


def test_surface_is_the_least_squares_fit(draw, region, aperture):
    data, good = draw.normal(size=SHAPE), some_bad(draw)
    used = region & good
    terms = np.stack([(ROWS / 40) ** i * (COLUMNS / 24) ** j for i in range(3) for j in range(2)])
    solution = np.linalg.lstsq(terms[:, used].T, data[used], rcond=None)[0]
    background = fit(data, good, region, aperture, bkg_order=1, bkg_disp_order=2)
    np.testing.assert_allclose(background.image, np.tensordot(solution, terms, 1), atol=1e-10)


@pytest.mark.parametrize("settings", [{}, {"bkg_order": 1}, {"bkg_order": 2}, {"bkg_disp_order": 1}], ids=str)
@pytest.mark.parametrize("height", [100.0, 1e5])
def test_clipping_leaves_out_what_is_far_off(draw, region, aperture, settings, height):
    data = 0.1 * COLUMNS + draw.normal(0, 0.1, SHAPE)
    good, hits = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    # one in every third row, at the ends of the regions too, where it draws a line most
    hits[::3, :] = np.eye(24, dtype=bool)[draw.choice(np.flatnonzero(region[0]), N_DISP // 3 + 1)]
    hits[0], hits[3] = COLUMNS == 0, COLUMNS == 23
    hit = np.where(hits, height, data)
    clean = fit(data, good & ~hits, region, aperture, bkg_sigma_clip=6.0, **settings)
    clipped = fit(hit, good, region, aperture, bkg_sigma_clip=6.0, **settings)
    np.testing.assert_allclose(clipped.image, clean.image, rtol=1e-12)
    assert clipped.n_used == clean.n_used
    plain = fit(hit, good, region, aperture, **settings)
    # the surface spreads 14 hits over 440 pixels
    assert np.abs(plain.image - clean.image).max() > height / 40


def test_clipping_keeps_a_gradient(draw, region, aperture):
    data = 5.0 * COLUMNS + draw.normal(0, 0.1, SHAPE)
    good = np.ones(SHAPE, bool)
    clipped = fit(data, good, region, aperture, bkg_order=1, bkg_sigma_clip=5.0)
    # of Gaussian noise, on a scatter itself measured on eleven pixels
    assert clipped.n_used > 0.97 * region.sum()


def test_clipping_counts_the_pixels_left(draw, region, aperture):
    data = np.zeros(SHAPE) + draw.normal(0, 1e-3, SHAPE)
    data[5, 2] = data[9, 20] = 50.0
    good = np.ones(SHAPE, bool)
    assert fit(data, good, region, aperture, bkg_sigma_clip=20.0).n_used == region.sum() - 2


# --- where there is no answer ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "settings",
    [
        {"bkg_order": 1},
        {"bkg_fit": "median"},
        {"bkg_order": 1, "smoothing_length": 3},
        {"bkg_sigma_clip": 3.0},
    ],
    ids=str,
)
def test_no_pixels_no_background(draw, region, aperture, settings):
    good = np.ones(SHAPE, bool)
    good[10:15] = False
    background = fit(draw.normal(size=SHAPE), good, region, aperture, **settings)
    # the median alone takes averages where the pixel itself is bad
    lost = np.isnan(background.image).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(lost), range(10, 15))


@pytest.mark.filterwarnings("error")
def test_median_of_averages_reaches_over_bad_rows_with_their_error(region, aperture):
    good = np.ones(SHAPE, bool)
    good[10] = False
    settings = {"bkg_fit": "median", "smoothing_length": 3}
    background = fit(np.ones(SHAPE), good, region, aperture, np.ones((3, *SHAPE)), **settings)
    np.testing.assert_allclose(background.image, 1.0)
    assert np.isfinite(background.variances).all()
    weights = np.where(good, aperture, 0.0)
    assert (background.variances[:, weights.any(axis=1)] > 0).all()


def test_too_few_pixels_for_the_order_are_singular(draw, region, aperture):
    good = np.ones(SHAPE, bool)
    good[4] = False
    good[4, :2] = True
    background = fit(draw.normal(size=SHAPE), good, region, aperture, bkg_order=2)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(background.image).any(axis=1)), [4])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(background.variances).any(axis=0)), [4])


@pytest.mark.parametrize("settings", [{"bkg_order": 2}, {"bkg_fit": "median"}, {"bkg_disp_order": 2},
    {"bkg_order": 1, "smoothing_length": 5}, {"bkg_order": 1, "bkg_sigma_clip": 3.0},
    {"bkg_disp_order": 1, "smoothing_length": 5}], ids=str)  # fmt: skip
def test_stack_equals_image_by_image(draw, region, aperture, settings):
    shape = (3, *SHAPE)
    data, good = draw.normal(size=shape), some_bad(draw, shape=shape)
    variances = draw.uniform(0.5, 2.0, (3, *shape))
    together = fit(data, good, region, aperture, variances, **settings)
    for index in range(3):
        alone = fit(data[index], good[index], region, aperture, variances[:, index], **settings)
        np.testing.assert_allclose(together.image[index], alone.image, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(together.variances[:, index], alone.variances, rtol=1e-10)


def test_orthogonal_terms_do_not_change_the_fit(draw, region, aperture):
    data, good = draw.normal(size=SHAPE), some_bad(draw)
    plain = fit(data, good, region, aperture, bkg_order=3, basis=2 * COLUMNS / (N_XDISP - 1) - 1)
    ours = fit(data, good, region, aperture, bkg_order=3)
    np.testing.assert_allclose(ours.image, plain.image, atol=1e-9)
    np.testing.assert_allclose(ours.variances, plain.variances, rtol=1e-9)


def test_far_from_zero_the_fit_stays_regular(draw, region, aperture):
    # plain powers over a detector's 1032 columns, of which 24 are used, are singular from the third on
    basis = 2 * (COLUMNS + 303) / 1031 - 1
    data = np.broadcast_to(Polynomial([1.0, 0.3, -0.2, 0.1])((COLUMNS - 12) / 12), SHAPE)
    good = np.ones(SHAPE, bool)
    assert np.isnan(fit(data, good, region, aperture, bkg_order=3, basis=basis).image).all()
    np.testing.assert_allclose(fit(data, good, region, aperture, bkg_order=3).image, data, atol=1e-11)
