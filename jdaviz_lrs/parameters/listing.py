"""Every parameter in a list, for the README (``python -m jdaviz_lrs.parameters.listing``) and the command."""

from __future__ import annotations

import json
import textwrap
from dataclasses import fields

from jdaviz_lrs.parameters.extraction import ExtractionParameters

__all__ = ["help_text", "markdown_table"]

WHERE = {
    ("file",): "extract1d file",
    ("step",): "step",
    ("file", "step"): "file, step",
    (): "ours",
}


def _value(default: object) -> str:
    return "" if default is None else json.dumps(default)


def markdown_table() -> str:
    """Return name, default, meaning and the pipeline's place of every parameter."""
    rows = ["| parameter | default | what | in the pipeline |", "| --- | --- | --- | --- |"]
    for one in fields(ExtractionParameters):
        declaration = one.metadata["declaration"]
        default = f"`{_value(one.default)}`" if _value(one.default) else ""
        what = f"{declaration.title}. {declaration.hint}"
        rows.append(
            f"| `{one.name}` | {default} | {what} | {WHERE[declaration.source]} |".replace("|  |", "| |")
        )
    return "\n".join(rows)


def help_text(width: int = 100) -> str:
    """Return every parameter with what it means, for the help of the command line."""
    lines = ["parameters for --set (default in brackets):"]
    for one in fields(ExtractionParameters):
        declaration = one.metadata["declaration"]
        default = f" [{_value(one.default)}]" if _value(one.default) else ""
        lines += textwrap.wrap(
            f"{declaration.title}{default}. {declaration.hint}",
            width,
            initial_indent=f"  {one.name:<22}",
            subsequent_indent=" " * 24,
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
