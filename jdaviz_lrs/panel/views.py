"""The part of the panel that helps to choose: the cut across the dispersion, and which width is best."""

from __future__ import annotations

from traitlets import List, dlink

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.panel.preview import Preview
from jdaviz_lrs.panel.profile_view import ProfileView
from jdaviz_lrs.panel.situation import Situation
from jdaviz_lrs.panel.width_view import WidthView
from jdaviz_lrs.products.bad_pixels import mask_bad_pixels

__all__ = ["VIEWS_API", "Views"]

#: What this part adds to the panel's API.
VIEWS_API = ("profile_view", "width_view")


class Views(Preview):
    """Adds the sections Cross-dispersion profile and Best width to the panel."""

    view_widgets = List().tag(sync=True)

    profile_view: ProfileView | None = None
    width_view: WidthView | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._views = [View(self, app=self._app) for View in (ProfileView, WidthView)]
        self.profile_view, self.width_view = self._views
        for view in self._views:
            dlink((self, "api_hints_enabled"), (view, "api_hints_enabled"))
        self.view_widgets = [f"IPY_MODEL_{view.model_id}" for view in self._views]

    @property
    def situation(self) -> Situation | None:
        """What the panel is about to extract; None without a dataset or with wrong parameters."""
        if self._input is None or self._layout is None:
            return None
        parameters = self.parameters
        image = mask_bad_pixels(self._input.image, parameters.bad_pixels)
        return Situation(image, self._input.display, parameters, self._references)

    def on_input(self) -> None:
        """Take away what belongs to another dataset."""
        super().on_input()
        self._show_views(None)

    def on_result(self, result: ExtractedSpectrum | None) -> None:
        """Bring the views up to date."""
        super().on_result(result)
        self._show_views(result)

    def _show_views(self, result: ExtractedSpectrum | None) -> None:
        situation = self.situation if self.is_active else None
        for view in getattr(self, "_views", ()):
            view.show(situation, result)
