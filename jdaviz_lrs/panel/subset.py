"""The part of the panel that takes the aperture from a subset drawn on the image."""

from __future__ import annotations

import numpy as np
from jdaviz.core.events import SnackbarMessage
from jdaviz.core.template_mixin import SubsetSelect
from traitlets import List, Unicode

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.edits import move_aperture
from jdaviz_lrs.panel.layout import lay_out
from jdaviz_lrs.panel.preview import Preview

__all__ = ["FromSubset"]


class FromSubset(Preview):
    """A choice of subsets, and the aperture that covers the same columns."""

    subset_items = List().tag(sync=True)
    subset_selected = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.subset = SubsetSelect(
            self, "subset_items", "subset_selected", default_text="None", dataset="dataset"
        )

    def aperture_from_subset(self, subset: str | None = None) -> None:
        """Move the edges of the aperture to those of a subset across the dispersion.

        Parameters
        ----------
        subset : str, optional
            Its label; the one selected in the panel by default.

        Raises
        ------
        LRSError
            When the subset has no pixel on the image, or a parameter is wrong.
        """
        label = self.subset_selected if subset is None else subset
        first, last = self._columns(label)
        parameters = self.parameters.with_({"extraction_type": "box"})
        layout = lay_out(self.image, parameters)
        row = self._input.display.rows[self._input.display.rows.size // 2]
        lower, upper = layout.edges[0, :, row]
        self.fill(
            parameters.with_(
                move_aperture(self.image, parameters, layout, first - 0.5 - lower, last + 0.5 - upper)
            )
        )

    def _columns(self, label: str) -> tuple[float, float]:
        """First and last column of the file that most of a subset covers."""
        data = self._app.data_collection[self._input.label]
        mask = next((subset.to_mask() for subset in data.subsets if subset.label == label), None)
        if mask is None or not mask.any():
            raise LRSError(
                f"The subset {label!r} has no pixel on {self._input.label}; draw one across the trace."
            )
        here = mask[:, mask.any(axis=0)]
        if here.all():
            raise LRSError(
                f"The subset {label!r} covers the slit from end to end; draw a rectangle across the trace."
            )
        first = np.median(here.argmax(axis=0))
        last = np.median(here.shape[0] - 1 - here[::-1].argmax(axis=0))
        return tuple(float(column) for column in self._input.display.xdisp([first, last]))

    def vue_aperture_from_subset(self, _=None):
        """Answer to the button."""
        try:
            self.aperture_from_subset()
        except LRSError as error:
            self.hub.broadcast(SnackbarMessage(str(error), sender=self, color="error"))
