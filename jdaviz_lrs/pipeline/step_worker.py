"""The pipeline's Extract1dStep in a process of its own; run as a script, it imports nothing of this package.

It reads a request, a JSON file with ``file`` (the 2-D spectrum), ``arguments`` (of the step, all three
reference files among them, so that CRDS is never asked), ``integrations`` (a list, or null for all) and
``output``; tells on standard output, a line each after `MARK`, how far it is; and leaves the columns in
``output`` (.npz).
It ends when its standard input does: with the process that wants the result.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["MARK", "answer", "main"]

MARK = "@ "


def main(path: str) -> None:
    """Answer a request, as long as somebody waits for it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer(path)


def answer(path: str | Path) -> None:
    """Run the step as a request asks."""
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    _tell("the pipeline is imported")
    import jwst
    from jwst.extract_1d import Extract1dStep
    from stdatamodels.jwst import datamodels

    heard: list[str] = []
    handler = _Listener(heard)
    loggers = [logging.getLogger(name) for name in ("jwst", "stpipe", "CRDS")]
    for one in loggers:
        one.addHandler(handler)
    result: dict[str, Any] = {"jwst": jwst.__version__}
    try:
        step = Extract1dStep()
        for name, value in request["arguments"].items():
            setattr(step, name, value)
        _tell("the file is read")
        with datamodels.open(request["file"]) as model:
            _cut(model, request["integrations"])
            _tell("the pipeline extracts")
            output = step.process(model)
            result["status"] = getattr(output.meta.cal_step, "extract_1d", None)
            tables = [np.asarray(one.spec_table) for one in getattr(output, "spec", None) or ()]
            columns = _columns(tables)
    except (Exception, SystemExit) as error:  # what CRDS cannot answer ends the program
        result["error"] = f"{type(error).__name__}: {error}"
        columns = {}
    for one in loggers:
        one.removeHandler(handler)
    result["heard"] = heard
    np.savez(request["output"], result=json.dumps(result), **columns)


def _columns(tables: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Columns by their names in small letters, ([n_int,] n_wavelength)."""
    if not tables:
        return {}
    rows = tables if len(tables) > 1 else tables[0]
    names = tables[0].dtype.names
    return {name.lower(): np.array([row[name] for row in rows]) for name in names}


def _cut(model: Any, integrations: list[int] | None) -> None:
    """Leave the integrations that are wanted, of a stack."""
    if integrations is None or model.data.ndim < 3:
        return
    for name in ("data", "dq", "err", "var_poisson", "var_rnoise", "var_flat"):
        plane = getattr(model, name, None)
        if plane is not None and plane.ndim == 3:
            setattr(model, name, plane[integrations].copy())


class _Listener(logging.Handler):
    """Keeps what is warned of."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def _tell(words: str) -> None:
    print(f"{MARK}{words}", flush=True)


def _end_with_parent() -> None:
    os.read(0, 1)  # without the lock of a file object, which would hold up the end
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
