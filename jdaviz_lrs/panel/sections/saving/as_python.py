"""The Python call that repeats an extraction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["as_python"]


def as_python(
    path: Path,
    overrides: Mapping[str, str],
    parameters: ExtractionParameters,
    reference: ExtractionParameters,
) -> str:
    """Write the call of `jdaviz_lrs.extract` that gives the same spectrum.

    Parameters
    ----------
    path : Path
        Of the 2-D spectrum.
    overrides : Mapping of str to str
        ``override_extract1d`` and the like to a path; empty ones are left out.
    parameters : ExtractionParameters
    reference : ExtractionParameters
        Those of the reference file, which the call takes by itself.

    Returns
    -------
    str
        Two statements, with absolute paths, so that they run anywhere.
    """
    arguments = [_text(path)]
    arguments += [f"{name}={_text(Path(value))}" for name, value in overrides.items() if value]
    arguments += [
        f"{name}={_value(_anywhere(value) if name == 'bad_pixels' else value)}"
        for name, value in parameters.asdict().items()
        if value != getattr(reference, name)
    ]
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"from jdaviz_lrs import extract\n\nspectrum = extract(\n{lines})\n"


def _anywhere(bad_pixels: tuple) -> tuple:
    """Give the paths among them from the root."""
    return tuple(str(Path(p).expanduser().resolve()) if isinstance(p, str) else p for p in bad_pixels)


def _text(path: Path) -> str:
    return _value(str(path.expanduser().resolve()))


def _value(value: Any) -> str:
    """Spell a value as one types it: lists in brackets, whole numbers without a point."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(one) for one in value)}]"
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else repr(value)
