import numpy as np
import pytest
from astropy import units as u
from specutils import Spectrum

from jdaviz_lrs import LRSError
from jdaviz_lrs.panel.sections.compare.reference import read_ranges, write_ranges


@pytest.fixture
def reference(loaded, panel):
    """The panel's own spectrum, a tenth fainter, in other units, on another grid, and of another order."""
    ours = panel.extract(add_data=False)
    wavelength = np.linspace(5, 13.5, 500)
    order = np.argsort(ours.wavelength)
    flux = np.interp(wavelength, ours.wavelength[order], ours.flux[order]) / 1.1
    spectrum = Spectrum(spectral_axis=(wavelength * u.um).to(u.AA)[::-1], flux=(flux[::-1] * u.Jy).to(u.mJy))
    loaded.load(spectrum, format="1D Spectrum", data_label="reference")
    panel.compare_with = "reference"
    return panel


@pytest.mark.parametrize("text", ["5-8, 8-11", "5 - 8; 8 to 11", "5 8,8 11,", [[5, 8], (8.0, 11)]])
def test_ranges_as_users_write_them(text):
    assert read_ranges(text) == ((5, 8), (8, 11))
    assert write_ranges(read_ranges(text)) == "5-8, 8-11"


@pytest.mark.parametrize("text", ["", "5", "8-5", "five-8", "5-8-11", [5, 8], None, "5.5.5-8"])
def test_other_ranges_are_refused(text):
    with pytest.raises(LRSError, match="range"):
        read_ranges(text)


def test_comparison_with_a_spectrum_in_other_units(reference):
    result = reference.compare()
    assert result.overall.ratio == pytest.approx(1.1, rel=2e-3)
    assert "interpolated" in result.notes[0]
    reference.compare_ranges = [[6, 7]]
    assert reference.compare_ranges == "6-7"
    assert [(r.start, r.stop) for r in reference.compare().ranges] == [(6, 7)]


def test_units_of_the_viewers_do_not_matter(loaded, reference):
    before = reference.compare().overall.ratio
    units = loaded.plugins["Unit Conversion"]
    units.flux_unit, units.spectral_unit = "mJy", "Angstrom"
    assert reference.compare().overall.ratio == pytest.approx(before, rel=1e-9)


def test_the_view_follows_the_parameters(reference, active):
    view = active.sections["compare"]
    view.opened = 0
    assert [row["range"] for row in view.rows] == ["5 - 8", "8 - 11", "11 - 13.5", "5 - 13.5"]
    assert len(view.plot_widgets) == 2
    before = view.rows[0]["ratio"]
    reference.extract_width = 3
    reference.apply_apcorr = False
    assert float(view.rows[0]["ratio"]) < float(before)
    marks = view.plots.ratio.marks
    assert all(marks[name].visible for name in ("band", "equal", "values", "medians"))
    assert np.isfinite(marks["values"].y).all()
    view.opened = None
    kept = view.rows
    reference.extract_width = 5
    assert view.rows == kept  # nothing is computed while the section is closed


def test_a_wrong_range_is_told_in_the_view(reference, active):
    view = active.sections["compare"]
    view.opened = 0
    view.ranges = "8-5"
    assert "ends before it starts" in view.problem
    assert view.rows == []
    view.ranges = "5-8"
    assert view.problem == ""
    assert len(view.rows) == 2


def test_a_reference_that_cannot_be_compared_is_told(loaded, reference, active):
    brightness = Spectrum(spectral_axis=np.linspace(5, 13, 50) * u.um, flux=np.ones(50) * u.Unit("MJy/sr"))
    loaded.load(brightness, format="1D Spectrum", data_label="brightness")
    view = active.sections["compare"]
    view.opened = 0
    reference.compare_with = "brightness"
    assert "only a flux density" in view.problem
    with pytest.raises(LRSError, match="only a flux density"):
        reference.compare()


def test_an_earlier_extraction_is_a_reference(panel):
    panel.extract()
    label = panel.compare_with.choices[-1]
    panel.compare_with = label
    assert panel.compare().overall.ratio == 1
    panel.extract_width = 4
    assert panel.compare().overall.scatter > 0


def test_another_dataset_takes_the_comparison_away(loaded, reference, active, observation):
    view = active.sections["compare"]
    view.opened = 0
    assert view.rows
    active.keep_active = False
    active.is_active = False
    loaded.load(str(observation["nod2_s2d"]), format="JWST LRS", auto_extract=False)
    assert active.dataset.selected == "jw00001001001_03101_00002_mirimage_s2d"  # what is loaded is chosen
    assert "no spectrum to compare" in view.problem


@pytest.mark.parametrize("auto_extract", [True])
def test_no_numbers_of_another_spectrum(loaded, active):
    view = active.sections["compare"]
    view.opened = 0
    assert view.rows
    active.extract_width = -1
    assert not view.rows
    active.extract_width = 8
    assert view.rows
    active.live_preview = False
    active.extract_width = 4
    assert not view.rows
    assert "press Extract" in view.problem
    active.extract()
    assert float(view.rows[-1]["ratio"]) == pytest.approx(active.compare().overall.ratio, abs=1e-4)


@pytest.mark.parametrize("auto_extract", [True])
def test_plots_are_listed_for_export_once_they_show_something(loaded, active):
    choices = loaded.plugins["Export"].plugin_plot
    assert not any("ratio" in label for label in choices.choices)
    active.sections["compare"].opened = 0
    assert any("ratio" in label for label in choices.choices)
