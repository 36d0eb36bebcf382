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
    nearest,
    remove_region,
    remove_source,
    toggle_pixel,
)
from jdaviz_lrs.panel.grip import Grip, borders, grip_at, moved, snapped, whole
from jdaviz_lrs.panel.layout import Layout, lay_out
from jdaviz_lrs.panel.state import Changes, PanelState
from jdaviz_lrs.panel.viewer.keyboard import Keyboard
from jdaviz_lrs.panel.viewer.pointer_label import PointerLabel

__all__ = ["BadPixelTool", "RegionTool"]

#: How near to an edge, as a fraction of the viewer's height, the mouse takes hold of it.
REACH = 0.025

#: Pixels by which an arrow moves, without and with Shift.
NUDGES = {False: 0.1, True: 1.0}


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

    grip: Grip | None  # None: a new background region
    start: float
    plan: ExtractionPlan
    layout: Layout


@viewer_tool
class RegionTool(PanelTool):
    """Drag edges or whole regions; drag out a new background region; double-click removes one.

    For optimal extraction: drag the trace or a further source; double-click adds or removes one. What is
    dragged comes to whole or half pixels, unless Alt is held; the arrow keys move it on.
    """

    icon = str(Path(__file__).with_name("lrs_regions.svg"))
    tool_id = "lrs:regions"
    action_text = "Aperture and background regions"
    tool_tip = "LRS Extraction: drag aperture, trace and regions; arrow keys move them on"

    events = ("mousemove", "dragstart", "dragmove", "dragend", "dblclick")
    _hold: Hold | None = None
    keyboard: Keyboard | None = None

    def __init__(self, viewer):
        super().__init__(viewer)
        self.label = PointerLabel(viewer)

    def activate(self):
        """Listen to the mouse and the keys, and keep the panel's marks on the screen."""
        super().activate()
        if self._panel is not None:
            self.keyboard = Keyboard(self.viewer.jdaviz_app, self.nudge, self._panel.undo, self._panel.redo)

    def deactivate(self):
        """Let go, and leave mouse and keys to the other tools."""
        super().deactivate()
        self._let_go()
        self.cursor = "auto"
        if self.keyboard is not None:
            self.keyboard.close()
            self.keyboard = None
        if self._panel is not None:
            self._panel.update(grip=None)

    @property
    def cursor(self) -> str:
        """The shape of the pointer in the viewer, as CSS names it."""
        return self.viewer.figure.interaction.cursor

    @cursor.setter
    def cursor(self, shape: str) -> None:
        self.viewer.figure.interaction.cursor = shape

    def on_mouse(self, event: dict) -> None:
        """Act where the mouse is on the image, and say where that is while it drags."""
        super().on_mouse(event)
        panel, where = self._panel, event.get("domain") or {}
        if event["event"] == "dragmove" and panel is not None and "y" in where:
            panel.file_pixels.read_out(self.viewer, event)
            if self._hold is not None and (words := _place_words(panel.state, where["x"])):
                self.label.show(where["x"], where["y"], words)

    def act(self, event: str, state: PanelState, column: float, row: int) -> Changes:
        """Take hold, move, let go."""
        layout = state.layout_drawn
        if event == "mousemove":
            if self._hold is None:  # else it is one that the browser sent late
                self.cursor = _cursor(layout and grip_at(layout, column, row, self._reach))
        elif event == "dblclick":
            return self._remove(state, column, row)
        elif event == "dragstart":
            self._hold = self._take(state, column, row)
            if self._hold is not None and (grip := self._hold.grip) is not None:
                self.cursor = grip.cursor.replace("grab", "grabbing")
                return {"grip": grip}
        elif self._hold is not None:
            hold = self._hold
            changes = self._move(state, hold, column)
            if event == "dragend":
                self._let_go()
                self.cursor = _cursor(hold.grip)
            return changes and {"grip": _grip_of(hold), **changes, "gesture": hold}  # one step to undo
        return {}

    def nudge(self, way: int, shift: bool = False) -> None:
        """Move what the mouse had hold of last, or else the aperture or the trace.

        Parameters
        ----------
        way : int
            +1 up, -1 down.
        shift : bool
            Whether by 1 pixel rather than 0.1.
        """
        panel = self._panel
        if panel is None or panel.state.layout is None:
            return
        state = panel.state
        grip = (
            state.grip if state.grip is not None and state.grip.lines(state.layout) else whole(state.layout)
        )
        by = way * NUDGES[shift]
        plan, layout = state.plan, state.layout_drawn
        changes = _fitting(state, plan, moved(plan.image, plan.parameters, layout, grip, by))
        # keys that follow each other are one step to undo
        panel.update(**changes, grip=grip, gesture=panel.pauses.gesture(f"{grip}"))

    def _let_go(self) -> None:
        self._hold = None
        self.label.hide()

    def _take(self, state: PanelState, column: float, row: int) -> Hold | None:
        plan, layout = state.plan, state.layout_drawn
        if layout is None:
            return None
        grip = grip_at(layout, column, row, self._reach)
        if grip is None and layout.edges is None:
            return None
        return Hold(grip, column, plan, layout)

    @property
    def _reach(self) -> float:
        """How near to an edge, in pixels, the mouse takes hold of it."""
        state = self.viewer.state
        return REACH * abs(state.y_max - state.y_min)

    @property
    def _free(self) -> bool:
        return self.keyboard is not None and self.keyboard.free

    def _move(self, state: PanelState, hold: Hold, column: float) -> Changes:
        by, parameters, image, layout = (
            column - hold.start,
            hold.plan.parameters,
            hold.plan.image,
            hold.layout,
        )
        if hold.grip is not None:
            if not self._free:
                by = snapped(image, parameters, layout, hold.grip, by)
            return _fitting(state, hold.plan, moved(image, parameters, layout, hold.grip, by))
        if abs(by) < 1.0:
            return {}
        edges = (hold.start, column) if self._free else borders(layout, hold.start, column)
        return _fitting(state, hold.plan, add_region(parameters, layout, *edges))

    def _remove(self, state: PanelState, column: float, row: int) -> Changes:
        plan, layout = state.plan, state.layout_drawn
        if layout is None:
            return {}
        parameters = plan.parameters
        if layout.edges is None:
            grip = grip_at(layout, column, row, self._reach)
            if grip is None:
                return _fitting(state, plan, add_source(parameters, column - layout.trace[row]))
            return (
                _fitting(state, plan, remove_source(parameters, grip.index)) if grip.what == "source" else {}
            )
        if layout.background_edges is None:
            return {}
        found = nearest(layout.background_edges, column, row, 0.0)
        return _fitting(state, plan, remove_region(parameters, found[0])) if found else {}


