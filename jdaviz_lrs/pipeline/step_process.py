"""The pipeline's step run from here: started, watched, ended, and its columns brought back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.pipeline.step_call import StepCall
from jdaviz_lrs.pipeline.step_worker import MARK

__all__ = ["StepResult", "demand_pipeline", "run_step"]

Progress = Callable[[str], None]

WORKER = Path(__file__).with_name("step_worker.py")

TICK = 0.2
"""Seconds after which whoever waits is asked again whether to go on."""


@dataclass(frozen=True, eq=False)
class StepResult:
    """What the pipeline's step gives.

    Attributes
    ----------
    columns : Mapping of str to ndarray, ([n_int,] n_wavelength)
        Of the first spectrum's table, by their names in small letters; none where the step was skipped.
    version : str
        Of jwst.
    warnings : tuple of str
        What the pipeline logged as a warning or an error.
    """

    columns: Mapping[str, NDArray]
    version: str
    warnings: tuple[str, ...] = ()


def demand_pipeline() -> None:
    """Refuse where the pipeline is not installed.

    Raises
    ------
    LRSError
        If it is not.
    """
    if find_spec("jwst") is None:
        raise LRSError('The pipeline is not installed; install it with pip install "jdaviz-lrs[pipeline]".')


def run_step(
    call: StepCall,
    progress: Progress | None = None,
    integrations: Sequence[int] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> StepResult:
    """Run the installed pipeline's step in a process of its own.

    Parameters
    ----------
    call : StepCall
        With all three reference files, or ``N/A``, among its arguments: CRDS is not asked.
    progress : callable, optional
        Is told, in a few words, what is under way, several times a second; what it raises ends the process.
    integrations : sequence of int, optional
        Of a stack, those to extract; all without it.
    meanwhile : callable, optional
        What to do here while the pipeline is imported there.

    Returns
    -------
    StepResult

    Raises
    ------
    LRSError
        When the pipeline is not installed, fails, or its process is ended from outside.
    """
    demand_pipeline()
    with tempfile.TemporaryDirectory(prefix="lrs-step-") as folder:
        request, output = Path(folder, "request.json"), Path(folder, "columns.npz")
        content = {
            "file": call.file,
            "arguments": dict(call.arguments),
            "integrations": None if integrations is None else [int(one) for one in integrations],
            "output": str(output),
        }
        request.write_text(json.dumps(content), encoding="utf-8")
        with Path(folder, "errors").open("w+", encoding="utf-8", errors="replace") as errors:
            code = _run(request, folder, errors, progress, meanwhile)
            errors.seek(0)
            last = errors.read().strip().rpartition("\n")[2]
        if code or not output.is_file():
            raise LRSError(_ended(code, last))
        with np.load(output, allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files}
    told = json.loads(str(columns.pop("result")))
    if "error" in told:
        raise LRSError(_failed(told))
    return StepResult(columns, told["jwst"], tuple(dict.fromkeys(told["heard"])))


def _run(
    request: Path,
    folder: str,
    errors: TextIO,
    progress: Progress | None,
    meanwhile: Callable[[], None] | None,
) -> int:
    """Wait for the process, and tell of it; it never outlives the waiting."""
    nowhere = {"CRDS_PATH": folder, "CRDS_SERVER_URL": "https://crds.invalid"}  # and so no network
    process = subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", str(WORKER), str(request)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        errors="replace",
        env=os.environ | nowhere | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        lines: Queue[str | None] = Queue()
        Thread(target=_listen, args=(process.stdout, lines), daemon=True).start()
        words = "the pipeline starts"
        if progress is not None:
            progress(words)
        if meanwhile is not None:
            meanwhile()
        while True:
            try:
                line = lines.get(timeout=TICK)
            except Empty:
                line = ""
            if line is None:
                break
            if line.startswith(MARK):
                words = line.removeprefix(MARK).strip()
            if progress is not None:
                progress(words)
        return process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def _listen(stream: TextIO, lines: Queue[str | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _ended(code: int, last: str) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"The pipeline's process was ended by {name} before it had a result; is there enough memory?"
    return f"The pipeline's process ended with code {code} and without a result: {last}"


def _failed(told: Mapping[str, Any]) -> str:
    """Say why the step failed; what ends the program is CRDS without an answer."""
    if told["error"].startswith("SystemExit"):
        why = told["heard"][-1] if told["heard"] else told["error"]
        return (
            f"The pipeline asked CRDS for a reference file and got none ({why}); give every file with "
            "override_extract1d, override_apcorr and override_psf."
        )
    return f"The pipeline's step fails on this file: {told['error']}"
