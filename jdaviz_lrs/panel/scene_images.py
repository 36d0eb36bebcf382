"""The part of the panel that puts what was fitted, and what it leaves, beside the image."""

from __future__ import annotations

import numpy as np
from jdaviz.core.events import SnackbarMessage
from numpy.typing import NDArray
from traitlets import List

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.preview import Preview

__all__ = ["SceneImages"]

#: What can be shown, by the word in its label.
KINDS = ("scene model", "residual", "residual in sigma")

WITH_IMAGES = {"save_scene_model": True, "save_residual_image": True}


class SceneImages(Preview):
    """Scene model and residual as images in the viewer of the dataset."""

    scene_kinds = List(list(KINDS)).tag(sync=True)

    def show_scene(self, kind: str = "scene model") -> str:
        """Add the scene model or a residual to the viewer that shows the image.

        Parameters
        ----------
        kind : {'scene model', 'residual', 'residual in sigma'}

        Returns
        -------
        str
            The label of the new data.

        Raises
        ------
        LRSError
            When it cannot be extracted, or there are no errors to divide by.
        """
        if kind not in KINDS:
            raise LRSError(f"{kind!r} is not known; give one of {', '.join(KINDS)}.")
        result = self.compute(**WITH_IMAGES)
        if result.scene_model is None or result.residual is None:
            raise LRSError("This extraction fits no scene.")
        values, unit = result.scene_model, None
        if kind != "scene model":
            values = result.residual
        if kind == "residual in sigma":
            variance = self.image.variance if result.variance is None else result.variance
            values, unit = self._in_sigma(values, variance), ""
        return self._add_image(self._input.display.spectrum(values, unit), f"{self._input.label} {kind}")

    def _in_sigma(self, values: NDArray, variance: NDArray) -> NDArray:
        if not self.image.has_variances:
            raise LRSError("The dataset has no variances, so there is no sigma; load it as JWST LRS.")
        with np.errstate(invalid="ignore", divide="ignore"):
            return values / np.sqrt(variance)

    def _add_image(self, spectrum, label: str) -> str:
        label = self._app.return_unique_name(label)
        spectrum.meta["plugin"] = self._plugin_name
        spectrum.meta["PIXAR_SR"] = self.image.pixel_area
        viewers = [viewer.reference for viewer in self.dataset.viewers_with_selected_visible]
        self._app._jdaviz_helper.load(
            spectrum,
            loader="object",
            format="2D Spectrum",
            data_label=label,
            viewer=viewers,
            auto_extract=False,
        )
        return label

    def vue_show_scene(self, kind: str):
        """Answer to the buttons."""

        def show() -> None:
            try:
                self.show_scene(kind)
            except LRSError as error:
                self.hub.broadcast(SnackbarMessage(str(error), sender=self, color="error"))

        self.once_computed(kind, show, **WITH_IMAGES)
