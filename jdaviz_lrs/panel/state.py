"""PanelState: all that the panel knows, and how each change makes the next state.

From a changed parameter to the marks: `LRSExtraction._on_parameter` hands on what is meant, `next_state`
makes a plan of it and lays it out, and `LRSExtraction.update` has the plan extracted and shows the state: the
words, the marks in the viewers, and each section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jdaviz_lrs.data.series import ExtractedSeries
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.advice import Advice
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.grip import Grip
from jdaviz_lrs.panel.inputs import Choice, Input
from jdaviz_lrs.panel.layout import Layout, as_fitted, lay_out
from jdaviz_lrs.panel.parameter_traits import DEFAULTS, as_typed, same
from jdaviz_lrs.panel.sections.compare.reference import Reference
from jdaviz_lrs.panel.sections.history.record import Record
from jdaviz_lrs.panel.undo import Trail, changed
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["KEPT", "NO_DATA", "Changes", "PanelState", "Stale", "next_state"]

Changes = dict[str, Any]

NO_DATA = "Load a MIRI LRS spectrum (s2d or cal) to extract from."

#: How many plans are kept: that on the screen, the one before, and the same with its images.
KEPT = 3


@dataclass(frozen=True, eq=False)
class Stale:
    """What was drawn last of a dataset, while nothing can be extracted from it.

    Attributes
    ----------
    source : Input
    layout : Layout
    spectrum : ExtractedSpectrum or None
    """

    source: Input
    layout: Layout
    spectrum: ExtractedSpectrum | None


@dataclass(frozen=True, eq=False)
class PanelState:
    """What the panel knows.

    Attributes
    ----------
    choice : Choice
        The dataset and the reference files that were asked for.
    source : Input or None
        The dataset; None until its reference files are there.
    references : References or None
    values : Mapping of str to Any
        Every parameter as it is meant, unchecked.
    plan : ExtractionPlan or None
        Of the parameters; None without a dataset, and where they cannot be meant.
    layout : Layout or None
        Of the plan; None where it does not fit the image.
    spectrum : ExtractedSpectrum or None
        Of the plan, once it is extracted.
    shown : bool
        Whether the spectrum is what the panel is about, rather than only known.
    active, live, paused : bool
        Whether the panel draws, whether it extracts at every change, and whether it waits to be asked.
    late, given_up : bool
        Whether the spectrum keeps us waiting, and whether the user would not wait for it.
    problem : str
        Why nothing can be extracted, in a sentence.
    notes : tuple of str
    advice : tuple of Advice
        On the last extraction.
    compared_with : Reference or None
    records : tuple of Record
        The extractions made so far.
    kept : tuple of ExtractionPlan
        The last plans, so that nothing is extracted twice in a row.
    remembered, begun_with : Mapping of str to ExtractionParameters, to References
        By the uuid of the data: what was set in the panel, and the files that it began with.
    trails : Mapping of str to Trail
        By the uuid of the data: the changes that can be undone.
    extracted_series : Mapping of str to ExtractedSeries
        By the uuid of the data: what was extracted last of a time series.
    stale : Stale or None
        What stays on the screen, grey, while something is wrong.
    values_of : str
        The uuid of the data that the values are of.
    grip : Grip or None
        What the mouse had hold of last, which the arrow keys move.
    """

    choice: Choice = field(default_factory=Choice)
    source: Input | None = None
    references: References | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: DEFAULTS)
    plan: ExtractionPlan | None = None
    layout: Layout | None = None
    spectrum: ExtractedSpectrum | None = None
    shown: bool = False
    active: bool = False
    live: bool = True
    paused: bool = False
    late: bool = False
    given_up: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    compared_with: Reference | None = None
    records: tuple[Record, ...] = ()
    kept: tuple[ExtractionPlan, ...] = ()
    remembered: Mapping[str, ExtractionParameters] = field(default_factory=dict)
    begun_with: Mapping[str, References] = field(default_factory=dict)
    trails: Mapping[str, Trail] = field(default_factory=dict)
    extracted_series: Mapping[str, ExtractedSeries] = field(default_factory=dict)
    stale: Stale | None = None
    values_of: str = ""
    grip: Grip | None = None

    @property
    def time_series(self) -> ExtractedSeries | None:
        """What was extracted last of the dataset, where that is a time series."""
        return None if self.source is None else self.extracted_series.get(self.source.data.uuid)

    @property
    def trail(self) -> Trail:
        """The changes of the dataset's parameters."""
        return Trail() if self.source is None else self.trails.get(self.source.data.uuid, Trail())

    @property
    def edited(self) -> tuple[str, ...]:
        """Names of the parameters that differ from those of the reference file."""
        if self.references is None:
            return ()
        given = as_typed(self.references.parameters)
        return tuple(name for name, value in self.values.items() if not same(value, given[name]))

    @property
    def parameters(self) -> ExtractionParameters:
        """The parameters, checked.

        Raises
        ------
        LRSError
            The first thing that is wrong, in one sentence.
        """
        return ExtractionParameters(**self.values)

    @property
    def optimal(self) -> bool:
        """Whether the PSF is to be fitted rather than pixels summed."""
        return self.plan is not None and self.plan.parameters.extraction_type == "optimal"

    @property
    def ready(self) -> ExtractionPlan:
        """The plan, where it fits the image.

        Raises
        ------
        LRSError
            Where there is none, with the reason.
        """
        if self.plan is None or self.layout is None:
            raise LRSError(self.problem or NO_DATA)
        return self.plan

    @property
    def afresh(self) -> ExtractionPlan:
        """A plan of the dataset with the parameters of its reference file, whatever is set.

        Raises
        ------
        LRSError
            Without a dataset.
        """
        if self.source is None:
            raise LRSError(self.problem or NO_DATA)
        return self.plan_of(self.references.parameters)

    @property
    def drawn(self) -> ExtractionPlan | None:
        """The plan that is laid out on the screen, if any."""
        return self.plan if self.active and self.layout is not None else None

    @property
    def preview(self) -> ExtractedSpectrum | None:
        """The spectrum that is drawn in the viewers, if any."""
        return self.spectrum if self.shown and self.active and self.live else None

    @property
    def layout_drawn(self) -> Layout | None:
        """The layout, its traces where the preview has found them: what the mouse takes hold of."""
        return None if self.layout is None else as_fitted(self.layout, self.preview)

    @property
    def wants_spectrum(self) -> bool:
        """Whether the plan is to be extracted for the preview."""
        waits = self.shown or self.paused or self.given_up or self.problem != ""
        return self.drawn is not None and self.live and not waits

    def plan_of(self, parameters: ExtractionParameters) -> ExtractionPlan:
        """Return the plan of some parameters for the dataset: one of those kept, or a new one."""
        plans = self.kept if self.plan is None else (self.plan, *self.kept)
        known = (plan for plan in plans if plan.parameters == parameters)
        return next(known, None) or ExtractionPlan(self.source.image, parameters, self.references)


