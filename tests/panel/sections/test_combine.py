import numpy as np
import pytest

from jdaviz_lrs import LRSError, combine, extract
from jdaviz_lrs.panel.sections.combine.section import CombineSection
from jdaviz_lrs.panel.sections.history.record import Record
from jdaviz_lrs.products.c1d import read_c1d
from jdaviz_lrs.simulate import Scene, simulate_nods, write_exposure
from tests.panel.bare import BarePanel


@pytest.fixture(scope="module")
def nods(tmp_path_factory):
    """Two nods of one star, rectified."""
    folder = tmp_path_factory.mktemp("nods")
    exposures = simulate_nods(Scene(cosmic_rays=10), 2, "s2d")
    return [write_exposure(one, folder / f"nod{n}_s2d.fits") for n, one in enumerate(exposures, 1)]


@pytest.fixture(scope="module")
def spectra(nods):
    return [extract(path) for path in nods]


@pytest.fixture
def panel(spectra, monkeypatch):
    """A history of both, without an app: a plot needs one."""
    chart = type("Chart", (), {"show": lambda _: None, "widget": "plot"})
    monkeypatch.setattr(CombineSection, "chart", chart)
    panel = BarePanel(CombineSection)
    panel.update(records=tuple(Record.of(one, f"nod{n}", f"nod{n}_s2d", {}) for n, one in enumerate(spectra)))
    return panel


def test_two_nods_into_one(app, nods, spectra, tmp_path):
    for path in nods:
        app.load(str(path), format="JWST LRS", auto_extract=True)
    panel = app.plugins["LRS Extraction"]
    section, records = panel._obj.sections["combine"], panel._obj.state.records
    labels = [record.label for record in records]
    assert section.chosen == labels
    for record in records:  # the pixels would be kept alive
        assert record.spectrum.image.data.size == 0
        assert record.spectrum.variance is None
    combined = panel.combine()
    np.testing.assert_array_equal(combined.flux, combine(spectra).flux)
    assert "combined" in app._app.data_collection
    assert [row["label"] for row in section.rows] == labels
    assert section.agreement.startswith("Chi-square")
    path = panel.save_c1d(tmp_path / "both_c1d.fits")
    np.testing.assert_allclose(read_c1d(path).flux, combined.flux, rtol=1e-6)
    with pytest.raises(LRSError, match="the file exists"):
        panel.save_c1d(path)


def test_of_each_dataset_the_last_extraction_is_proposed(panel, spectra):
    assert (panel.section.chosen, panel.section.opened) == (["nod0", "nod1"], 0)
    panel.section.opened = None
    again = Record.of(spectra[1], "nod1 again", "nod1_s2d", {})
    panel.update(records=(*panel.state.records, again))
    assert (panel.section.chosen, panel.section.opened) == (["nod0", "nod1 again"], None)  # as it was left
    panel.section.chosen = ["nod0", "nod1"]
    panel.update(records=panel.state.records[1:])
    assert panel.section.chosen == ["nod1"]


def test_settings_are_those_of_the_section(panel, spectra):
    panel.section.fit_scales, panel.section.exptime_key = True, "unit_weight"
    panel.section.vue_combine()
    (combined, label, _), *more = panel.added
    assert (label, more) == ("combined", [])
    expected = combine(spectra, fit_scales=True, exptime_key="unit_weight")
    np.testing.assert_array_equal(combined.flux, expected.flux)
    assert panel.section.rows[0]["scale"] == f"{expected.scales[0]:.4f}"


def test_what_cannot_be_combined_says_why(panel):
    section = panel.section
    with pytest.raises(LRSError, match="at least two extractions"):
        section.combine(section.chosen[:1])
    with pytest.raises(LRSError, match="'other' is no extraction in the history"):
        section.combine(["other", *section.chosen])
    section.chosen = section.chosen[:1]
    section.vue_combine()
    assert "at least two" in section.problem
    assert panel.added == []


def test_the_button_asks_before_it_overwrites(panel, tmp_path, monkeypatch):
    monkeypatch.setenv("JDAVIZ_START_DIR", str(tmp_path))
    section = panel.section
    section.vue_combine()
    assert section.problem == ""
    section.filename = "both_c1d.fits"
    section.vue_save()
    assert (tmp_path / "both_c1d.fits").is_file()
    section.vue_save()
    assert section.in_the_way
    section.vue_save()
    assert not section.in_the_way
    assert section.written.startswith("Written to")
