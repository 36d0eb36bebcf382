"""Verification: a file extracted here and by the pipeline, how the two agree, and the report of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jdaviz_lrs.extraction.conventions import Difference
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.pipeline.columns import ColumnComparison
from jdaviz_lrs.pipeline.step_call import StepCall
from jdaviz_lrs.products.files import whole_files

__all__ = ["Verification"]


@dataclass(frozen=True, eq=False)
class Verification:
    """A file extracted here and by the pipeline's own step.

    Attributes
    ----------
    file : str
    parameters : ExtractionParameters
        Of ours by default.
    references : Mapping of str to str
        Kind of reference file to what was used, here and there.
    versions : Mapping of str to str
        Of jdaviz-lrs and jwst.
    compatible, default : tuple of ColumnComparison
        Ours with `pipeline_compatible`, and ours by default, beside the pipeline's; empty where there is
        nothing to compare.
    differences : tuple of Difference
        Those of the documentation's tables that are in effect.
    tolerance : float
        Relative: columns that differ by no more are equal.
    call : StepCall
        Of the step that was run; files that were written for it alone are named without a folder.
    extract1d : str
        The text of the extract1d file that the step was given.
    notes : tuple of str
        What else is to be known, in plain sentences.
    integrations : tuple of int or None
        Those that were compared, of a stack; None for all.
    """

    file: str
    parameters: ExtractionParameters
    references: Mapping[str, str]
    versions: Mapping[str, str]
    compatible: tuple[ColumnComparison, ...]
    default: tuple[ColumnComparison, ...]
    differences: tuple[Difference, ...]
    tolerance: float
    call: StepCall
    extract1d: str
    notes: tuple[str, ...] = ()
    integrations: tuple[int, ...] | None = None

    @cached_property
    def equal(self) -> bool:
        """Whether ours with `pipeline_compatible` is the pipeline's spectrum, in every column."""
        return bool(self.compatible) and not any(column.beyond for column in self.compatible)

    @cached_property
    def default_equal(self) -> bool:
        """Whether ours by default is."""
        return bool(self.default) and not any(column.beyond for column in self.default)

    @property
    def sentence(self) -> str:
        """Say how the two agree, in a sentence or two."""
        return _sentence(self)

    def markdown(self) -> str:
        """Return the report, to go into a paper's supplement."""
        return _markdown(self)

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the report as Markdown.

        Raises
        ------
        LRSError
            When the file exists, is the one verified, or cannot be written.
        """
        with whole_files([path], overwrite, [self.call.file]) as (temporary,):
            temporary.write_text(self.markdown(), encoding="utf-8")
        return Path(path)


def _sentence(report: Verification) -> str:
    """Say how ours and the pipeline's agree."""
    if not report.compatible:
        return f"{report.file}: not compared; {report.notes[0]}"
    if not report.equal:
        return (
            f"{report.file}: with pipeline_compatible {_apart(report.compatible)}, "
            "which no known difference explains; please report it."
        )
    same = f"{report.file}: equal to the pipeline's to {_digit(report.compatible)}"
    if report.default_equal:
        return f"{same}, with pipeline_compatible and by default."
    why = "; ".join(dict.fromkeys(row.what for row in report.differences)) or "parameters that only we have"
    return f"{same} with pipeline_compatible; by default {_apart(report.default)} ({why})."


def _digit(columns: tuple[ColumnComparison, ...]) -> str:
    return f"{max(column.largest for column in columns):.0e}"


def _apart(columns: tuple[ColumnComparison, ...]) -> str:
    """Say where the flux, or else the worst column, differs most, and at how many wavelengths."""
    if not columns:
        return "not compared"
    off = [column for column in columns if column.beyond]
    if not off:
        return f"equal to {_digit(columns)}"
    worst = next((column for column in off if column.name == "flux"), max(off, key=lambda one: one.largest))
    by = f"by up to {worst.largest:.1e}" if worst.largest < float("inf") else "where only one has a number,"
    return (
        f"different in {worst.name} {by} at {worst.wavelength:.2f} um "
        f"({worst.beyond} of {worst.size} wavelengths)"
    )


def _markdown(report: Verification) -> str:
    """Return the report: what was compared, how it agrees, column by column, and where it does not, why."""
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    lines = [
        f"# {report.file}: extraction verified with the JWST pipeline",
        "",
        report.sentence,
        "",
        f"- versions: {versions}",
        *(f"- {kind}: {name}" for kind, name in report.references.items()),
        *([] if report.integrations is None else [f"- integrations: {list(report.integrations)}"]),
        f"- parameters: {_parameters(report.parameters)}",
        f"- tolerance: {report.tolerance:.0e}, relative; of flux, surf_bright and background relative to the "
        "light they are differences of",
        "",
        *_table(report),
        "## Differences in effect",
        "",
        *_differences(report.differences),
        "",
    ]
    if report.notes:
        lines += ["## Notes", "", *(f"- {note}" for note in report.notes), ""]
    lines += ["## The step", "", "```python", report.call.python, "```", "", "extract1d.json:", ""]
    lines += ["```json", report.extract1d.rstrip(), "```", ""]
    return "\n".join(lines)


def _parameters(parameters: ExtractionParameters) -> str:
    default = ExtractionParameters()
    given = {
        name: value for name, value in parameters.asdict().items() if value != getattr(default, name)
    } or {"all": "default"}
    return ", ".join(f"`{name}` = {json.dumps(value)}" for name, value in given.items())


def _table(report: Verification) -> list[str]:
    if not report.compatible:
        return []
    columns = zip(report.compatible, report.default or report.compatible, strict=True)
    head = [
        "| column | pipeline_compatible | wavelengths beyond | by default | wavelengths beyond | worst at |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows = [
        f"| {theirs.name} | {_size(theirs)} | {theirs.beyond} of {theirs.size} "
        f"| {_size(ours) if report.default else ''} | {ours.beyond if report.default else ''} "
        f"| {max(theirs, ours, key=lambda one: one.largest).wavelength:.3f} um |"
        for theirs, ours in columns
    ]
    return [*head, *rows, ""]


def _size(column: ColumnComparison) -> str:
    if column.largest == float("inf"):
        return f"{column.ours:.6g}, the pipeline {column.theirs:.6g}"
    return f"{column.largest:.1e}"


def _differences(rows: tuple[Difference, ...]) -> list[str]:
    if not rows:
        return ["None: ours by default does as the pipeline does."]
    return [
        f"- {row.what}: the pipeline: {row.pipeline}; here: {row.here}{f' ({row.size})' if row.size else ''}"
        for row in rows
    ]