def next_state(state: PanelState, **changes: Any) -> PanelState:
    """Make the state after a change.

    Parameters
    ----------
    state : PanelState
    **changes
        Any attribute of the state; a ``choice`` forgets what belongs to another dataset, a ``plan`` is laid
        out, and so are ``values``. Besides: ``found``, a dataset with its references and parameters;
        ``parameters`` in place of values; ``extracted``, a plan and its spectrum; ``gesture``, what a change
        is a part of (see `jdaviz_lrs.panel.undo.changed`); ``travel``, its `back` or `forth`.
    """
    before, gesture = state, changes.pop("gesture", None)
    edits = not {"values", "parameters", "plan"}.isdisjoint(changes)
    for name, make in _STEPS.items():
        if name in changes:
            state = make(state, changes.pop(name))
    state = replace(state, **changes)
    if edits:
        state = _note_change(state, before.values, gesture)
    hidden = {"active", "live"} & {*changes} and not (state.active and state.live)
    return _keep_stale(replace(state, shown=False) if hidden else state, before)


def _note_change(state: PanelState, before: Mapping[str, Any], gesture: object = None) -> PanelState:
    """Let a change of the values be undone."""
    if state.source is None or state.values == before:
        return state
    return _on_trail(state, changed(state.trail, before, gesture))


def _on_trail(state: PanelState, trail: Trail) -> PanelState:
    return replace(state, trails={**state.trails, state.source.data.uuid: trail})


def _travel(state: PanelState, way: Callable[[Trail, Mapping[str, Any]], tuple]) -> PanelState:
    """Go to the values before the last change, or after the next one."""
    if state.source is None:
        return state
    here = state.trail
    trail, values = way(here, state.values)
    return state if trail is here else _on_trail(_mean(state, values), trail)


