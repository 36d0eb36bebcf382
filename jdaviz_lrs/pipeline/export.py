"""The way back to the pipeline: an extract1d file that gives the same spectrum there, and its call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.conventions import PIPELINE, convention_of
from jdaviz_lrs.extraction.placement import Placement, place, subtracts_background
from jdaviz_lrs.parameters import BOX_REFINEMENTS, Coefficients, ExtractionParameters
from jdaviz_lrs.pipeline.step_call import StepCall, step_defaults
from jdaviz_lrs.products.orientation import to_image_axes
from jdaviz_lrs.references.extract1d import Extract1dReference

__all__ = ["Export", "export_extract1d"]

#: Edges closer than this, in pixels, give the same spectrum to 1e-6.
SAME_EDGES = 1e-7

#: Of polynomials that in plain powers of rows or wavelengths still hold 1e-7 px.
MAX_DEGREE = 15


@dataclass(frozen=True)
class Export:
    """An extract1d reference for the pipeline, and how its step is to be run with it.

    Attributes
    ----------
    reference : Extract1dReference
    step_parameters : dict
        Every argument of the pipeline's step that differs from the step's own default, whether the file has a
        place for it or not.
    notes : tuple of str
        Where the pipeline cannot give the same numbers.
    """

    reference: Extract1dReference
    step_parameters: dict[str, Any]
    notes: tuple[str, ...]

    def call(
        self, file: str | Path, extract1d: str | Path, overrides: Mapping[str, str | Path] | None = None
    ) -> StepCall:
        """Return the call of the step that gives our spectrum.

        Parameters
        ----------
        file : path-like
            The 2-D spectrum.
        extract1d : path-like
            Where `reference` is written to.
        overrides : Mapping of str to path-like
            ``override_apcorr`` and the like, as the extraction was given them; empty ones are left out.
        """
        files = {**(overrides or {}), "override_extract1d": extract1d}
        files = {name: _absolute_path(path) for name, path in files.items() if path}
        return StepCall(_absolute_path(file), {**files, **self.step_parameters})


def export_extract1d(
    image: SpectralImage,
    parameters: ExtractionParameters,
    reference: Extract1dReference,
    stand_ins: Collection[str] = (),
    placement: Placement | None = None,
) -> Export:
    """Express an extraction in an extract1d reference file.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
    reference : Extract1dReference
        Whose other apertures and keys are kept.
    stand_ins : collection of str
        Kinds of reference file for which a built-in model stands in.
    placement : Placement, optional
        Of a box extraction with these parameters, where it is known.

    Returns
    -------
    Export
        Given to the pipeline's step as ``override_extract1d`` its file yields our spectrum: where the
        pipeline would place the aperture elsewhere, it holds absolute `src_coeff` with `use_source_posn`
        false.

    Raises
    ------
    LRSError
        When the parameters do not fit the image.
    """
    exported = parameters
    notes: list[str] = []
    if parameters.bkg_fit == "mean":  # not known to the pipeline in a file
        exported = replace(exported, bkg_fit="poly", bkg_order=0)
    if not subtracts_background(parameters):
        exported = replace(exported, bkg_coeff=None)
    if parameters.extraction_type == "box":
        placement = place(image, parameters) if placement is None else placement
        if parameters.position_offset != 0 or not _pipeline_agrees(image, exported, placement):
            exported, notes = _absolute(image, exported, placement)
        notes += _other_numbers(image, exported, placement)
    subtracts = subtracts_background(exported)
    step_parameters = {
        name: getattr(exported, name)
        for name, default in step_defaults().items()
        if getattr(exported, name) != default and (subtracts or name not in OF_THE_BACKGROUND)
    }
    convention = convention_of(parameters)
    if parameters.extraction_type == "optimal":
        if parameters.refinements or parameters.sources:
            notes.append("The pipeline has no refinements or further sources.")
        elif convention is not PIPELINE:
            notes.append(
                "The pipeline's optimal extraction differs slightly; pipeline_compatible gives its numbers."
            )
    elif set(BOX_REFINEMENTS) & set(parameters.refinements):
        notes.append("The pipeline rejects no outliers: its flux will differ where we have left some out.")
    if parameters.bad_pixels:
        notes.append(
            "The pipeline takes no list of bad_pixels: set DO_NOT_USE (1) in the DQ of the file it extracts."
        )
    for name in ("bkg_sigma_clip", "bkg_disp_order"):
        if getattr(parameters, name) is not None:
            notes.append(f"The pipeline has no {name}: its background will differ.")
    if (
        not image.resampled
        and subtracts
        and parameters.smoothing_length
        and convention.smoothing_ends_with_slit
    ):
        notes.append("On a detector image the pipeline smooths the background across the ends of the slit.")
    if parameters.apcorr_method != "reference" and parameters.apply_apcorr:
        notes.append(
            "The pipeline interpolates the aperture correction: its flux scale will differ slightly."
        )
    notes += _other_files(image, parameters, stand_ins)
    observation = image.observation
    return Export(
        reference.with_parameters(exported, observation.slit_name, observation.spectral_order),
        step_parameters,
        tuple(notes),
    )


#: Without a meaning where none is subtracted.
OF_THE_BACKGROUND = ("bkg_fit", "bkg_order", "smoothing_length")


def _other_files(
    image: SpectralImage, parameters: ExtractionParameters, stand_ins: Collection[str]
) -> list[str]:
    """Say where the pipeline takes a file from CRDS that was not at hand here."""
    if parameters.extraction_type == "optimal":
        kind = "psf"
    elif parameters.apply_apcorr and image.observation.source_type == "POINT":
        kind = "apcorr"
    else:
        return []
    if kind not in stand_ins:
        return []
    return [
        f"The pipeline takes its {kind} file from CRDS, for which a built-in model stands in here: its flux "
        f"will differ; give both the same file with override_{kind}."
    ]


def _absolute_path(path: str | Path) -> str:
    return str(Path(path).expanduser().resolve())


def _pipeline_agrees(image: SpectralImage, parameters: ExtractionParameters, ours: Placement) -> bool:
    try:
        theirs = place(image, replace(parameters, pipeline_compatible=True))
    except LRSError:  # there the aperture leaves the image
        return False
    pairs = [(ours.edges, theirs.edges), (ours.background_edges, theirs.background_edges)]
    return all(np.allclose(a, b, rtol=0, atol=SAME_EDGES, equal_nan=True) for a, b in pairs if a is not None)


def _other_numbers(image: SpectralImage, exported: ExtractionParameters, ours: Placement) -> list[str]:
    """Say where the pipeline, with the same edges, weighs or fits otherwise."""
    notes = []
    theirs = place(image, replace(exported, pipeline_compatible=True))
    if not np.allclose(ours.weights, theirs.weights, rtol=0, atol=1e-3):
        notes.append(
            "Where two edges cut a pixel (neighbouring or narrow regions) the pipeline counts "
            "only the larger part: its flux will differ."
        )
    order = exported.bkg_order or 0
    if not image.resampled and ours.background is not None and exported.bkg_fit != "median" and order > 2:
        notes.append(
            f"On a detector image the pipeline cannot fit a background of bkg_order = {order} and silently "
            "subtracts none."
        )
    return notes


def _absolute(
    image: SpectralImage, parameters: ExtractionParameters, placement: Placement
) -> tuple[ExtractionParameters, list[str]]:
    """Replace start, stop, width and source position by polynomials for the edges as they lie."""
    edges = {"src_coeff": placement.edges, "bkg_coeff": placement.background_edges}

    def polynomials(independent: NDArray) -> tuple[float, dict[str, tuple[Coefficients, float]]]:
        fits = {name: _fits(independent, given) for name, given in edges.items() if given is not None}
        return max(error for _, error in fits.values()), fits

    # A taper is simple in wavelength, a bent trace in rows: what follows the edges closest is written.
    by_variable = {"pixel": polynomials(image.disp_index), "wavelength": polynomials(image.row_wavelength)}
    variable = min(by_variable, key=lambda name: max(by_variable[name][0], SAME_EDGES))
    fits = by_variable[variable][1]
    notes = [
        f"{name} in the file follows the edges to {error:.1g} px."
        for name, (_, error) in fits.items()
        if error > 1e-5
    ]
    given = to_image_axes(parameters, image)
    exported = replace(
        given,
        **{name: coefficients for name, (coefficients, _) in fits.items()},
        independent_var=variable,
        extract_width=None,
        xstart=None,
        xstop=None,
        use_source_posn=False,
        position_offset=0.0,
    )
    return to_image_axes(exported, image), notes


def _fits(independent: NDArray, edges: NDArray) -> tuple[Coefficients, float]:
    """Fit edges of the shape (n_regions, 2, n_disp); return the polynomials and how far the worst is off."""
    fits = [_fit(independent, edge) for edge in edges.reshape(-1, edges.shape[-1])]
    return tuple(fit for fit, _ in fits), max(error for _, error in fits)


def _fit(independent: NDArray, edge: NDArray) -> tuple[tuple[float, ...], float]:
    """Polynomial of the lowest degree that follows an edge."""
    known = np.isfinite(edge) & np.isfinite(independent)
    x, y = independent[known], edge[known]
    for degree in range(MAX_DEGREE + 1):
        fit = Polynomial.fit(x, y, degree)
        error = float(np.abs(fit(x) - y).max())
        if error < SAME_EDGES / 10:
            break
    return tuple(float(c) for c in fit.convert().coef), error
