"""Tools in the toolbar of the 2-D viewer: move aperture and background regions, mark bad pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from glue.config import viewer_tool
from glue.viewers.common.tool import CheckableTool
from jdaviz.configs.specviz.plugins.viewers import Spectrum2DViewer

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.edits import (
    add_region,
    add_source,
    move_aperture,
    move_region,
    move_source,
    move_trace,
    nearest,
    nearest_line,
    remove_region,
    remove_source,
    toggle_pixel,
)
from jdaviz_lrs.panel.layout import Layout, lay_out
from jdaviz_lrs.panel.state import Changes, PanelState

__all__ = ["BadPixelTool", "RegionTool"]

#: How near to an edge, as a fraction of the viewer's height, the mouse takes hold of it.
REACH = 0.025


class PanelTool(CheckableTool):
    """What acts on the panel, in the viewers that show its dataset."""

    events: tuple[str, ...] = ()

    def is_visible(self) -> bool:
        """Only where the panel's dataset is shown."""
        panel = self._panel
        return panel is not None and self.viewer in panel.dataset.viewers_with_selected_visible

    def activate(self):
        """Listen to the mouse, and keep the panel's marks on the screen."""
        self.viewer.add_event_callback(self.on_mouse, events=self.events)
        if self._panel is not None:
            self._kept, self._panel.keep_active = self._panel.keep_active, True

    def deactivate(self):
        """Leave the mouse to the other tools."""
        self.viewer.remove_event_callback(self.on_mouse)
        if self._panel is not None:
            self._panel.keep_active = self._kept

    @property
    def _panel(self):
        app = self.viewer.jdaviz_app
        names = [item["name"] for item in app.state.tray_items]
        return app.get_tray_item_from_name("lrs-extraction") if "lrs-extraction" in names else None

    def on_mouse(self, event: dict) -> None:
        """Act where the mouse is on the image."""
        panel, where = self._panel, event.get("domain") or {}
        if panel is None or panel.state.source is None or "y" not in where:
            return
        display = panel.state.source.display
        column = float(display.xdisp(where["y"]))
        row = int(display.rows[int(np.clip(round(where["x"]), 0, display.rows.size - 1))])
        if changes := self.act(event["event"], panel.state, column, row):
            panel.update(**changes)

    def act(self, event: str, state: PanelState, column: float, row: int) -> Changes:
        """Answer to an event at a column of the file and a row of the image."""
        raise NotImplementedError


@dataclass(frozen=True)
class Hold:
    """What the mouse has hold of, and how things were when it took it."""

    what: str  # aperture, background or new; trace or source
    region: int  # or which of the further sources
    side: int | None
    start: float
    plan: ExtractionPlan
    layout: Layout


