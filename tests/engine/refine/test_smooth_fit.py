import numpy as np

from jdaviz_lrs.engine.optimal import ProfileFit
from jdaviz_lrs.engine.refine.smooth_fit import fit_with_smooth_background

ROWS, COLUMNS = np.arange(120), np.arange(30)
PROFILE = np.exp(-0.5 * ((COLUMNS - 14.0 - 0.01 * ROWS[:, None]) / 1.3) ** 2)
PROFILES = np.stack([PROFILE, -np.roll(PROFILE, 9, axis=1)]) / PROFILE.sum(axis=1)[:, None]
SOURCE_AXES = ("flux", "background", "npixels", "coefficients")


def test_stack_equals_image_by_image():
    draw = np.random.default_rng(2)
    shape = (4, ROWS.size, COLUMNS.size)
    data = 50.0 * PROFILES[0] + 3.0 + draw.normal(size=shape)
    variances = draw.uniform(0.5, 1.5, (3, *shape))
    weights = (draw.random(shape) > 0.03).astype(float)
    weights[1, 40:55] = weights[3, 7] = 0.0  # rows that are usable in some integrations alone
    how = PROFILES, np.linspace(-1.0, 1.0, COLUMNS.size), 1, 21
    together = fit_with_smooth_background(data, variances, weights, *how)
    for number in range(len(data)):
        alone = fit_with_smooth_background(data[number], variances[:, number], weights[number], *how)
        for name in ProfileFit.__dataclass_fields__:
            axis = 1 if name in SOURCE_AXES else 2 if name.endswith("_var") else 0
            np.testing.assert_array_equal(
                getattr(together, name).take(number, axis), getattr(alone, name), err_msg=name
            )
