"""How a spectrum was made, in the header of its table (``HIERARCH LRS ...``): written and read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from astropy.io import fits

from jdaviz_lrs.data.making import Making
from jdaviz_lrs.data.provenance import PREFIX, provenance, read_verdict
from jdaviz_lrs.products.door import one_sentence
from jdaviz_lrs.products.files import in_ascii

__all__ = ["being_written", "read_made", "tell_made"]


def being_written(spectrum: Making) -> AbstractContextManager[None]:
    """Turn what no library can write into a sentence that names the input; what a disk refuses passes."""
    image = getattr(spectrum, "image", None)
    name = getattr(spectrum, "file_name", "") or getattr(image, "file_name", "") or "the spectrum"
    return one_sentence(name, "what was made of it cannot be written", (OSError,))


def tell_made(header: fits.Header, spectrum: Making) -> None:
    """Write into a header what `provenance` tells of a spectrum."""
    for name, value in provenance(spectrum).items():
        header[f"HIERARCH {PREFIX} {name}"] = in_ascii(value) if isinstance(value, str) else value


def read_made(header: fits.Header) -> dict[str, Any]:
    """Return what `tell_made` has written: ``parameters``, ``notes`` and ``verdict`` of a spectrum.

    A name with a damaged letter, which no header can be given, is left out.
    """
    named = ((key[len(PREFIX) + 1 :], value) for key, value in header.items() if key.startswith(f"{PREFIX} "))
    made = {name: value for name, value in named if name.isascii() and name.isprintable()}
    notes = tuple(value for key, value in made.items() if key.startswith("note_"))
    return {"parameters": made, "notes": notes, "verdict": read_verdict(made)}
