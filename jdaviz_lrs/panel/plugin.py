"""The panel LRS Extraction: jdaviz's plugin, whose every change goes through `LRSExtraction.update`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from glue.core.message import DataCollectionDeleteMessage
from jdaviz.core.events import (
    AddDataMessage,
    GlobalDisplayUnitChanged,
    SnackbarMessage,
    ViewerVisibleLayersChangedMessage,
)
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import (
    AddResultsMixin,
    DatasetSelect,
    DatasetSelectMixin,
    PluginTemplateMixin,
    SubsetSelect,
    with_spinner,
)
from jdaviz.core.user_api import PluginUserApi
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Enum, Int, List, Unicode, dlink, observe

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.actions import ACTIONS, Actions
from jdaviz_lrs.panel.closing import let_go_when_closed
from jdaviz_lrs.panel.documentation import PAGES, page
from jdaviz_lrs.panel.fields import describe
from jdaviz_lrs.panel.form import Form
from jdaviz_lrs.panel.image_switch import ImageSwitch
from jdaviz_lrs.panel.inputs import Choice, Input, displayed, is_2d_spectrum
from jdaviz_lrs.panel.loaders.image import forget_pixels
from jdaviz_lrs.panel.parameter_traits import ParameterTraits, as_meant, same
from jdaviz_lrs.panel.presence import Presence
from jdaviz_lrs.panel.presets import EXAMPLES
from jdaviz_lrs.panel.reference_search import OVERRIDES, PathText, ReferenceSearch
from jdaviz_lrs.panel.results import Results
from jdaviz_lrs.panel.sections.catalogue import FILES, PLACES, SECTIONS
from jdaviz_lrs.panel.sections.scene_layer import DATA, VIEWS
from jdaviz_lrs.panel.state import KEPT, NO_DATA, PanelState, next_state
from jdaviz_lrs.panel.status import status_of
from jdaviz_lrs.panel.tasks import CancelledError, Extractions, Outcome, browser_loop
from jdaviz_lrs.panel.undo import Pauses
from jdaviz_lrs.panel.viewer.file_pixels import FilePixels
from jdaviz_lrs.panel.viewer.marks import PreviewMarks
from jdaviz_lrs.panel.viewer.shown_image import ShownImage
from jdaviz_lrs.panel.vuetify import adapt_template, read_template
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.find import References

__all__ = ["LRSExtraction"]

HERE = Path(__file__).parent

#: The template's own components: tag to file.
COMPONENTS = {
    "lrs-references": "references.vue",
    "lrs-field": "field.vue",
    "lrs-advice": "advice.vue",
    "lrs-image-switch": "image_switch.vue",
    "lrs-foot": "foot.vue",
}

#: Where the tab Save stands among the three.
SAVE_TAB = 2

SEARCHING = "The reference files are being looked for in CRDS."

#: Seconds that a preview may take before the panel asks whether to go on with it.
PATIENCE = 1.5

SETTINGS = ("dataset", *OVERRIDES, "live_preview", "image_shown", "add_results")


@tray_registry("lrs-extraction", label="LRS Extraction", category="data:reduction")
class LRSExtraction(PluginTemplateMixin, AddResultsMixin, DatasetSelectMixin, Actions, ParameterTraits):
    """Extract a spectrum from a JWST MIRI LRS slit image, as the pipeline's ``extract_1d`` step does.

    Every parameter of the extraction is an attribute under the pipeline's own name (``xstart``,
    ``extract_width``, ``bkg_coeff``, ``use_source_posn`` ...; see
    `jdaviz_lrs.parameters.ExtractionParameters`). Besides, the public API has:

    * ``dataset`` (:class:`~jdaviz.core.template_mixin.DatasetSelect`): the 2-D spectrum.
    * ``override_extract1d``, ``override_apcorr``, ``override_psf``: paths of reference files.
    * ``add_results`` (:class:`~jdaviz.core.template_mixin.AddResults`): label and viewer of the result.
    * ``live_preview``: whether the spectrum is extracted at every change.
    * ``image_shown``: what the image viewer shows: ``data``, ``scene model``, ``residual`` or ``residual in
      sigma``, which follow the parameters.
    * ``profile_view``: the cut across the dispersion (see `jdaviz_lrs.panel.sections.profile.section`).
    * ``width_view``: growth curve and best width (see `jdaviz_lrs.panel.sections.width.section`).
    * ``compare_with``, ``compare_ranges``: the reference of :meth:`compare`, and the ranges of its medians.
    * ``history``: the table of the extractions made so far; :meth:`restore` brings one back.
    * :meth:`undo`, :meth:`redo`: of changes of the parameters; :meth:`reset`: to those of the reference file.
    * ``presets``, :meth:`apply_preset`, :meth:`save_preset`: ways to extract by name; :meth:`apply_to`: other
      datasets.
    * :meth:`extract`, :meth:`import_extract1d`, :meth:`export_extract1d`, :meth:`save_x1d`,
      :meth:`to_python`, :meth:`show_scene`, :meth:`aperture_from_subset`,
      :meth:`inspect`; ``filename``: of the x1d file
    * :meth:`save_figure`; :meth:`save_session`, :meth:`load_session`: all that was worked on, in one file.
    * :meth:`extract_series`, :meth:`save_x1dints`: all integrations of a time series; :meth:`light_curves`,
      :meth:`save_light_curves`: of them.
    * :meth:`combine`, :meth:`save_c1d`: extractions of the history into one.
    * :meth:`verify`, :meth:`save_report`: the installed pipeline on the same file.
    * :meth:`make_response`, :meth:`read_response`, :meth:`save_response`, :meth:`calibrate`: the flux scale
      of a standard star.
    """

    template_file = __file__, "plugin.vue"
    _adapt_template = adapt_template
    uses_active_status = Bool(True).tag(sync=True)
    components = Dict({tag: read_template(HERE / name) for tag, name in COMPONENTS.items()}).tag(
        sync=True, **PluginTemplateMixin.class_component_serialization
    )

    override_extract1d = PathText().tag(sync=True)
    override_apcorr = PathText().tag(sync=True)
    override_psf = PathText().tag(sync=True)
    references_used = List().tag(sync=True)
    missing = Unicode().tag(sync=True)
    search_line = Unicode().tag(sync=True)
    search_cancelled = Bool(False).tag(sync=True)
    json_path = Unicode().tag(sync=True)
    fields = List().tag(sync=True)
    reported = Unicode().tag(sync=True)
    subset_items = List().tag(sync=True)
    subset_selected = Unicode().tag(sync=True)
    live_preview = Bool(True).tag(sync=True)
    problem = Unicode().tag(sync=True)
    notes = List().tag(sync=True)
    advice = List().tag(sync=True)
    work_line = Unicode().tag(sync=True)
    inspect_widgets = List().tag(sync=True)
    verdict_widget = Unicode().tag(sync=True)
    save_widgets = List().tag(sync=True)
    session_widget = Unicode().tag(sync=True)  # where there are no data yet
    tab = Int(0).tag(sync=True)  # Set up, Inspect or Save
    status = Dict().tag(sync=True)  # see `jdaviz_lrs.panel.status.Status`
    pages = Dict({name: page(name) for name in PAGES}).tag(sync=True)  # of the documentation
    can_undo = Bool(False).tag(sync=True)
    can_redo = Bool(False).tag(sync=True)
    can_save = Bool(True).tag(sync=True)  # files of the server are none of the user's
    image_shown = Enum(VIEWS, DATA).tag(sync=True)  # above the image: the data, or what was fitted
    image_views = List(list(VIEWS)).tag(sync=True)
    colours = Dict().tag(sync=True)  # of what is shown above the image
    preset_items = List([one.name for one in EXAMPLES]).tag(sync=True)
    files_opened = AnyTrait(None, allow_none=True).tag(sync=True)  # 0 while the reference files are in sight
    nearby = Dict().tag(sync=True)  # kind of reference to the paths of files beside the data
    edited = List().tag(sync=True)  # titles of the parameters that differ from the reference file

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._plugin_description = "Extract spectra from MIRI LRS slit data."
        self.dataset = DatasetSelect(self, "dataset_items", "dataset_selected", filters=[is_2d_spectrum])
        self.dataset.add_filter("not_from_this_plugin")
        self.subset = SubsetSelect(
            self, "subset_items", "subset_selected", default_text="None", dataset="dataset"
        )
        self.state = PanelState(choice=Choice(overrides=dict.fromkeys(OVERRIDES, "")))
        self.fields = describe(self.state.values)
        self.file_pixels = FilePixels(self._app, displayed)
        self.status = asdict(status_of(self.state))
        self.form = Form(self)
        self.results = Results(self, self._app, self._plugin_name)
        self.pauses = Pauses()
        self.image_switch = ImageSwitch(self, self._app, self._plugin_name)
        self.shown_image = ShownImage(self._app, lambda: self.dataset.choices, self._on_shown)
        self.presence = Presence(self._on_presence)
        self.search = ReferenceSearch(self._on_search, self.say)
        self.extractions = Extractions(self._on_work, self._on_begin, self._on_late)
        self.sections = {name: section(self, app=self._app) for name, section in SECTIONS.items()}
        for section in self.sections.values():
            dlink((self, "api_hints_enabled"), (section, "api_hints_enabled"))
        self.can_save = not self.sections["saving"].remote
        shown = {name: f"IPY_MODEL_{section.model_id}" for name, section in self.sections.items()}
        self.verdict_widget = shown["verdict"]
        for trait, names in PLACES.items():
            setattr(self, trait, [shown[name] for name in names if self.can_save or name not in FILES])
        self.session_widget = shown["session"] if self.can_save else ""
        self.observe(self._on_parameter, ExtractionParameters.names())
        self.observe(self._on_choice, ["dataset_items", "dataset_selected", *OVERRIDES])
        self.observe(self._on_setting, ["is_active", "live_preview", "previews_temp_disabled"])
        self.observe(self._on_viewers, "add_to_viewer_selected")
        self.observe(self._on_image_shown, "image_shown")
        self.hub.subscribe(self, GlobalDisplayUnitChanged, handler=self._on_viewers)
        self.hub.subscribe(self, ViewerVisibleLayersChangedMessage, handler=self._on_layers)
        self.hub.subscribe(self, AddDataMessage, handler=self._on_layers)
        # after jdaviz's own answers, which choose another dataset
        self.hub.subscribe(self, DataCollectionDeleteMessage, handler=self._on_removed, priority=-1)
        let_go_when_closed(self._app)
        self.update(**self.sections["compare"].choice())
        self._on_choice({"name": "dataset_selected"})

    @staticmethod
    def _get_supported_viewers():
        return [{"label": "1D Spectrum", "reference": "spectrum-1d-viewer"}]

    @property
    def user_api(self):
        """What scripts see: every parameter under its own name, and the actions."""
        names = (*SETTINGS, *ExtractionParameters.names(), "extract", *ACTIONS)
        return PluginUserApi(self, expose=names)

    # ---- from a change to the screen

    def _on_parameter(self, change: dict) -> None:
        name, value = change["name"], as_meant(change["name"], change["new"])
        if not same(value, self.state.values[name]):
            # a script's changes are undone one by one, keys that follow each other together
            gesture = self.pauses.gesture(name) if browser_loop() is not None else None
            self.update(values={**self.state.values, name: value}, gesture=gesture)

    def _on_setting(self, change: dict) -> None:
        active = self._tray_instance and self.is_active
        if active:
            self.shown_image.show_if_hidden(self.dataset_selected)
        self.update(active=active, live=self.live_preview, paused=self.previews_temp_disabled)

    def _on_viewers(self, change: Any) -> None:
        self.file_pixels.attend()
        self.update()

    def _on_layers(self, message: AddDataMessage | ViewerVisibleLayersChangedMessage) -> None:
        if self._tray_instance:
            if isinstance(message, AddDataMessage):
                if displayed(message.data) is not None:  # else what was made of it, as a residual
                    self.shown_image.imported(message.data.label, message.viewer)
            else:
                self.shown_image.follow()
        self._on_viewers(message)

    def _on_shown(self, label: str) -> None:
        """Choose the dataset whose image the user has come to see."""
        if label != self.dataset_selected:
            self.dataset_selected = label

    def update(self, **changes: Any) -> None:
        """Change the state, and show it; have its spectrum extracted if it wants one.

        Parameters
        ----------
        **changes
            See `jdaviz_lrs.panel.state.next_state`.
        """
        before, self.state = self.state, next_state(self.state, **changes)
        state = self.state
        self.marks.show(state, self.image_viewers)  # what is under the hand moves first
        if state.plan is not before.plan:
            self.extractions.cancel()
        if state.wants_spectrum:
            self._preview(state.plan)
        if self.state is state:  # else it is on the screen already, with its spectrum
            self._draw(state)

    def _preview(self, plan: ExtractionPlan) -> None:
        """Have a plan extracted; its spectrum comes by way of `update`."""
        asked_at, waited = time.perf_counter(), True

        def arrive(outcome: Outcome) -> None:
            seconds = round(time.perf_counter() - asked_at, 2)
            self._on_preview(plan, outcome)
            if waited:
                self.previews_last_time = seconds
                self.previews_temp_disabled = seconds > PATIENCE

        self.extractions.ask("preview", plan, arrive)
        waited = False  # the browser goes on

    def _on_preview(self, plan: ExtractionPlan, outcome: Outcome) -> None:
        if plan is not self.state.plan:  # that of other parameters is wanted by now
            return
        if isinstance(outcome, CancelledError):
            self.update(notes=(str(outcome),))
        elif isinstance(outcome, LRSError):
            self.update(problem=str(outcome))
        else:
            self.update(extracted=(plan, outcome))

    def _draw(self, state: PanelState) -> None:
        """Bring spectrum, form and sections up to date, in this order: a browser paints as it is told."""
        ready = state.late or not self.extractions.waits("preview")  # what is quick must not flicker
        if ready:
            self.marks.show_spectrum(state, self.add_results.results_viewers)
        self.form.show(state)
        if not ready:
            return
        for section in self.sections.values():
            with section.hold_sync():
                section.show(state)
        self.image_switch.show(state)

    def _on_image_shown(self, change: dict) -> None:
        self.image_switch.turned()
        self.update()

    @cached_property
    def marks(self) -> PreviewMarks:
        """What is drawn in the viewers."""
        return PreviewMarks()

    @property
    def image_viewers(self) -> list:
        """The viewers that show the dataset."""
        return self.dataset.viewers_with_selected_visible

    def say(self, text: str, color: str | None = None) -> None:
        """Show a message; without a colour, that of work under way."""
        kind = {"loading": True} if color is None else {"color": color}
        self.hub.broadcast(SnackbarMessage(text, sender=self, **kind))

    # ---- the dataset and its reference files

    def _on_choice(self, change: dict) -> None:
        before, name = self.state.choice, change["name"]
        if name in OVERRIDES:
            choice = replace(before, overrides={**before.overrides, name: change["new"]})
        else:
            data = self.dataset.selected_dc_item
            self.disabled_msg = "" if self.dataset_items else NO_DATA
            if name == "dataset_items" and (data is None) == (before.data is None):
                return
            choice = replace(before, data=data, label="" if data is None else self.dataset_selected)
        if choice != before:
            self.choose(choice)

    def choose(self, choice: Choice, wanted: ExtractionParameters | None = None) -> None:
        """Take a dataset and reference files, with parameters that are wanted or those that they bring."""
        if choice.data is not self.state.choice.data:
            self.image_shown = DATA  # what is shown above the image is another dataset's
        if choice.data is None:
            self.update(choice=choice)
            return
        try:
            source = Input.of(choice.data)
        except LRSError as error:
            self.update(choice=choice, problem=str(error))
            return
        importing = self.state.choice.data is None
        self.update(choice=choice, problem=SEARCHING)
        self._show_choice(choice, importing)
        self.search.find(
            source.image, lambda found: self._on_found(choice, source, found, wanted), choice.overrides
        )

    def return_to(self, dataset: str, overrides: Mapping[str, str], parameters: ExtractionParameters) -> None:
        """Take a dataset, by its label, as it was extracted before.

        Raises
        ------
        LRSError
            When it is not in the app.
        """
        if dataset not in self.dataset.choices:
            raise LRSError(f"The dataset {dataset!r} is not in the app any more; load it again.")
        given = {name: overrides.get(name, "") for name in OVERRIDES}
        self.choose(Choice(self._app.data_collection[dataset], dataset, given), parameters)

    def _show_choice(self, choice: Choice, importing: bool) -> None:
        self.dataset_selected = choice.label
        if self._tray_instance:
            self.shown_image.show(choice.label, importing)
        for name, path in choice.overrides.items():
            setattr(self, name, path)

    def _on_found(
        self, choice: Choice, source: Input, found: References | LRSError, wanted: ExtractionParameters | None
    ) -> None:
        if choice is not self.state.choice:  # another is wanted by now
            return
        if isinstance(found, LRSError):
            self.update(problem=str(found))
        else:
            self.update(found=(source, found, wanted))

    def vue_cancel_search(self, _=None) -> None:
        """Answer to the button: do without CRDS."""
        self.search.cancel()

    def vue_search_again(self, _=None) -> None:
        """Look again; where nobody has changed the parameters, those of the file that is found come in."""
        self.search.forget()
        self.choose(replace(self.state.choice))

    def _on_search(self, line: str) -> None:
        self.search_line = line

    # ---- extracting

    @property
    def image(self) -> SpectralImage:
        """The image that is extracted from.

        Raises
        ------
        LRSError
            When there is none.
        """
        if self.state.source is None:
            self.search.wait()
        if self.state.source is None:
            raise LRSError(self.state.problem or NO_DATA)
        return self.state.source.image

    @property
    def parameters(self) -> ExtractionParameters:
        """The parameters in the panel, checked.

        Raises
        ------
        LRSError
            The first thing that is wrong, in one sentence.
        """
        return self.state.parameters

    def plan(self, **changes: Any) -> ExtractionPlan:
        """Return the plan of the panel's parameters, with some of them changed.

        Raises
        ------
        LRSError
            Without a dataset, and where a parameter cannot be meant.
        """
        _ = self.image
        plan = self.state.plan_of(self.state.parameters.with_(changes))
        if plan not in self.state.kept:
            self.update(kept=(*self.state.kept, plan)[-KEPT:])
        return plan

    def compute(self, **changes: Any) -> ExtractedSpectrum:
        """Extract, and wait for it; at once when nothing has changed since the last time.

        Parameters
        ----------
        **changes
            Parameters that are to differ from those in the panel.

        Raises
        ------
        LRSError
            When it cannot be done.
        """
        plan = self.plan(**changes)
        spectrum = self.extractions.now(plan)
        self.update(extracted=(plan, spectrum))
        return spectrum

    def when_computed(self, what: str, act: Callable[[], None], **changes: Any) -> None:
        """Do something that needs the spectrum as soon as it is there, or say why it is not.

        Parameters
        ----------
        what : str
            Its name: what waits already, as after a double click, is not asked for twice.
        act : callable
        **changes
            See `compute`.
        """
        try:
            plan = self.plan(**changes)
        except LRSError as error:
            self.say(str(error), "error")
            return

        def arrive(outcome: Outcome) -> None:
            self.spinner = self.extractions.waits("extract")
            if isinstance(outcome, LRSError):
                self.say(str(outcome), "warning" if isinstance(outcome, CancelledError) else "error")
            else:
                self.update(extracted=(plan, outcome))
                act()

        self.extractions.ask(what, plan, arrive)
        self.spinner = self.extractions.waits("extract")

    def _on_begin(self, plan: ExtractionPlan) -> None:
        if plan is self.state.plan:
            self.update(given_up=False, notes=())

    def _on_late(self, plan: ExtractionPlan) -> None:
        if plan is self.state.plan:  # not the same with its images, of which the spectrum is there
            self.update(late=True)

    def _on_work(self, line: str) -> None:
        self.work_line = line

    def vue_cancel_work(self, _=None) -> None:
        """Answer to the button."""
        if self.extractions.under_way and self.state.spectrum is None:
            self.update(given_up=True)
        self.extractions.cancel()

    @with_spinner()
    def extract(self, add_data: bool = True) -> ExtractedSpectrum:
        """Extract with the parameters in the panel.

        Parameters
        ----------
        add_data : bool
            Whether to add the spectrum to the app, and to the viewer chosen in the panel.

        Returns
        -------
        ExtractedSpectrum

        Raises
        ------
        LRSError
            When it cannot be done; the sentence that the panel shows.
        """
        result = self.compute()
        self.inspect()
        if add_data:
            self.results.add_chosen(result)
        self.update(shown=True)  # while it was added, jdaviz knew no viewer to draw it in
        return result

    def vue_extract(self, _=None) -> None:
        """Answer to the button."""
        if not self.spinner:
            self.when_computed("extract", self._extract_now)

    def vue_save(self, _=None) -> None:
        """Answer to the button at the foot; where a file is in the way, show the question."""
        saving = self.sections["saving"]

        def save() -> None:
            saving.write_x1d()
            if saving.overwrite_warn:
                self.tab, saving.opened = SAVE_TAB, 0

        self.when_computed("save", save)

    def _extract_now(self) -> None:
        try:
            self.extract()
        except Exception as error:
            text = f"The extraction failed unexpectedly: {error}"
            self.hub.broadcast(SnackbarMessage(text, sender=self, color="error", traceback=error))

    @observe("files_opened")
    def _on_files_opened(self, change: dict) -> None:
        self.form.offer_files()

    def _on_removed(self, message: DataCollectionDeleteMessage) -> None:
        """Let the image of a dataset go with it, and the series that was extracted of it."""
        forget_pixels(message.data)
        kept = {uuid: one for uuid, one in self.state.extracted_series.items() if uuid != message.data.uuid}
        self.update(extracted_series=kept)
        if self._tray_instance:
            self.shown_image.show_if_hidden(self.dataset_selected)

    # ---- whether the panel is open

    def vue_plugin_ping(self, ping_timestamp) -> None:
        """Take notice that the panel is open somewhere."""
        if not self.presence.ping():
            super().vue_plugin_ping(ping_timestamp)

    def _on_presence(self, opened: bool) -> None:
        self.plugin_opened = opened

    def close(self) -> None:
        """Let the images go, as the page or the kernel does with the panel; jdaviz may keep the data."""
        if self._tray_instance and "state" in vars(self):
            self.state, self.form = PanelState(), Form(self)  # the form knows what it showed
            for data in self._app.data_collection:
                forget_pixels(data)
        super().close()