@viewer_tool
class RegionTool(PanelTool):
    """Drag edges or whole regions; drag out a new background region; double-click removes one.

    For optimal extraction: drag the trace or a further source; double-click adds or removes one.
    """

    icon = str(Path(__file__).with_name("lrs_regions.svg"))
    tool_id = "lrs:regions"
    action_text = "Aperture and background regions"
    tool_tip = "LRS Extraction: drag aperture, trace and background regions"

    events = ("dragstart", "dragmove", "dragend", "dblclick")
    _hold: Hold | None = None

    def deactivate(self):
        """Let go, and leave the mouse to the other tools."""
        super().deactivate()
        self._hold = None

    def act(self, event: str, state: PanelState, column: float, row: int) -> Changes:
        """Take hold, move, let go."""
        if event == "dragstart":
            self._hold = self._take(state, column, row)
        elif event == "dblclick":
            return self._remove(state, column, row)
        elif self._hold is not None:
            hold = self._hold
            if event == "dragend":
                self._hold = None
            moved = self._move(state, hold, column)
            return moved and {**moved, "gesture": hold}  # one step to undo
        return {}

    def _take(self, state: PanelState, column: float, row: int) -> Hold | None:
        plan, layout = state.plan, state.layout
        if layout is None:
            return None
        if layout.edges is None:
            line = self._line_under(layout, column, row)
            if line is None:
                return None
            what, source = ("source", line - 1) if line else ("trace", 0)
            return Hold(what, source, None, column, plan, layout)
        reach = self._reach
        for what, edges in (("aperture", layout.edges), ("background", layout.background_edges)):
            if edges is not None and (found := nearest(edges, column, row, reach)):
                return Hold(what, *found, column, plan, layout)
        return Hold("new", 0, None, column, plan, layout)

    @property
    def _reach(self) -> float:
        """How near to an edge, in pixels, the mouse takes hold of it."""
        state = self.viewer.state
        return REACH * abs(state.y_max - state.y_min)

    def _line_under(self, layout: Layout, column: float, row: int) -> int | None:
        """Return 0 for the trace, 1 for the first of the further sources ..., None for neither."""
        return nearest_line((layout.trace, *layout.companions), column, row, 2.0 * self._reach)

    def _move(self, state: PanelState, hold: Hold, column: float) -> Changes:
        by, parameters = column - hold.start, hold.plan.parameters
        lower_by = by if hold.side in (0, None) else 0.0
        upper_by = by if hold.side in (1, None) else 0.0
        if hold.what == "trace":
            moved = move_trace(parameters, by)
        elif hold.what == "source":
            moved = move_source(parameters, hold.region, by)
        elif hold.what == "aperture":
            image = hold.plan.image
            moved = move_aperture(image, parameters, hold.layout, lower_by, upper_by, hold.region)
        elif hold.what == "background":
            moved = move_region(parameters, hold.region, lower_by, upper_by)
        elif abs(by) >= 1.0:
            moved = add_region(parameters, hold.layout, hold.start, column)
        else:
            return {}
        return _fitting(state, hold.plan, moved)

    def _remove(self, state: PanelState, column: float, row: int) -> Changes:
        plan, layout = state.plan, state.layout
        if layout is None:
            return {}
        parameters = plan.parameters
        if layout.edges is None:
            line = self._line_under(layout, column, row)
            if line is None:
                return _fitting(state, plan, add_source(parameters, column - layout.trace[row]))
            return _fitting(state, plan, remove_source(parameters, line - 1)) if line else {}
        if layout.background_edges is None:
            return {}
        found = nearest(layout.background_edges, column, row, 0.0)
        return _fitting(state, plan, remove_region(parameters, found[0])) if found else {}


def _fitting(state: PanelState, plan: ExtractionPlan, moved: Changes) -> Changes:
    """Return the plan with these parameters where they make an aperture; where not, nothing."""
    try:
        parameters = state.parameters.with_(moved)
        plan = replace(plan, parameters=parameters)
        layout = lay_out(plan)
    except LRSError:
        return {}
    shown = state.layout
    # else the edges would mean otherwise
    same = shown is None or layout.about_source == shown.about_source
    return {"plan": plan} if same else {}


@viewer_tool
class BadPixelTool(PanelTool):
    """Click on a pixel to mark it as bad, or on a marked one to take it back."""

    icon = str(Path(__file__).with_name("lrs_bad_pixels.svg"))
    tool_id = "lrs:badpixels"
    action_text = "Bad pixels"
    tool_tip = "LRS Extraction: click on pixels to leave them out"
    events = ("click",)

    def act(self, event: str, state: PanelState, column: float, row: int) -> Changes:
        """Mark, or take back."""
        image = state.source.image
        place = round(column), int(image.disp_index[row])
        if not 0 <= place[0] - image.origin[1] < image.n_xdisp:
            return {}
        try:
            parameters = state.parameters
            toggled = toggle_pixel(parameters, *place[:: -1 if image.horizontal else 1])
            return {"parameters": parameters.with_(toggled)}
        except LRSError:  # something else in the panel is wrong, and it says so
            return {}


def _offer_tools() -> None:
    """Put our tools into the toolbar of 2-D spectra, and a subset that bounds columns beside that of rows."""
    tools = Spectrum2DViewer.tools_nested
    for tool in (RegionTool, BadPixelTool):
        if [tool.tool_id] not in tools:
            tools.insert(-1, [tool.tool_id])
    for group in tools:
        if "bqplot:xrange" in group and "bqplot:rectangle" not in group:
            group.append("bqplot:rectangle")


_offer_tools()
