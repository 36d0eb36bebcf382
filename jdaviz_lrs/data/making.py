"""Making: how a spectrum was made, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jdaviz_lrs.data.verdict import Verdict

__all__ = ["Making"]


@dataclass(frozen=True, eq=False, repr=False)
class Making:
    """How a spectrum was made.

    Attributes
    ----------
    parameters : Mapping of str to object
        Every parameter in effect, by the pipeline's names.
    references : Mapping of str to str
        Kind of reference file (``extract1d``, ``apcorr``, ``psf``) to the name of what was used.
    inputs : tuple of path-like
        Files that it was made of, which are never written over: the image, references, lists of bad pixels.
    notes : tuple of str
        What the user should know about this result, in plain sentences.
    report : Mapping of str to object
        What was fitted beyond the fluxes (refinements, advice), by name; plain numbers.
    verdict : Verdict or None
        How far to trust it, in plain numbers; None for a spectrum read from a file of the pipeline's.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str | Path, ...] = ()
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
