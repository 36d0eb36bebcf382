"""Being sure: the installed pipeline run on the same file, and its spectrum beside ours."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.extract import extract
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.parameters import APERTURE_NAMES, STEP_NAMES, ExtractionParameters
from jdaviz_lrs.pipeline.columns import ColumnComparison, compare_columns
from jdaviz_lrs.pipeline.in_effect import differences_in_effect
from jdaviz_lrs.pipeline.step_call import StepCall, step_defaults
from jdaviz_lrs.pipeline.step_process import Progress, StepResult, demand_pipeline, run_step
from jdaviz_lrs.pipeline.verification import Verification
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.apcorr import ApertureCorrection, write_apcorr
from jdaviz_lrs.references.find import References, find_references
from jdaviz_lrs.references.psf import write_psf

__all__ = ["EQUAL", "EQUAL_AFTER_SIMPLEX", "verify"]

EQUAL = 1e-6
"""Relative difference of columns that count as equal: single precision, with room for sums."""

EQUAL_AFTER_SIMPLEX = 1e-4
"""The same where the pipeline fits the place of the traces: its search stops at about 1e-4 px."""

NOT_APPLICABLE = "N/A"

ALWAYS = ("spectral_order is None; using 1",)
"""What the pipeline warns of whatever it is given."""

EXTRACT1D = "extract1d.json"


def verify(
    path: str | Path | SpectralImage,
    *,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
    progress: Progress | None = None,
    integrations: Sequence[int] | None = None,
    **parameters: Any,
) -> Verification:
    """Run the installed pipeline's Extract1dStep on a file, and compare its spectrum with ours.

    The step runs in a process of its own, with the same reference files and without CRDS. What only we have
    (refinements, further sources and bad pixels) it cannot be given, nor is it in our spectrum with
    `pipeline_compatible`, which must equal the pipeline's; ours by default may differ, and the report says in
    what, and why.

    Parameters
    ----------
    path : path-like or SpectralImage
        An s2d or cal file, or an image read from one.
    override_extract1d, override_apcorr, override_psf : path-like, optional
        As of `jdaviz_lrs.extract`.
    progress : callable, optional
        Is told what is under way, several times a second; what it raises ends both extractions.
    integrations : sequence of int, optional
        Of a stack, those to compare: the pipeline takes a good part of a second for each.
    **parameters
        Of the extraction, by the pipeline's names.

    Returns
    -------
    Verification

    Raises
    ------
    LRSError
        When the pipeline is not installed, its process fails or is ended, or ours cannot extract.
    """
    demand_pipeline()
    image = read(path)
    if image.path is None:
        raise LRSError("The image comes from no file; give the path of one, which the pipeline can read.")
    given = {name: value for name, value in parameters.items() if name != "pipeline_compatible"}
    references = find_references(image, override_extract1d, override_apcorr, override_psf, progress=progress)
    sample = _sample(image, integrations)
    found: dict[str, Any] = {}

    def extract_here() -> None:
        found["compatible"] = _compatible(sample, shared, references)
        found["differences"] = differences_in_effect(sample, shared, references)

    ours = extract(sample, references=references, progress=progress, **given)
    wanted = ExtractionParameters().with_(ours.parameters)
    shared = replace(_of_the_pipeline(wanted), pipeline_compatible=False)
    with tempfile.TemporaryDirectory(prefix="lrs-verify-") as folder:
        call, notes = _step_call(sample, shared, references, Path(folder))
        result = run_step(call, progress, integrations, extract_here)
        extract1d = Path(folder, EXTRACT1D).read_text(encoding="utf-8")
    compatible = found["compatible"]
    fits_place = shared.extraction_type == "optimal" and shared.optimize_psf_location
    tolerance = EQUAL_AFTER_SIMPLEX if fits_place else EQUAL
    both = {
        name: _comparison(spectrum, result, tolerance)
        for name, spectrum in {"compatible": compatible, "default": ours}.items()
    }
    return Verification(
        file=image.file_name,
        parameters=wanted,
        references=ours.references,
        versions={"jdaviz-lrs": version("jdaviz-lrs"), "jwst": result.version},
        **both,
        differences=found["differences"],
        tolerance=tolerance,
        call=_without_folder(call, folder),
        extract1d=extract1d,
        notes=(
            *_told(wanted, shared, compatible, result),
            *notes,
            *references.notes_on(set(ours.references)),
        ),
        integrations=None if integrations is None else tuple(int(one) for one in integrations),
    )


def _without_folder(call: StepCall, folder: str) -> StepCall:
    return replace(
        call,
        arguments={
            name: Path(value).name if str(value).startswith(folder) else value
            for name, value in call.arguments.items()
        },
    )


def _sample(image: SpectralImage, integrations: Sequence[int] | None) -> SpectralImage:
    """Return an image of some integrations."""
    if integrations is None:
        return image
    if image.data.ndim < 3:
        raise LRSError(f"{image.file_name}: it has a single integration; leave integrations out.")
    chosen, number = [int(one) for one in integrations], len(image.data)
    if not chosen or not all(0 <= one < number for one in chosen):
        raise LRSError(f"integrations = {chosen} are not all there; give some of 0 to {number - 1}.")
    planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    return replace(image, **{name: getattr(image, name)[chosen] for name in planes})


def _of_the_pipeline(parameters: ExtractionParameters) -> ExtractionParameters:
    """Return the parameters without those that only we have, and without images to be saved."""
    known = {*APERTURE_NAMES, *STEP_NAMES}
    default = ExtractionParameters()
    names = (n for n in parameters.names() if n not in known or n.startswith("save_"))
    return parameters.with_({name: getattr(default, name) for name in names})


def _compatible(
    image: SpectralImage, shared: ExtractionParameters, references: References
) -> ExtractedSpectrum | LRSError:
    try:
        return ExtractionPlan(image, replace(shared, pipeline_compatible=True), references).extract()
    except LRSError as error:
        return error


def _step_call(
    image: SpectralImage, shared: ExtractionParameters, references: References, folder: Path
) -> tuple[StepCall, list[str]]:
    """Say how the step is run with all that the extraction has, reference files included.

    What a built-in model stands in for here is written as a file for the pipeline.
    """
    in_file = replace(shared, bkg_fit="poly", bkg_order=0) if shared.bkg_fit == "mean" else shared
    observation = image.observation
    extract1d = references.extract1d.with_parameters(
        in_file, observation.slit_name, observation.spectral_order
    )
    files = {"extract1d": str(extract1d.write(folder / EXTRACT1D))}
    files |= dict.fromkeys(("apcorr", "psf"), NOT_APPLICABLE)
    notes: list[str] = []
    given = {kind: str(Path(path).expanduser().resolve()) for kind, path in references.files.items()}
    if shared.extraction_type == "optimal":
        if "psf" not in references.not_applicable:
            files["psf"] = given.get("psf") or str(write_psf(references.psf, folder / "psf.fits"))
    elif _corrects(image, shared, references):
        if "apcorr" in given:
            files["apcorr"] = given["apcorr"]
        else:
            files["apcorr"] = str(_computed_apcorr(image, shared, references, folder / "apcorr.fits"))
            notes.append(
                "There is no apcorr file: the pipeline was given the aperture correction that is computed "
                "here, which is not verified by this."
            )
    arguments = {
        name: getattr(shared, name)
        for name, default in step_defaults().items()
        if getattr(shared, name) != default
    }
    if files["apcorr"] == NOT_APPLICABLE and shared.extraction_type == "box":
        arguments["apply_apcorr"] = False
    overrides = {f"override_{kind}": path for kind, path in files.items()}
    return StepCall(str(Path(image.path).resolve()), {**overrides, **arguments}), notes


def _corrects(image: SpectralImage, shared: ExtractionParameters, references: References) -> bool:
    applies = shared.apply_apcorr and "apcorr" not in references.not_applicable
    return applies and image.observation.source_type == "POINT"


def _computed_apcorr(
    image: SpectralImage, shared: ExtractionParameters, references: References, path: Path
) -> Path:
    """Write the correction that is computed here, for whatever number of pixels."""
    spectrum = ExtractionPlan(image, replace(shared, pipeline_compatible=True), references).extract()
    known = np.isfinite(spectrum.apcorr)
    order = np.argsort(spectrum.wavelength[known])
    wavelength, correction = (column[known][order] for column in (spectrum.wavelength, spectrum.apcorr))
    table = ApertureCorrection(
        "computed", wavelength, np.array([1.0, 255.0]), "pixels", np.stack([correction] * 2, axis=1)
    )
    return write_apcorr(table, path, image.observation.subarray or "FULL", image.mode)


def _comparison(
    spectrum: ExtractedSpectrum | LRSError, result: StepResult, tolerance: float
) -> tuple[ColumnComparison, ...]:
    """Compare where there is something to compare."""
    if isinstance(spectrum, LRSError) or not _same_shape(spectrum, result):
        return ()
    return compare_columns(spectrum, result.columns, tolerance)


def _same_shape(spectrum: ExtractedSpectrum, result: StepResult) -> bool:
    return bool(result.columns) and result.columns["flux"].shape == np.squeeze(spectrum.flux).shape


def _told(
    wanted: ExtractionParameters,
    shared: ExtractionParameters,
    compatible: ExtractedSpectrum | LRSError,
    result: StepResult,
) -> list[str]:
    """Say what could not be compared, and what ours by default has beside."""
    notes = []
    if not result.columns:
        why = f": {result.warnings[-1]}" if result.warnings else ""
        notes.append(f"The pipeline gives no spectrum{why}")
    elif isinstance(compatible, LRSError):
        notes.append(f"With pipeline_compatible there is no spectrum here: {compatible}")
    elif not _same_shape(compatible, result):
        there, here = result.columns["flux"].shape, compatible.flux.shape
        notes.append(f"The pipeline's spectrum has the shape {there}, ours {here}.")
    ignored = ("pipeline_compatible", "save_")
    only = [
        name
        for name in wanted.names()
        if not name.startswith(ignored) and getattr(wanted, name) != getattr(shared, name)
    ]
    if only:
        notes.append(f"Not in the pipeline, and so in ours by default only: {', '.join(only)}.")
    notes += [f"The pipeline warns: {one}" for one in result.warnings if result.columns and one not in ALWAYS]
    if shared.smoothing_length and shared.extraction_type == "box":
        notes.append("The pipeline smooths the background in single precision, which its columns show.")
    return notes
