"""The response as an apcorr file: the pipeline gives the calibrated flux."""

from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, calibrate, extract, read, response
from jdaviz_lrs.fluxcal.apcorr import export_apcorr
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import simulate, to_model
from tests.extract1d_step import pipeline_x1d
from tests.stars import BOX, MODEL, OPTIMAL, STAR, TAPER, TARGET, extracted

TABLE = {"flux": "FLUX", "flux_var_poisson": "FLUX_VAR_POISSON", "surf_bright": "SURF_BRIGHT"}
CENTRED = {**BOX, "pipeline_compatible": True}


def files(folder, image, parameters):
    references = find_references(image, crds=False)
    given = references.parameters.with_(parameters)
    return references.extract1d.with_parameters(given, "MIR_LRS-FIXEDSLIT").write(folder / "a.json")


@pytest.mark.parametrize("case", ["file", "computed", "none"])
def test_the_pipeline_gives_the_calibrated_flux(case, tmp_path, observation):
    given = observation["apcorr"] if case == "file" else None
    parameters = {**CENTRED, "apply_apcorr": case != "none"}
    model = to_model(simulate(TARGET))
    star, target = read(to_model(simulate(STAR))), read(model)
    extractions = [extract(one, override_apcorr=given, **parameters) for one in (star, target)]
    r = response(extractions[0], MODEL)
    exported = export_apcorr(r, tmp_path / "apcorr.fits", given)
    theirs = pipeline_x1d(model, files(tmp_path, target, parameters), exported)
    ours = calibrate(extractions[1], r)
    known = np.isfinite(ours.flux)
    assert known.sum() > 330
    for name, column in TABLE.items():
        np.testing.assert_allclose(theirs[column][known], getattr(ours, name)[known], rtol=1e-6, err_msg=name)
    # outside its validity the response keeps its last value
    assert np.isfinite(theirs["FLUX"]).all()


def test_other_widths_by_the_same_file(tmp_path, observation):
    """With the file's sizes the correction follows a taper, and pixels that are lost."""
    parameters = {**TAPER, "src_coeff": [[28.5], [28.5 + 4.7, 0.002]], "independent_var": "pixel",
                  "use_source_posn": False, "pipeline_compatible": True}  # fmt: skip
    model = to_model(simulate(TARGET))
    model.data[200, 31] = np.nan
    star, target = read(to_model(simulate(STAR))), read(model)
    a, b = (extract(one, override_apcorr=observation["apcorr"], **parameters) for one in (star, target))
    r = response(a, MODEL)
    exported = export_apcorr(r, tmp_path / "apcorr.fits", observation["apcorr"])
    theirs = pipeline_x1d(model, files(tmp_path, target, parameters), exported)
    ours = calibrate(b, r)
    known = np.isfinite(ours.flux)
    np.testing.assert_allclose(theirs["FLUX"][known], ours.flux[known], rtol=1e-6)


def test_what_cannot_be_exported(tmp_path, observation):
    with pytest.raises(LRSError, match="applies no apcorr file to an optimal extraction"):
        export_apcorr(response(extracted(STAR, OPTIMAL, "cal"), MODEL), tmp_path / "a.fits")
    r = response(extracted(STAR, BOX), MODEL)
    with pytest.raises(LRSError, match="was extracted with computed from PSF"):
        export_apcorr(r, tmp_path / "a.fits", observation["apcorr"])
    unknown = replace(r, apcorr=np.full(r.apcorr.shape, np.nan))
    with pytest.raises(LRSError, match="is not in the response; give its apcorr file"):
        export_apcorr(unknown, tmp_path / "a.fits")
    assert not [*tmp_path.iterdir()]
    (tmp_path / "a.fits").write_text("precious")
    with pytest.raises(LRSError, match="exists"):
        export_apcorr(r, tmp_path / "a.fits")
    with pytest.raises(LRSError, match="made from this file"):
        export_apcorr(replace(r, inputs=(tmp_path / "a.fits",)), tmp_path / "a.fits", overwrite=True)
