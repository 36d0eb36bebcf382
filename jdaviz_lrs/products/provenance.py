"""How a spectrum was made, as keywords and values for headers and metadata."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from jdaviz_lrs.products.spectrum import ExtractedSpectrum

__all__ = ["PREFIX", "provenance"]

#: Before every keyword of ours in the x1d header (``HIERARCH LRS ...``).
PREFIX = "LRS"


def provenance(spectrum: ExtractedSpectrum) -> dict[str, Any]:
    """Program, version, input, references, every parameter given, what was fitted, and the notes.

    Returns
    -------
    dict
        Names as in Python to strings, numbers and booleans; lists as JSON text, None left out.
    """
    entries = {
        "program": "jdaviz-lrs",
        "version": version("jdaviz-lrs"),
        "input": spectrum.image.file_name if spectrum.image is not None else None,
        **{f"reference_{kind}": name for kind, name in spectrum.references.items()},
        **spectrum.parameters,
        **{f"report_{name}": value for name, value in spectrum.report.items()},
        **{f"note_{number}": note for number, note in enumerate(spectrum.notes, 1)},
        **{f"advice_{number}": advice.sentence for number, advice in enumerate(spectrum.advice, 1)},
    }
    return {name: _plain(value) for name, value in entries.items() if value is not None}


def _plain(value: Any) -> str | int | float | bool:
    if isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return value.item()
    return json.dumps(value.tolist() if hasattr(value, "tolist") else value)
