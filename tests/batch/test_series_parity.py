"""Agreement of a series with the pipeline's Extract1dStep, run in this process: the whole x1dints."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst.datamodels import MirLrsApcorrModel

from jdaviz_lrs import extract
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.simulate.references import write_apcorr
from tests.extract1d_step import pipeline_spec
from tests.same_spectrum import SINGLE
from tests.slitless import CORNER, write_segments

#: Clear of the source and of the other nod, in columns of the subarray.
REGIONS = [[24.5], [29.5], [44.5], [49.5]]

VARIANTS = [
    ({}, {}),
    ({"bkg_fit": "poly", "bkg_order": 1, "smoothing_length": 7}, {"cube": True}),
    pytest.param({"bkg_fit": "poly", "bkg_order": 0}, {}, marks=pytest.mark.slow),
    pytest.param({"bkg_fit": "median"}, {"cube": True}, marks=pytest.mark.slow),
    pytest.param({"bkg_fit": "median", "smoothing_length": 5}, {"slit": True}, marks=pytest.mark.slow),
]

MADE_ANEW = {"DATE", "CHECKSUM", "DATASUM", "COMMENT", "", "ASDF"}


def apcorr_file(folder):
    """A correction for the subarray; the one that is written for the slit serves for its numbers."""
    path = write_apcorr(built_in_psf(), folder / "apcorr.fits")
    with MirLrsApcorrModel(path) as model:
        table = np.array(model.apcorr_table)
        table["subarray"] = "SLITLESSPRISM"
        with MirLrsApcorrModel(apcorr_table=table) as other:
            other.update(model)
            other.save(folder / "apcorr_slitless.fits")
    return folder / "apcorr_slitless.fits"


def compare(ours, theirs, folder):
    """Compare two x1dints: all columns and their units, and every number and word of the headers."""
    ours.write(folder / "a_x1dints.fits")
    theirs.save(str(folder / "theirs" / "a_x1dints.fits"))
    with fits.open(folder / "a_x1dints.fits") as one, fits.open(folder / "theirs" / "a_x1dints.fits") as two:
        assert [hdu.name for hdu in one] == [hdu.name for hdu in two]
        mine, other = one["EXTRACT1D"], two["EXTRACT1D"]
        assert mine.data.dtype == other.data.dtype
        assert len(mine.columns.names) == 27
        assert [c.unit for c in mine.columns] == [c.unit for c in other.columns]
        unknown = np.isnan(other.data["FLUX"])
        # the pipeline rounds a smoothed background to single precision
        rounding = SINGLE * np.abs(other.data["BACKGROUND"]) * other.data["NPIXELS"]
        for name in mine.columns.names:
            a, b = mine.data[name].astype(float), other.data[name].astype(float)
            if name.startswith(("FLUX_", "SB_")):  # zero there, beside a flux that is not known
                b = np.where(unknown, np.nan, b)
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b), err_msg=name)
            scale = {"FLUX": 3e-7 * rounding, "SURF_BRIGHT": rounding}.get(name, 0.0)
            assert (np.nan_to_num(np.abs(a - b) - 1e-6 * np.abs(b)) <= scale).all(), name
        for number, hdu in enumerate(two[:3]):
            for card in {*hdu.header} - MADE_ANEW:
                value, here = hdu.header[card], one[number].header.get(card)
                if isinstance(value, float):
                    assert here == pytest.approx(value, rel=1e-6), card
                elif card not in ("CAL_VER", "CAL_VCS"):
                    assert here == value, card


@pytest.mark.parametrize(("background", "kind"), VARIANTS, ids=str)
def test_every_column_and_card_of_the_x1dints(tmp_path, background, kind):
    (tmp_path / "theirs").mkdir()
    paths = write_segments(tmp_path, (2, 3), **kind)
    moved = CORNER if kind.get("slit") else 0
    aperture = {
        "id": "MIR_LRS-FIXEDSLIT" if moved else "MIR_LRS-SLITLESS",
        "region_type": "target",
        "dispaxis": 2,
        "xstart": 31 + moved,
        "xstop": 42 + moved,
    }
    if background:
        aperture |= {"bkg_coeff": [[edge[0] + moved] for edge in REGIONS], **background}
    reference = tmp_path / "extract1d.json"
    reference.write_text(json.dumps({"apertures": [aperture]}))
    apcorr = None if background else apcorr_file(tmp_path)
    step = {"use_source_posn": False}
    theirs = pipeline_spec(str(paths[1]), reference, apcorr, **step)
    ours = extract(
        [paths[1]],
        override_extract1d=reference,
        override_apcorr=apcorr,
        apply_apcorr=apcorr is not None,
        pipeline_compatible=True,
        chunk_size=2,
        **step,
    )
    compare(ours, theirs, tmp_path)
