"""The way back to the pipeline: an extract1d file that gives the same spectrum there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from jdaviz_lrs.parameters import Coefficients, ExtractionParameters
from jdaviz_lrs.placement import Placement, place, subtracts_background
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.products.orientation import to_image_axes
from jdaviz_lrs.references.extract1d import Extract1dReference

__all__ = ["Export", "export_extract1d"]

#: Edges closer than this, in pixels, give the same spectrum to 1e-6.
SAME_EDGES = 1e-7

MAX_DEGREE = 9


@dataclass(frozen=True)
class Export:
    """An extract1d reference for the pipeline, and what it cannot hold.

    Attributes
    ----------
    reference : Extract1dReference
    step_parameters : dict
        Arguments of the pipeline's step that the file has no place for, where they differ from its defaults.
    notes : tuple of str
        Where the pipeline cannot give the same numbers.
    """

    reference: Extract1dReference
    step_parameters: dict
    notes: tuple[str, ...]


def export_extract1d(
    image: SpectralImage, parameters: ExtractionParameters, reference: Extract1dReference
) -> Export:
    """Express an extraction in an extract1d reference file.

    Parameters
    ----------
    image : SpectralImage
    parameters : ExtractionParameters
    reference : Extract1dReference
        Whose other apertures and keys are kept.

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
    placement = place(image, parameters)
    exported, notes = parameters, []
    if parameters.bkg_fit == "mean":  # not known to the pipeline in a file
        exported = replace(exported, bkg_fit="poly", bkg_order=0)
    if not subtracts_background(parameters):
        exported = replace(exported, bkg_coeff=None)
    if parameters.extraction_type == "box" and (
        parameters.position_offset != 0 or not _pipeline_agrees(image, exported, placement)
    ):
        exported, notes = _absolute(image, exported, placement)
    observation = image.observation
    step_parameters = {
        name: getattr(parameters, name)
        for name, default in STEP_DEFAULTS.items()
        if getattr(parameters, name) != default
    }
    if parameters.extraction_type == "optimal":
        if parameters.position_offset:
            step_parameters["position_offset"] = parameters.position_offset
        if parameters.refinements or parameters.sources:
            notes.append("The pipeline has no refinements or further sources.")
    for name in ("bkg_sigma_clip", "bkg_disp_order"):
        if getattr(parameters, name) is not None:
            notes.append(f"The pipeline has no {name}: its background will differ.")
    if not image.resampled and subtracts_background(parameters) and parameters.smoothing_length:
        notes.append("On a detector image the pipeline smooths the background across the ends of the slit.")
    if parameters.apcorr_method != "reference" and parameters.apply_apcorr:
        notes.append(
            "The pipeline interpolates the aperture correction: its flux scale will differ slightly."
        )
    return Export(
        reference.with_parameters(exported, observation.slit_name, observation.spectral_order),
        step_parameters,
        tuple(notes),
    )


#: Of the pipeline's step, for the parameters that an extract1d file has no place for.
STEP_DEFAULTS = {
    "apply_apcorr": True,
    "extraction_type": "box",
    "model_nod_pair": True,
    "optimize_psf_location": True,
}


def _pipeline_agrees(image: SpectralImage, parameters: ExtractionParameters, ours: Placement) -> bool:
    theirs = place(image, replace(parameters, pipeline_compatible=True))
    pairs = [(ours.edges, theirs.edges), (ours.background_edges, theirs.background_edges)]
    return all(np.allclose(a, b, rtol=0, atol=SAME_EDGES, equal_nan=True) for a, b in pairs if a is not None)


def _absolute(
    image: SpectralImage, parameters: ExtractionParameters, placement: Placement
) -> tuple[ExtractionParameters, list[str]]:
    """Replace start, stop, width and source position by polynomials for the edges as they lie."""
    notes = []
    wavelength = parameters.independent_var == "wavelength" and parameters.src_coeff is not None
    independent = image.row_wavelength if wavelength else image.disp_index

    def coefficients(name: str, edges: NDArray | None) -> Coefficients | None:
        if edges is None:
            return None
        fits = [_fit(independent, edge) for edge in edges.reshape(-1, edges.shape[-1])]
        worst = max(error for _, error in fits)
        if worst > 1e-5:
            notes.append(f"{name} in the file follows the edges to {worst:.1g} px.")
        return tuple(fit for fit, _ in fits)

    given = to_image_axes(parameters, image)
    exported = replace(
        given,
        src_coeff=coefficients("src_coeff", placement.edges),
        bkg_coeff=coefficients("bkg_coeff", placement.background_edges),
        independent_var="wavelength" if wavelength else "pixel",
        extract_width=None,
        xstart=None,
        xstop=None,
        use_source_posn=False,
        position_offset=0.0,
    )
    return to_image_axes(exported, image), notes


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
