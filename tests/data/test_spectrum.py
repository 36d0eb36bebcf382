import pickle

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_lrs import extract
from jdaviz_lrs.data.spectrum import COLUMNS


@pytest.mark.parametrize("kind", ["box", "optimal"])
def test_a_spectrum_travels_light_and_can_still_be_written(observation, tmp_path, kind):
    image = observation["nod1_cal"] if kind == "optimal" else observation["nod1_s2d"]
    overrides = {f"override_{name}": observation[name] for name in ("apcorr", "psf")}
    spectrum = extract(image, use_source_posn=True, extraction_type=kind, **overrides)
    there = pickle.dumps(spectrum)
    images = sum(
        getattr(spectrum, n).nbytes
        for n in ("profile", "residual", "scene_model", "variance", "rejected")
        if getattr(spectrum, n) is not None
    )
    assert len(there) < 1_000_000 + images  # of which the header, as a data model, is 700 kB
    again = pickle.loads(there)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(again, name), getattr(spectrum, name))
    assert (again.notes, again.advice, again.verdict) == (spectrum.notes, spectrum.advice, spectrum.verdict)
    first, second = (s.write(tmp_path / f"{n}_x1d.fits") for n, s in (("a", spectrum), ("b", again)))
    assert fits.getheader(first, "EXTRACT1D") == fits.getheader(second, "EXTRACT1D")
    assert (fits.getdata(first, "EXTRACT1D") == fits.getdata(second, "EXTRACT1D")).all()
