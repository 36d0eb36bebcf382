"""The one family of errors that users meet."""

__all__ = ["LONGEST", "LRSError", "LRSWarning", "on_one_line"]

LONGEST = 300
"""Characters of a message: what is longer is not read."""


class LRSError(ValueError):
    """What is wrong, in which file or parameter, and what to do about it, in one sentence.

    Whatever names and values go into the sentence, it stays on one line and within `LONGEST` characters.
    """

    def __init__(self, sentence: object = "") -> None:
        super().__init__(_shortened(on_one_line(str(sentence))))


def on_one_line(text: str) -> str:
    """Spell what cannot be shown: a name may hold line ends, control characters, or bytes of no encoding."""
    return "".join(c if c.isprintable() else " " if c.isspace() else ascii(c)[1:-1] for c in text)


def _shortened(text: str) -> str:
    """Leave out the middle: the file stands at the beginning, and what to do at the end."""
    if len(text) <= LONGEST:
        return text
    last = LONGEST // 2
    return f"{text[: LONGEST - last - 5]} ... {text[-last:]}"


class LRSWarning(UserWarning):
    """Something the user should know about a result that is nevertheless valid."""
