"""Section: a part of the panel with a title, which opens and closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from jdaviz.core.template_mixin import TemplateMixin
from traitlets import Any as AnyTrait
from traitlets import Dict, Unicode

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.panel.results import Results
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.panel.vuetify import adapt_template, read_template
from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["Panel", "Section"]

HERE = Path(__file__).parent

#: What several templates are made of: tag to file.
COMPONENTS = {"lrs-result-file": "result_file.vue"}


class Panel(Protocol):
    """What a section may ask of the panel; for its plots it is a plugin of jdaviz, too."""

    state: PanelState
    results: Results

    @property
    def image_viewers(self) -> list:
        """The viewers that show the dataset."""

    def update(self, **changes: Any) -> None:
        """Change the state; see `jdaviz_lrs.panel.state.next_state`."""

    def compute(self, **changes: Any) -> ExtractedSpectrum:
        """Extract, and wait for it."""

    def when_computed(self, what: str, act: Callable[[], None], **changes: Any) -> None:
        """Do something that needs the spectrum as soon as it is there, or say why it is not."""

    def return_to(self, dataset: str, overrides: Mapping[str, str], parameters: ExtractionParameters) -> None:
        """Take a dataset as it was extracted before; see `LRSExtraction.return_to`."""

    def say(self, text: str, color: str | None = None) -> None:
        """Show a message."""


class Section(TemplateMixin):
    """Shows the state; its actions return what they change of it.

    Parameters
    ----------
    panel : Panel
    app : jdaviz application
    """

    _adapt_template = adapt_template
    components = Dict({tag: read_template(HERE / name) for tag, name in COMPONENTS.items()}).tag(
        sync=True, **TemplateMixin.class_component_serialization
    )
    opened = AnyTrait(None, allow_none=True).tag(sync=True)  # 0 while the section is open
    problem = Unicode().tag(sync=True)

    def __init__(self, panel: Panel, app: Any):
        self.panel = panel
        super().__init__(app=app)

    def show(self, state: PanelState) -> None:
        """Show a state."""
        raise NotImplementedError
