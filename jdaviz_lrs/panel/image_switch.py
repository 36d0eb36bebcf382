"""ImageSwitch: what the image viewer shows, the data or what was fitted, as the panel's switch says."""

from __future__ import annotations

from typing import Any

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.scene import WITH_IMAGES, check_kind, scene_spectrum
from jdaviz_lrs.panel.sections.scene_layer import DATA, SceneLayer, load_scene
from jdaviz_lrs.panel.state import PanelState

__all__ = ["ImageSwitch"]


class ImageSwitch:
    """Has what was fitted computed and shown above the image, or kept as a layer of its own.

    Parameters
    ----------
    panel : LRSExtraction
    app : jdaviz application
    plugin_name : str
        The panel's name among jdaviz's plugins.
    """

    def __init__(self, panel: Any, app: Any, plugin_name: str):
        self._panel, self._app, self._plugin_name = panel, app, plugin_name
        self.layer = SceneLayer(app, plugin_name)

    def turned(self) -> None:
        """Answer to the switch: above the data nothing is shown."""
        if self._panel.image_shown == DATA:
            self.layer.forget()
            self._panel.colours = {}

    def show(self, state: PanelState) -> None:
        """Bring what is shown above the image up to date, now or when it is computed."""
        if self.layer.wants(state, self._panel.image_shown):
            self._panel.when_computed("image", self._show, **WITH_IMAGES)

    def _show(self) -> None:
        panel = self._panel
        kind, source = panel.image_shown, panel.state.source
        if kind == DATA or source is None:
            return
        try:
            plan = panel.plan(**WITH_IMAGES)
            if plan.extracted:  # else the parameters have changed meanwhile, and another is on its way
                spectrum = scene_spectrum(source, plan.extract(), kind)
                panel.colours = self.layer.show(source, spectrum, kind, panel.image_viewers)
        except LRSError as error:
            panel.image_shown = DATA
            panel.say(str(error), "error")

    def keep(self, kind: str) -> str:
        """Add the scene model or a residual to the viewers of the image; see `LRSExtraction.show_scene`.

        Raises
        ------
        LRSError
            When it cannot be extracted, or there are no errors to divide by.
        """
        check_kind(kind)
        panel = self._panel
        result = panel.compute(**WITH_IMAGES)
        spectrum = scene_spectrum(panel.state.source, result, kind)
        label = self._app.return_unique_name(f"{panel.state.source.label} {kind}")
        load_scene(self._app, self._plugin_name, spectrum, label, panel.image_viewers)
        return label
