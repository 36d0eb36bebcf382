"""The worked examples of the pipeline's notebook: how many clicks each takes, and that the pipeline agrees.

Each begins with its file in the started app and the panel open, which takes two clicks more.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from jdaviz_lrs import ExtractionParameters, extract, read, read_x1d
from jdaviz_lrs.panel.parameter_traits import as_meant
from jdaviz_lrs.pipeline.export import export_extract1d
from jdaviz_lrs.references.find import find_references
from tests.browser import servers
from tests.browser.app import App
from tests.browser.conftest import watched
from tests.browser.panel import XSTART, XSTOP
from tests.extract1d_step import pipeline_x1d

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Step = Callable[[App, Locator], None]


def preset(name: str) -> Step:
    def choose(app: App, panel: Locator) -> None:
        panel.locator(".v-select", has=app.page.get_by_text("Preset", exact=True)).first.click()
        app.page.locator(".menuable__content__active .v-list-item", has_text=name).first.click()

    return choose


def answer(label: str, choice: str) -> Step:
    return lambda app, panel: app.choose(panel, label, choice)


def number(label: str, value: str) -> Step:
    def click_and_type(app: App, panel: Locator) -> None:
        field = panel.get_by_label(label, exact=True)
        field.click()
        field.fill(value)
        field.press("Enter")

    return click_and_type


@dataclass(frozen=True)
class Example:
    """A file, what is done with it, how many clicks that may take, and what is set in the end."""

    file: str
    clicks: int
    steps: tuple[Step, ...]
    expected: dict


EXAMPLES = {
    "1": Example("nod1_s2d", 2, (preset("12 px"),), {"extract_width": 12.0, "use_source_posn": False}),
    "2a": Example(
        "nod1_s2d",
        4,
        (answer("Centre on the source", "No"), number(XSTART, "9"), number(XSTOP, "16")),
        {"xstart": 9.0, "xstop": 16.0, "use_source_posn": False},
    ),
    "2b": Example(
        "nod1_s2d", 3, (preset("8 px on the source"),), {"extract_width": 8.0, "use_source_posn": True}
    ),
    "3b": Example(
        "nod1_nobsub_s2d",
        6,
        (preset("8 px with background"), number("Smoothing length (rows)", "21")),
        {"bkg_fit": "poly", "bkg_order": 1, "smoothing_length": 21},
    ),
    "4": Example(
        "nod1_s2d", 3, (preset("Tapered"),), {"independent_var": "wavelength", "use_source_posn": True}
    ),
    "5a": Example(
        "nod1_cal",
        4,
        (preset("Optimal, nod pair"),),
        {"extraction_type": "optimal", "model_nod_pair": True, "optimize_psf_location": True},
    ),
    "5b": Example(
        "nod1_nobsub_cal",
        5,
        (preset("Optimal with background"),),
        {"extraction_type": "optimal", "subtract_background": True, "bkg_order": 1},
    ),
}


def told_by(path) -> ExtractionParameters:
    """The parameters that the header of a saved spectrum tells."""
    told = {name.lower(): value for name, value in read_x1d(path).parameters.items()}
    names = [name for name in ExtractionParameters.names() if name in told]
    return ExtractionParameters(**{name: as_meant(name, told[name]) for name in names})


def assert_the_pipeline_agrees(path, parameters, observation, folder) -> None:
    """With the same reference files the step gives what we give with `pipeline_compatible`, to 1e-3."""
    files = {f"override_{kind}": observation[kind] for kind in ("apcorr", "psf")}
    image = read(path)
    references = find_references(image, crds=False, **files)
    compatible = parameters.with_({"pipeline_compatible": True})
    ours = extract(image, compatible, references)
    export = export_extract1d(image, compatible, references.extract1d)
    json_file = export.reference.write(folder / "export.json", overwrite=True)
    correction = None if parameters.extraction_type == "optimal" else files["override_apcorr"]
    step = {name: value for name, value in export.step_parameters.items() if name != "apply_apcorr"}
    theirs = pipeline_x1d(path, json_file, correction, files["override_psf"], **step)
    known = np.isfinite(ours.flux) & np.isfinite(theirs["FLUX"]) & (ours.wavelength > 5)
    assert known.sum() > 250
    np.testing.assert_allclose(ours.flux[known], theirs["FLUX"][known], rtol=1e-3)


def test_clicks_of_the_worked_examples(observation, tmp_path, system_chromium, artifacts):
    data = tmp_path / "data"
    data.mkdir()
    files = {one.file: data / f"{one.file}.fits" for one in EXAMPLES.values()}
    for name, path in files.items():
        shutil.copy(observation[name], path)
    counted, saved = {}, {}
    with (
        servers.jdaviz(data, artifacts / "server.log") as server,
        watched(system_chromium, artifacts) as (page, complaints),
    ):
        page.goto(server.url)
        app = App(page, artifacts)
        app.launch()
        for path in files.values():
            app.load(path.name)
        panel = app.open_panel("LRS Extraction")
        app.count_clicks()
        for name, example in EXAMPLES.items():
            app.choose(panel, "2D Spectrum", example.file)
            start_over = app.button("Reset to the reference file", panel)
            if start_over.count():
                start_over.click()
                expect(start_over).to_have_count(0)
            before = app.clicks
            for step in example.steps:
                step(app, panel)
            expect(panel.locator(".lrs-edited")).to_be_visible()
            counted[name] = app.clicks - before
            expect(panel.locator(".lrs-footer")).to_contain_text("Median S/N")
            app.settle()
            app.shot(name)
            app.button("Save", panel).click()  # to see here what was extracted there
            written = data / f"{example.file.rpartition('_')[0]}_extract1dstep.fits"
            app.until(written.exists, f"{name} is saved")
            saved[name] = written.rename(tmp_path / f"{name}_x1d.fits")
        assert not complaints, "\n\n".join(complaints)
        assert not server.trouble
    print(f"clicks: {counted}")
    (artifacts / "clicks.txt").write_text(f"{counted}\n")
    assert {name: number for name, number in counted.items() if number > EXAMPLES[name].clicks} == {}
    for name, example in EXAMPLES.items():
        parameters, path = told_by(saved[name]), files[example.file]
        assert {one: getattr(parameters, one) for one in example.expected} == example.expected
        np.testing.assert_allclose(
            read_x1d(saved[name]).flux, extract(path, parameters).flux, rtol=1e-6, err_msg=name
        )
        assert_the_pipeline_agrees(path, parameters, observation, tmp_path)
