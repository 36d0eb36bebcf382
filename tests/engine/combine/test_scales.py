import numpy as np
import pytest

from jdaviz_lrs.engine.combine.scales import fit_scales
from tests.engine.combine.measured import measured


@pytest.mark.parametrize("relative", [0.007, 0.3, 1.0])
def test_factors_are_found_within_their_errors(relative):
    flux, variance, _ = measured(4, relative)
    true = np.array([1.1, 0.95, 1.0, 0.97])
    found, errors = fit_scales(flux / true[:, None], variance / true[:, None] ** 2, np.ones(flux.shape, bool))
    assert (np.abs(found / true / np.mean(found / true) - 1) < 4 * errors).all()
    # the weighted mean stays: that of the logarithms, weighted by what the factors are known to
    assert abs((np.log(found) * true**2).sum()) < 0.01 * (1 + relative)
    np.testing.assert_allclose(errors, relative / np.sqrt(387), rtol=0.4)


def test_an_input_without_signal_keeps_its_level():
    flux, variance, _ = measured(3)
    flux[1] = -flux[1]
    found, errors = fit_scales(flux, variance, np.ones(flux.shape, bool))
    assert found[1] == 1.0
    assert np.isnan(errors[1])
