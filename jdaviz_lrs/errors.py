"""The one family of errors that users meet."""

__all__ = ["LRSError", "LRSWarning"]


class LRSError(ValueError):
    """What is wrong, in which file or parameter, and what to do about it, in one sentence."""


class LRSWarning(UserWarning):
    """Something the user should know about a result that is nevertheless valid."""
