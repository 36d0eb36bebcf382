"""SceneLayer: the model or the residual in place of the data, for as long as the panel's switch says so."""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np
from matplotlib import colormaps
from specutils import Spectrum

from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.panel.inputs import Input
from jdaviz_lrs.panel.leftovers import without_leftovers
from jdaviz_lrs.panel.sections.scene import KINDS, MODEL
from jdaviz_lrs.panel.state import PanelState

__all__ = ["DATA", "VIEWS", "SceneLayer", "load_scene"]

DATA = "data"

#: What the switch of the image offers.
VIEWS = (DATA, *KINDS)

#: Colours that part at zero, of those that jdaviz's legend knows, and how far they reach in sigma.
DIVERGING, SIGMAS = "RdBu", 5.0

#: Share of the pixels of a residual that lie within its colours, in per cent.
WITHIN = 99.0


class SceneLayer:
    """One layer above the image, its values replaced in place as the parameters change.

    Parameters
    ----------
    app : jdaviz application
    plugin_name : str
        Of the panel that the layer comes from.
    """

    def __init__(self, app: Any, plugin_name: str):
        self._app, self._plugin_name = app, plugin_name
        self._asked: tuple | None = None
        self.label = ""

    def wants(self, state: PanelState, kind: str) -> bool:
        """Whether another plan than the last is to be shown; each is asked for once.

        Another kind is wanted at once, other parameters when their spectrum is there.
        """
        if kind == DATA or state.layout is None or not state.active:
            return False
        known = self._asked
        if known is not None and known[1] == kind and (state.spectrum is None or known[0]() is state.plan):
            return False
        self._asked = ref(state.plan), kind
        return True

    def show(self, source: Input, spectrum: Spectrum, kind: str, viewers: list) -> dict[str, Any]:
        """Show what was fitted, what it leaves, or one integration; returns the colours' ends.

        Parameters
        ----------
        source : Input
        spectrum : specutils.Spectrum
            As of `jdaviz_lrs.panel.sections.scene.scene_spectrum`.
        kind : str
            What it is, for the label.
        viewers : list

        Returns
        -------
        dict
            ``low`` and ``high``, the ``unit``, and whether the colours are ``diverging``.
        """
        label = f"{source.label} {kind} (live)"
        if label != self.label or label not in self._app.data_collection:
            self.remove()
            load_scene(self._app, self._plugin_name, spectrum, label, viewers)
            self.label = label
        else:
            data = self._app.data_collection[label]
            data.update_components({data.main_components[0]: spectrum.flux.value})
        return self._colour(spectrum, kind, source.label, viewers)

    def remove(self) -> None:
        """Take the layer away; the data below it are seen again."""
        if self.label in self._app.data_collection:
            self._app.data_item_remove(self.label)
        self.label = ""

    def forget(self) -> None:
        """Take the layer away, and show the next one whatever the last was."""
        self._asked = None
        self.remove()

    def _colour(self, spectrum: Any, kind: str, below: str, viewers: list) -> dict[str, Any]:
        """Give the model the colours of the data, and a residual such as part at zero."""
        layers = [layer.state for viewer in viewers for layer in viewer.layers]
        ours = [layer for layer in layers if layer.layer.label == self.label]
        data = next((layer for layer in layers if layer.layer.label == below), None)
        diverging = kind in KINDS and kind != MODEL
        if diverging or data is None:
            reach = SIGMAS if kind == "residual in sigma" else _reach(spectrum.flux.value)
            low, high = (-reach, reach) if diverging else (0.0, reach)
            cmap = colormaps[DIVERGING if diverging else "gray"]
        else:
            low, high, cmap = data.v_min, data.v_max, data.cmap
        for layer in ours:
            layer.v_min, layer.v_max = low, high
            if layer.cmap is not cmap:
                layer.cmap = cmap
        unit = "sigma" if kind == "residual in sigma" else f"{spectrum.flux.unit}"
        return {"low": rounded(low, 3), "high": rounded(high, 3), "unit": unit, "diverging": diverging}


def load_scene(app: Any, plugin_name: str, spectrum: Spectrum, label: str, viewers: list) -> None:
    """Add what was fitted, or what it leaves, to viewers of images.

    Parameters
    ----------
    app : jdaviz application
    plugin_name : str
        Of the panel that it comes from.
    spectrum : specutils.Spectrum
        As of `jdaviz_lrs.panel.sections.scene.scene_spectrum`.
    label : str
    viewers : list
    """
    spectrum.meta["plugin"] = plugin_name
    with without_leftovers(app):
        app._jdaviz_helper.load(
            spectrum,
            loader="object",
            format="2D Spectrum",
            data_label=label,
            viewer=[viewer.reference for viewer in viewers],
            auto_extract=False,
        )


def _reach(values: np.ndarray) -> float:
    """Return how far most values lie from zero."""
    known = np.abs(values[np.isfinite(values)])
    return float(np.percentile(known, WITHIN)) if known.size and known.any() else 1.0
