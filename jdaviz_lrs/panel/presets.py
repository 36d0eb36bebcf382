"""Presets: ways to extract by name, those of STScI's notebook and the user's own, in small JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jdaviz_lrs.analysis.taper import tapered_aperture
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.panel.free_region import add_free_region
from jdaviz_lrs.panel.layout import lay_out
from jdaviz_lrs.panel.parameter_traits import as_meant, as_typed
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.files import whole_file

__all__ = [
    "ENDING",
    "EXAMPLES",
    "Preset",
    "preset_names",
    "preset_of",
    "presets_beside",
    "read_preset",
    "write_preset",
]

#: How the names of their files end.
ENDING = ".lrs-preset.json"

#: The key by which such a file is known.
KEY = "jdaviz_lrs_preset"

#: On either side of the source, in FWHM.
TAPER = 1.5


@dataclass(frozen=True)
class Preset:
    """A way to extract.

    Attributes
    ----------
    name, hint : str
    parameters : Mapping of str to Any
        What it changes of the parameters that the reference file gives.
    regions : int
        How many background regions are laid where there is room.
    tapered : bool
        Whether the aperture widens with the PSF.
    """

    name: str
    hint: str
    parameters: Mapping[str, Any]
    regions: int = 0
    tapered: bool = False

    def plan(self, plan: ExtractionPlan) -> ExtractionPlan:
        """Return the plan that extracts so, from the image and with the references of another.

        Raises
        ------
        LRSError
            Where it does not go with the image.
        """
        parameters = plan.references.parameters.with_(self.parameters)
        made = replace(plan, parameters=parameters)
        if self.tapered:
            tapered = tapered_aperture(TAPER, image=made.seen, psf=made.references.psf)
            made = replace(made, parameters=parameters.with_({**tapered, "extract_width": None}))
        for _ in range(self.regions):
            added = add_free_region(made.image, made.parameters, lay_out(made))
            made = replace(made, parameters=made.parameters.with_(added))
        return made


BOX: dict[str, Any] = {"extraction_type": "box"}
OPTIMAL: dict[str, Any] = {
    "extraction_type": "optimal",
    "use_source_posn": True,
    "optimize_psf_location": True,
}
LINE: dict[str, Any] = {"subtract_background": True, "bkg_fit": "poly", "bkg_order": 1}

EXAMPLES = (
    Preset(
        "8 px, as the file places it",
        "Box of 8 pixels where the reference file has it.",
        BOX | {"use_source_posn": False, "extract_width": 8.0},
    ),
    Preset(
        "12 px, as the file places it",
        "Box of 12 pixels where the reference file has it.",
        BOX | {"use_source_posn": False, "extract_width": 12.0},
    ),
    Preset(
        "8 px on the source",
        "Box of 8 pixels about the source's position in the header.",
        BOX | {"use_source_posn": True, "extract_width": 8.0},
    ),
    Preset(
        "8 px with background",
        "Box of 8 pixels on the source; a line fitted to two regions beside it is subtracted.",
        BOX | {"use_source_posn": True, "extract_width": 8.0} | LINE,
        regions=2,
    ),
    Preset(
        "Tapered, 3 FWHM",
        "Box that widens with the PSF: 1.5 FWHM on either side of the source.",
        BOX | {"use_source_posn": True},
        tapered=True,
    ),
    Preset(
        "Optimal, nod pair",
        "The PSF is fitted to the source and to the other nod's negative trace.",
        OPTIMAL | {"model_nod_pair": True, "subtract_background": False},
    ),
    Preset(
        "Optimal with background",
        "The PSF is fitted together with a background that is a line across the slit.",
        OPTIMAL | {"model_nod_pair": False} | LINE,
    ),
)


def write_preset(path: str | Path, parameters: ExtractionParameters, overwrite: bool = False) -> Path:
    """Write parameters, as far as they are not the defaults, under the name of the file.

    Raises
    ------
    LRSError
        When the file exists and `overwrite` is false, or cannot be written.
    """
    path = Path(path)
    if not path.name.endswith(ENDING):
        path = path.with_name(f"{path.name.removesuffix('.json')}{ENDING}")
    default = as_typed(ExtractionParameters())
    own = {name: value for name, value in as_typed(parameters).items() if value != default[name]}
    text = json.dumps({KEY: _name(path), "parameters": own}, indent=1) + "\n"
    with whole_file(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def read_preset(path: str | Path) -> Preset | None:
    """Read what `write_preset` wrote; None where a file is JSON or other text, but no preset.

    Raises
    ------
    LRSError
        For a file that cannot be read, and for parameters that cannot be meant.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LRSError(f"{path}: it cannot be read ({error.strerror}); give another path.") from None
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or KEY not in content:
        return None
    given = content.get("parameters")
    if not isinstance(given, dict):
        raise LRSError(f"{path}: a preset without parameters; save it again.")
    try:
        named = {name: as_meant(name, value) for name, value in given.items() if value is not None}
        parameters = ExtractionParameters().with_(named)
    except LRSError as error:
        raise LRSError(f"{path}: {error}") from None
    return Preset(_name(path), f"From {path.name}.", as_typed(parameters))


def presets_beside(*folders: Path) -> dict[str, Path]:
    """Return the presets in some folders, by name."""
    found = (path for folder in folders for path in sorted(folder.glob(f"*{ENDING}")))
    return {_name(path): path for path in found}


def preset_names(*folders: Path) -> tuple[str, ...]:
    """Return the names of the examples, and of the presets in some folders."""
    return (*(one.name for one in EXAMPLES), *presets_beside(*folders))


def preset_of(name: str, *folders: Path) -> Preset:
    """Return the example of this name, or the preset in one of some folders.

    Raises
    ------
    LRSError
        When there is none, or its file cannot be read.
    """
    known, own = {one.name: one for one in EXAMPLES}, presets_beside(*folders)
    preset = known.get(name) or (read_preset(own[name]) if name in own else None)
    if preset is None:
        raise LRSError(f"{name!r} is no preset; there are: {', '.join(preset_names(*folders))}.")
    return preset


def _name(path: Path) -> str:
    return path.name.removesuffix(ENDING)
