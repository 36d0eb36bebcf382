"""The part of the panel that has the reference files found, and lets a search be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os import PathLike, fspath
from weakref import WeakKeyDictionary

from glue.core import HubListener
from ipyvuetify import VuetifyTemplate
from jdaviz.core.events import SnackbarMessage
from traitlets import Bool, Unicode

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.panel.work import Work, browser_loop
from jdaviz_lrs.references.find import References, asks_crds, find_references

__all__ = ["CANCELLED", "OVERRIDES", "ReferenceSearch"]

OVERRIDES = ("override_extract1d", "override_apcorr", "override_psf")

CANCELLED = "The search in CRDS was cancelled"


class PathText(Unicode):
    """Text of a path; a path-like is written out, None is none."""

    def validate(self, obj, value):
        """Turn it into text."""
        if isinstance(value, PathLike):
            value = fspath(value)
        return super().validate(obj, "" if value is None else value)


class ReferenceSearch(VuetifyTemplate, HubListener):
    """Finds reference files; what CRDS has for an image is looked for once."""

    override_extract1d = PathText().tag(sync=True)
    override_apcorr = PathText().tag(sync=True)
    override_psf = PathText().tag(sync=True)
    search_line = Unicode().tag(sync=True)
    search_cancelled = Bool(False).tag(sync=True)

    _telling = False

    def __init__(self, *args, **kwargs):
        self._found: WeakKeyDictionary[SpectralImage, References] = WeakKeyDictionary()
        self._searches: dict[tuple, Work[References]] = {}
        super().__init__(*args, **kwargs)

    def find_references(
        self, image: SpectralImage, then: Callable[[References | LRSError], None], given: bool = True
    ) -> None:
        """Collect the reference files for an image, telling what is downloaded.

        What a script asks for is there on return; what is asked for in the browser may come later.

        Parameters
        ----------
        image : SpectralImage
        then : callable
            What to do with the files, or with the error of a file that does not do.
        given : bool
            Whether those given in the panel win.
        """
        overrides = tuple(getattr(self, name) or None for name in OVERRIDES) if given else (None,) * 3
        if not any(overrides) and image in self._found:
            then(self._found[image])
            return
        key = (image, *overrides)
        if key in self._searches:
            self._searches[key].then(then)
            self.wait_for_search()
            return

        def keep(found: References | LRSError) -> None:
            self._searches.pop(key, None)
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
        search = self._searches[key] = Work(
            "The search for reference files", find, self._tell_with_cancel, loop
        )
        search.then(keep)
        search.then(then)
        self._tell_with_cancel("Looking for the reference files in CRDS")
        search.start()

    def wait_for_search(self) -> None:
        """Let a script wait for what the browser asked for."""
        if self._searches and browser_loop() is None:
            for search in tuple(self._searches.values()):
                search.wait()

    def vue_cancel_search(self, _=None) -> None:
        """Do without CRDS."""
        for (image, *overrides), search in tuple(self._searches.items()):
            search.end_with(_outcome(lambda given=(image, *overrides): _without_crds(*given)))

    def vue_search_again(self, _=None) -> None:
        """Ask CRDS again."""
        self._found.clear()
        self.on_search_again()

    def on_search_again(self) -> None:
        """Look for the files of the dataset; for the other parts of the panel to extend."""

    def _tell(self, line: str) -> None:
        """Show a line as work under way; the browser paints it even while the kernel works."""
        self._telling = True
        self.hub.broadcast(SnackbarMessage(line, sender=self, loading=True))

    def _tell_with_cancel(self, line: str) -> None:
        self.search_line = line
        self._tell(f"{line} (to cancel: LRS Extraction)")

    def _end_telling(self, found: References | LRSError) -> None:
        if self._searches:  # another one goes on
            return
        self.search_line = ""
        if not self._telling:
            return
        self._telling = False
        color, text = "success", "The reference files are there."
        if isinstance(found, LRSError):
            color, text = "error", "The reference files were not found."
        elif CANCELLED in found.stand_ins.values():
            color, text = "warning", f"{CANCELLED}: built-in models are used."
        self.hub.broadcast(SnackbarMessage(text, sender=self, color=color))


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
