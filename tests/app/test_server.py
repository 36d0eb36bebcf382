"""The app that every page of the standalone server opens."""

import jdaviz
import numpy as np

from jdaviz_lrs.app.guide import FAULT
from jdaviz_lrs.app.server import Session, open_app


def test_it_begins_with_the_fault_and_is_kept_by_its_page_only(observation):
    references = {kind: observation[kind] for kind in ("apcorr", "psf")}
    app = open_app(Session(observation["nod1_s2d"], references, np.linspace(5.0, 14.0, 100), np.ones(100)))
    lrs = app.plugins["LRS Extraction"]
    assert lrs.position_offset == FAULT
    assert lrs.override_psf == str(observation["psf"])
    assert [data.label for data in app._app.data_collection][:2] == ["simulated s2d", "truth"]
    assert app not in jdaviz.get_all_apps()
