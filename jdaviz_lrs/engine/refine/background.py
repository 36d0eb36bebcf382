"""The simultaneous background, smoothed along the dispersion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdaviz_lrs.engine.optimal import polynomial_basis

__all__ = ["SmoothBackground", "smooth_background", "smoothing_matrix"]

Image = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SmoothBackground:
    """A background that varies slowly along the dispersion.

    Attributes
    ----------
    image : ndarray, ([n_int,] n_disp, n_xdisp)
    variance_of : ndarray, (3, [n_int,] n_disp, n_background, n_background)
        Covariance of its polynomial's coefficients, from each of the given variances, without the share of
        the row itself.
    own_weights : ndarray, ([n_int,] n_disp, n_xdisp, n_background)
        Weight of the row's own pixels in its coefficients.
    """

    image: Image
    variance_of: Image
    own_weights: Image


def smoothing_matrix(usable: NDArray[np.bool_], length: int, order: int = 2) -> Image:
    """Weights of a local polynomial fit over `length` rows, (n_disp, n_disp).

    Parameters
    ----------
    usable : ndarray of bool, (n_disp,)
        Rows that may be used.
    length : int
        Rows of the window.
    order : int
        Of the polynomial. A straight mean would be low wherever the sky curves upwards, as it does
        steeply beyond 12 um.

    Returns
    -------
    ndarray
        Each row sums to one; the identity where the window holds too few rows.

    Notes
    -----
    Savitzky & Golay (1964, Anal. Chem. 36, 1627), with the ends and gaps fitted rather than padded.
    """
    number = usable.size
    lag = np.arange(number)[None, :] - np.arange(number)[:, None]
    window = (np.abs(lag) <= length // 2) & usable[None, :]
    powers = (lag / max(length // 2, 1))[..., None] ** np.arange(order + 1) * window[..., None]
    moments = np.einsum("ija,ijb->iab", powers, powers)
    enough = window.sum(axis=1) > order
    moments = np.where(enough[:, None, None], moments, np.eye(order + 1))
    first = np.linalg.solve(moments, np.eye(order + 1)[:1].T)[..., 0]
    weights = np.einsum("ija,ia->ij", powers, first)
    return np.where(enough[:, None], weights, np.eye(number))


def smooth_background(
    coefficients: Image,
    coefficient_weights: Image,
    variances: Image,
    coordinate: Image,
    usable: NDArray[np.bool_],
    length: int,
) -> SmoothBackground:
    """Smooth a background that was fitted along with the sources at every wavelength.

    Parameters
    ----------
    coefficients : ndarray, ([n_int,] n_disp, n_background)
    coefficient_weights : ndarray, ([n_int,] n_disp, n_xdisp, n_background)
        Of every pixel in the coefficients of its row.
    variances : ndarray, (3, [n_int,] n_disp, n_xdisp)
    coordinate : ndarray, (n_xdisp,)
    usable : ndarray of bool, ([n_int,] n_disp)
    length : int
        Rows.

    Returns
    -------
    SmoothBackground
    """
    matrix = _matrices(usable, length)
    smooth = matrix @ np.where(usable[..., None], coefficients, 0.0)
    basis = polynomial_basis(coordinate, coefficients.shape[-1] - 1)
    own = np.diagonal(matrix, axis1=-2, axis2=-1)
    others = np.where(np.eye(usable.shape[-1], dtype=bool), 0.0, matrix) ** 2
    covariance = np.einsum(
        "...rxa,v...rx,...rxb->v...rab", coefficient_weights, variances, coefficient_weights
    )
    shape = covariance.shape
    spread = (others @ covariance.reshape(*shape[:-2], -1)).reshape(shape)
    return SmoothBackground(smooth @ basis.T, spread, own[..., None, None] * coefficient_weights)


def _matrices(usable: NDArray[np.bool_], length: int) -> Image:
    """Weights of the smoothing, ([n_int,] n_disp, n_disp); one for all where all have the same rows."""
    if usable.ndim == 1:
        return smoothing_matrix(usable, length)
    patterns, pattern = np.unique(usable, axis=0, return_inverse=True)
    matrices = np.stack([smoothing_matrix(one, length) for one in patterns])
    return matrices[0] if len(patterns) == 1 else matrices[pattern.ravel()]
