"""The section Session: all that was worked on, saved in one file and loaded again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from traitlets import Bool, List, Unicode

from jdaviz_lrs.batch.session import ENDING, Session, read_session
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.sections.result_file import SavingResult, folders_of, working_folder
from jdaviz_lrs.panel.sections.session.in_app import load_datasets, session_of
from jdaviz_lrs.panel.state import PanelState

__all__ = ["SessionSection"]


class SessionSection(SavingResult):
    """A name and a button for either way.

    Parameters
    ----------
    panel : Panel
    app : PrivateApplication
    """

    template_file = __file__, "session.vue"
    endings = (ENDING, ".json")

    ready = Bool(False).tag(sync=True)  # there is something to save
    path = Unicode(None, allow_none=True).tag(sync=True)  # of the file to load
    nearby = List().tag(sync=True)  # files of sessions beside the data
    loaded = Unicode().tag(sync=True)

    def __init__(self, panel, app):
        self._shown: tuple[object, object] = (None, None)
        super().__init__(panel, app)
        self.observe(self._look_around, "opened")
        self.filename, self.folder = f"work{ENDING}", str(working_folder())
        self._look_around()

    def show(self, state: PanelState) -> None:
        """Say whether there is something to save; what was written is forgotten with what it was of."""
        self.ready, shown = state.source is not None, (state.values, state.records)
        if any(one is not other for one, other in zip(shown, self._shown, strict=True)):
            self._shown, self.written, self.in_the_way = shown, "", False

    def _look_around(self, change=None) -> None:
        folders = folders_of(self.panel.state)
        self.nearby = sorted(str(file) for folder in folders for file in folder.glob(f"*{ENDING}"))

    def made(self) -> Session:
        """Gather what is to be saved; what no file can tell is said."""
        session, left_out = session_of(self.panel.state, self._app.data_collection)
        if left_out:
            self.panel.say(f"No file tells of {', '.join(left_out)}: not in the session.", "warning")
        return session

    def load(self, path: str | Path) -> Session:
        """Load what is not in the app, what was set, and the history; see `LRSExtraction.load_session`.

        Raises
        ------
        LRSError
            When the file is no session, or files of it are missing or damaged; then nothing is changed.
        """
        session = read_session(working_folder() / Path(path).expanduser())
        session.check_files()
        labels = load_datasets(self._app, session)
        uuids = {file: self._app.data_collection[label].uuid for file, label in labels.items()}
        set_before = {uuids[one.file]: one.parameters for one in session.settings}
        self.panel.update(remembered={**self.panel.state.remembered, **set_before})
        known = {(one.label, one.dataset, one.parameters) for one in self.panel.state.records}
        for one in session.history:
            dataset = labels[one.file]
            if (one.label, dataset, one.parameters) not in known:
                label = self._app.return_unique_name(one.label)
                self.panel.results.extract_default(dataset, label, one.parameters, _as_text(one.overrides))
        for one in session.settings[:1]:
            self.panel.return_to(labels[one.file], _as_text(one.overrides), one.parameters)
        return session

    def vue_load(self, path: str | None) -> None:
        """Answer to the button."""
        self.problem = self.loaded = ""
        if not path:
            return
        try:
            session = self.load(path)
        except LRSError as error:
            self.problem = str(error)
        else:
            count = len({one.file for one in (*session.settings, *session.history)})
            self.loaded = (
                f"Loaded {path}: {count} dataset{'s' if count != 1 else ''}, "
                f"{len(session.history)} extraction{'s' if len(session.history) != 1 else ''}."
            )


def _as_text(overrides: Mapping[str, Path]) -> dict[str, str]:
    """Spell reference files as the inputs of the panel hold them."""
    return {name: str(path) for name, path in overrides.items()}
