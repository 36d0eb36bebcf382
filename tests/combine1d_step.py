"""The pipeline's combination as the oracle, run in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pipeline_c1d(paths: Sequence[str | Path], **parameters: Any) -> NDArray:
    """Run the pipeline's Combine1dStep on x1d files; returns the table of the combined spectrum.

    Parameters
    ----------
    paths : sequence of path
    **parameters
        Of the step: ``exptime_key``, ``sigma_clip``.
    """
    from jwst.combine_1d import Combine1dStep
    from jwst.datamodels import ModelContainer

    step = Combine1dStep()
    for name, value in parameters.items():
        setattr(step, name, value)
    with ModelContainer([str(path) for path in paths]) as container:
        result = step.process(container)
    return np.asarray(result.spec[0].spec_table)
