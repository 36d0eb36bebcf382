"""What is to be known of several inputs, each thing once."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["notes_of_all"]


def notes_of_all(names: Sequence[str], notes: Sequence[Sequence[str]]) -> list[str]:
    """Gather the notes of several inputs, and name those that each is about.

    Parameters
    ----------
    names : sequence of str
    notes : sequence of sequence of str
        Of each input.

    Returns
    -------
    list of str
        In the order in which they first appear.
    """
    about: dict[str, list[str]] = {}
    for name, told in zip(names, notes, strict=True):
        for note in dict.fromkeys(told):
            about.setdefault(note, []).append(name)
    return [
        f"{'All inputs' if len(those) == len(names) else ', '.join(those)}: {note}"
        for note, those in about.items()
    ]
