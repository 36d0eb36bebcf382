"""Two nods, from their files to one spectrum that is verified and saved: ten clicks."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from jdaviz_lrs import combine, extract
from jdaviz_lrs.products.c1d import read_c1d
from jdaviz_lrs.simulate import Scene, simulate_nods, write_exposure
from tests.browser import servers
from tests.browser.app import App
from tests.browser.conftest import watched
from tests.browser.panel import section, show_tab

pytestmark = pytest.mark.browser

CLICKS = 10


def test_two_nods_are_combined_verified_and_saved(tmp_path, system_chromium, artifacts):
    exposures = simulate_nods(Scene(cosmic_rays=20), 2, "s2d")
    paths = [write_exposure(one, tmp_path / f"nod{n}_s2d.fits") for n, one in enumerate(exposures, 1)]
    with (
        servers.jdaviz(tmp_path, artifacts / "server.log") as server,
        watched(system_chromium, artifacts) as (page, complaints),
    ):
        page.goto(server.url)
        app = App(page, artifacts, documented=True)
        app.launch()
        for path in paths:
            app.load(path.name)
        app.count_clicks()
        panel = app.open_panel("LRS Extraction")  # two clicks
        app.button("Extract", panel).click()
        expect(panel.locator(".lrs-footer")).to_contain_text("Median S/N")
        show_tab(panel, "Save")
        app.button("Apply", panel).click()
        combined = section(panel, "Combine")
        expect(combined.locator(".v-select__selections").first).to_contain_text("nod1_s2d LRS")
        expect(combined.locator(".v-select__selections").first).to_contain_text("nod2_s2d LRS")
        app.button("Combine", combined).click()
        expect(combined).to_contain_text("Chi-square")
        app.settle()
        combined.get_by_text("Chi-square").scroll_into_view_if_needed()
        app.shot("combined")
        app.button("Save c1d", combined).click()
        expect(combined).to_contain_text("Written to")
        show_tab(panel, "Inspect")
        verified = section(panel, "Verify")
        verified.locator(".v-expansion-panel-header").click()
        app.button("Verify with the pipeline", verified).click()
        expect(verified).to_contain_text(re.compile(r"equal to the pipeline's to \de-\d+"))
        verified.get_by_text("equal to the pipeline").scroll_into_view_if_needed()
        app.shot("verified")
        print(f"two nods: {app.clicks} clicks")
        assert app.clicks <= CLICKS
        show_tab(panel, "Save")
        calibrate = section(panel, "Calibrate")
        calibrate.locator(".v-expansion-panel-header").click()
        app.choose(calibrate, "Model", "Rayleigh-Jeans law")
        app.fill(calibrate, "Flux (Jy)", "0.0005")
        app.button("Make response", calibrate).click()
        expect(calibrate).to_contain_text("Response of")
        app.settle()
        calibrate.get_by_text("Response of").scroll_into_view_if_needed()
        app.shot("calibrated")
        assert not complaints, "\n\n".join(complaints)
        assert not server.trouble
    (written,) = tmp_path.glob("*c1d.fits")
    expected = combine([extract(path) for path in paths])
    np.testing.assert_allclose(read_c1d(written).flux, expected.flux, rtol=1e-6)
