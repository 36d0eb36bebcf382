"""The demonstration as its visitors see it: a fault, and three steps to a spectrum that is the truth."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import servers
from tests.browser.app import ORANGE, App
from tests.browser.conftest import watched

pytestmark = pytest.mark.browser


def test_three_steps_mend_the_fault(system_chromium, artifacts, tmp_path):
    port = servers.free_port()
    command = ["jdaviz-lrs", "demo", "scene", "--no-browser", "--port", str(port)]
    with (
        servers.running(command, port, tmp_path, artifacts / "server.log") as server,
        watched(system_chromium, artifacts) as (page, complaints),
    ):
        page.goto(server.url)
        app = App(page, artifacts, documented=True)
        guide, ratio, now = (page.locator(f".lrs-{one}") for one in ("guide", "ratio", "step-now"))
        expect(ratio).to_have_text(re.compile(r"0\.92\d"))
        expect(now).to_contain_text("Mend it")
        assert "2.00 px off" in guide.inner_text()
        app.until(lambda: len(app.marks(0, ORANGE)) > 0, "the aperture is drawn")
        app.wait_for_axes()
        app.picture("demo")
        bottom = guide.bounding_box()["height"]
        assert page.locator(".jdaviz .v-app-bar").first.bounding_box()["y"] >= bottom - 1
        app.button("Set the offset to 0", guide).click()
        expect(ratio).to_have_text(re.compile(r"(1\.00|0\.99)\d"))
        expect(now).to_contain_text("Keep it")
        app.button("Extract", guide).click()
        expect(now).to_have_count(0)
        chosen = page.locator(".tray-plugin .v-select__selections", has_text=re.compile(r"\btruth\b"))
        expect(chosen.first).to_be_attached()  # what Compare sets the spectrum against
        assert not complaints, "\n\n".join(complaints)
        assert not server.trouble
