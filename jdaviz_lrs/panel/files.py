"""The part of the panel that takes parameters from extract1d files."""

from __future__ import annotations

import warnings
from pathlib import Path

from jdaviz.core.events import SnackbarMessage
from traitlets import Unicode

from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.panel.preview import Preview
from jdaviz_lrs.references.extract1d import read_extract1d

__all__ = ["Files"]


class Files(Preview):
    """Extract1d files into the panel; `Results` has the way out."""

    json_path = Unicode().tag(sync=True)

    def import_extract1d(self, path: str | Path) -> None:
        """Take the parameters of an extract1d reference file.

        Raises
        ------
        LRSError
            When the file is no extract1d file or has no aperture for this exposure.
        """
        seen = self.image.observation
        self.fill(read_extract1d(path).parameters(seen.slit_name, seen.spectral_order))

    def vue_import_json(self, _=None):
        """Answer to the button."""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", LRSWarning)
                self.import_extract1d(self.json_path)
        except LRSError as error:
            self.hub.broadcast(SnackbarMessage(str(error), sender=self, color="error"))
            return
        told = [str(one.message) for one in caught if issubclass(one.category, LRSWarning)]
        text = " ".join([f"Parameters taken from {self.json_path}.", *told])
        color = "warning" if told else "success"
        self.hub.broadcast(SnackbarMessage(text, sender=self, color=color))
