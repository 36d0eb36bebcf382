"""The extract1d reference file (JSON): read, an aperture picked, changed, written back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.modes import DEFAULT, Mode
from jdaviz_lrs.parameters import APERTURE_NAMES, ExtractionParameters
from jdaviz_lrs.products.door import one_sentence, text_of
from jdaviz_lrs.products.files import whole_files
from jdaviz_lrs.references.once import read_once

__all__ = ["BUILT_IN_EXTRACT1D", "WHOLE_IMAGE", "Extract1dReference", "built_in_extract1d", "read_extract1d"]

ANY = "ANY"

LARGEST = 1_000_000
"""Bytes of a file; those of the pipeline, with the apertures of all an instrument's slits, have a tenth."""


@dataclass(frozen=True)
class Extract1dReference:
    """An extract1d reference file.

    Attributes
    ----------
    content : Mapping
        The whole file, keys that we do not know included, in its order.
    name : str
        The file's name.
    text : str or None
        The file as it was read; written back to the letter while nothing has changed.
    """

    content: Mapping[str, Any]
    name: str
    text: str | None = None

    def aperture(self, slit_name: str, spectral_order: int = 1) -> Mapping[str, Any]:
        """Return the aperture for a slit, chosen as the pipeline does.

        Raises
        ------
        LRSError
            When there is none.
        """
        return self.content["apertures"][self._index(slit_name, spectral_order)]

    def _index(self, slit_name: str, spectral_order: int) -> int:
        for index, aperture in enumerate(self.content["apertures"]):
            if (
                aperture.get("id") in (slit_name, ANY)
                and aperture.get("region_type", "target") == "target"
                and aperture.get("spectral_order", spectral_order) in (spectral_order, ANY)
            ):
                return index
        known = "; ".join(map(_described, self.content["apertures"])) or "none"
        raise LRSError(
            f"{self.name}: no aperture has the id {slit_name}, the region_type target and the spectral order "
            f"{spectral_order} (found: {known}); add one or give another file."
        )

    def parameters(self, slit_name: str, spectral_order: int = 1) -> ExtractionParameters:
        """Return the aperture's parameters; unknown keys are warned about and kept on writing."""
        aperture = self.aperture(slit_name, spectral_order)
        unknown = [key for key in aperture if key not in APERTURE_NAMES]
        if unknown:
            warnings.warn(
                f"{self.name}: {', '.join(unknown)} is not used by the extraction and kept as it is.",
                LRSWarning,
                stacklevel=2,
            )
        return self._known(aperture)

    def _known(self, aperture: Mapping[str, Any]) -> ExtractionParameters:
        try:
            return ExtractionParameters().with_(
                {key: value for key, value in aperture.items() if key in APERTURE_NAMES and value is not None}
            )
        except LRSError as error:
            raise LRSError(f"{self.name}: {error}") from None

    def with_parameters(
        self, parameters: ExtractionParameters, slit_name: str, spectral_order: int = 1
    ) -> Extract1dReference:
        """Return a reference whose aperture for a slit holds these parameters; all else stays as it is."""
        index = self._index(slit_name, spectral_order)
        old = self.content["apertures"][index]
        before = self._known(old)
        new = dict(old)
        for name in APERTURE_NAMES:
            value = getattr(parameters, name)
            if value == getattr(before, name):
                continue
            if value is None:
                del new[name]
            else:
                new[name] = value
        if new == old:
            return self
        apertures = [*self.content["apertures"]]
        apertures[index] = new
        return Extract1dReference({**self.content, "apertures": apertures}, self.name)

    def write(
        self, path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path | None] = ()
    ) -> Path:
        """Write the file: to the letter as it was read, or, when changed, with an indent of four.

        Over `inputs` it is never written.
        """
        text = self.text if self.text is not None else json.dumps(self.content, indent=4) + "\n"
        with whole_files([path], overwrite, inputs) as (temporary,):
            temporary.write_text(text, encoding="utf-8", newline="")
        return Path(path)


def _described(aperture: Mapping[str, Any]) -> str:
    kind, order = aperture.get("region_type", "target"), aperture.get("spectral_order", ANY)
    return f"{aperture.get('id')}, {kind}, {order}"


@read_once
def read_extract1d(path: str | Path) -> Extract1dReference:
    """Read an extract1d reference file.

    Raises
    ------
    LRSError
        When the file is missing, no JSON, or has no list of apertures.
    """
    path = Path(path)
    text = text_of(path, LARGEST)
    with one_sentence(path, "not a valid JSON file"):
        content = json.loads(text)
    apertures = content.get("apertures") if isinstance(content, dict) else None
    if not isinstance(apertures, list) or not all(isinstance(one, dict) for one in apertures):
        raise LRSError(f"{path}: no list 'apertures'; an extract1d reference file is needed.")
    return Extract1dReference(content, path.name, text)


def built_in_extract1d(mode: Mode) -> Extract1dReference:
    """Return the aperture of the reference file in use for a mode, for want of a file."""
    aperture = {"id": mode.exposure_type, "region_type": "target", **mode.default_aperture}
    content = {
        "reftype": "EXTRACT1D",
        "instrument": "MIRI",
        "telescope": "JWST",
        "exp_type": mode.exposure_type,
        "apertures": [aperture],
    }
    limits = ", ".join(f"{name} {aperture[name]}" for name in ("xstart", "xstop"))
    return Extract1dReference(content, f"built-in default aperture ({limits})")


#: That of the default mode.
BUILT_IN_EXTRACT1D = built_in_extract1d(DEFAULT)

#: What the pipeline takes where CRDS answers that no file applies.
WHOLE_IMAGE = Extract1dReference({"apertures": [{"id": ANY}]}, "N/A")
