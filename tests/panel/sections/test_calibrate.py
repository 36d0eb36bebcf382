from dataclasses import replace

import numpy as np
import pytest

from jdaviz_lrs import LRSError, calibrate, response
from jdaviz_lrs.fluxcal.star_model import rayleigh_jeans
from jdaviz_lrs.panel.sections.calibrate.section import CalibrateSection
from jdaviz_lrs.panel.sections.history.record import Record
from tests.panel.bare import BarePanel
from tests.stars import BOX, MODEL, STAR, TARGET, extracted


class Bare(BarePanel):
    """With two extractions in its history: a star and a target, alike."""

    def __init__(self, *spectra):
        super().__init__(CalibrateSection)
        labels = ("star", "target", "other")
        self.update(records=tuple(Record.of(one, n, n, {}) for n, one in zip(labels, spectra, strict=False)))


@pytest.fixture(scope="module")
def spectra():
    return extracted(STAR, BOX), extracted(TARGET, BOX), extracted(TARGET, {**BOX, "extract_width": 6})


@pytest.fixture
def panel(spectra):
    return Bare(*spectra)


@pytest.fixture
def section(panel):
    panel.section.star, panel.section.target = "star", "target"
    return panel.section


@pytest.fixture
def drawn(section, monkeypatch):
    """The responses that were drawn: a plot needs an app."""
    shown = []
    chart = type("Drawn", (), {"show": shown.append, "widget": "plot"})
    monkeypatch.setattr(CalibrateSection, "chart", chart)
    return shown


def test_star_and_target(panel, section, spectra, drawn):
    made = section.make_response(model=MODEL)
    np.testing.assert_array_equal(made.factor, response(spectra[0], MODEL).factor)
    section.vue_apply()
    (calibrated, label, of), *more = panel.added
    assert (label, of, more) == ("target calibrated", "target", [])
    np.testing.assert_array_equal(calibrated.flux, calibrate(spectra[1], made).flux)
    assert drawn == [made]


def test_a_stand_in_says_so(section, drawn):
    section.model_kind, section.model_flux, section.model_wavelength = "Rayleigh-Jeans law", 0.05, 10.0
    section.vue_make()
    assert section.problem == ""
    assert "stand-in" in section.response_name
    np.testing.assert_array_equal(
        section.result.factor, section.make_response(model=rayleigh_jeans(0.05)).factor
    )
    section.model_flux = ""
    section.vue_make()
    assert "positive flux" in section.problem


def test_a_target_of_other_parameters_is_refused(panel, section, drawn):
    section.make_response(model=replace(MODEL, stand_in=False))
    section.target = "other"
    section.vue_apply()
    assert "width 4 and 6" in section.problem
    assert panel.added == []


def test_to_a_file_and_back(section, drawn, tmp_path, monkeypatch):
    monkeypatch.setenv("JDAVIZ_START_DIR", str(tmp_path))
    made = section.make_response(model=MODEL)
    path = section.save("star.ecsv")
    assert path == tmp_path / "star.ecsv"
    section.response_path = "star.ecsv"
    section.vue_read()
    assert section.problem == ""
    np.testing.assert_array_equal(section.result.factor, made.factor)
    with pytest.raises(LRSError, match="the file exists"):
        section.save("star.ecsv")


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        ("vue_make", "path of the star's model"),
        ("vue_read", "path of a response"),
        ("vue_apply", "no response"),
    ],
)
def test_what_is_missing_is_named(section, act, problem):
    getattr(section, act)()
    assert problem in section.problem
