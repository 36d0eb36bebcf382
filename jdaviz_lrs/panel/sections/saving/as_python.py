"""The Python call that repeats an extraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jdaviz_lrs.parameters import ExtractionParameters

__all__ = ["as_python"]


def as_python(
    paths: Sequence[Path],
    overrides: Mapping[str, str],
    parameters: ExtractionParameters,
    reference: ExtractionParameters,
    series: bool = False,
) -> str:
    """Write the call of `jdaviz_lrs.extract` that gives the same spectrum.

    Parameters
    ----------
    paths : sequence of Path
        Of the 2-D spectrum, or of the segments of a time series.
    overrides : Mapping of str to str
        ``override_extract1d`` and the like to a path; empty ones are left out.
    parameters : ExtractionParameters
    reference : ExtractionParameters
        Those of the reference file, which the call takes by itself.
    series : bool
        Whether a time series is extracted.

    Returns
    -------
    str
        Two statements, with absolute paths, so that they run anywhere.
    """
    arguments = [_value([_anywhere(path) for path in paths]) if series else _value(_anywhere(paths[0]))]
    arguments += [f"{name}={_value(_anywhere(value))}" for name, value in overrides.items() if value]
    arguments += [
        f"{name}={_value(_all_anywhere(value) if name == 'bad_pixels' else value)}"
        for name, value in parameters.asdict().items()
        if value != getattr(reference, name)
    ]
    lines = "".join(f"    {argument},\n" for argument in arguments)
    result = "series" if series else "spectrum"
    return f"from jdaviz_lrs import extract\n\n{result} = extract(\n{lines})\n"


def _all_anywhere(bad_pixels: tuple) -> tuple:
    """Give the paths among them from the root."""
    return tuple(_anywhere(one) if isinstance(one, str) else one for one in bad_pixels)


def _anywhere(path: str | Path) -> str:
    """Give a path from the root."""
    return str(Path(path).expanduser().resolve())


def _value(value: Any) -> str:
    """Spell a value as one types it: lists in brackets, whole numbers without a point."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(one) for one in value)}]"
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else repr(value)
