"""Ways to extract by name, from the examples and from files: no app is made here."""

import json

import numpy as np
import pytest

from jdaviz_lrs import LRSError, read
from jdaviz_lrs.panel.presets import (
    ENDING,
    EXAMPLES,
    preset_names,
    preset_of,
    presets_beside,
    read_preset,
    write_preset,
)
from jdaviz_lrs.panel.sections.files import parameters_of_file
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.state import next_state
from jdaviz_lrs.simulate import Scene, simulate, to_model
from tests.panel.bare import BarePanel


@pytest.fixture(scope="module")
def start():
    """The state of a panel with an image."""
    image = read(to_model(simulate(Scene(nod_subtracted=False), "s2d")))
    return BarePanel(VerdictSection).take(image, extract_width=5.0, position_offset=1.0).state


@pytest.mark.parametrize("preset", EXAMPLES, ids=lambda one: one.name)
def test_every_example_goes_with_the_image(start, preset):
    state = next_state(start, plan=preset.plan(start.afresh))
    assert state.problem == ""
    assert state.parameters.position_offset == 0.0  # what was set before does not come along
    assert np.isfinite(state.plan.extract().flux).sum() > 300


def test_an_example_lays_regions_beside_the_aperture(start):
    preset = next(one for one in EXAMPLES if one.regions)
    parameters = preset.plan(start.afresh).parameters
    layout = next_state(start, plan=preset.plan(start.afresh)).layout
    assert len(parameters.bkg_coeff) == 4
    lower, upper = np.nanmin(layout.edges), np.nanmax(layout.edges)
    for region in layout.background_edges:
        assert np.nanmax(region) < lower or np.nanmin(region) > upper


def test_a_tapered_aperture_widens_with_wavelength(start):
    preset = next(one for one in EXAMPLES if one.tapered)
    state = next_state(start, plan=preset.plan(start.afresh))
    width = state.layout.edges[0, 1] - state.layout.edges[0, 0]
    wavelength = state.plan.image.row_wavelength
    short, long = (width[np.nanargmin(np.abs(wavelength - um))] for um in (5.5, 12.0))
    assert long > 1.2 * short


def test_a_preset_goes_out_and_comes_back(start, tmp_path):
    wanted = start.parameters.with_({"bkg_coeff": [[6.5], [12.5]], "refinements": ["outliers"]})
    path = write_preset(tmp_path / "mine", wanted)
    assert path.name == f"mine{ENDING}"
    assert presets_beside(tmp_path) == {"mine": path}
    assert preset_names(tmp_path) == (*(one.name for one in EXAMPLES), "mine")
    assert preset_of("mine", tmp_path) == read_preset(path)
    assert read_preset(path).plan(start.afresh).parameters == wanted
    assert parameters_of_file(start, path)["plan"].parameters == wanted
    with pytest.raises(LRSError, match="exists"):
        write_preset(tmp_path / "mine", wanted)


def test_an_example_is_had_by_name(tmp_path):
    assert preset_of(EXAMPLES[0].name) is EXAMPLES[0]
    with pytest.raises(LRSError, match="'mine' is no preset; there are: 8 px"):
        preset_of("mine", tmp_path)


def test_a_file_that_is_no_preset(start, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"apertures": []}))
    assert read_preset(path) is None
    path.write_text(json.dumps({"jdaviz_lrs_preset": "x", "parameters": {"extract_width": -1}}))
    with pytest.raises(LRSError, match="extract_width"):
        read_preset(path)
    path.write_text(json.dumps({"jdaviz_lrs_preset": "x", "parameters": {"width": 1}}))
    with pytest.raises(LRSError, match="'width' is not a parameter"):
        read_preset(path)
    path.write_text(json.dumps({"jdaviz_lrs_preset": "x"}))
    with pytest.raises(LRSError, match="without parameters"):
        read_preset(path)


def test_parameters_come_back_from_a_spectrum(start, tmp_path):
    wanted = start.parameters.with_({"bkg_coeff": [[6.5], [12.5]], "extract_width": 6.5, "id": "1"})
    path = tmp_path / "made_x1d.fits"
    start.plan_of(wanted).extract().write(path)
    assert parameters_of_file(start, path)["parameters"] == wanted