def _keep_stale(state: PanelState, before: PanelState) -> PanelState:
    """Keep what was drawn while something is wrong with the same data, and no longer."""
    if state.layout is not None or state.problem == "" or state.choice.data is not before.choice.data:
        return state if state.stale is None else replace(state, stale=None)
    if before.layout is None or before.source is None:
        return state
    return replace(state, stale=Stale(before.source, before.layout, before.spectrum))


def _choose(state: PanelState, choice: Choice) -> PanelState:
    """Forget all that belongs to another dataset, or to other reference files."""
    state = replace(
        state, choice=choice, source=None, references=None, kept=(), notes=(), advice=(), grip=None
    )
    return replace(_without_plan(state), problem="")


def _without_plan(state: PanelState) -> PanelState:
    return replace(state, plan=None, layout=None, spectrum=None, shown=False, late=False, given_up=False)


def _find(state: PanelState, found: tuple[Input, References, ExtractionParameters | None]) -> PanelState:
    """Take a dataset whose reference files are there, with parameters that are wanted or its own."""
    source, references, wanted = found
    uuid = source.data.uuid
    kept, before = _kept(state, uuid), state.begun_with.get(uuid)
    begun_with = {**state.begun_with, uuid: references}
    state = replace(state, source=source, references=references, begun_with=begun_with, values_of=uuid)
    values = as_typed(references.parameters if wanted is None else wanted)
    if kept is None:
        return _mean(state, values)
    if wanted is None and before is None:  # given from another dataset
        return _mean(state, kept)
    if wanted is None:
        # what was changed stays; all else is that of the file
        given = as_typed(before.parameters)
        values |= {n: value for n, value in kept.items() if not same(value, given[n])}
    return _note_change(_mean(state, values), kept)


def _kept(state: PanelState, uuid: str) -> Mapping[str, Any] | None:
    """Return what is set for a dataset: as it was typed, right or wrong, while no other one was chosen."""
    if state.values_of == uuid:
        return state.values
    return as_typed(state.remembered[uuid]) if uuid in state.remembered else None


def _mean(state: PanelState, values: Mapping[str, Any]) -> PanelState:
    """Check values and lay them out."""
    if state.source is None:
        return replace(state, values=values)
    try:
        plan = state.plan_of(ExtractionParameters(**values))
    except LRSError as error:
        return replace(_without_plan(state), values=values, problem=str(error))
    return _plan(state, plan, values)


def _set(state: PanelState, parameters: ExtractionParameters) -> PanelState:
    """Lay parameters out."""
    if state.source is None:
        return replace(state, values=as_typed(parameters))
    return _plan(state, state.plan_of(parameters), as_typed(parameters))


def _plan(state: PanelState, plan: ExtractionPlan, values: Mapping[str, Any] | None = None) -> PanelState:
    """Lay a plan out; what was advised is kept until it is answered or no longer applies."""
    chosen = {*plan.parameters.refinements}
    advice = tuple(one for one in state.advice if one.refinement not in chosen)
    if state.values["extraction_type"] != plan.parameters.extraction_type:
        advice = ()
    others = tuple(one for one in state.kept if one is not plan)
    before = state.layout
    state = replace(
        _without_plan(state),
        values=as_typed(plan.parameters) if values is None else values,
        plan=plan,
        kept=(*others, plan)[-KEPT:],
        advice=advice,
    )
    try:
        layout = lay_out(plan)
    except LRSError as error:
        return replace(state, problem=str(error))
    remembered = {**state.remembered, state.source.data.uuid: plan.parameters}
    if before is not None and layout.parts != before.parts:
        state = replace(state, grip=None)
    return replace(state, layout=layout, notes=layout.notes, problem="", remembered=remembered)


def _extract(state: PanelState, extracted: tuple[ExtractionPlan, ExtractedSpectrum]) -> PanelState:
    """Take notice of a spectrum; one of the same parameters with its images is only told of."""
    plan, spectrum = extracted
    state = replace(state, notes=tuple(spectrum.notes))
    if plan is not state.plan:
        return state
    shown = state.shown or state.wants_spectrum
    return replace(state, spectrum=spectrum, shown=shown, late=False, given_up=False)


#: What is more than another value, in the order in which it is done.
_STEPS: Mapping[str, Callable[[PanelState, Any], PanelState]] = {
    "choice": _choose,
    "found": _find,
    "values": _mean,
    "parameters": _set,
    "plan": _plan,
    "extracted": _extract,
    "travel": _travel,
}
