"""A few words on an image, beside the mouse."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from bqplot import Label

from jdaviz_lrs.panel.viewer.marks import YELLOW

__all__ = ["PointerLabel"]

#: On the screen, from the mouse, in pixels: above it, so that the hand's pointer hides nothing.
ASIDE, ABOVE = 14, -14

#: The share of the axes beyond which the words stand to the left of the mouse.
TURN = 0.6


class PointerLabel:
    """Yellow words with a dark rim, which stand out from every image.

    Parameters
    ----------
    viewer : jdaviz viewer
        Nothing is drawn in it before the first words.
    """

    def __init__(self, viewer: Any):
        self._viewer = viewer

    @cached_property
    def labels(self) -> list[Label]:
        """The rim, and the words above it."""
        style = {
            "x": [0.0],
            "y": [0.0],
            "text": [""],
            "default_size": 14,
            "y_offset": ABOVE,
            "visible": False,
        }
        rim = Label(scales=self._viewer.scales, colors=["black"], stroke="black", stroke_width=4, **style)
        words = Label(scales=self._viewer.scales, colors=[YELLOW], **style)
        self._viewer.figure.marks = [*self._viewer.figure.marks, rim, words]
        return [rim, words]

    def show(self, x: float, y: float, text: str) -> None:
        """Write words beside a place of the viewer."""
        state = self._viewer.state
        x = min(max(x, state.x_min), state.x_max)
        y = min(max(y, state.y_min), state.y_max)
        left = x - state.x_min > TURN * (state.x_max - state.x_min)
        for label in self.labels:
            with label.hold_sync():
                label.x, label.y, label.text = [x], [y], [text]
                label.align, label.x_offset = ("end", -ASIDE) if left else ("start", ASIDE)
                label.visible = True

    def hide(self) -> None:
        """Take the words away, where there are any."""
        for label in vars(self).get("labels", ()):
            label.visible = False