def _cursor(grip: Grip | None) -> str:
    return "auto" if grip is None else grip.cursor


def _grip_of(hold: Hold) -> Grip:
    """Return what the mouse has hold of; a new region comes after those that there were."""
    if hold.grip is not None:
        return hold.grip
    regions = hold.layout.background_edges
    return Grip("background", 0 if regions is None else len(regions))


def _place_words(state: PanelState, x: float) -> str:
    """Say where what is dragged lies on the image at a place of the viewer, in the file's pixels."""
    if state.layout is None or state.grip is None:
        return ""
    display = state.source.display
    image, place = display.image, int(np.clip(round(x), 0, display.rows.size - 1))
    row = display.rows[place]
    columns = [line[row] for line in state.grip.lines(state.layout_drawn)]
    if not np.isfinite(columns).all() or not columns:
        return ""
    across, along = ("row", "column") if image.horizontal else ("column", "row")
    numbers = " to ".join(f"{column + 0.0:.2f}".rstrip("0").rstrip(".") for column in columns)
    plural = "s" if len(columns) > 1 else ""
    wavelength = display.wavelength[place]
    return f"{across}{plural} {numbers}, {along} {int(image.disp_index[row])}, {wavelength:.3f} um"


def _fitting(state: PanelState, plan: ExtractionPlan, changes: Changes) -> Changes:
    """Return the plan with these parameters where they make another aperture; where not, nothing."""
    try:
        parameters = state.parameters.with_(changes)
        if state.plan is not None and parameters == state.plan.parameters:
            return {}
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
