import numpy as np
import pytest
from specutils import Spectrum

from jdaviz_lrs import extract, read
from jdaviz_lrs.panel.viewer.file_pixels import nearest_column


@pytest.fixture
def auto_extract():
    return True


@pytest.fixture
def readout(app):
    return app._app.session.application._tools["g-coords-info"]


def move(viewer, x, y):
    """Move the mouse over a viewer, as the browser tells of it."""
    viewer._on_mouse_interaction(None, {"event": "mousemove", "domain": {"x": x, "y": y}}, None)


@pytest.mark.parametrize("product", ["nod1_s2d", "nod1_cal"])
def test_axes_and_readout_are_in_the_files_pixels(app, observation, readout, product):
    image = read(observation[product])
    app.load(image, format="JWST LRS", data_label="image", auto_extract=False)
    viewer = app.viewers["2D Spectrum"]._obj.glue_viewer
    for axis, names in zip(viewer.figure.axes, ("Row", "Column"), strict=True):
        assert axis.label == f"{names} of the file"
    places = np.array([float(text) for text in viewer.figure.axes[1].tick_labels])
    numbers = np.array([float(number) for number in viewer.figure.axes[1].tick_labels.values()])
    np.testing.assert_array_equal(numbers, places + image.origin[1])
    order = np.argsort(image.row_wavelength)
    rows = image.disp_index[order[np.isfinite(image.row_wavelength[order])]]
    for place, row in viewer.figure.axes[0].tick_labels.items():
        assert rows[int(place)] == float(row)
    viewer.state.y_min, viewer.state.y_max = 12.11, 12.93  # ticks between pixels, and one at zero
    viewer.state.x_min, viewer.state.x_max = -0.2, 0.4
    for axis, first, step in zip(viewer.figure.axes, (rows[0], image.origin[1]), (-1, 1), strict=True):
        assert [f"{place:.12g}" for place in axis.tick_values] == list(axis.tick_labels)
        assert "-0" not in axis.tick_labels
        for place, number in axis.tick_labels.items():
            assert float(number) == pytest.approx(first + step * float(place), abs=1e-6)
            assert len(number) < 8
    move(viewer, 100.0, 12.4)
    assert readout.row1a_text == f"column {12.4 + image.origin[1]:.1f}, row {rows[100]:.0f}"


def test_the_browser_has_the_labels_before_the_places(app, observation, monkeypatch):
    """bqplot writes new ticks with the labels that it has by then, and those of another image are wrong."""
    for product in ("nod1_s2d", "nod1_cal"):
        app.load(str(observation[product]), format="JWST LRS", data_label=product, auto_extract=False)
    axis = app.viewers["2D Spectrum"]._obj.glue_viewer.figure.axes[0]
    panel, changed = app.plugins["LRS Extraction"], []
    panel.keep_active = True
    axis.observe(lambda change: changed.append(change["name"]), ["tick_labels", "tick_values"])
    # in one message they come in any order
    monkeypatch.setattr(type(axis), "hold_sync", lambda self: pytest.fail("both are sent at once"))
    panel.dataset.selected = next(name for name in ("nod1_s2d", "nod1_cal") if name != panel.dataset.selected)
    assert changed[-2:] == ["tick_labels", "tick_values"]


@pytest.mark.parametrize("order", [1, -1])
def test_the_cursor_in_a_spectrum_marks_the_image_at_its_wavelength(loaded, s2d, readout, order):
    image, spectrum = read(s2d), extract(s2d).to_spectrum()
    chosen = np.argsort(spectrum.spectral_axis)[::order][40:]  # another order, another length
    unlike = Spectrum(spectral_axis=spectrum.spectral_axis[chosen], flux=spectrum.flux[chosen])
    loaded.load(unlike, format="1D Spectrum", data_label="unlike")
    shown = loaded.viewers["1D Spectrum"]
    shown.data_menu.set_layer_visibility(loaded._app.data_collection[1].label, False)
    move(shown._obj.glue_viewer, 11.9, 0.0)
    flat = loaded.viewers["2D Spectrum"]._obj.glue_viewer
    (x, _) = readout.marks[flat._reference_id].x
    wavelength = np.sort(image.row_wavelength[np.isfinite(image.row_wavelength)])
    assert x == nearest_column(wavelength, 11.9)
    assert wavelength[int(x)] == pytest.approx(11.9, abs=0.02)


def test_what_is_extracted_rises_in_wavelength(loaded):
    data = loaded._app.data_collection[1]
    assert (np.diff(data.get_object(statistic=None).spectral_axis.value) > 0).all()
