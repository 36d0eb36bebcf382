"""From inputs to their mean: scales, outliers, average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.combine.average import Averaged, average_inputs, steady_weights
from jdaviz_lrs.engine.combine.outliers import FLOOR, judge_inputs
from jdaviz_lrs.engine.combine.scales import fit_scales

__all__ = ["Combination", "combine_inputs"]

Table = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Combination:
    """Several measurements combined.

    Attributes
    ----------
    mean : Averaged
    used : ndarray of bool, (n_input, n_wavelength)
    doubt : ndarray, (n_wavelength,)
        Variance to add where nothing tells which input is right.
    weights : ndarray, (n_input, n_wavelength)
        Zero where not used.
    scales, scale_errors : ndarray, (n_input,)
    """

    mean: Averaged
    used: NDArray[np.bool_]
    doubt: Table
    weights: Table
    scales: Table
    scale_errors: Table


def combine_inputs(
    flux: Table,
    random: Table,
    common: Table,
    groups: NDArray[np.intp],
    everywhere: Table | float = 0.0,
    times: Table | None = None,
    threshold: float | None = None,
    floor: float = FLOOR,
    scaled: bool = False,
) -> Combination:
    """Combine several measurements of one spectrum.

    Parameters
    ----------
    flux, random, common : ndarray, (n_input, n_wavelength)
        With the variances of what is independent from input to input, and of what is not; NaN flux where
        there is none.
    groups : ndarray of int, (n_input,)
        Inputs of one number share the error behind `common`.
    everywhere : ndarray, (n_input, n_wavelength), or float
        Variance of what all inputs have in common.
    times : ndarray, (n_input,), optional
        Weights; inverse variances without them.
    threshold : float, optional
        Errors beyond which an input is left out at a wavelength; without it none is.
    floor : float
        Least error when they are judged, as a part of the flux.
    scaled : bool
        Whether the inputs are brought to one level.

    Returns
    -------
    Combination
    """
    good = np.isfinite(flux) & np.isfinite(random)
    good &= random + np.nan_to_num(common) + np.nan_to_num(everywhere) > 0
    flux, random, common, everywhere = (
        np.where(good, one, 0.0) for one in (flux, random, common, everywhere)
    )
    spread = np.where(random > 0, random, common + everywhere)
    scales, errors = np.ones(len(flux)), np.full(len(flux), np.nan)
    if scaled:
        clean = judge_inputs(flux, spread, good, threshold, floor).used if threshold else good
        scales, errors = fit_scales(flux, spread, clean)
    factor = scales[:, None]
    flux, random, common, spread = flux * factor, random * factor**2, common * factor**2, spread * factor**2
    used, doubt = good, np.zeros(flux.shape[1])
    if threshold:
        judged = judge_inputs(flux, spread, good, threshold, floor)
        used, doubt = judged.used, judged.doubt
    weights = steady_weights(spread, good) if times is None else np.where(good, times[:, None], 0.0)
    weights = np.where(used, weights, 0.0)
    mean = average_inputs(flux, random, common, weights, groups, everywhere * factor**2)
    return Combination(mean, used, doubt, weights, scales, errors)
