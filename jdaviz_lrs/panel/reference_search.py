"""ReferenceSearch: has the reference files found, and lets a search be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike, fspath
from weakref import WeakKeyDictionary

from traitlets import Unicode

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.tasks import Work, browser_loop
from jdaviz_lrs.references.find import References, asks_crds, find_references

__all__ = ["CANCELLED", "OVERRIDES", "PathText", "ReferenceSearch"]

OVERRIDES = ("override_extract1d", "override_apcorr", "override_psf")

CANCELLED = "The search in CRDS was cancelled"


class PathText(Unicode):
    """Text of a path; a path-like is written out, None is none."""

    def validate(self, obj, value):
        """Turn it into text."""
        if isinstance(value, PathLike):
            value = fspath(value)
        return super().validate(obj, "" if value is None else value)


class ReferenceSearch:
    """Finds reference files; what CRDS has for an image is looked for once.

    Parameters
    ----------
    tell : callable
        Is told, in a few words, what is looked for where that can be cancelled; an empty text at the end.
    say : callable
        Is told the same and how it ended, with the colour of a message; none for work under way.
    """

    def __init__(self, tell: Callable[[str], None], say: Callable[[str, str | None], None]):
        self._tell_line, self._say = tell, say
        self._found: WeakKeyDictionary[SpectralImage, References] = WeakKeyDictionary()
        self.searches: dict[tuple, Work[References]] = {}
        self._telling = False

    @property
    def under_way(self) -> bool:
        """Whether anything is being looked for."""
        return bool(self.searches)

    def find(
        self,
        image: SpectralImage,
        then: Callable[[References | LRSError], None],
        given: Mapping[str, str] | None = None,
    ) -> None:
        """Collect the reference files for an image, telling what is downloaded.

        What a script asks for is there on return; what is asked for in the browser may come later.

        Parameters
        ----------
        image : SpectralImage
        then : callable
            What to do with the files, or with the error of a file that does not do.
        given : Mapping of str to str, optional
            Files that win, by the names in `OVERRIDES`.
        """
        overrides = tuple((given or {}).get(name) or None for name in OVERRIDES)
        if not any(overrides) and image in self._found:
            then(self._found[image])
            return
        key = (image, *overrides)
        if key in self.searches:
            self.searches[key].then(then)
            self.wait()
            return

        def keep(found: References | LRSError) -> None:
            self.searches.pop(key, None)
            if not any(overrides) and isinstance(found, References):
                self._found[image] = found
            self._end_telling(found)

        def find(tell: Callable[[str], None]) -> References:
            return find_references(image, *overrides, progress=tell)

        loop = browser_loop() if asks_crds(image, *overrides) else None
        if loop is None:
            found = _outcome(lambda: find(self._tell))
            keep(found)
            then(found)
            return
        search = self.searches[key] = Work(
            "The search for reference files", find, self._tell_with_cancel, loop
        )
        search.then(keep)
        search.then(then)
        self._tell_with_cancel("Looking for the reference files in CRDS")
        search.start()

    def wait(self) -> None:
        """Let a script wait for what the browser asked for."""
        if self.searches and browser_loop() is None:
            for search in tuple(self.searches.values()):
                search.wait()

    def cancel(self) -> None:
        """Do without CRDS."""
        for (image, *overrides), search in tuple(self.searches.items()):
            search.end_with(_outcome(lambda given=(image, *overrides): _without_crds(*given)))

    def forget(self) -> None:
        """Ask CRDS again, when files are next wanted."""
        self._found.clear()

    def _tell(self, line: str) -> None:
        """Show a line as work under way; the browser paints it even while the kernel works."""
        self._telling = True
        self._say(line, None)

    def _tell_with_cancel(self, line: str) -> None:
        self._tell_line(line)
        self._tell(f"{line} (to cancel: LRS Extraction)")

    def _end_telling(self, found: References | LRSError) -> None:
        if self.searches:  # another one goes on
            return
        self._tell_line("")
        if not self._telling:
            return
        self._telling = False
        color, text = "success", "The reference files are there."
        if isinstance(found, LRSError):
            color, text = "error", "The reference files were not found."
        elif CANCELLED in found.stand_ins.values():
            color, text = "warning", f"{CANCELLED}: built-in models are used."
        self._say(text, color)


def _outcome(find: Callable[[], References]) -> References | LRSError:
    try:
        return find()
    except LRSError as error:
        return error
    except Exception as error:
        return LRSError(f"The reference files cannot be used: {error!r}.")


def _without_crds(image: SpectralImage, *overrides: str | None) -> References:
    found = find_references(image, *overrides, crds=False)
    return replace(found, stand_ins=dict.fromkeys(found.stand_ins, CANCELLED))
