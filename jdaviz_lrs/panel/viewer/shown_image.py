"""The dataset chosen in the panel and the image in the viewers are one: each follows the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jdaviz.configs.specviz.plugins.viewers import Spectrum2DViewer
from jdaviz.core.events import NewViewerMessage

__all__ = ["ShownImage"]


class ShownImage:
    """Shows the chosen dataset alone, and tells which one the user has made visible.

    Parameters
    ----------
    app : jdaviz application
    choices : callable
        Returns the labels of the datasets that there are to choose from.
    on_chosen : callable
        Told the label of the dataset that came to be the only one visible, or that was imported.
    """

    def __init__(self, app: Any, choices: Callable[[], list[str]], on_chosen: Callable[[str], None]):
        self._app, self._choices, self._on_chosen = app, choices, on_chosen
        self._seen: dict[str, frozenset[str]] = {}
        self._busy = False

    @property
    def _viewers(self) -> list[Any]:
        return self._app.get_viewers_of_cls(Spectrum2DViewer)

    def show(self, label: str, importing: bool = False) -> None:
        """Make a dataset the only image of the viewers that have it, and fit their axes to it.

        One that is in no viewer is added to one. Nothing moves where it has a viewer to itself already,
        beside others with other images.

        Parameters
        ----------
        label : str
        importing : bool
            Whether jdaviz may be about to add it to a viewer itself.
        """
        viewers = [viewer for viewer in self._viewers if label in _labels(viewer)]
        if self._busy or any(self._visible(viewer) == {label} for viewer in viewers):
            return
        self._busy = True
        try:
            if not viewers and not importing:
                viewers = self._add(label)
            for viewer in viewers:
                _show_alone(viewer, label)
                _fit(viewer, label)
        finally:
            self._busy = False
        self._seen = {viewer.reference: self._visible(viewer) for viewer in self._viewers}

    def show_if_hidden(self, label: str) -> None:
        """Show a dataset, if there is one, that is in none of the viewers, in sight or not."""
        if label and not any(label in _labels(viewer) for viewer in self._viewers):
            self.show(label)

    def _add(self, label: str) -> list[Any]:
        """Add a dataset to the first viewer there is, or to a new one, if jdaviz would let the user."""
        if not self._viewers:
            name = self._app.return_unique_name("2D Spectrum", typ="viewer")
            message = NewViewerMessage(Spectrum2DViewer, data=None, sender=self._app)
            self._app._on_new_viewer(message, vid=name, name=name, open_data_menu_if_empty=False)
        viewer = self._viewers[0]
        try:
            viewer.data_menu.add_data(label)
        except ValueError:  # it is on its way out of the app
            return []
        return [viewer]

    def imported(self, label: str, viewer: Any) -> None:
        """Answer to a dataset that was added to a viewer."""
        if viewer in self._viewers and label in self._choices():
            self.show(label)
            self._on_chosen(label)

    def follow(self) -> None:
        """Take notice of what is visible; where the user shows several images, the choice stays."""
        if self._busy:
            return
        for viewer in self._viewers:
            visible = self._visible(viewer)
            before = self._seen.get(viewer.reference)
            self._seen[viewer.reference] = visible
            if before is not None and visible != before and len(visible) == 1:
                (label,) = visible
                if label not in before or len(before) > 1:
                    _fit(viewer, label)
                    self._on_chosen(label)

    def _visible(self, viewer: Any) -> frozenset[str]:
        choices = self._choices()
        shown = {layer.layer.label for layer in viewer.state.layers if layer.visible}
        return frozenset(shown.intersection(choices))


def _labels(viewer: Any) -> set[str]:
    return {layer.layer.label for layer in viewer.state.layers}


def _show_alone(viewer: Any, label: str) -> None:
    """Show one image; what is drawn of other images, their models and residuals, goes with them."""
    for layer in viewer.state.layers:
        data = getattr(layer.layer, "data", layer.layer)
        if data is layer.layer and data.ndim == 2:  # subsets stay as they are
            layer.visible = data.label == label


def _fit(viewer: Any, label: str) -> None:
    """Fit the axes to an image; jdaviz fits them to the first that the viewer had."""
    shapes = [layer.layer.shape for layer in viewer.state.layers if layer.layer.label == label]
    for height, width in shapes:
        viewer.set_limits(x_min=-0.5, x_max=width - 0.5, y_min=-0.5, y_max=height - 0.5)
