"""How far a visitor of the demonstration has come."""

from types import SimpleNamespace

import numpy as np
import pytest

from jdaviz_lrs import extract
from jdaviz_lrs.app.guide import FAULT, Standing
from jdaviz_lrs.simulate import Scene


@pytest.fixture
def standing(observation):
    """What the guide sees of a panel that shows the spectrum of an aperture so far off."""
    wavelength = np.linspace(3.0, 15.0, 2000)
    flux = Scene().flux(wavelength)

    def seen(offset: float | None, extracted: float | None = None) -> Standing:
        given = {"override_apcorr": observation["apcorr"], "use_source_posn": True, "extract_width": 8}
        spectrum = (
            None
            if offset is None
            else extract(observation["nod1_s2d"], **given, position_offset=float(offset))
        )
        records = () if extracted is None else (SimpleNamespace(parameters=extracted),)
        state = SimpleNamespace(spectrum=spectrum, records=records, parameters=offset)
        return Standing.of(SimpleNamespace(state=state), wavelength, flux)

    return seen


def test_steps_follow_what_the_panel_shows(standing):
    assert standing(None).step == 1
    fault = standing(FAULT)
    assert fault.step == 2
    assert 0.9 < fault.ratio < 0.96
    assert fault.offset == pytest.approx(-FAULT, abs=0.05)
    assert standing(FAULT, extracted=FAULT).step == 2
    mended = standing(0.0, extracted=FAULT)
    assert mended.step == 3
    assert mended.ratio == pytest.approx(1.0, abs=0.003)
    assert standing(0.0, extracted=0.0).step == 4
