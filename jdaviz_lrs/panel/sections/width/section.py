"""The section Best width: growth curve and S/N against the aperture's width, and the tapered aperture."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from weakref import ref

import numpy as np
from jdaviz.core.custom_traitlets import FloatHandleEmpty
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Bool, Unicode, observe

from jdaviz_lrs.analysis.growth import mean_width, measure_widths, on_trace, say_offset, with_width
from jdaviz_lrs.analysis.taper import DIGITS, tapered_aperture
from jdaviz_lrs.data.rounding import rounded
from jdaviz_lrs.engine.growth import Apertures, Growth, growth
from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.extraction.placement import subtracts_background
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.edits import keep_regions, move_aperture
from jdaviz_lrs.panel.layout import lay_out
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.sections.width.chart import WidthChart
from jdaviz_lrs.panel.state import Changes, PanelState

__all__ = ["WidthSection"]

OPTIMAL = "Optimal extraction weighs every pixel by the PSF and has no width; choose box to see this."


class WidthSection(Section):
    """How much light, and how good a spectrum, apertures of different widths would give.

    In the panel's public API, as ``width_view``:

    * ``wavelength_min``, ``wavelength_max`` (float): the wavelengths it holds for, in micron.
    * ``best_width`` (float): with the best signal-to-noise ratio, in pixels; NaN where there is none.
    * ``multiple`` (float): half the width of a tapered aperture, over the FWHM of the PSF.
    * :meth:`growth`, :meth:`use_best_width`, :meth:`use_tapered_aperture`

    Parameters
    ----------
    panel : Panel
    app : jdaviz application
    """

    template_file = __file__, "width.vue"

    wavelength_min = FloatHandleEmpty(5.0).tag(sync=True)
    wavelength_max = FloatHandleEmpty(12.0).tag(sync=True)
    multiple = FloatHandleEmpty(2.0).tag(sync=True)
    best_text = Unicode().tag(sync=True)
    current_text = Unicode().tag(sync=True)
    note = Unicode().tag(sync=True)
    usable = Bool(False).tag(sync=True)
    plot_widget = Unicode().tag(sync=True)

    _measured: tuple[tuple, Apertures, float] | None = None

    @property
    def user_api(self):
        """What scripts see."""
        return UserApiWrapper(
            self,
            (
                *("wavelength_min", "wavelength_max", "best_width", "growth", "use_best_width"),
                *("multiple", "use_tapered_aperture"),
            ),
            readonly=("best_width",),
        )

    def growth(self) -> Growth:
        """Compare widths about the aperture's centre, or about the trace where it lies beside.

        Returns
        -------
        Growth
            The numbers in the plot.

        Raises
        ------
        LRSError
            When there is no dataset, a parameter is wrong, no trace is there, or no wavelength in the range.
        """
        return self._growth(self.panel.state.ready)

    @property
    def best_width(self) -> float:
        """Full width in pixels with the best median signal-to-noise ratio."""
        try:
            return round(float(self.growth().best), 1)
        except LRSError:
            return np.nan

    def use_best_width(self) -> float:
        """Give the aperture the best width about its centre, or the trace beside it; returns the width.

        Raises
        ------
        LRSError
            When there is none, or the aperture has several regions.
        """
        changes, width = self.widened()
        self.panel.update(**changes)
        return width

    def widened(self) -> tuple[Changes, float]:
        """Return what gives the aperture the best width, and the width; see `use_best_width`."""
        found, plan = self.growth(), self.panel.state.ready
        width = round(float(found.best), 1)
        wanted, by = with_width(plan.parameters, width), found.offset
        if by:
            wanted = wanted.with_(move_aperture(plan.image, wanted, self.panel.state.layout, by, by))
        return {"parameters": wanted}, width

    def use_tapered_aperture(self) -> None:
        """Let the aperture widen with the PSF: to `multiple` times its FWHM on either side of the source.

        Raises
        ------
        LRSError
            When extraction is optimal, or see `jdaviz_lrs.tapered_aperture`.
        """
        changes, told = self.tapered()
        self.panel.update(**changes)
        self.note = " ".join(filter(None, [self.note, *told]))

    def tapered(self) -> tuple[Changes, list[str]]:
        """Return what gives the aperture the shape of the PSF, and what is to be told with it.

        Raises
        ------
        LRSError
            See `use_tapered_aperture`; and where it does not fit.
        """
        plan = self.panel.state.ready
        if plan.parameters.extraction_type == "optimal":
            raise LRSError(OPTIMAL)
        multiple = np.nan if self.multiple == "" else self.multiple
        parameters, psf, offset = plan.parameters, plan.references.psf, _from_header(plan)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LRSWarning)
            tapered = tapered_aperture(multiple, image=plan.seen, psf=psf, position_offset=offset)
        tapered = {"position_offset": 0.0, **tapered, "extract_width": None}
        if parameters.independent_var != "wavelength" and any(len(c) > 1 for c in parameters.bkg_coeff or ()):
            raise LRSError(
                "bkg_coeff: regions that are polynomials in the row cannot go with edges in wavelength; "
                "give straight ones first."
            )
        alone = lay_out(replace(plan, parameters=parameters.with_(tapered | {"bkg_coeff": None})))
        moved = alone.shift - float(np.nanmedian(plan.placement.shift))
        wanted = replace(plan, parameters=parameters.with_(tapered | keep_regions(parameters, moved)))
        lay_out(wanted)  # what does not fit leaves everything as it is
        told = [str(one.message) for one in caught if issubclass(one.category, LRSWarning)]
        return {"plan": wanted}, told

    def vue_use_best_width(self, _=None) -> None:
        """Answer to the button."""
        self._answer(self.use_best_width)

    def vue_use_tapered_aperture(self, _=None) -> None:
        """Answer to the other button."""
        self._answer(self.use_tapered_aperture)

    def _answer(self, act: Callable[[], object]) -> None:
        try:
            act()
        except LRSError as error:
            self.problem = str(error)

    # ---- what is drawn

    @cached_property
    def chart(self) -> WidthChart:
        """The plot of the curves."""
        return WidthChart(self.panel)

    def _growth(self, plan: ExtractionPlan) -> Growth:
        if plan.parameters.extraction_type == "optimal":
            raise LRSError(OPTIMAL)
        low = 0.0 if self.wavelength_min == "" else self.wavelength_min
        high = np.inf if self.wavelength_max == "" else self.wavelength_max
        image, parameters, references = plan.seen, plan.parameters, plan.references
        key = (ref(plan.image), replace(parameters, extract_width=None), references, low, high)
        if self._measured is None or self._measured[0] != key:
            placement, offset = on_trace(image, plan.placement, references)
            measured = measure_widths(image, parameters, references, placement, (low, high))
            self._measured = key, measured, offset
        _, measured, offset = self._measured
        return replace(growth(measured, mean_width(plan.placement)), offset=offset)

    @observe("opened", "wavelength_min", "wavelength_max")
    def _on_setting(self, change: dict) -> None:
        self.show(self.panel.state)

    def show(self, state: PanelState) -> None:
        """Bring plot and numbers up to date, or take them away."""
        if self.opened is None or state.drawn is None:
            self._hide("")
            return
        try:
            found = self._growth(state.drawn)
        except LRSError as error:
            self._hide(str(error))
            return
        self.problem = ""
        self._show(found, state.drawn)
        self.plot_widget = self.chart.widget

    def _hide(self, problem: str) -> None:
        if "chart" in vars(self):
            self.chart.clear()
        self.problem, self.best_text, self.current_text, self.note = problem, "", "", ""
        self.usable = False

    def _show(self, found: Growth, plan: ExtractionPlan) -> None:
        now = mean_width(plan.placement)
        self.chart.show(found, now)
        low, high = found.good
        self.best_text = (
            f"{found.best:.1f} px: S/N {rounded(found.best_snr, 3)} (within 1 % from {low:g} to {high:g} px)"
        )
        here, share = (np.interp(now, found.widths, c) for c in (found.smooth_snr, found.expected))
        self.current_text = f"{now:.1f} px: S/N {rounded(here, 3)}" + (
            f", {100.0 * share:.0f} % of the light" if np.isfinite(share) else ""
        )
        if found.offset:
            self.current_text += ", if it were on the trace"
        self.note = " ".join(filter(None, [say_offset(found), _note(plan)]))
        self.usable = len(plan.parameters.src_coeff or ()) <= 2


def _note(plan: ExtractionPlan) -> str:
    if subtracts_background(plan.parameters) or plan.image.observation.bkg_subtract == "COMPLETE":
        return ""
    return "No background is subtracted: its light counts as the source's, and wide apertures look too good."


def _from_header(plan: ExtractionPlan) -> float:
    """Offset of the aperture from where the header has the source: as given, or as placed by hand."""
    placement, source = plan.placement, plan.image.source
    if placement.trace is not None or source is None:
        return plan.parameters.position_offset
    return round(float(np.nanmedian(placement.center - source.trace)), DIGITS)
