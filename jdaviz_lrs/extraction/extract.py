"""The one orchestration: an image, parameters and reference files make a spectrum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.placement import uses_source_position
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.find import References, find_references

__all__ = ["extract", "plan_of"]


def extract(
    image: SpectralImage | str | Path,
    parameters: ExtractionParameters | None = None,
    references: References | None = None,
    *,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> ExtractedSpectrum:
    """Extract a spectrum.

    Parameters
    ----------
    image : SpectralImage or path-like
        An s2d or cal file, or the image already read.
    parameters : ExtractionParameters, optional
        Without it, those of the extract1d reference file.
    references : References, optional
        Without it, found for the image with `find_references`.
    override_extract1d, override_apcorr, override_psf : path-like, optional
        Reference files, as in the pipeline; not beside `references`, which hold all of them.
    progress : callable, optional
        Is told, in a few words, what is under way where it takes long: reference files that are fetched, and
        each step of a refinement. What it raises ends the extraction.
    **changes
        Any parameter by the pipeline's name; wins over `parameters` and the reference file. As in the
        pipeline, ``extraction_type=None`` means optimal extraction where the source's position is used.

    Returns
    -------
    ExtractedSpectrum

    Raises
    ------
    LRSError
        With one sentence that names the file or parameter and what to do.
    """
    overrides = {"extract1d": override_extract1d, "apcorr": override_apcorr, "psf": override_psf}
    plan = plan_of(read(image), parameters, references, overrides, progress, changes)
    return plan.extract(progress)


def plan_of(
    image: SpectralImage,
    parameters: ExtractionParameters | None,
    references: References | None,
    overrides: Mapping[str, str | Path | None],
    progress: Callable[[str], None] | None,
    changes: Mapping[str, Any],
) -> ExtractionPlan:
    """Find references and parameters; the arguments are those of `extract`, `overrides` by kind.

    Raises
    ------
    LRSError
        As `extract`.
    """
    changes = dict(changes)
    given = [f"override_{kind}" for kind, path in overrides.items() if path]
    if references is not None and given:
        raise LRSError(
            f"{' and '.join(given)} cannot go with references, which hold all files; give one of them."
        )
    if references is None:
        references = find_references(
            image, overrides["extract1d"], overrides["apcorr"], overrides["psf"], progress=progress
        )
    if parameters is None:
        parameters = references.parameters
    by_position = "extraction_type" in changes and changes["extraction_type"] is None
    if by_position:
        del changes["extraction_type"]
    parameters = parameters.with_(changes)
    if by_position:
        kind = "optimal" if uses_source_position(image, parameters) else "box"
        parameters = replace(parameters, extraction_type=kind)
    return ExtractionPlan(image, parameters, references)
