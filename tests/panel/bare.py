"""A panel without an app, for the test of a section by itself: it holds the state and shows it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from glue.core import Data, DataCollection

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.state import PanelState, next_state
from jdaviz_lrs.panel.viewer.display import Display
from jdaviz_lrs.references.find import find_references


class BareApp:
    """What of an app a section's widget needs."""

    def __init__(self):
        self.data_collection = DataCollection()
        self.session = SimpleNamespace(hub=self.data_collection.hub, data_collection=self.data_collection)
        self.state = SimpleNamespace(
            settings={}, show_api_hints=False, add_callback=lambda *_: None, layer_icons={}, viewer_icons={}
        )
        self._reserved_labels: set[str] = set()
        self.api_hints_obj, self.vdocs, self.config = "plg", "latest", "deconfigged"


class BarePanel:
    """Extracts at every change, as the open panel does."""

    _plugin_name = "LRS Extraction"
    image_viewers = ()

    def __init__(self, section: type, **state):
        self.app = BareApp()
        self.session, self.hub = self.app.session, self.app.session.hub
        self.state = PanelState(active=True, **state)
        self.said: list[tuple[str, str | None]] = []
        self.added: list[tuple] = []
        self.results = SimpleNamespace(add=lambda one, label, of="": self.added.append((one, label, of)))
        self.section = section(self, app=self.app)

    def take(self, image: SpectralImage, **parameters) -> BarePanel:
        """Take a dataset, with its reference files and some parameters."""
        references = find_references(image, crds=False)
        source = Input(Data(label="bare", x=np.zeros(image.shape)), image, Display.of(image))
        self.update(found=(source, references, references.parameters.with_(parameters)))
        return self

    def update(self, **changes) -> None:
        self.state = next_state(self.state, **changes)
        if self.state.wants_spectrum:
            self.compute()
        else:
            self.section.show(self.state)

    def compute(self, **changes):
        plan = self.state.plan_of(self.state.parameters.with_(changes))
        spectrum = plan.extract()
        self.update(extracted=(plan, spectrum))
        return spectrum

    def when_computed(self, what, act, **changes) -> None:
        self.compute(**changes)
        act()

    def say(self, text, color=None) -> None:
        self.said.append((text, color))
