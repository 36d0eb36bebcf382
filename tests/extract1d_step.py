"""The JWST pipeline as the oracle, run in this process and offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from astropy import convolution
from numpy.typing import NDArray


def pipeline_spec(
    model: Any,
    extract1d: str | Path,
    apcorr: str | Path | None = None,
    psf: str | Path | None = None,
    **parameters: Any,
):
    """Run the pipeline's Extract1dStep on a data model or file; returns its MultiSpecModel.

    Parameters
    ----------
    model : JwstDataModel or path
    extract1d, apcorr, psf : path
        Reference files, used as overrides; without `apcorr` the correction is off.
    **parameters
        Of the step, by its own names.

    Notes
    -----
    Backgrounds are smoothed in double precision here. The pipeline smooths in single, and its polynomials
    carry that rounding into the aperture, many times over where they reach beyond their regions.
    """
    from jwst.extract_1d import Extract1dStep
    from stdatamodels.jwst import datamodels

    step = Extract1dStep()
    step.override_extract1d = str(extract1d)
    step.override_apcorr = "N/A" if apcorr is None else str(apcorr)
    step.override_psf = "N/A" if psf is None else str(psf)
    step.apply_apcorr = apcorr is not None
    for name, value in parameters.items():
        setattr(step, name, value)
    with patch.object(convolution, "convolve", _convolve_in_double):
        if isinstance(model, str | Path):
            with datamodels.open(model) as opened:
                return step.process(opened)
        return step.process(model)


def _convolve_in_double(
    array: NDArray, *arguments: Any, convolve=convolution.convolve, **keywords: Any
) -> NDArray:
    return convolve(np.asarray(array, float), *arguments, **keywords)


def pipeline_x1d(model: Any, *references: str | Path | None, **keywords: Any) -> NDArray:
    """Run the pipeline as `pipeline_spec` does; returns the table of the first spectrum."""
    return np.asarray(pipeline_spec(model, *references, **keywords).spec[0].spec_table)
