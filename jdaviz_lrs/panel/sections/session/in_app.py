"""What of a session is in the app: its datasets, what is set for them, and the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jdaviz_lrs.batch.session import Extraction, Session
from jdaviz_lrs.fluxcal.manner import CALIBRATED
from jdaviz_lrs.panel.inputs import displayed
from jdaviz_lrs.panel.loaders.image import FORMAT, harmless
from jdaviz_lrs.panel.sections.history.record import Record
from jdaviz_lrs.panel.state import PanelState
from jdaviz_lrs.products.read import read

__all__ = ["load_datasets", "session_of"]


def _file_of(data: Any) -> Path | None:
    """Return the file that a dataset was read from by our loader, if it was."""
    display = displayed(data)
    return None if display is None or display.image.path is None else Path(display.image.path).resolve()


def load_datasets(app: Any, session: Session) -> dict[Path, str]:
    """Load the files of a session that are not in the app yet; those of it that are there stay.

    Returns
    -------
    dict of Path to str
        The files to the labels of their datasets.

    Raises
    ------
    LRSError
        When one of the files cannot be read; then none is loaded.
    """
    named = {one.file: one.dataset for one in (*session.history, *session.settings)}
    there = {_file_of(data): data.label for data in app.data_collection}
    labels = {file: there[file.resolve()] for file in named if file.resolve() in there}
    images = {file: read(file) for file in named if file not in labels}
    for file, image in images.items():
        labels[file] = app.return_unique_name(harmless(named[file]) or file.stem)
        app._jdaviz_helper.load(
            image, loader="object", format=FORMAT, data_label=labels[file], auto_extract=False
        )
    return labels


def session_of(state: PanelState, datasets: Iterable[Any]) -> tuple[Session, tuple[str, ...]]:
    """Gather what is set and what was extracted.

    Returns
    -------
    session : Session
    left_out : tuple of str
        Labels of what no file can tell: datasets that did not come from one, spectra that were calibrated.

    Raises
    ------
    LRSError
        When a parameter in the panel is wrong.
    """
    datasets = [data for data in datasets if data.uuid in state.remembered or data is state.choice.data]
    datasets.sort(key=lambda data: data is not state.choice.data)
    settings = tuple(_set(data, state) for data in datasets)
    history = tuple(map(_extracted, state.records))
    named = zip(datasets, settings, strict=True), zip(state.records, history, strict=True)
    left_out = tuple(one.label for pairs in named for one, kept in pairs if kept is None)
    return Session(*(tuple(filter(None, some)) for some in (settings, history))), left_out


def _set(data: Any, state: PanelState) -> Extraction | None:
    """Return what is set for a dataset; None for one without a file."""
    file, chosen = _file_of(data), data is state.choice.data
    if file is None:
        return None
    parameters = state.parameters if chosen else state.remembered[data.uuid]
    return Extraction(data.label, file, parameters, _given(state.choice.overrides) if chosen else {})


def _extracted(record: Record) -> Extraction | None:
    image = record.spectrum.image
    if image is None or image.path is None or CALIBRATED in record.spectrum.references:
        return None
    file = Path(image.path).resolve()
    return Extraction(record.dataset, file, record.parameters, _given(record.overrides), record.label)


def _given(overrides: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(path).expanduser().resolve() for name, path in overrides.items() if path}
